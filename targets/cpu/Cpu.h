// What all CPUs share: from kernels over buffers to object code.
#pragma once
#include "Target.h"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::cpu {

/// How a machine multiplies vectors, and sums products of them.
struct Multiplication {
  bool fused = true;                               ///< it multiplies and adds in one instruction
  bool byLane = false;                             ///< it multiplies a vector by a lane of another
  bool scales = false;                             ///< it multiplies by any powers of two in one instruction
  llvm::SmallVector<llvm::StringRef, 2> dots = {}; ///< DotProduct::intrinsic of those that it has, the best first
};

/// The register tiles that a machine is good at.
struct RegisterTiles {
  llvm::ArrayRef<int64_t> rows; ///< of a tile of 1, 2, 3... vectors of columns; the last is the widest tile
  int64_t panelVectors;         ///< in a row of a packed panel
  /// What the rows of a contraction's tile start from where only the run counts them: all heights of register tiles
  /// divide it.
  int64_t rowStep;
  int64_t depthBlock = 1024; ///< terms summed in registers before the sum goes to memory
  Multiplication multiplication = {};
};

/// How much a tile of a kernel does: enough to be worth handing to a thread, little enough that there are tiles for all
/// of them and that what a tile touches stays in its core's cache.
struct TileWork {
  int64_t leastProducts = 1 << 19, mostProducts = 1 << 22; ///< multiplications of a contraction
  int64_t leastSteps = 1 << 17, mostSteps = 1 << 19;       ///< loads, stores and operations of anything else
  int64_t tiles = 16;                                      ///< to cut a kernel into, within these bounds
  int64_t mostHeldBytes = 24 << 10;                        ///< of what goes from one operation to the next, so that it
                                                           ///< stays in the first cache, as a row of a softmax
  int64_t rowStep = 72;                                    ///< RegisterTiles::rowStep
};

/// Columns of a packed panel of at most `vectors` vectors; Target::panelWidth.
int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr target, int64_t vectors);

/// The parallel tiles of a kernel whose root is `root`.
TilingAttr tile(mlir::TilingInterface root, const TileWork &work);

/// Kernels over buffers -> the LLVM dialect.
void lower(mlir::OpPassManager &passes, TargetAttr target, RegisterTiles tiles);

/// A machine in LLVM's words.
struct Machine {
  llvm::StringRef triple;
  llvm::StringRef chip;         ///< the least that it is
  llvm::StringRef baseFeatures; ///< that it has beside the target's; may be empty
  llvm::SmallVector<std::pair<llvm::StringRef, std::string>> functionAttributes; ///< of every function with a body
};

/// The LLVM dialect -> relocatable objects for `machine`, whose back end has been initialized.
llvm::FailureOr<Binary> emit(mlir::ModuleOp module, TargetAttr target, const Machine &machine);

/// A family of CPUs. What its machines are is its own; how loops are cut and code is made for them follows from its
/// register tiles and from LLVM's words for it.
class CpuTarget : public Target {
public:
  TilingAttr tile(mlir::TilingInterface, TargetAttr) const final;
  int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr) const final;
  IntegerProduct integerProduct(IntegerProduct factors, bool canShift, TargetAttr) const final;
  void lower(mlir::OpPassManager &, TargetAttr) const final;
  llvm::FailureOr<Binary> emit(mlir::ModuleOp, TargetAttr) const final;
  llvm::StringRef runtime() const override { return name(); }

protected:
  virtual RegisterTiles registerTiles(TargetAttr) const = 0;
  /// Initializes the back end, too.
  virtual Machine machine(TargetAttr) const = 0;
};

} // namespace mlc::cpu
#pragma GCC visibility pop

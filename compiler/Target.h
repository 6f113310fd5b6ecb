// A target: one machine that mlc compiles for. What a target answers, and the registry of all of them.
#pragma once
#include "mlc/Mlc.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

#pragma GCC visibility push(default) // for plug-ins
namespace mlc {

/// Machine code of one module, still in memory: relocatable objects for the linker.
struct Binary {
  llvm::SmallVector<std::unique_ptr<llvm::MemoryBuffer>> objects;
};

/// How a contraction of integers finds its factors.
struct IntegerProduct {
  int64_t group = 1; ///< neighbouring terms of the depth that lie side by side; 1: any element is a factor by itself
  unsigned lhsBits, rhsBits;
  bool lhsIsUnsigned;
};

class Target {
public:
  virtual ~Target() = default;
  /// The word after --target=.
  virtual llvm::StringRef name() const = 0;
  /// The target whose machine runs the code: itself, or the host of a device.
  virtual llvm::StringRef hostName() const { return name(); }
  /// One line for `mlc targets`.
  virtual llvm::StringRef summary() const = 0;
  /// The words that `describe` knows as a chip, beside "native", and as features; for `mlc targets NAME`.
  virtual llvm::SmallVector<llvm::StringRef> chips() const { return {}; }
  virtual llvm::SmallVector<llvm::StringRef> features() const { return {}; }
  /// `chip` as the user said it ("native", "x86-64-v3", ...), empty for the target's usual one: this machine, if it is
  /// of its kind. `features` are additions like "+avx512vnni,-amx-tile". Fails, with an error, on a chip or feature that
  /// does not exist.
  virtual llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                               llvm::StringRef features) const = 0;
  /// How to cut the loops of a kernel's root operation; null: leave them.
  virtual TilingAttr tile(mlir::TilingInterface, TargetAttr) const = 0;
  /// Columns of a packed panel for a contraction with `columns` result columns (ShapedType::kDynamic if unknown) of
  /// this element type.
  virtual int64_t panelWidth(mlir::Type element, int64_t columns, TargetAttr) const = 0;
  /// The form in which it multiplies integers as `factors` has them (of group 1) best: in groups, of lhs elements as wide
  /// or wider. If `canShift`, unsigned elements of 8 bits may become signed ones, less 128, and the other way round.
  virtual IntegerProduct integerProduct(IntegerProduct factors, bool canShift, TargetAttr) const { return factors; }
  /// What a kernel may put on the stack of the thread that runs it; 0 where another device may have to see it.
  virtual int64_t stackBytes() const { return 192 << 10; }
  /// Splits off, before anything else of the target phase, what a device runs; a CPU has nothing to split.
  virtual void place(mlir::OpPassManager &, TargetAttr) const {}
  /// Whether one thread of the device can compute a scalar operation, or load an element of a type.
  virtual bool hasDeviceForm(mlir::Operation *) const { return false; }
  virtual bool hasDeviceForm(mlir::Type) const { return false; }
  /// Kernels over buffers -> the last MLIR of this machine.
  virtual void lower(mlir::OpPassManager &, TargetAttr) const = 0;
  /// The last MLIR -> machine code.
  virtual llvm::FailureOr<Binary> emit(mlir::ModuleOp, TargetAttr) const = 0;
  /// The folder under lib/mlc/ that holds the runtime archive.
  virtual llvm::StringRef runtime() const = 0;
};

/// Targets are registered by tools/ at start and by plug-ins.
void registerTarget(std::unique_ptr<Target> target);
llvm::ArrayRef<std::unique_ptr<Target>> registeredTargets();
/// Null if there is none of that name.
const Target *findTarget(llvm::StringRef name);
/// The name of the target that makes code for the machine that mlc itself runs on; empty where there is none.
llvm::StringRef hostTargetName();
/// That target; null if mlc was built without it.
const Target *hostTarget();
/// The target of a module that carries `mlc.target`; fails with an error at the module.
llvm::FailureOr<std::pair<const Target *, TargetAttr>> targetOf(mlir::ModuleOp module);

} // namespace mlc
#pragma GCC visibility pop

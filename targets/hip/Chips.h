// The words by which users choose GPUs of AMD, and what is known of each.
#pragma once
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"

namespace mlc::hip {

/// The instructions that multiply matrices: none, those of CDNA, of RDNA 3, of RDNA 4.
enum class MatrixCores { None, Mfma, Wmma11, Wmma12 };

struct Chip {
  llvm::StringRef name;
  int64_t lanes; ///< of a wave
  MatrixCores cores = MatrixCores::None;
  bool flushesHalves = false; ///< its matrix cores take subnormal f16 and bf16 as zero
  bool hasWideInt8 = false;   ///< its matrix cores take 8 bytes of a lane at once
  bool hasXf32 = false;       ///< they multiply f32 of 10 bits of the mantissa
};

llvm::ArrayRef<Chip> knownChips();
llvm::SmallVector<llvm::StringRef> chipNames();
/// Null if there is none of that name.
const Chip *findChip(llvm::StringRef name);

/// Those that a library is for, and what the user allows on those of them that have it.
struct Chips {
  llvm::SmallVector<const Chip *> list;
  bool useXf32 = false;     ///< products of f32 in matrix cores that have 10 bits of the mantissa
  bool flushHalves = false; ///< products of f16 and bf16 in matrix cores that take subnormal ones as zero
};
/// Reads words like "gfx90a,gfx942:xf32". Fails, with an error, where one is unknown.
llvm::FailureOr<Chips> readChips(mlir::MLIRContext *, llvm::StringRef words);

} // namespace mlc::hip

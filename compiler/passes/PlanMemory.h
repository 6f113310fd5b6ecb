// How buffers share memory: what the plan of the graph function and the placement of kernels' temporaries have in
// common.
#pragma once
#include "mlir/IR/BuiltinTypes.h"

namespace mlc {

/// The function that computes the arena: (symbols...) -> (bytes, offsets of slots...).
inline constexpr llvm::StringLiteral arenaFunctionName = "model_arena";
/// The extents of all outputs, one output after the other, as far as the symbols tell them: (symbols...) ->
/// (extents...).
inline constexpr llvm::StringLiteral outputExtentsFunctionName = "model_output_extents";

/// When a buffer holds something, as numbers of its first and last user, and how much.
struct Lifetime {
  int64_t bytes;
  unsigned first, last;
  bool overlaps(const Lifetime &other) const { return first <= other.last && other.first <= last; }
};

/// Offsets, 64-byte aligned, at which no two buffers that are alive at once overlap. The largest comes first, each goes
/// into the smallest gap that holds it ("greedy by size", Pisarchyk and Lee, "Efficient Memory Management for Deep
/// Neural Net Inference", 2020).
llvm::SmallVector<int64_t> packLifetimes(llvm::ArrayRef<Lifetime> buffers, int64_t &total);

int64_t bytesOfElement(mlir::Type type);
/// Of a static shape; none if dynamic, or if 64 bits do not hold it.
std::optional<int64_t> fixedBytes(mlir::MemRefType type);

} // namespace mlc

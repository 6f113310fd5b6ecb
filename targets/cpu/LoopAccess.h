// How the loops of a structured operation on buffers run through memory.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlc::cpu {

/// How an operand moves along one loop.
enum class Movement { None, Contiguous, Strided, Irregular };

Movement movementAlong(mlir::AffineMap map, mlir::MemRefType type, unsigned loop);

/// How far in memory one step along `loop` goes, in elements; none if only the run knows.
std::optional<int64_t> strideAlong(mlir::AffineMap map, mlir::MemRefType type, unsigned loop);

/// The stride along `loop`, if it is so short that whole vectors are better loaded than gathered: from 2 to 4.
std::optional<int64_t> shortStrideAlong(mlir::AffineMap map, mlir::MemRefType type, unsigned loop);

/// The number that `loop` is multiplied with in a sum.
int64_t coefficientOf(mlir::AffineExpr index, unsigned loop);

/// The operation with each run of loops made one that runs over axes which lie as one axis in all operands; the
/// operation itself where there is none.
mlir::linalg::LinalgOp collapseLoops(mlir::linalg::LinalgOp op, mlir::RewriterBase &rewriter);

} // namespace mlc::cpu

// How the threads of a block share the products of a tile: which sums each keeps, and by what instructions it adds to
// them. How tiles are staged and what happens at edges is the same for all (FormContraction.cpp).
#pragma once
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"

namespace mlc::gpu {

class TileProduct {
public:
  virtual ~TileProduct();

  /// Of a block; the innermost are neighbours.
  llvm::SmallVector<int64_t> threads;
  /// Of a tile. The left-hand side's is staged as `rows` x `depth`, or, `isTransposed`, the other way around; the
  /// right-hand side's as `depth` x `columns`. Where several terms make a word, depth counts words there, and the tile
  /// has a last axis for the terms in one. Each row of either has `padding` words more than it holds, so that threads
  /// which read along columns do not meet in one bank.
  int64_t rows, columns, depth, termsOfWord = 1;
  bool isTransposed = false;
  int64_t lhsPadding = 0, rhsPadding = 0;
  int64_t sums, sumsOfRow; ///< that a thread keeps, and how many of these, one after the other, are of one row

  mlir::Type staged; ///< null: what elements are
  /// What is staged of an element.
  virtual mlir::Value stage(mlir::OpBuilder &, mlir::Location, mlir::Value element) const { return element; }
  /// Row and column in the tile of one of a thread's sums.
  virtual std::pair<mlir::Value, mlir::Value> placeOf(mlir::OpBuilder &, mlir::Location, mlir::ValueRange thread,
                                                      int64_t sum) const = 0;
  /// The sums with the products of two staged tiles added.
  virtual llvm::SmallVector<mlir::Value> multiply(mlir::OpBuilder &, mlir::Location, mlir::ValueRange thread,
                                                  mlir::Value lhs, mlir::Value rhs, mlir::ValueRange sums) const = 0;
};

} // namespace mlc::gpu

// The first few of many candidates, in order: what TopK, Unique and NonMaxSuppression sort with.
//
// A heap of k costs one comparison for almost every candidate that is not among the first, and never more than log k;
// with k = n it is a heap sort, which needs no memory.
#pragma once
#include "onnx/IndexMath.h"

namespace mlc::onnx {

/// Whether the number a is less than b, in the compute type of `s.element`; NaN counts as the largest number.
mlir::Value isLess(const Scalars &s, mlir::Value a, mlir::Value b);

/// Candidates, numbered from 0 on, of which the first few in an order are chosen. They are kept in a tensor of i64
/// that may hold more than that: `place` gives the index of each position.
class Heap {
public:
  using Place = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value position)>;
  using Before = llvm::function_ref<Truth(Index, Index)>;

  Heap(Lowering &l, Place place, Before before) : l(l), place(place), before(before) {}

  /// `chosen`, which holds 0, 1, ... at positions 0 .. kept - 1, with the first `kept` of `candidates` in their order.
  mlir::Value choose(mlir::Value chosen, Index kept, Index candidates);
  /// `list` with the first `count` of the numbers in it, which may be any, in their order.
  mlir::Value sort(mlir::Value list, Index count);

private:
  /// Makes a heap of a list, with the last in order at position 0; and the other way.
  mlir::Value make(mlir::Value list, Index count);
  mlir::Value takeApart(mlir::Value heap, Index count);
  mlir::Value loop(Index count, mlir::Value carried, llvm::function_ref<mlir::Value(Index, mlir::Value)> body);
  Index read(mlir::Value heap, Index position);
  mlir::Value write(mlir::Value heap, Index position, Index candidate);
  /// Puts `candidate` into the part of a heap of `size` that begins at the free position `hole`: what comes behind it
  /// moves up.
  mlir::Value sink(mlir::Value heap, Index hole, Index size, Index candidate);

  Lowering &l;
  Place place;
  Before before;
};

} // namespace mlc::onnx

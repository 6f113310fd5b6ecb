#include "onnx/ops/Heap.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

Value isLess(const Scalars &s, Value a, Value b) {
  if (isa<StringType>(s.element)) {
    Type i64 = s.b.getI64Type();
    Value order = ServiceOp::create(s.b, s.loc, TypeRange(i64), "string_compare", ValueRange{a, b}).getResult();
    return s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, order, s.constant(0, i64));
  }
  if (!isFloat(s.element))
    return s.make<arith::CmpIOp>(isUnsigned(s.element) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, a, b);
  Value aIsNumber = s.make<arith::CmpFOp>(arith::CmpFPredicate::ORD, a, a);
  // Unordered: also where b is NaN.
  return s.make<arith::AndIOp>(aIsNumber, s.make<arith::CmpFOp>(arith::CmpFPredicate::ULT, a, b));
}

Value Heap::choose(Value chosen, Index kept, Index candidates) {
  Index zero(l, int64_t(0)), others = select(kept == 0, zero, candidates - kept);
  chosen = loop(others, make(chosen, kept), [&](Index i, Value heap) -> Value {
    Index candidate = kept + i;
    Truth isBetter = before(candidate, read(heap, zero));
    auto choice = scf::IfOp::create(l.b, l.loc(), heap.getType(), isBetter, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointToStart(&choice.getThenRegion().front());
    scf::YieldOp::create(l.b, l.loc(), sink(heap, zero, kept, candidate));
    l.b.setInsertionPointToStart(&choice.getElseRegion().front());
    scf::YieldOp::create(l.b, l.loc(), heap);
    return choice.getResult(0);
  });
  return takeApart(chosen, kept);
}

Value Heap::sort(Value list, Index count) { return takeApart(make(list, count), count); }

Value Heap::make(Value list, Index count) {
  return loop(count / 2, list, [&](Index i, Value heap) {
    Index hole = count / 2 - 1 - i;
    return sink(heap, hole, count, read(heap, hole));
  });
}

Value Heap::takeApart(Value heap, Index count) {
  // What is left of the heap gives its last to the end of it.
  return loop(max(count - 1, 0), heap, [&](Index i, Value left) {
    Index zero(l, int64_t(0)), end = count - 1 - i, last = read(left, zero), moved = read(left, end);
    return sink(write(left, end, last), zero, end, moved);
  });
}

Value Heap::loop(Index count, Value carried, llvm::function_ref<Value(Index, Value)> body) {
  return loopNest(l, OpFoldResult(count), carried,
                  [&](ValueRange index, ValueRange values) {
                    return SmallVector<Value>{body(Index(l, index[0]), values[0])};
                  })
      .front();
}

Index Heap::read(Value heap, Index position) {
  Value stored = tensor::ExtractOp::create(l.b, l.loc(), heap, place(position));
  return {l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), stored).getResult()};
}

Value Heap::write(Value heap, Index position, Index candidate) {
  Value stored = arith::IndexCastOp::create(l.b, l.loc(), l.b.getI64Type(), candidate);
  return tensor::InsertOp::create(l.b, l.loc(), stored, heap, place(position));
}

Value Heap::sink(Value heap, Index hole, Index size, Index candidate) {
  OpBuilder &b = l.b;
  Location loc = l.loc();
  Type index = b.getIndexType();
  SmallVector<Location> locations(4, loc);
  auto loop = scf::WhileOp::create(b, loc, TypeRange{heap.getType(), index, index, index}, ValueRange{heap, hole});
  OpBuilder::InsertionGuard guard(b);
  Block *up = b.createBlock(&loop.getBefore(), {}, TypeRange{heap.getType(), index}, ArrayRef(locations).take_front(2));
  Value now = up->getArgument(0);
  Index at(l, Value(up->getArgument(1))), child = at * 2 + 1;
  auto found = scf::IfOp::create(b, loc, TypeRange{b.getI1Type(), index, index}, child < size, true);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(&found.getThenRegion().front());
    Index second = select(child + 1 < size, child + 1, child), left = read(now, child), right = read(now, second);
    Truth isSecond = before(left, right);
    Index later = select(isSecond, right, left), from = select(isSecond, second, child);
    scf::YieldOp::create(b, loc, ValueRange{before(candidate, later), from, later});
    b.setInsertionPointToStart(&found.getElseRegion().front());
    scf::YieldOp::create(b, loc, ValueRange{Truth(l, false), at, at});
  }
  scf::ConditionOp::create(b, loc, found.getResult(0), ValueRange{now, at, found.getResult(1), found.getResult(2)});
  Block *down = b.createBlock(&loop.getAfter(), {}, TypeRange{heap.getType(), index, index, index}, locations);
  Value moved =
      write(down->getArgument(0), Index(l, Value(down->getArgument(1))), Index(l, Value(down->getArgument(3))));
  scf::YieldOp::create(b, loc, ValueRange{moved, down->getArgument(2)});
  b.setInsertionPointAfter(loop);
  return write(loop.getResult(0), Index(l, loop.getResult(1)), candidate);
}

} // namespace mlc::onnx

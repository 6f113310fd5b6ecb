// Arithmetic on index values and truth values, written with the operators of C++; what is constant folds.
//
//   Index first = select(start < 0, start + extent, start);
//   l.check(first >= 0 && first < extent, "...", {first});
//
// Operations appear where the lowering's builder stands, in the body of a loop or of a linalg.generic as well. Both
// sides of && and || are always computed.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "onnx/Lowering.h"

namespace mlc::onnx {

class Truth {
public:
  Truth(Lowering &l, mlir::Value value) : l(&l), value(value) {}
  Truth(Lowering &l, bool value)
      : Truth(l, mlir::Value(mlir::arith::ConstantOp::create(l.b, l.loc(), l.b.getBoolAttr(value)))) {}
  operator mlir::Value() const { return value; }

  friend Truth operator&&(Truth x, Truth y) { return {*x.l, x.make<mlir::arith::AndIOp>(y)}; }
  friend Truth operator||(Truth x, Truth y) { return {*x.l, x.make<mlir::arith::OrIOp>(y)}; }
  friend Truth operator!(Truth x) { return {*x.l, x.make<mlir::arith::XOrIOp>(Truth(*x.l, true))}; }

private:
  template <typename Op> mlir::Value make(Truth other) const {
    return l->b.createOrFold<Op>(l->loc(), value, other.value);
  }
  Lowering *l;
  mlir::Value value;
};

class Index {
public:
  Index(Lowering &l, mlir::Value value) : l(&l), value(value) {}
  Index(Lowering &l, mlir::OpFoldResult value) : Index(l, l.index(value)) {}
  Index(Lowering &l, int64_t value) : Index(l, l.index(value)) {}
  Index(Lowering &l, Extent value) : Index(l, l.materialize(value)) {}
  operator mlir::Value() const { return value; }
  operator mlir::OpFoldResult() const { return mlir::getAsOpFoldResult(value); }

  friend Index operator+(Index x, Index y) { return x.make<mlir::arith::AddIOp>(y); }
  friend Index operator-(Index x, Index y) { return x.make<mlir::arith::SubIOp>(y); }
  friend Index operator*(Index x, Index y) { return x.make<mlir::arith::MulIOp>(y); }
  /// Rounds towards zero; the divisor is not 0.
  friend Index operator/(Index x, Index y) { return x.make<mlir::arith::DivSIOp>(y); }
  friend Index operator%(Index x, Index y) { return x.make<mlir::arith::RemSIOp>(y); }
  friend Index min(Index x, Index y) { return x.make<mlir::arith::MinSIOp>(y); }
  friend Index max(Index x, Index y) { return x.make<mlir::arith::MaxSIOp>(y); }
  friend Truth operator<(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::slt, y); }
  friend Truth operator<=(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::sle, y); }
  friend Truth operator>(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::sgt, y); }
  friend Truth operator>=(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::sge, y); }
  friend Truth operator==(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::eq, y); }
  friend Truth operator!=(Index x, Index y) { return x.compare(mlir::arith::CmpIPredicate::ne, y); }
#define MLC_WITH_NUMBER(type, op)                                                                                      \
  friend type operator op(Index x, int64_t y) { return x op Index(*x.l, y); }
  MLC_WITH_NUMBER(Index, +)
  MLC_WITH_NUMBER(Index, -)
  MLC_WITH_NUMBER(Index, *)
  MLC_WITH_NUMBER(Index, /)
  MLC_WITH_NUMBER(Index, %)
  MLC_WITH_NUMBER(Truth, <)
  MLC_WITH_NUMBER(Truth, <=)
  MLC_WITH_NUMBER(Truth, >)
  MLC_WITH_NUMBER(Truth, >=)
  MLC_WITH_NUMBER(Truth, ==)
  MLC_WITH_NUMBER(Truth, !=)
#undef MLC_WITH_NUMBER
  friend Index max(Index x, int64_t y) { return max(x, Index(*x.l, y)); }
  friend Index min(Index x, int64_t y) { return min(x, Index(*x.l, y)); }
  friend Index select(Truth condition, Index x, Index y) {
    return {*x.l, x.l->b.createOrFold<mlir::arith::SelectOp>(x.l->loc(), condition, x.value, y.value)};
  }

private:
  template <typename Op> Index make(Index other) const {
    return {*l, l->b.createOrFold<Op>(l->loc(), value, other.value)};
  }
  Truth compare(mlir::arith::CmpIPredicate predicate, Index other) const {
    return {*l, l->b.createOrFold<mlir::arith::CmpIOp>(l->loc(), predicate, value, other.value)};
  }
  Lowering *l;
  mlir::Value value;
};

inline llvm::SmallVector<mlir::OpFoldResult> asFoldResults(llvm::ArrayRef<Index> list) {
  return llvm::SmallVector<mlir::OpFoldResult>(list.begin(), list.end());
}

} // namespace mlc::onnx

// Arithmetic on floats in bodies of elementwise operators, written with the operators of C++.
//
//   Real x(s, args[0]);
//   return select(x < 0, x * alpha, x);
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "onnx/Scalars.h"

namespace mlc::onnx {

class Real {
public:
  Real(const Scalars &s, mlir::Value value) : s(&s), value(value) {}
  /// An index or integer (signed) as a number of type `type`.
  static Real of(const Scalars &s, mlir::Value integer, mlir::Type type) {
    if (llvm::isa<mlir::IndexType>(integer.getType()))
      integer = s.make<mlir::arith::IndexCastOp>(s.b.getI64Type(), integer);
    return {s, s.make<mlir::arith::SIToFPOp>(type, integer)};
  }
  operator mlir::Value() const { return value; }
  Real same(double number) const { return {*s, s->constant(number, value.getType())}; }

  friend Real operator+(Real x, Real y) { return x.make<mlir::arith::AddFOp>(y); }
  friend Real operator-(Real x, Real y) { return x.make<mlir::arith::SubFOp>(y); }
  friend Real operator*(Real x, Real y) { return x.make<mlir::arith::MulFOp>(y); }
  friend Real operator/(Real x, Real y) { return x.make<mlir::arith::DivFOp>(y); }
  /// NaN if one is NaN.
  friend Real min(Real x, Real y) { return x.make<mlir::arith::MinimumFOp>(y); }
  friend Real max(Real x, Real y) { return x.make<mlir::arith::MaximumFOp>(y); }
  /// Ordered comparisons: false for NaN.
  friend mlir::Value operator<(Real x, Real y) { return x.compare(mlir::arith::CmpFPredicate::OLT, y); }
  friend mlir::Value operator<=(Real x, Real y) { return x.compare(mlir::arith::CmpFPredicate::OLE, y); }
  friend mlir::Value operator>(Real x, Real y) { return x.compare(mlir::arith::CmpFPredicate::OGT, y); }
  friend mlir::Value operator==(Real x, Real y) { return x.compare(mlir::arith::CmpFPredicate::OEQ, y); }
#define MLC_WITH_NUMBER(type, op)                                                                                      \
  friend type operator op(Real x, double y) { return x op x.same(y); }                                                 \
  friend type operator op(double x, Real y) { return y.same(x) op y; }
  MLC_WITH_NUMBER(Real, +)
  MLC_WITH_NUMBER(Real, -)
  MLC_WITH_NUMBER(Real, *)
  MLC_WITH_NUMBER(Real, /)
  MLC_WITH_NUMBER(mlir::Value, <)
  MLC_WITH_NUMBER(mlir::Value, <=)
  MLC_WITH_NUMBER(mlir::Value, >)
  MLC_WITH_NUMBER(mlir::Value, ==)
#undef MLC_WITH_NUMBER
  friend Real floor(Real x) { return {*x.s, x.s->make<mlir::math::FloorOp>(x.value)}; }
  friend Real ceil(Real x) { return {*x.s, x.s->make<mlir::math::CeilOp>(x.value)}; }
  friend Real abs(Real x) { return {*x.s, x.s->make<mlir::math::AbsFOp>(x.value)}; }
  friend Real select(mlir::Value condition, Real x, Real y) {
    return {*x.s, x.s->make<mlir::arith::SelectOp>(condition, x.value, y.value)};
  }

private:
  template <typename Op> Real make(Real other) const { return {*s, s->make<Op>(value, other.value)}; }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, Real other) const {
    return s->make<mlir::arith::CmpFOp>(predicate, value, other.value);
  }
  const Scalars *s;
  mlir::Value value;
};

} // namespace mlc::onnx

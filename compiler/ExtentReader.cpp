#include "ExtentReader.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace mlc {

using onnx::Extent;

template <typename F> Extent ExtentReader::combine(Extent a, Extent b, F f) { return a && b ? f(a, b) : Extent(); }

Extent ExtentReader::axis(Value tensor, int64_t axis) {
  auto type = cast<ShapedType>(tensor.getType());
  if (!type.isDynamicDim(axis))
    return math.constant(type.getDimSize(axis));
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return isa<FunctionOpInterface>(argument.getOwner()->getParentOp()) ? leaf(argument, axis) : Extent();
  auto result = cast<OpResult>(tensor);
  Operation *op = result.getOwner();
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return index(empty.getMixedSizes()[axis]);
  if (auto call = dyn_cast<func::CallOp>(op)) // a kernel, whose last operands are the destinations
    return this->axis(call.getOperand(call.getNumOperands() - call.getNumResults() + result.getResultNumber()), axis);
  if (auto styled = dyn_cast<DestinationStyleOpInterface>(op))
    return this->axis(styled.getTiedOpOperand(result)->get(), axis);
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return this->axis(cast.getSource(), axis);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return this->axis(insert.getDest(), axis);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t kept = 0;
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i) && kept++ == axis)
        return index(size);
    return {};
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return index(expand.getMixedOutputShape()[axis]);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    Extent product = math.constant(1);
    for (int64_t source : collapse.getReassociationIndices()[axis])
      product =
          combine(product, this->axis(collapse.getSrc(), source), [&](Extent a, Extent b) { return math.mul(a, b); });
    return product;
  }
  return {};
}

/// An affine expression of operands that are extents themselves.
Extent ExtentReader::apply(AffineExpr expression, unsigned dims, ValueRange operands) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return math.constant(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return index(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return index(operands[dims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expression);
  return combine(apply(binary.getLHS(), dims, operands), apply(binary.getRHS(), dims, operands),
                 [&](Extent a, Extent b) {
                   switch (expression.getKind()) {
                   case AffineExprKind::Add:
                     return math.add(a, b);
                   case AffineExprKind::Mul:
                     return math.mul(a, b);
                   case AffineExprKind::FloorDiv:
                     return math.floorDiv(a, b);
                   case AffineExprKind::CeilDiv:
                     return math.ceilDiv(a, b);
                   default:
                     return math.mod(a, b);
                   }
                 });
}

Extent ExtentReader::index(OpFoldResult value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return math.constant(*constant);
  auto dynamic = dyn_cast<Value>(value);
  if (auto argument = dyn_cast_or_null<BlockArgument>(dynamic))
    return isa<FunctionOpInterface>(argument.getOwner()->getParentOp()) ? leaf(argument, itself) : Extent();
  Operation *op = dynamic ? dynamic.getDefiningOp() : nullptr;
  if (!op)
    return {};
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> at = dim.getConstantIndex();
    return at ? axis(dim.getSource(), *at) : Extent();
  }
  if (auto affine = dyn_cast<affine::AffineApplyOp>(op))
    return apply(affine.getAffineMap().getResult(0), affine.getAffineMap().getNumDims(), affine.getMapOperands());
  auto of = [&](auto f) { return combine(index(op->getOperand(0)), index(op->getOperand(1)), f); };
  auto least = [&](AffineMap map, ValueRange operands, auto f) {
    Extent all = apply(map.getResult(0), map.getNumDims(), operands);
    for (AffineExpr result : map.getResults().drop_front())
      all = combine(all, apply(result, map.getNumDims(), operands), f);
    return all;
  };
  auto min = [&](Extent a, Extent b) { return math.min(a, b); };
  auto max = [&](Extent a, Extent b) { return math.max(a, b); };
  if (auto affine = dyn_cast<affine::AffineMinOp>(op))
    return least(affine.getAffineMap(), affine.getOperands(), min);
  if (auto affine = dyn_cast<affine::AffineMaxOp>(op))
    return least(affine.getAffineMap(), affine.getOperands(), max);
  if (isa<arith::AddIOp>(op))
    return of([&](Extent a, Extent b) { return math.add(a, b); });
  if (isa<arith::SubIOp>(op))
    return of([&](Extent a, Extent b) { return math.sub(a, b); });
  if (isa<arith::MulIOp>(op))
    return of([&](Extent a, Extent b) { return math.mul(a, b); });
  if (isa<arith::FloorDivSIOp>(op))
    return of([&](Extent a, Extent b) { return math.floorDiv(a, b); });
  if (isa<arith::CeilDivSIOp>(op))
    return of([&](Extent a, Extent b) { return math.ceilDiv(a, b); });
  if (isa<arith::DivSIOp>(op))
    return of([&](Extent a, Extent b) { return math.truncDiv(a, b); });
  if (isa<arith::MinSIOp>(op))
    return of(min);
  if (isa<arith::MaxSIOp>(op))
    return of(max);
  return {};
}

} // namespace mlc

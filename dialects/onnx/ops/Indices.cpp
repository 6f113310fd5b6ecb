#include "onnx/ops/Indices.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace mlc::onnx {

/// Sign- or zero-extended.
static Value asIndex(Lowering &l, Value stored, Type element) {
  Type index = l.b.getIndexType();
  return isUnsigned(element) ? l.b.createOrFold<arith::IndexCastUIOp>(l.loc(), index, stored)
                             : l.b.createOrFold<arith::IndexCastOp>(l.loc(), index, stored);
}

Index fromBeginning(Lowering &l, Value stored, Type element, Index extent) {
  Index index(l, asIndex(l, stored, element));
  return isUnsigned(element) ? index : select(index < 0, index + extent, index);
}

/// Fails where constant indices are out of range; gives whether they were constant.
static FailureOr<bool> checkConstants(Lowering &l, ArrayRef<Extent> indices, Extent extent) {
  std::optional<int64_t> bound = ExtentMath::asConstant(extent);
  for (Extent index : indices) {
    std::optional<int64_t> fixed = ExtentMath::asConstant(index);
    if (!fixed || !bound)
      return false;
    if (*fixed < -*bound || *fixed >= *bound)
      return l.op->emitOpError("expects indices in [") << -*bound << ", " << *bound << "), got " << *fixed;
  }
  return true;
}

/// The largest, as an unsigned number, of all indices counted from the beginning: below the extent if all are.
static void checkAll(Lowering &l, Value indices, Type element, Extent extent) {
  Index bound(l, extent);
  Type i64 = l.b.getI64Type();
  Value boundI64 = arith::IndexCastOp::create(l.b, l.loc(), i64, bound), zero = l.scalar(0, i64);
  auto load = [&](Scalars &s, ValueRange args) -> Value {
    Value index = castScalar(s, args[0], element, i64);
    Value isNegative = s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, index, zero);
    return s.make<arith::AddIOp>(index, s.make<arith::SelectOp>(isNegative, boundI64, zero));
  };
  auto larger = [](Scalars &s, ValueRange args) { return scalar<arith::MaxUIOp>(s, args); };
  int64_t rank = cast<RankedTensorType>(indices.getType()).getRank();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value largest = l.reduce(indices, element, axes, i64, zero, load, larger);
  SmallVector<Value> first(rank, l.index(int64_t(0)));
  Index found(l, asIndex(l, tensor::ExtractOp::create(l.b, l.loc(), largest, first), i64));
  Index count(l, 1);
  for (OpFoldResult extent : tensor::getMixedSizes(l.b, l.loc(), indices))
    count = count * Index(l, extent);
  // What counts negative even from the beginning has come from before it.
  Index told = select(found < 0, found - bound, found);
  l.check((found >= 0 && found < bound) || count == 0, "expects indices in [-%0, %0), got %1", {bound, told});
}

LogicalResult checkIndices(Lowering &l, Value indices, Extent extent) {
  if (std::optional<ArrayRef<Extent>> elements = l.known.elements(indices)) {
    FailureOr<bool> wereConstant = checkConstants(l, *elements, extent);
    if (failed(wereConstant))
      return failure();
    if (*wereConstant)
      return success();
  }
  checkAll(l, l(indices), Lowering::element(indices), extent);
  return success();
}

void checkTupleLength(Lowering &l, Extent told, int64_t expected) {
  if (ExtentMath::asConstant(told))
    return;
  Index got(l, told);
  l.check(got == expected, "expects index tuples of " + Twine(expected) + " components, got %0", {got});
}

LogicalResult checkIndexTuples(Lowering &l, Value indices, int64_t component, Extent extent) {
  ArrayRef<Extent> extents = l.known.extents(indices);
  if (std::optional<ArrayRef<Extent>> elements = l.known.elements(indices)) {
    int64_t length = *ExtentMath::asConstant(extents.back());
    Extents own;
    for (size_t i = component; i < elements->size(); i += length)
      own.push_back((*elements)[i]);
    FailureOr<bool> wereConstant = checkConstants(l, own, extent);
    if (failed(wereConstant))
      return failure();
    if (*wereConstant)
      return success();
  }
  int64_t rank = extents.size();
  SmallVector<OpFoldResult> offsets(rank, l.b.getIndexAttr(0)), steps(rank, l.b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = l.materialize(extents);
  offsets.back() = l.b.getIndexAttr(component);
  sizes.back() = l.b.getIndexAttr(1);
  checkAll(l, l.slice(l(indices), offsets, sizes, steps), Lowering::element(indices), extent);
  return success();
}

SmallVector<Value> loopNest(Lowering &l, ArrayRef<OpFoldResult> extents, ValueRange carried,
                            llvm::function_ref<SmallVector<Value>(ValueRange, ValueRange)> body) {
  if (extents.empty())
    return body({}, carried);
  SmallVector<Value> zeros(extents.size(), l.index(int64_t(0))), ones(extents.size(), l.index(1));
  SmallVector<Value> ends = llvm::map_to_vector(extents, [&](OpFoldResult extent) { return l.index(extent); });
  scf::LoopNest nest = scf::buildLoopNest(
      l.b, l.loc(), zeros, ends, ones, carried,
      [&](OpBuilder &, Location, ValueRange index, ValueRange values) { return body(index, values); });
  return llvm::to_vector(nest.results);
}

} // namespace mlc::onnx

// MaxUnpool: each element back where MaxPool has found it, zeros everywhere else.
//
//   %y = onnx.MaxUnpool(%x, %indices)   =>   loops that write %x to the places of a flat tensor of zeros
//
// Where an index comes twice, the last one in row-major order stays.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

/// The extents of what MaxPool has pooled, which the indices count in: as if there was no rest behind the last window.
static FailureOr<Extents> pooledExtents(MaxUnpoolOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX());
  ArrayRef<int64_t> kernel = op.getKernelShape();
  int64_t rank = (int64_t)x.size() - 2;
  if (rank < 1)
    return op.emitOpError("expects X of rank 3 or more, got ") << op.getX().getType();
  SmallVector<int64_t> strides(rank, 1), pads(2 * rank, 0);
  if (op.getStrides())
    strides.assign(op.getStrides()->begin(), op.getStrides()->end());
  if (op.getPads())
    pads.assign(op.getPads()->begin(), op.getPads()->end());
  for (auto [name, list, count, least] : {std::tuple("kernel_shape", kernel, rank, int64_t(1)),
                                          {"strides", ArrayRef<int64_t>(strides), rank, int64_t(1)},
                                          {"pads", ArrayRef<int64_t>(pads), 2 * rank, int64_t(0)}}) {
    if ((int64_t)list.size() != count)
      return op.emitOpError("expects ") << count << " numbers in " << name << ", got " << list.size();
    for (int64_t number : list)
      if (number < least)
        return op.emitOpError("expects ") << name << " of at least " << least << ", got " << number;
  }
  ExtentMath &math = known.math;
  Extents result(x.take_front(2));
  for (int64_t axis = 0; axis < rank; ++axis) {
    Extent stride = math.constant(strides[axis]), rest = math.constant(kernel[axis] - pads[axis] - pads[rank + axis]);
    result.push_back(math.add(math.mul(math.sub(x[axis + 2], math.constant(1)), stride), rest));
  }
  return result;
}

static FailureOr<Extents> shapeOfMaxUnpool(MaxUnpoolOp op, Known &known) {
  FailureOr<Extents> pooled = pooledExtents(op, known);
  if (failed(pooled))
    return failure();
  ArrayRef<Extent> x = known.extents(op.getX()), indices = known.extents(op.getI());
  bool fits = indices.size() == x.size();
  for (size_t axis = 0; fits && axis < x.size(); ++axis)
    fits = known.math.mayBeEqual(indices[axis], x[axis]);
  if (!fits)
    return op.emitOpError("expects an index for each element of X, got ") << op.getI().getType();
  if (!op.getOutputShape())
    return pooled;
  if (known.rank(op.getOutputShape()) != 1 ||
      !known.math.mayBeEqual(known.extents(op.getOutputShape())[0], known.math.constant(x.size())))
    return op.emitOpError("expects output_shape of ") << x.size() << " elements, got " << op.getOutputShape().getType();
  std::optional<Extents> given = known.elementsOrSymbols(op.getOutputShape());
  if (!given)
    return Extents(x.size(), Extent());
  for (auto [axis, extents] : llvm::enumerate(llvm::zip_equal(*given, *pooled))) {
    std::optional<int64_t> whole = ExtentMath::asConstant(std::get<0>(extents)),
                           part = ExtentMath::asConstant(std::get<1>(extents));
    if (whole && part && *whole < *part)
      return op.emitOpError("expects an output_shape of at least ")
             << *part << " on axis " << axis << ", got " << *whole;
  }
  return *given;
}

static FailureOr<Value> lowerMaxUnpool(MaxUnpoolOp op, Lowering &l) {
  FailureOr<Extents> pooled = pooledExtents(op, l.known);
  if (failed(pooled))
    return failure();
  ExtentMath &math = l.known.math;
  Extents x(l.known.extents(op.getX()));
  int64_t rank = x.size();
  for (auto [axis, own, expected] : llvm::enumerate(l.known.extents(op.getI()), x))
    l.expectExtent(own, expected, "axis " + Twine(axis) + " of I");
  l.checkExtents(*pooled);
  Extent count = math.product(*pooled), given = math.product(x);
  if (failed(checkIndices(l, op.getI(), count)))
    return failure();
  Type storage = storageType(Lowering::element(op.getX())), i64 = l.b.getI64Type();
  Value values = l.reshape(l(op.getX()), x, given), places = l.reshape(l(op.getI()), x, given);
  Value flat = l.filled(l.materialize(count), l.scalar(0, storage));
  Index all(l, count);
  flat =
      loopNest(l, l.materialize(given), flat, [&](ValueRange at, ValueRange carried) {
        Value value = tensor::ExtractOp::create(l.b, l.loc(), values, at[0]);
        Index place = fromBeginning(l, tensor::ExtractOp::create(l.b, l.loc(), places, at[0]), i64, all);
        return SmallVector<Value>{tensor::InsertOp::create(l.b, l.loc(), value, carried[0], Value(place)).getResult()};
      }).front();
  SmallVector<OpFoldResult> extents = l.materialize(*pooled);
  Value result = l.reshape(flat, extents);
  if (!op.getOutputShape())
    return result;
  l.expectExtent(l.known.extents(op.getOutputShape())[0], math.constant(rank), "output_shape");
  SmallVector<OpFoldResult> low(rank, l.b.getIndexAttr(0)), high;
  for (int64_t axis = 0; axis < rank; ++axis) {
    Index part(l, extents[axis]), whole(l, l.elementAsIndex(op.getOutputShape(), axis));
    l.check(part <= whole, "expects an output_shape of at least %0 on axis " + Twine(axis) + ", got %1", {part, whole});
    high.push_back(whole - part);
  }
  return l.pad(result, low, high, l.scalar(0, storage));
}

void addUnpoolRules(Rules &rules) { rules.op<MaxUnpoolOp>().shape(shapeOfMaxUnpool).lower(lowerMaxUnpool); }

} // namespace mlc::onnx

// Concat: tensors side by side along an axis.
//
//   %y = onnx.Concat(%a, %b)   =>   %0 = tensor.insert_slice %a into %empty[0][...]
//                                   %y = tensor.insert_slice %b into %0[%extent of a][...]
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<int64_t> axisOf(ConcatOp op, int64_t rank) {
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  return *axis;
}

/// Elements of all operands in turn along the axis.
static std::optional<Extents> elementsOf(ConcatOp op, int64_t axis, ArrayRef<Extent> extents, Known &known) {
  SmallVector<int64_t> ends;
  for (Value input : op.getInputs()) {
    std::optional<int64_t> length = ExtentMath::asConstant(known.extents(input)[axis]);
    if (!length || !known.elements(input))
      return std::nullopt;
    ends.push_back((ends.empty() ? 0 : ends.back()) + *length);
  }
  return tellElements(extents, [&](ArrayRef<int64_t> index) {
    size_t which = llvm::upper_bound(ends, index[axis]) - ends.begin();
    SmallVector<int64_t> source(index);
    source[axis] -= which == 0 ? 0 : ends[which - 1];
    return known.element(op.getInputs()[which], source);
  });
}

static FailureOr<Facts> shapeOfConcat(ConcatOp op, Known &known) {
  Extents extents(known.extents(op.getInputs().front()));
  FailureOr<int64_t> axis = axisOf(op, extents.size());
  if (failed(axis))
    return failure();
  for (Value input : op.getInputs().drop_front()) {
    ArrayRef<Extent> own = known.extents(input);
    if (own.size() != extents.size())
      return op.emitOpError("expects operands of one rank, got ") << extents.size() << " and " << own.size();
    for (auto [i, extent] : llvm::enumerate(own)) {
      if ((int64_t)i == *axis) {
        extents[i] = known.math.add(extents[i], extent);
        continue;
      }
      std::optional<int64_t> fixed = ExtentMath::asConstant(extents[i]), other = ExtentMath::asConstant(extent);
      if (fixed && other && *fixed != *other)
        return op.emitOpError("expects operands of one extent on axis ")
               << i << ", got " << *fixed << " and " << *other;
      if (other)
        extents[i] = extent;
    }
  }
  std::optional<Extents> elements = elementsOf(op, *axis, extents, known);
  return Facts(std::move(extents), std::move(elements));
}

static FailureOr<Value> lowerConcat(ConcatOp op, Lowering &l) {
  ArrayRef<Extent> extents = l.known.extents(op.getConcatResult());
  int64_t rank = extents.size();
  FailureOr<int64_t> axis = axisOf(op, rank);
  if (failed(axis))
    return failure();
  ExtentMath &math = l.known.math;
  for (auto [position, input] : llvm::enumerate(op.getInputs()))
    for (auto [i, own, common] : llvm::enumerate(l.known.extents(input), extents))
      if ((int64_t)i != *axis && !math.isEqual(own, common)) {
        Index told(l, own), expected(l, common);
        l.check(told == expected,
                "expects extent %0 on axis " + Twine(i) + " of operand " + Twine(position) + ", got %1",
                {expected, told});
      }
  if (op.getInputs().size() == 1)
    return l(op.getInputs().front());
  SmallVector<OpFoldResult> offsets(rank, l.b.getIndexAttr(0));
  Value result = l.empty(op.getConcatResult());
  Extent first = math.constant(0);
  for (Value input : op.getInputs()) {
    // On the other axes the extents of the result, which the checks have made the operand's own.
    SmallVector<Extent> own(extents);
    own[*axis] = l.known.extents(input)[*axis];
    offsets[*axis] = l.materialize(first);
    result = l.insert(l(input), result, offsets, l.materialize(own));
    first = math.add(first, own[*axis]);
  }
  return result;
}

void addConcatRules(Rules &rules) {
  rules.op<ConcatOp>()
      .shape(shapeOfConcat)
      .moves(
          [](ConcatOp op) { return llvm::map_to_vector(op->getOpOperands(), [](OpOperand &part) { return &part; }); })
      .lower(lowerConcat);
}

} // namespace mlc::onnx

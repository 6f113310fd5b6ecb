#include "onnx/ops/Windows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mlc::onnx {

/// One number for each axis from an attribute, or the default.
static FailureOr<SmallVector<int64_t>> numbersOf(Operation *op, StringRef name,
                                                 std::optional<ArrayRef<int64_t>> attribute, size_t count,
                                                 int64_t absent, int64_t least) {
  if (!attribute || attribute->empty())
    return SmallVector<int64_t>(count, absent);
  if (attribute->size() != count)
    return op->emitOpError("expects ") << count << " " << name << ", got " << attribute->size();
  for (int64_t number : *attribute)
    if (number < least)
      return op->emitOpError("expects ") << name << " of at least " << least << ", got " << number;
  return SmallVector<int64_t>(*attribute);
}

FailureOr<Windows> windowsOf(Operation *op, Known &known, WindowAttributes attributes, ArrayRef<Extent> spatial,
                             ArrayRef<Extent> kernel) {
  size_t rank = spatial.size();
  ExtentMath &math = known.math;
  if (kernel.size() != rank)
    return op->emitOpError("expects a window of ") << rank << " axes, got " << kernel.size();
  for (Extent extent : kernel)
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent); fixed && *fixed < 1)
      return op->emitOpError("expects a window of at least one element along every axis, got ") << *fixed;
  FailureOr<SmallVector<int64_t>> strides = numbersOf(op, "strides", attributes.strides, rank, 1, 1);
  FailureOr<SmallVector<int64_t>> dilations = numbersOf(op, "dilations", attributes.dilations, rank, 1, 1);
  FailureOr<SmallVector<int64_t>> pads = numbersOf(op, "pads", attributes.pads, 2 * rank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads))
    return failure();

  Windows windows{*strides, *dilations, Extents(kernel), {}, {}, {}, {}};
  StringRef automatic = attributes.autoPad;
  bool isSame = automatic == "SAME_UPPER" || automatic == "SAME_LOWER", isValid = automatic == "VALID";
  if (!isSame && !isValid && automatic != "NOTSET" && !automatic.empty())
    return op->emitOpError("expects auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, got '") << automatic << "'";
  Extent one = math.constant(1), zero = math.constant(0);
  for (size_t axis = 0; axis < rank; ++axis) {
    Extent stride = math.constant((*strides)[axis]), extent = spatial[axis];
    // From the first to the last element of the window.
    Extent reach = math.mul(math.sub(kernel[axis], one), math.constant((*dilations)[axis]));
    Extent before = zero, after = zero, places;
    if (isSame) {
      places = math.ceilDiv(extent, stride);
      Extent needed = math.sub(math.add(math.mul(math.sub(places, one), stride), math.add(reach, one)), extent);
      Extent total = math.max(needed, zero), less = math.floorDiv(total, math.constant(2)),
             more = math.sub(total, less);
      before = automatic == "SAME_UPPER" ? less : more;
      after = automatic == "SAME_UPPER" ? more : less;
    } else {
      if (!isValid) {
        before = math.constant((*pads)[axis]);
        after = math.constant((*pads)[rank + axis]);
      }
      Extent room = math.sub(math.add(extent, math.add(before, after)), math.add(reach, one));
      places = math.add(math.floorDiv(room, stride), one);
      if (attributes.ceils) {
        // A window that would begin in the padding at the end is none.
        Extent ceiled = math.add(math.ceilDiv(room, stride), one);
        places = math.min(ceiled, math.ceilDiv(math.add(extent, before), stride));
      }
    }
    windows.before.push_back(before);
    windows.padded.push_back(math.add(extent, math.add(before, after)));
    if (attributes.ceils && !isSame) {
      Extent end = math.add(math.mul(math.sub(places, one), stride), math.add(reach, one));
      after = math.max(after, math.sub(end, math.add(extent, before)));
    }
    windows.after.push_back(after);
    windows.places.push_back(places);
  }
  return windows;
}

void checkPlaces(Lowering &l, const Windows &windows) {
  for (Extent extent : windows.places) {
    if (l.known.math.isNonNegative(extent))
      continue;
    Value places = l.index(l.materialize(extent));
    l.check(arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::sge, places, l.index(int64_t(0))),
            "expects an operand that holds the window at least once along every axis; there are %0 places for it",
            places);
  }
}

Value padded(Lowering &l, Value operand, const Windows &windows, Value value) {
  checkPlaces(l, windows);
  SmallVector<OpFoldResult> low(2, l.b.getIndexAttr(0)), high(2, l.b.getIndexAttr(0));
  low.append(l.materialize(windows.before));
  high.append(l.materialize(windows.after));
  return l.pad(operand, low, high, value);
}

AffineExpr elementOfWindow(const Windows &windows, int64_t axis, AffineExpr place, AffineExpr inside) {
  return place * windows.strides[axis] + inside * windows.dilations[axis];
}

} // namespace mlc::onnx

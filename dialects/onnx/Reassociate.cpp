// Reshapes where the extents are known as expressions.
//
//   [batch, seq, 768] -> [batch, seq, 12, 64]
//   =>
//   tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [%batch, %seq, 12, 64]
//
// Both shapes are cut into groups of axes with equal products, as small as can be seen from the expressions. A group of
// several axes becomes one (tensor.collapse_shape), and that the axes of the other side (tensor.expand_shape). Groups
// of one axis on both sides pass untouched, which is what fusion and tiling see through.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/Lowering.h"

using namespace mlir;

namespace mlc::onnx {

namespace {
/// Axes [fromBegin, fromEnd) of the one shape hold the elements of axes [toBegin, toEnd) of the other.
struct Group {
  size_t fromBegin, fromEnd, toBegin, toEnd;
  bool isOneAxis() const { return fromEnd - fromBegin == 1 && toEnd - toBegin == 1; }
};
} // namespace

/// The first pair of equally large beginnings of two lists of axes; none if there is none before the end of both.
static std::optional<Group> nextGroup(ExtentMath &math, ArrayRef<Extent> from, ArrayRef<Extent> to, size_t i,
                                      size_t j) {
  size_t longest = (from.size() - i) + (to.size() - j);
  for (size_t length = 2; length <= longest; ++length)
    for (size_t m = 1; m < length; ++m) {
      size_t n = length - m;
      if (i + m > from.size() || j + n > to.size())
        continue;
      if (math.isEqual(math.product(from.slice(i, m)), math.product(to.slice(j, n))))
        return Group{i, i + m, j, j + n};
    }
  return std::nullopt;
}

static SmallVector<Group> groupsOf(ExtentMath &math, ArrayRef<Extent> from, ArrayRef<Extent> to) {
  SmallVector<Group> groups;
  size_t i = 0, j = 0;
  auto isZero = [](Extent e) { return ExtentMath::isConstant(e, 0); };
  bool isEmpty = llvm::any_of(from, isZero) || llvm::any_of(to, isZero); // nothing tells the axes apart
  while (!isEmpty && i < from.size() && j < to.size()) {
    std::optional<Group> group = nextGroup(math, from, to, i, j);
    if (!group)
      break;
    groups.push_back(*group);
    i = group->fromEnd;
    j = group->toEnd;
  }
  if (i == from.size() && j == to.size())
    return groups;
  // What is left belongs together: axes of extent 1, or extents whose products only the run shows to be equal. A single
  // axis that may differ from its counterpart is joined to its neighbour, so that it gets its own extent.
  Group rest{i, from.size(), j, to.size()};
  bool hasBothSides = i < from.size() && j < to.size();
  if (groups.empty() || (hasBothSides && !rest.isOneAxis())) {
    groups.push_back(rest);
  } else {
    groups.back().fromEnd = from.size();
    groups.back().toEnd = to.size();
  }
  return groups;
}

/// The product, where all factors are fixed.
static int64_t fixedProduct(ArrayRef<int64_t> factors) {
  int64_t product = 1;
  for (int64_t factor : factors) {
    if (ShapedType::isDynamic(factor))
      return ShapedType::kDynamic;
    product *= factor;
  }
  return product;
}

static Value castTo(Lowering &l, Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return tensor::CastOp::create(l.b, l.loc(), type.clone(shape), value);
}

Value Lowering::reshape(Value operand, ArrayRef<Extent> from, ArrayRef<Extent> to) {
  auto shapeOf = [](ArrayRef<Extent> extents) {
    return llvm::map_to_vector(extents,
                               [](Extent e) { return ExtentMath::asConstant(e).value_or(ShapedType::kDynamic); });
  };
  SmallVector<int64_t> fromShape = shapeOf(from), toShape = shapeOf(to);
  operand = castTo(*this, operand, fromShape);
  auto type = cast<RankedTensorType>(operand.getType());
  if (from.empty() && to.empty())
    return operand;
  if (from.empty() || to.empty()) { // a scalar and axes of extent 1
    SmallVector<int64_t> ones(std::max(from.size(), to.size()), 1);
    if (to.empty())
      return tensor::CollapseShapeOp::create(b, loc(), castTo(*this, operand, ones), ArrayRef<ReassociationIndices>{});
    Value expanded =
        tensor::ExpandShapeOp::create(b, loc(), type.clone(ones), operand, ArrayRef<ReassociationIndices>{});
    return castTo(*this, expanded, toShape);
  }

  SmallVector<Group> groups = groupsOf(known.math, from, to);
  SmallVector<ReassociationIndices> collapse, expand;
  SmallVector<int64_t> collapsed, expandable;
  bool collapses = false, expands = false;
  for (const Group &group : groups) {
    collapse.push_back(llvm::to_vector(llvm::seq<int64_t>(group.fromBegin, group.fromEnd)));
    expand.push_back(llvm::to_vector(llvm::seq<int64_t>(group.toBegin, group.toEnd)));
    collapsed.push_back(fixedProduct(ArrayRef(fromShape).slice(group.fromBegin, collapse.back().size())));
    expandable.push_back(fixedProduct(ArrayRef(toShape).slice(group.toBegin, expand.back().size())));
    collapses |= collapse.back().size() > 1;
    expands |= expand.back().size() > 1;
  }
  if (collapses)
    operand = tensor::CollapseShapeOp::create(b, loc(), type.clone(collapsed), operand, collapse);
  operand = castTo(*this, operand, expandable);
  if (expands)
    operand = tensor::ExpandShapeOp::create(b, loc(), type.clone(toShape), operand, expand, materialize(to));
  return operand;
}

} // namespace mlc::onnx

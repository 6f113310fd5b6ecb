// Operators that repeat what a tensor holds: Expand, Tile.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Expand -----------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfExpand(ExpandOp op, Known &known) {
  std::optional<Extents> shape = known.elementsOrSymbols(op.getShape());
  if (!shape)
    return Facts();
  for (Extent extent : *shape)
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent); fixed && *fixed < 0)
      return op.emitOpError("expects extents in its shape, got ") << *fixed;
  std::optional<Extents> extents = known.math.broadcast(known.extents(op.getInput()), *shape);
  if (!extents)
    return op.emitOpError("expects data that broadcasts to its shape, got ") << op.getInput().getType();
  std::optional<Extents> elements =
      tellElements(*extents, [&](ArrayRef<int64_t> index) { return known.element(op.getInput(), index); });
  return Facts(std::move(*extents), std::move(elements));
}

static FailureOr<Value> lowerExpand(ExpandOp op, Lowering &l) {
  if (!l.known.of(op.getOutput()).extents)
    return l.unsupported("the rank of the result is known to the run only");
  std::optional<Extents> shape = l.known.elementsOrSymbols(op.getShape());
  if (!shape)
    return l.unsupported("the length of the shape is known to the run only");
  ArrayRef<Extent> own = l.known.extents(op.getInput()), common = l.known.extents(op.getOutput());
  // The shape itself must fit what became of it together with the data.
  for (auto [axis, entry] : llvm::enumerate(*shape)) {
    Extent extent = common[common.size() - shape->size() + axis];
    if (l.known.math.isEqual(entry, extent) || ExtentMath::isConstant(entry, 1))
      continue;
    Index told(l, entry), got(l, extent);
    l.check(told == 1 || told == got, "expects extent %1 or 1 on axis " + Twine(axis) + " of its shape, got %0",
            {told, got});
  }
  l.checkExtents(common);
  if (own.size() == common.size() && llvm::all_of(llvm::zip(own, common), [&](auto pair) {
        return l.known.math.isEqual(std::get<0>(pair), std::get<1>(pair));
      }))
    return l(op.getInput());
  return l.broadcast(l.broadcastable(op.getInput(), common), l.materialize(common));
}

//===-- Tile ---------------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfTile(TileOp op, Known &known) {
  Extents extents(known.extents(op.getInput()));
  std::optional<Extents> repeats = known.elementsOrSymbols(op.getRepeats());
  if (!repeats)
    return Facts(Extents(extents.size(), nullptr));
  if (repeats->size() != extents.size())
    return op.emitOpError("expects one repeat for each of ") << extents.size() << " axes, got " << repeats->size();
  SmallVector<std::optional<int64_t>> periods;
  for (auto [extent, repeat] : llvm::zip_equal(extents, *repeats)) {
    if (std::optional<int64_t> fixed = ExtentMath::asConstant(repeat); fixed && *fixed < 0)
      return op.emitOpError("expects repeats that are not negative, got ") << *fixed;
    periods.push_back(ExtentMath::asConstant(extent));
    extent = known.math.mul(extent, repeat);
  }
  SmallVector<int64_t> source(extents.size());
  std::optional<Extents> elements = tellElements(extents, [&](ArrayRef<int64_t> index) {
    for (auto [at, position, period] : llvm::zip_equal(source, index, periods))
      at = position % *period;
    return known.element(op.getInput(), source);
  });
  return Facts(std::move(extents), std::move(elements));
}

/// Along each repeated axis, a new axis before it that the operand is broadcast along; then the two are joined.
static FailureOr<Value> lowerTile(TileOp op, Lowering &l) {
  std::optional<Extents> repeats = l.known.elementsOrSymbols(op.getRepeats());
  if (!repeats)
    return l.unsupported("the length of the repeats is known to the run only");
  l.checkExtents(*repeats);
  l.checkExtents(l.known.extents(op.getOutput()));
  // Nothing is nothing however often it is repeated, which the extents of the split axes below do not show.
  if (llvm::any_of(l.known.extents(op.getOutput()), [](Extent extent) { return ExtentMath::isConstant(extent, 0); }))
    return l.empty(op.getOutput());
  SmallVector<OpFoldResult> split;
  SmallVector<AffineExpr> access;
  SmallVector<ReassociationIndices> joined;
  for (auto [extent, repeat] : llvm::zip_equal(l.known.extents(op.getInput()), *repeats)) {
    joined.emplace_back();
    if (!ExtentMath::isConstant(repeat, 1)) {
      joined.back().push_back(split.size());
      split.push_back(l.materialize(repeat));
    }
    joined.back().push_back(split.size());
    access.push_back(l.b.getAffineDimExpr(split.size()));
    split.push_back(l.materialize(extent));
  }
  Value operand = l(op.getInput());
  int64_t rank = split.size();
  if (rank == l.rank(op.getInput()))
    return operand; // nothing is repeated
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, access, l.b.getContext()), l.b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  Value init = l.empty(split, cast<RankedTensorType>(operand.getType()).getElementType());
  Value repeated =
      l.generic(init, operand, maps, parallel, [](OpBuilder &, Location, ValueRange args) { return args.front(); });
  return Value(tensor::CollapseShapeOp::create(l.b, l.loc(), repeated, joined));
}

void addExpandRules(Rules &rules) {
  rules.op<ExpandOp>().shape(shapeOfExpand).moves().lower(lowerExpand);
  rules.op<TileOp>().shape(shapeOfTile).moves().lower(lowerTile);
}

} // namespace mlc::onnx

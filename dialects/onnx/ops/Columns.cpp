// Col2Im: columns, each of which holds a block of an image, added up to that image.
//
//   %y = onnx.Col2Im(%x, %image, %block)
//   =>
//   %c = tensor.reshape %x                   batch x channel x block... x places...
//   %y = linalg.generic: y[n, c, i] += c[n, c, k, p] for each k with p * stride + k * dilation - pad = i
//
// Each element of the image looks for the columns that it is part of, so that no two write the same one.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

/// How many spatial axes there are, if the operands or the attributes tell.
static std::optional<int64_t> spatialRank(Col2ImOp op, Known &known) {
  for (Value list : {op.getImageShape(), op.getBlockShape()})
    if (std::optional<int64_t> length = ExtentMath::asConstant(known.extents(list)[0]))
      return length;
  for (std::optional<ArrayRef<int64_t>> list : {op.getStrides(), op.getDilations()})
    if (list)
      return list->size();
  if (op.getPads())
    return op.getPads()->size() / 2;
  return std::nullopt;
}

/// One number for each axis (and side).
static SmallVector<int64_t> numbersOf(std::optional<ArrayRef<int64_t>> list, int64_t count, int64_t absent) {
  return list ? SmallVector<int64_t>(*list) : SmallVector<int64_t>(count, absent);
}

static LogicalResult verifyNumbers(Col2ImOp op, int64_t rank) {
  for (auto [name, list, count, least] : {std::tuple("strides", op.getStrides(), rank, int64_t(1)),
                                          {"dilations", op.getDilations(), rank, int64_t(1)},
                                          {"pads", op.getPads(), 2 * rank, int64_t(0)}}) {
    if (!list)
      continue;
    if ((int64_t)list->size() != count)
      return op.emitOpError("expects ") << count << " " << name << ", got " << list->size();
    for (int64_t number : *list)
      if (number < least)
        return op.emitOpError("expects ") << name << " of at least " << least << ", got " << number;
  }
  return success();
}

static FailureOr<Facts> shapeOfCol2Im(Col2ImOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getInput());
  if (x.size() != 3)
    return op.emitOpError("expects input of rank 3, got ") << op.getInput().getType();
  for (auto [name, list] : {std::pair("image_shape", op.getImageShape()), {"block_shape", op.getBlockShape()}})
    if (known.rank(list) != 1)
      return op.emitOpError("expects ") << name << " of rank 1, got " << list.getType();
  std::optional<int64_t> rank = spatialRank(op, known);
  if (!rank)
    return Facts();
  for (auto [name, list] : {std::pair("image_shape", op.getImageShape()), {"block_shape", op.getBlockShape()}})
    if (!known.math.mayBeEqual(known.extents(list)[0], known.math.constant(*rank)))
      return op.emitOpError("expects ") << name << " of " << *rank << " elements, got " << list.getType();
  if (failed(verifyNumbers(op, *rank)))
    return failure();
  ExtentMath &math = known.math;
  std::optional<Extents> image = known.elementsOrSymbols(op.getImageShape()),
                         block = known.elementsOrSymbols(op.getBlockShape());
  if (std::optional<SmallVector<int64_t>> fixed = block ? ExtentMath::asConstants(*block) : std::nullopt)
    for (int64_t extent : *fixed)
      if (extent < 1)
        return op.emitOpError("expects a block of at least one element along every axis, got ") << extent;
  Extents result = {x[0], nullptr};
  if (block) {
    Extent size = math.product(*block);
    std::optional<int64_t> rows = ExtentMath::asConstant(x[1]), own = ExtentMath::asConstant(size);
    if (rows && own && *rows % *own != 0)
      return op.emitOpError("expects a number of rows that blocks of ") << *own << " elements divide, got " << *rows;
    result[1] = math.floorDiv(x[1], size);
  }
  if (image)
    llvm::append_range(result, *image);
  else
    result.append(*rank, nullptr);
  return Facts(std::move(result));
}

/// A block without rows may have this many elements.
static constexpr int64_t mostOfNothing = int64_t(1) << 31;

static FailureOr<Value> lowerCol2Im(Col2ImOp op, Lowering &l) {
  std::optional<int64_t> known = spatialRank(op, l.known);
  if (!known)
    return l.unsupported("the rank of the image is known to the run only");
  Type element = Lowering::element(op.getInput()), accumulator = accumulatorElement(element);
  if (!isFloat(element) && (!element.isIntOrIndex() || element.isInteger(1)))
    return l.unsupported("elements that are no numbers");
  int64_t rank = *known;
  ExtentMath &math = l.known.math;
  for (auto [name, list] : {std::pair("image_shape", op.getImageShape()), {"block_shape", op.getBlockShape()}})
    l.expectExtent(l.known.extents(list)[0], math.constant(rank), name);
  Extents x(l.known.extents(op.getInput()));
  SmallVector<int64_t> strides = numbersOf(op.getStrides(), rank, 1), dilations = numbersOf(op.getDilations(), rank, 1),
                       pads = numbersOf(op.getPads(), 2 * rank, 0);
  SmallVector<Index> image, block, places;
  Index size(l, 1), columns(l, 1), rows(l, x[1]), given(l, x[2]);
  for (int64_t axis = 0; axis < rank; ++axis) {
    image.push_back(Index(l, l.elementAsIndex(op.getImageShape(), axis)));
    block.push_back(Index(l, l.elementAsIndex(op.getBlockShape(), axis)));
    if (!getConstantIntValue(OpFoldResult(block.back())))
      l.check(block.back() >= 1, "expects a block of at least one element along every axis, got %0", {block.back()});
    // The size of a block stays a number that can be divided by.
    Index limit = select(rows == 0, Index(l, mostOfNothing), rows) / size;
    l.check(block.back() <= limit,
            "expects blocks that the number of rows holds; on axis " + Twine(axis) +
                " it leaves room for %0 elements, got %1",
            {limit, block.back()});
    Index room = image[axis] + (pads[axis] + pads[rank + axis]) - ((block[axis] - 1) * dilations[axis] + 1);
    l.check(room >= 0, "expects an image that holds a block; on axis " + Twine(axis) + " it is %0 elements too short",
            {Index(l, int64_t(0)) - room});
    places.push_back(room / strides[axis] + 1);
    size = size * block.back();
    columns = columns * places.back();
  }
  l.checkExtents(asFoldResults(places));
  l.check(rows % size == 0, "expects a number of rows that blocks of %0 elements divide, got %1", {size, rows});
  l.check(columns == given, "expects %0 columns for an image of these extents, got %1", {columns, given});
  OpFoldResult batch = l.materialize(x[0]);
  SmallVector<OpFoldResult> extents = {batch, OpFoldResult(rows / size)}, source = extents;
  llvm::append_range(extents, asFoldResults(image));
  l.checkExtents(extents);
  llvm::append_range(source, asFoldResults(block));
  llvm::append_range(source, asFoldResults(places));
  Value data = l.reshape(l(op.getInput()), source);

  // Loops: batch, channel, image..., block...; the last have their extents from `window`.
  int64_t loops = 2 + 2 * rank;
  Value window = l.empty(asFoldResults(block), l.b.getI8Type());
  SmallVector<utils::IteratorType> iterators(2 + rank, utils::IteratorType::parallel);
  iterators.append(rank, utils::IteratorType::reduction);
  Value sum = l.generic(l.filled(extents, l.scalar(0, storageType(accumulator))), window,
                        {l.consecutive(loops, 2 + rank, rank), l.consecutive(loops, 0, 2 + rank)}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                          Scalars s{b, loc, accumulator};
                          auto position = [&](int64_t i) { return Index(l, s.make<linalg::IndexOp>(i)); };
                          Truth isPart(l, true);
                          SmallVector<Value> from = {position(0), position(1)};
                          SmallVector<Value> place;
                          for (int64_t axis = 0; axis < rank; ++axis) {
                            from.push_back(position(2 + rank + axis));
                            Index begin = position(2 + axis) + pads[axis] - position(2 + rank + axis) * dilations[axis];
                            Index which = begin / strides[axis];
                            isPart = isPart && begin >= 0 && begin % strides[axis] == 0 && which < places[axis];
                            place.push_back(min(max(which, 0), places[axis] - 1));
                          }
                          llvm::append_range(from, place);
                          Value value =
                              castScalar(s, loadScalar(b, loc, s.make<tensor::ExtractOp>(data, from), element), element,
                                         accumulator);
                          return add(s, {args[1], s.make<arith::SelectOp>(isPart, value, s.constant(0))});
                        });
  return l.cast(sum, accumulator, element);
}

void addColumnsRules(Rules &rules) { rules.op<Col2ImOp>().shape(shapeOfCol2Im).lower(lowerCol2Im); }

} // namespace mlc::onnx

#include "cpu/LaneAccess.h"
#include "cpu/LoopAccess.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace mlc::cpu {

Value LaneAccess::maskBelow(Value count, int64_t lanes) {
  if (auto known = getConstantIntValue(count)) {
    SmallVector<bool> bits(lanes);
    for (int64_t i = 0; i < lanes; ++i)
      bits[i] = i < *known;
    return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({lanes}, b.getI1Type()), bits));
  }
  // Compared at the width that fills one register.
  Type narrow = b.getIntegerType(std::clamp<int64_t>(vectorBytes * 8 / lanes, 8, 32));
  SmallVector<Attribute> numbers;
  for (int64_t i = 0; i < lanes; ++i)
    numbers.push_back(b.getIntegerAttr(narrow, i));
  auto type = VectorType::get({lanes}, narrow);
  Value lane = arith::ConstantOp::create(b, DenseElementsAttr::get(type, numbers));
  Value limit = vector::BroadcastOp::create(b, type, arith::IndexCastOp::create(b, narrow, count));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lane, limit);
}

Value LaneAccess::broadcast(Value value, int64_t lanes) {
  return isVector(value) ? value
                         : vector::BroadcastOp::create(b, VectorType::get({lanes}, value.getType()), value).getResult();
}

Value LaneAccess::laneNumbers(Step step) {
  SmallVector<Attribute> numbers;
  for (int64_t i = 0; i < step.lanes; ++i)
    numbers.push_back(b.getIndexAttr(i));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({step.lanes}, b.getIndexType()), numbers));
}

Value LaneAccess::indexAt(unsigned loop, Step step) {
  if (!step.isVector || vectorLoop != (int)loop)
    return positions[loop];
  return arith::AddIOp::create(b, broadcast(positions[loop], step), laneNumbers(step));
}

SmallVector<Value> LaneAccess::indicesOf(AffineMap map) {
  SmallVector<Value> indices;
  SmallVector<OpFoldResult> dims(positions.begin(), positions.end());
  // A reduction that is over has no position; nothing that is addressed then depends on it.
  for (OpFoldResult &dim : dims)
    if (!cast<Value>(dim))
      dim = b.getIndexAttr(0);
  for (AffineExpr expr : map.getResults())
    indices.push_back(getValueOrCreateConstantIndexOp(
        b, b.getLoc(),
        affine::makeComposedFoldedAffineApply(b, b.getLoc(), AffineMap::get(map.getNumDims(), 0, expr), dims)));
  return indices;
}

Value LaneAccess::linear(OpFoldResult start, ArrayRef<OpFoldResult> strides, ArrayRef<OpFoldResult> indices) {
  auto [expr, operands] = computeLinearIndex(start, strides, indices);
  return getValueOrCreateConstantIndexOp(b, b.getLoc(),
                                         affine::makeComposedFoldedAffineApply(b, b.getLoc(), expr, operands));
}

/// The operations on vectors count elements along the last axis, whose stride has to be one. A memory with another
/// one, as of every second element of a row, is seen as the row of all that it spans.
LaneAccess::Place LaneAccess::placeOf(Value memory, SmallVector<Value> indices) {
  auto type = cast<MemRefType>(memory.getType());
  if (type.isLastDimUnitStride())
    return {memory, indices};
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memory);
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides(), last;
  for (OpFoldResult size : metadata.getConstifiedMixedSizes())
    last.push_back(
        affine::makeComposedFoldedAffineApply(b, b.getLoc(), getAffineDimExpr(0, b.getContext()) - 1, {size}));
  Value span = linear(b.getIndexAttr(1), strides, last);
  Value position = linear(b.getIndexAttr(0), strides, getAsOpFoldResult(indices));
  OpFoldResult size = getAsOpFoldResult(span), one = b.getIndexAttr(1);
  auto row = memref::ReinterpretCastOp::create(b, memory, metadata.getConstifiedMixedOffset(), {size}, {one});
  return {row, {position}};
}

/// Distances of the lanes from the first one, in elements, for an operand that is strided along the vector loop.
Value LaneAccess::distances(OpOperand &operand, Step step) {
  auto type = cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset);
  Value distance = zero();
  memref::ExtractStridedMetadataOp metadata;
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    int64_t factor = coefficientOf(expr, vectorLoop);
    if (factor == 0)
      continue;
    Value stride;
    if (ShapedType::isDynamic(strides[axis])) {
      if (!metadata)
        metadata = memref::ExtractStridedMetadataOp::create(b, operand.get());
      stride = metadata.getStrides()[axis];
    } else
      stride = index(strides[axis]);
    distance = b.createOrFold<arith::AddIOp>(distance, b.createOrFold<arith::MulIOp>(stride, index(factor)));
  }
  return arith::MulIOp::create(b, laneNumbers(step), broadcast(distance, step));
}

Value LaneAccess::allLanes(Step step) {
  if (step.mask)
    return step.mask;
  return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({step.lanes}, b.getI1Type()), true));
}

Value LaneAccess::read(OpOperand &operand, Step step) {
  auto type = cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = indicesOf(map);
  Movement movement = step.isVector ? movementAlong(map, type, vectorLoop) : Movement::None;
  if (movement == Movement::None)
    return memref::LoadOp::create(b, operand.get(), indices);
  auto vectorType = VectorType::get({step.lanes}, type.getElementType());
  Place place = placeOf(operand.get(), indices);
  if (movement == Movement::Contiguous)
    return loadContiguous(vectorType, place, step);
  if (std::optional<int64_t> stride = shortStrideAlong(map, type, vectorLoop))
    return loadEvery(*stride, vectorType, place, step);
  return vector::GatherOp::create(b, vectorType, place.memory, place.indices, distances(operand, step), allLanes(step),
                                  nothing(vectorType));
}

Value LaneAccess::loadContiguous(VectorType type, const Place &first, Step step) {
  if (!step.mask)
    return vector::LoadOp::create(b, type, first.memory, first.indices);
  return vector::MaskedLoadOp::create(b, type, first.memory, first.indices, step.mask, nothing(type));
}

/// `place`, moved on.
LaneAccess::Place LaneAccess::after(Place place, int64_t elements) {
  if (elements)
    place.indices.back() = b.createOrFold<arith::AddIOp>(place.indices.back(), index(elements));
  return place;
}

/// Every `stride`-th element from `first` on, picked out of vectors of all that lies between. Nothing is read behind the
/// last one that counts.
Value LaneAccess::loadEvery(int64_t stride, VectorType type, Place first, Step step) {
  int64_t lanes = step.lanes;
  Value picked, count = step.count ? step.count : index(lanes);
  // What lies from the first to the last one.
  Value reach = b.createOrFold<arith::MulIOp>(b.createOrFold<arith::SubIOp>(count, index(1)), index(stride));
  reach = b.createOrFold<arith::AddIOp>(reach, index(1));
  for (int64_t i = 0; i < stride; ++i) {
    Place place = after(first, i * lanes);
    Value left = b.createOrFold<arith::SubIOp>(reach, index(i * lanes));
    left = b.createOrFold<arith::MaxSIOp>(b.createOrFold<arith::MinSIOp>(left, index(lanes)), zero());
    Value part =
        getConstantIntValue(left) == lanes
            ? vector::LoadOp::create(b, type, place.memory, place.indices).getResult()
            : vector::MaskedLoadOp::create(b, type, place.memory, place.indices, maskBelow(left, lanes), nothing(type))
                  .getResult();
    if (i == 0) {
      picked = part;
      continue;
    }
    SmallVector<int64_t> sources; // in what is picked already, and after that in this part
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t element = lane * stride, place = i == 1 && element < lanes ? element : lane;
      sources.push_back(element / lanes == i ? lanes + element % lanes : place);
    }
    picked = vector::ShuffleOp::create(b, picked, part, sources);
  }
  return picked;
}

void LaneAccess::store(OpOperand &operand, Value value, Step step) {
  auto type = cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices = indicesOf(map);
  if (!step.isVector) {
    memref::StoreOp::create(b, value, operand.get(), indices);
    return;
  }
  Place place = placeOf(operand.get(), indices);
  if (movementAlong(map, type, vectorLoop) != Movement::Contiguous)
    vector::ScatterOp::create(b, Type(), place.memory, place.indices, distances(operand, step), allLanes(step), value);
  else if (step.mask)
    vector::MaskedStoreOp::create(b, place.memory, place.indices, step.mask, value);
  else
    vector::StoreOp::create(b, value, place.memory, place.indices);
}

/// Where an index of the body is the place along the vector loop, maybe moved by the same in all lanes: what it is in
/// the first lane. Null for others.
Value LaneAccess::firstOfRun(Value index, IRMapping &values) {
  if (auto position = index.getDefiningOp<linalg::IndexOp>())
    return (int)position.getDim() == vectorLoop ? positions[vectorLoop] : Value();
  auto sum = index.getDefiningOp<arith::AddIOp>();
  auto difference = index.getDefiningOp<arith::SubIOp>();
  if (!sum && !difference)
    return nullptr;
  Value a = index.getDefiningOp()->getOperand(0), c = index.getDefiningOp()->getOperand(1);
  if (sum && !isVector(values.lookupOrDefault(a)))
    std::swap(a, c);
  Value distance = values.lookupOrDefault(c);
  Value first = isVector(distance) ? Value() : firstOfRun(a, values);
  if (!first)
    return nullptr;
  return sum ? b.createOrFold<arith::AddIOp>(first, distance) : b.createOrFold<arith::SubIOp>(first, distance);
}

Value LaneAccess::gather(memref::LoadOp read, IRMapping &values, Step step) {
  SmallVector<Value> indices;
  for (Value index : read.getIndices())
    indices.push_back(values.lookupOrDefault(index));
  Value memory = values.lookupOrDefault(read.getMemRef());
  if (llvm::none_of(indices, isVector))
    return memref::LoadOp::create(b, memory, indices);
  // A run of a row that the other indices choose.
  auto type = cast<MemRefType>(memory.getType());
  if (Value first = firstOfRun(read.getIndices().back(), values);
      first && type.isLastDimUnitStride() && llvm::none_of(ArrayRef(indices).drop_back(), isVector)) {
    indices.back() = first;
    return loadContiguous(VectorType::get({step.lanes}, type.getElementType()), {memory, indices}, step);
  }
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memory);
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset);
  Value place;
  for (auto [axis, position] : llvm::enumerate(indices)) {
    Value stride = ShapedType::isDynamic(strides[axis]) ? metadata.getStrides()[axis] : index(strides[axis]);
    Value term = strides[axis] == 1
                     ? broadcast(position, step)
                     : arith::MulIOp::create(b, broadcast(position, step), broadcast(stride, step)).getResult();
    place = place ? arith::AddIOp::create(b, place, term).getResult() : term;
  }
  Place origin = placeOf(memory, SmallVector<Value>(type.getRank(), zero()));
  auto vectorType = VectorType::get({step.lanes}, type.getElementType());
  return vector::GatherOp::create(b, vectorType, origin.memory, origin.indices, place, allLanes(step),
                                  nothing(vectorType));
}

} // namespace mlc::cpu

// Sequences and optionals.
//
//   %s = onnx.SequenceInsert(%q, %x, %i)   =>   mlc.check 0 <= %i <= length;  %s = mlc.insert %x into %q at %i
//   %x = onnx.SequenceAt(%q, %i)           =>   %d = mlc.service "sequence_extent"(%q, %i, 0);  %x = mlc.at %q[%i] sizes(%d)
//
// Both are !mlc.sequence: see there. What the tensors of a sequence have in common is followed by the analysis
// (Facts::items), since an operator behind a SequenceAt needs the rank of what it gets.
#include "onnx/ops/Sequence.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Declared.h"

using namespace mlir;

namespace mlc::onnx {

static Facts containerOf(Type items) {
  Facts facts;
  facts.items = items;
  return facts;
}

/// The type of a tensor with what is known of its extents.
static Type itemOf(Value tensor, Known &known) {
  Type element = Lowering::element(tensor);
  const Facts &facts = known.of(tensor);
  if (!facts.extents)
    return UnrankedTensorType::get(element);
  return RankedTensorType::get(
      llvm::map_to_vector(*facts.extents,
                          [](Extent extent) { return ExtentMath::asConstant(extent).value_or(ShapedType::kDynamic); }),
      element);
}

/// What is known of a tensor out of a sequence.
static Facts factsOfItem(Type item, Known &known) {
  auto type = dyn_cast_or_null<RankedTensorType>(item);
  if (!type)
    return {};
  return Facts(llvm::map_to_vector(type.getShape(), [&](int64_t extent) {
    return ShapedType::isDynamic(extent) ? Extent() : known.math.constant(extent);
  }));
}

//===-- Lowering -------------------------------------------------------------------------===//

static Value asI64(Lowering &l, Value index) {
  return arith::IndexCastOp::create(l.b, l.loc(), l.b.getI64Type(), index);
}
static Index lengthOf(Lowering &l, Value sequence) {
  Value length = service(l, "sequence_length", l.b.getI64Type(), sequence);
  return Index(l, Value(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), length)));
}
Value emptySequence(Lowering &l) {
  return ServiceOp::create(l.b, l.loc(), TypeRange(mlc::SequenceType::get(l.b.getContext())), "sequence_empty",
                           ValueRange())
      .getResult();
}

static Value insertAt(Lowering &l, Value sequence, Value tensor, Type element, Index position) {
  return InsertOp::create(l.b, l.loc(), sequence.getType(), tensor, sequence, asI64(l, position),
                          elementTypeNumber(element));
}
Value append(Lowering &l, Value sequence, Value tensor, Type element) {
  return insertAt(l, sequence, tensor, element, lengthOf(l, sequence));
}

Value itemAt(Lowering &l, Value sequence, Index position, RankedTensorType type) {
  Value place = asI64(l, position);
  SmallVector<Value> sizes;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(extent))
      continue;
    Value number = service(l, "sequence_extent", l.b.getI64Type(), sequence, place, asI64(l, l.index(int64_t(axis))));
    sizes.push_back(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), number));
  }
  return AtOp::create(l.b, l.loc(), type, sequence, place, sizes);
}

/// The same as result `result` of the operation has it.
static FailureOr<Value> itemAt(Lowering &l, Value sequence, Index position, Value result) {
  if (!l.known.of(result).extents)
    return l.unsupported("the rank of the tensor that it takes from the sequence is known to the run only");
  return itemAt(l, sequence, position, l.type(result));
}

/// A position of at most `last`, counted from the end of a sequence of `length` where it is negative, and checked; the
/// last one where it is absent.
static Index positionOf(Lowering &l, Value operand, Index length, Index last) {
  if (!operand) {
    l.check(last >= 0, "expects a sequence that is not empty", {});
    return last;
  }
  Index given(l, l.elementAsIndex(operand, 0)), position = select(given < 0, given + length, given);
  l.check(position >= 0 && position <= last, "expects a position from -%1 to %2, got %0", {given, length, last});
  return position;
}

//===-- Construction and access ------------------------------------------------------------===//

static FailureOr<Facts> shapeOfConstruct(SequenceConstructOp op, Known &known) {
  Type items = NoneType::get(op.getContext());
  for (Value tensor : op->getOperands())
    items = commonItems(items, itemOf(tensor, known));
  return containerOf(items);
}
static FailureOr<Value> lowerConstruct(SequenceConstructOp op, Lowering &l) {
  Value sequence = emptySequence(l);
  for (Value tensor : op->getOperands())
    sequence = append(l, sequence, l(tensor), Lowering::element(tensor));
  return sequence;
}

static FailureOr<Facts> shapeOfInsert(SequenceInsertOp op, Known &known) {
  return containerOf(commonItems(known.items(op.getInputSequence()), itemOf(op.getTensor(), known)));
}
static FailureOr<Value> lowerInsert(SequenceInsertOp op, Lowering &l) {
  Value sequence = l(op.getInputSequence());
  // The place behind the last is one as well, though counted from the end there is no such place.
  Index length = lengthOf(l, sequence), position = positionOf(l, op.getPosition(), length, length);
  return insertAt(l, sequence, l(op.getTensor()), Lowering::element(op.getTensor()), position);
}

static FailureOr<Value> lowerErase(SequenceEraseOp op, Lowering &l) {
  Value sequence = l(op.getInputSequence());
  Index length = lengthOf(l, sequence), position = positionOf(l, op.getPosition(), length, length - 1);
  return service(l, "sequence_erase", sequence.getType(), sequence, asI64(l, position));
}

static FailureOr<Facts> shapeOfAt(SequenceAtOp op, Known &known) {
  Facts facts = factsOfItem(known.items(op.getInputSequence()), known);
  // Its tensors may differ in rank, or a caller gives them; the run checks that this one is what the model says.
  if (std::optional<int64_t> rank = facts.extents ? std::nullopt : declaredRank(op.getTensor()))
    return Facts(Extents(*rank));
  return facts;
}
static FailureOr<Value> lowerAt(SequenceAtOp op, Lowering &l) {
  Value sequence = l(op.getInputSequence());
  Index length = lengthOf(l, sequence), position = positionOf(l, op.getPosition(), length, length - 1);
  if (l.known.of(op.getTensor()).extents && !isa_and_nonnull<RankedTensorType>(l.known.items(op.getInputSequence()))) {
    Value number = service(l, "sequence_rank", l.b.getI64Type(), sequence, asI64(l, position));
    Index rank(l, Value(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), number)));
    Index declared(l, l.known.rank(op.getTensor()));
    l.check(rank == declared, "expects a tensor of rank %1, as the model declares its result, got rank %0",
            {rank, declared});
  }
  return itemAt(l, sequence, position, op.getTensor());
}

static FailureOr<Value> lowerLength(SequenceLengthOp op, Lowering &l) {
  Value length = service(l, "sequence_length", l.b.getI64Type(), l(op.getInputSequence()));
  return Value(tensor::FromElementsOp::create(l.b, l.loc(), l.type(op.getLength()), length));
}

//===-- From one tensor, and into one -------------------------------------------------------===//

/// Repeats `body(iteration, carried)` in a loop of the graph; gives what is carried at the end.
static SmallVector<Value> repeat(Lowering &l, Index count, ArrayRef<Value> carried,
                                 llvm::function_ref<SmallVector<Value>(Index, ValueRange)> body) {
  auto loop = scf::ForOp::create(l.b, l.loc(), Index(l, 0), count, Index(l, 1), carried);
  OpBuilder::InsertionGuard guard(l.b);
  l.b.setInsertionPointToEnd(loop.getBody());
  SmallVector<Value> next = body(Index(l, Value(loop.getInductionVar())), loop.getRegionIterArgs());
  scf::YieldOp::create(l.b, l.loc(), next);
  return SmallVector<Value>(loop.getResults());
}

/// Without given sizes each part is one element long, and loses the axis unless it is kept.
static bool dropsAxis(SplitToSequenceOp op) { return !op.getSplit() && op.getKeepdims() == 0; }

static FailureOr<int64_t> axisOf(SplitToSequenceOp op, int64_t rank) {
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  return *axis;
}

static FailureOr<Facts> shapeOfSplitToSequence(SplitToSequenceOp op, Known &known) {
  auto whole = cast<RankedTensorType>(itemOf(op.getInput(), known));
  FailureOr<int64_t> axis = axisOf(op, whole.getRank());
  if (failed(axis))
    return failure();
  if (op.getSplit() && known.rank(op.getSplit()) > 1)
    return op.emitOpError("expects one length, or a list of them, got ") << op.getSplit().getType();
  SmallVector<int64_t> shape(whole.getShape());
  if (dropsAxis(op))
    shape.erase(shape.begin() + *axis);
  else
    shape[*axis] = op.getSplit() ? ShapedType::kDynamic : 1;
  return containerOf(RankedTensorType::get(shape, whole.getElementType()));
}

static FailureOr<Value> lowerSplitToSequence(SplitToSequenceOp op, Lowering &l) {
  SmallVector<OpFoldResult> extents = l.extents(op.getInput());
  FailureOr<int64_t> axis = axisOf(op, extents.size());
  if (failed(axis))
    return failure();
  Type element = Lowering::element(op.getInput());
  Value split = op.getSplit();
  Index length(l, extents[*axis]), count = length, least(l, 1);
  bool isList = split && l.rank(split) == 1;
  if (isList) {
    count = Index(l, l.known.extents(split)[0]);
  } else if (split) {
    least = Index(l, l.elementAsIndex(split, 0));
    l.check(least > 0, "expects parts of at least one element, got %0", {least});
    count = (length + least - 1) / least;
  }
  /// The extent of a part along the axis.
  auto lengthOfPart = [&](Index part, Index offset) -> Index {
    if (!isList)
      return min(least, length - offset);
    Value number = tensor::ExtractOp::create(l.b, l.loc(), l(split), Value(part));
    return Index(l, Value(arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), number)));
  };
  auto iterate = [&](Index part, ValueRange carried) -> SmallVector<Value> {
    Index offset(l, carried[1]), own = lengthOfPart(part, offset);
    l.check(own >= 0 && offset + own <= length, "expects parts within the extent %2, got %1 elements at %0",
            {offset, own, length});
    SmallVector<OpFoldResult> offsets(extents.size(), l.b.getIndexAttr(0)),
        strides(extents.size(), l.b.getIndexAttr(1)), sizes(extents);
    offsets[*axis] = OpFoldResult(offset);
    sizes[*axis] = split ? OpFoldResult(own) : OpFoldResult(l.b.getIndexAttr(1));
    Value slice = l.slice(l(op.getInput()), offsets, sizes, strides);
    if (dropsAxis(op)) {
      sizes.erase(sizes.begin() + *axis);
      slice = l.reshape(slice, sizes);
    }
    return {append(l, carried[0], slice, element), offset + own};
  };
  SmallVector<Value> results = repeat(l, count, {emptySequence(l), Value(Index(l, 0))}, iterate);
  if (isList) {
    Index sum(l, results[1]);
    l.check(sum == length, "expects parts of %1 elements together, got %0", {sum, length});
  }
  return results[0];
}

static FailureOr<int64_t> axisOf(ConcatFromSequenceOp op, int64_t rank) {
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  return *axis;
}

static FailureOr<Facts> shapeOfConcatFromSequence(ConcatFromSequenceOp op, Known &known) {
  Facts facts = factsOfItem(known.items(op.getInputSequence()), known);
  if (!facts.extents)
    return facts;
  int64_t rank = facts.extents->size() + op.getNewAxis();
  FailureOr<int64_t> axis = axisOf(op, rank);
  if (failed(axis))
    return failure();
  if (op.getNewAxis())
    facts.extents->insert(facts.extents->begin() + *axis, Extent());
  else
    (*facts.extents)[*axis] = Extent();
  return facts;
}

static FailureOr<Value> lowerConcatFromSequence(ConcatFromSequenceOp op, Lowering &l) {
  auto item = dyn_cast_or_null<RankedTensorType>(l.known.items(op.getInputSequence()));
  if (!item)
    return l.unsupported("the rank of the tensors in its sequence is known to the run only");
  bool isNew = op.getNewAxis() != 0;
  int64_t rank = item.getRank() + isNew;
  FailureOr<int64_t> axis = axisOf(op, rank);
  if (failed(axis))
    return failure();
  OpBuilder &b = l.b;
  Value sequence = l(op.getInputSequence());
  Index count = lengthOf(l, sequence), zero(l, 0);
  l.check(count > 0, "expects a sequence that is not empty", {});
  auto extentOf = [&](Index position, int64_t own) -> OpFoldResult {
    if (!item.isDynamicDim(own))
      return b.getIndexAttr(item.getDimSize(own));
    Value extent = service(l, "sequence_extent", b.getI64Type(), sequence, asI64(l, position), asI64(l, Index(l, own)));
    return Value(arith::IndexCastOp::create(b, l.loc(), b.getIndexType(), extent));
  };
  SmallVector<OpFoldResult> extents; // of the result
  for (int64_t own = 0; own < item.getRank(); ++own)
    extents.push_back(extentOf(zero, own));
  // All tensors but the first are compared with it, on the axes that they are not joined along.
  auto measure = [&](Index position, ValueRange carried) -> SmallVector<Value> {
    for (int64_t own = 0; own < item.getRank(); ++own) {
      if (!item.isDynamicDim(own) || (!isNew && own == *axis))
        continue;
      Index extent(l, extentOf(position, own)), first(l, extents[own]);
      l.check(extent == first, "expects extent %1 on axis " + Twine(own) + " of tensor %2 of its sequence, got %0",
              {extent, first, position});
    }
    return {isNew ? Index(l, carried[0]) + 1 : Index(l, carried[0]) + Index(l, extentOf(position, *axis))};
  };
  Index total(l, repeat(l, count, {Value(zero)}, measure)[0]);
  if (isNew)
    extents.insert(extents.begin() + *axis, OpFoldResult(total));
  else
    extents[*axis] = OpFoldResult(total);
  l.checkExtents(extents);

  Type storage = storageType(item.getElementType());
  auto fill = [&](Index position, ValueRange carried) -> SmallVector<Value> {
    SmallVector<OpFoldResult> sizes(extents), offsets(rank, b.getIndexAttr(0));
    sizes[*axis] = isNew ? OpFoldResult(b.getIndexAttr(1)) : extentOf(position, *axis);
    offsets[*axis] = carried[1];
    SmallVector<OpFoldResult> own(sizes);
    if (isNew)
      own.erase(own.begin() + *axis);
    SmallVector<Value> dynamic;
    for (auto [extent, fixed] : llvm::zip_equal(own, item.getShape()))
      if (ShapedType::isDynamic(fixed))
        dynamic.push_back(l.index(extent));
    Value tensor = AtOp::create(b, l.loc(), item.clone(storage), sequence, asI64(l, position), dynamic);
    if (isNew)
      tensor = l.reshape(tensor, sizes);
    Value next = Index(l, carried[1]) + Index(l, sizes[*axis]);
    return {l.insert(tensor, carried[0], offsets, sizes), next};
  };
  return repeat(l, count, {l.empty(extents, storage), Value(zero)}, fill)[0];
}

//===-- Optionals --------------------------------------------------------------------------===//

static bool isOptionalSequence(Type type) {
  auto optional = dyn_cast<OptionalType>(type);
  return isa<SequenceType>(optional ? optional.getElement() : type);
}

static FailureOr<Facts> shapeOfOptional(OptionalOp op, Known &known) {
  if (!op.getInput())
    return containerOf(NoneType::get(op.getContext()));
  if (!isa<TensorType>(op.getInput().getType()))
    return containerOf(known.items(op.getInput()));
  return containerOf(itemOf(op.getInput(), known));
}
static FailureOr<Value> lowerOptional(OptionalOp op, Lowering &l) {
  if (!op.getInput())
    return ServiceOp::create(l.b, l.loc(), TypeRange(mlc::SequenceType::get(l.b.getContext())), "sequence_absent",
                             ValueRange())
        .getResult();
  if (!isa<TensorType>(op.getInput().getType()))
    return l(op.getInput());
  return append(l, emptySequence(l), l(op.getInput()), Lowering::element(op.getInput()));
}

static FailureOr<Value> lowerHasElement(OptionalHasElementOp op, Lowering &l) {
  Value input = op.getInput(), present;
  if (input && isa<OptionalType>(input.getType()))
    present = service(l, "sequence_present", l.b.getI64Type(), l(input));
  else
    present = arith::ConstantIntOp::create(l.b, l.loc(), input ? 1 : 0, 64);
  Value stored = arith::TruncIOp::create(l.b, l.loc(), l.b.getI8Type(), present);
  return Value(tensor::FromElementsOp::create(l.b, l.loc(), l.type(op.getOutput()), stored));
}

static FailureOr<Facts> shapeOfGetElement(OptionalGetElementOp op, Known &known) {
  Value input = op.getInput();
  if (isa<OptionalType>(input.getType()) && !isOptionalSequence(input.getType()))
    return factsOfItem(known.items(input), known);
  return known.of(input);
}
static FailureOr<Value> lowerGetElement(OptionalGetElementOp op, Lowering &l) {
  Value input = op.getInput();
  if (!isa<OptionalType>(input.getType()))
    return l(input);
  Value sequence = l(input);
  Value present = service(l, "sequence_present", l.b.getI64Type(), sequence);
  Value one = arith::ConstantIntOp::create(l.b, l.loc(), 1, 64);
  l.check(arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::eq, present, one),
          "expects an optional that has an element", {});
  return isOptionalSequence(input.getType()) ? FailureOr<Value>(sequence)
                                             : itemAt(l, sequence, Index(l, 0), op.getOutput());
}

void addSequenceRules(Rules &rules) {
  rules.op<SequenceEmptyOp>()
      .shape(
          [](SequenceEmptyOp op, Known &) -> FailureOr<Facts> { return containerOf(NoneType::get(op.getContext())); })
      .lower([](SequenceEmptyOp, Lowering &l) -> FailureOr<Value> { return emptySequence(l); });
  rules.op<SequenceConstructOp>().acceptsUnranked().shape(shapeOfConstruct).lower(lowerConstruct);
  rules.op<SequenceInsertOp>().acceptsUnranked().shape(shapeOfInsert).lower(lowerInsert);
  rules.op<SequenceEraseOp>()
      .shape([](SequenceEraseOp op, Known &known) -> FailureOr<Facts> {
        return containerOf(known.items(op.getInputSequence()));
      })
      .lower(lowerErase);
  rules.op<SequenceAtOp>().shape(shapeOfAt).lower(lowerAt);
  rules.op<SequenceLengthOp>()
      .shape([](SequenceLengthOp, Known &) -> FailureOr<Extents> { return Extents(); })
      .lower(lowerLength);
  rules.op<SplitToSequenceOp>().shape(shapeOfSplitToSequence).lower(lowerSplitToSequence);
  rules.op<ConcatFromSequenceOp>().shape(shapeOfConcatFromSequence).lower(lowerConcatFromSequence);
  rules.op<OptionalOp>().acceptsUnranked().shape(shapeOfOptional).lower(lowerOptional);
  rules.op<OptionalHasElementOp>()
      .acceptsUnranked()
      .shape([](OptionalHasElementOp, Known &) -> FailureOr<Extents> { return Extents(); })
      .lower(lowerHasElement);
  rules.op<OptionalGetElementOp>().acceptsUnranked().shape(shapeOfGetElement).lower(lowerGetElement);
}

} // namespace mlc::onnx

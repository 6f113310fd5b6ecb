// Operators with graphs inside: If, Loop, Scan.
//
//   %y = onnx.If(%c) { then } { else }     =>   %y = scf.if %c -> tensor<?xf32> { then } else { else }
//   %r:2 = onnx.Loop(%m, _, %s) { body }   =>   %r:2 = scf.for %i = 0 to %m iter_args(%s, %outputs) { body }
//
// What holds of a loop's state in every iteration is found by assuming that what holds of the first does, and weakening
// the assumption until the body keeps it. A loop whose condition the analysis sees through is counted, others are
// scf.while, as are those that carry something of changing extents. What the iterations give is gathered in one tensor
// that has room for all of them; where their number, or the extents of one, are known to the run only, it is replaced
// by one of twice the room whenever it is full.
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"

using namespace mlir;

namespace mlc::onnx {

static ValueRange yieldsOf(Block &block) { return block.getTerminator()->getOperands(); }

/// Whether everything that an extent is made of exists before `op`, not only in a graph of it.
static bool isKnownBefore(Extent extent, Operation *op, const ExtentMath &math) {
  bool isKnown = true;
  extent.walk([&](AffineExpr part) {
    auto position = dyn_cast<AffineSymbolExpr>(part);
    if (!position)
      return;
    Symbol symbol = math.symbols()[position.getPosition()];
    isKnown &= symbol.lhs ? isKnownBefore(symbol.lhs, op, math) && isKnownBefore(symbol.rhs, op, math)
                          : !op->isAncestor(symbol.value.getParentBlock()->getParentOp());
  });
  return isKnown;
}

static bool isTrue(Value condition, Known &known) {
  std::optional<SmallVector<int64_t>> elements = known.constants(condition);
  return elements && elements->size() == 1 && elements->front() != 0;
}

/// The lowered value with the type that the facts of `like` say.
static Value withTypeOf(Lowering &l, Value value, Value like) {
  if (!isa<TensorType>(like.getType()))
    return value;
  RankedTensorType type = l.type(like);
  return value.getType() == type ? value : Value(tensor::CastOp::create(l.b, l.loc(), type, value));
}

/// Tensors that leave a graph must be of known rank.
static LogicalResult expectRanks(Lowering &l, ValueRange values) {
  for (Value value : values)
    if (isa<TensorType>(value.getType()) && !l.known.of(value).extents)
      return l.unsupported("the rank of a value that leaves a graph is known to the run only");
  return success();
}

//===-- If ---------------------------------------------------------------------------===//

/// The branch that is taken in every run, if that can be told.
static Block *takenBranch(IfOp op, Known &known) {
  if (auto taken = op->getAttrOfType<BoolAttr>(takenAttrName))
    return &(taken.getValue() ? op.getThenBranch() : op.getElseBranch()).front();
  std::optional<SmallVector<int64_t>> condition = known.constants(op.getCond());
  if (!condition || condition->size() != 1)
    return nullptr;
  return &(condition->front() ? op.getThenBranch() : op.getElseBranch()).front();
}

/// What holds of a value that is one of two.
static Facts either(const Facts &a, const Facts &b, ExtentMath &math) {
  Facts result;
  result.items = commonItems(a.items, b.items);
  if (!a.extents || !b.extents || a.extents->size() != b.extents->size())
    return result;
  auto same = [&](auto pair) { return math.isEqual(std::get<0>(pair), std::get<1>(pair)); };
  result.extents.emplace();
  for (auto pair : llvm::zip_equal(*a.extents, *b.extents))
    result.extents->push_back(same(pair) ? std::get<0>(pair) : Extent());
  if (a.elements && b.elements && a.elements->size() == b.elements->size() &&
      llvm::all_of(llvm::zip_equal(*a.elements, *b.elements), same))
    result.elements = a.elements;
  return result;
}

static FailureOr<SmallVector<Facts>> shapeOfIf(IfOp op, Known &known) {
  Block &then = op.getThenBranch().front(), &otherwise = op.getElseBranch().front();
  for (Block *block : {&then, &otherwise})
    if (yieldsOf(*block).size() != op->getNumResults())
      return op.emitOpError("expects ") << op->getNumResults() << " values from each branch, got "
                                        << yieldsOf(*block).size();
  // A branch that is never taken need not make sense.
  if (Block *taken = takenBranch(op, known)) {
    if (failed(inferFacts(*taken, known)))
      return failure();
    return llvm::map_to_vector(yieldsOf(*taken), [&](Value value) { return known.of(value); });
  }
  if (failed(inferFacts(then, known)) || failed(inferFacts(otherwise, known)))
    return failure();
  SmallVector<Facts> results;
  for (auto [a, b] : llvm::zip_equal(yieldsOf(then), yieldsOf(otherwise)))
    results.push_back(either(known.of(a), known.of(b), known.math));
  return results;
}

static FailureOr<SmallVector<Value>> lowerIf(IfOp op, Lowering &l) {
  if (Block *taken = takenBranch(op, l.known)) {
    if (auto settled = op->getAttrOfType<BoolAttr>(takenAttrName)) {
      Truth condition(l, l.onlyElement(op.getCond()));
      l.check(settled.getValue() ? condition : !condition,
              "takes the branch whose results are not of the rank that the operators behind it need", {});
    }
    return l.lowerBlock(*taken);
  }
  if (failed(expectRanks(l, op->getResults())))
    return failure();
  auto types = llvm::map_to_vector(op->getResults(), [&](Value result) -> Type {
    return isa<TensorType>(result.getType()) ? Type(l.type(result)) : loweredType(result.getType());
  });
  auto choice = scf::IfOp::create(l.b, l.loc(), types, l.onlyElement(op.getCond()), /*withElseRegion=*/true);
  for (auto [from, to] : {std::pair(&op.getThenBranch(), &choice.getThenRegion()),
                          std::pair(&op.getElseBranch(), &choice.getElseRegion())}) {
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointToEnd(&to->front());
    FailureOr<SmallVector<Value>> values = l.lowerBlock(from->front());
    if (failed(values))
      return failure();
    for (auto [value, result] : llvm::zip_equal(*values, op->getResults()))
      value = withTypeOf(l, value, result);
    if (to->front().mightHaveTerminator())
      to->front().getTerminator()->erase();
    scf::YieldOp::create(l.b, l.loc(), *values);
  }
  return SmallVector<Value>(choice.getResults());
}

//===-- Facts of loops -----------------------------------------------------------------===//

/// Weakens what is assumed of a state to what the next iteration gets as well. False if that changes nothing.
static bool weaken(Facts &assumed, const Facts &told, Value state, ExtentMath &math) {
  if (assumed.items) {
    Type before = assumed.items;
    assumed.items = commonItems(assumed.items, told.items);
    return assumed.items != before;
  }
  if (!assumed.extents)
    return false;
  if (!told.extents || told.extents->size() != assumed.extents->size()) {
    assumed = Facts();
    return true;
  }
  bool changed = false;
  for (auto [axis, extents] : llvm::enumerate(llvm::zip_equal(*assumed.extents, *told.extents))) {
    auto &[mine, other] = extents;
    Extent own = math.extentOf(state, axis);
    if (mine == own || math.isEqual(mine, other))
      continue;
    mine = own;
    changed = true;
  }
  if (assumed.elements && !either(assumed, told, math).elements) {
    assumed.elements.reset();
    changed = true;
  }
  return changed;
}

/// Infers the body of a loop with what holds of its states in every iteration; `initial` is what holds of the first.
/// Gives what was found to hold.
static FailureOr<SmallVector<Facts>> inferBody(Block &body, ValueRange states, ValueRange next,
                                               SmallVector<Facts> assumed, Known &known) {
  for (bool mayWeaken = true;;) {
    for (auto [state, facts] : llvm::zip_equal(states, assumed))
      known.set(state, facts);
    LogicalResult inferred = success();
    {
      // A contradiction may come from what is assumed too much.
      std::optional<ScopedDiagnosticHandler> quiet;
      if (mayWeaken)
        quiet.emplace(body.getParentOp()->getContext(), [](Diagnostic &) { return success(); });
      inferred = inferFacts(body, known);
    }
    bool changed = false;
    if (succeeded(inferred)) {
      for (auto [state, value, facts] : llvm::zip_equal(states, next, assumed))
        changed |= weaken(facts, known.of(value), state, known.math);
      if (!changed)
        return assumed;
      continue;
    }
    if (!mayWeaken)
      return failure();
    mayWeaken = false;
    known.tryAgain(body);
    for (auto [state, facts] : llvm::zip_equal(states, assumed)) {
      facts.elements.reset();
      if (facts.items)
        facts.items = isa<NoneType>(facts.items) ? Type() : withoutShape(facts.items);
      if (facts.extents)
        for (auto [axis, extent] : llvm::enumerate(*facts.extents))
          extent = known.math.extentOf(state, axis);
    }
  }
}

/// What of the facts of a value in a loop's body can be said behind the loop.
static Facts seenFromOutside(Facts facts, Operation *op, Known &known) {
  auto isKnown = [&](Extent extent) { return isKnownBefore(extent, op, known.math); };
  if (facts.extents)
    for (Extent &extent : *facts.extents)
      extent = isKnown(extent) ? extent : Extent();
  if (facts.elements && !llvm::all_of(*facts.elements, isKnown))
    facts.elements.reset();
  return facts;
}

//===-- Lowering of loops ----------------------------------------------------------------===//

/// What the iterations of a loop give for one output, joined along a new first axis.
class Gathered {
public:
  /// `room`: for how many iterations; there may be more only if it is null.
  Gathered(Lowering &l, Operation *op, Value yielded, std::optional<Index> room)
      : l(l), yielded(yielded), isComplete(room.has_value()) {
    for (Extent extent : l.known.extents(yielded))
      if (isKnownBefore(extent, op, l.known.math))
        known.push_back(l.materialize(extent));
      else
        known.push_back({}), isComplete = false;
    initialRoom = room ? OpFoldResult(*room) : l.b.getIndexAttr(leastRoom);
    SmallVector<OpFoldResult> extents = {isComplete ? initialRoom : l.b.getIndexAttr(0)};
    for (OpFoldResult extent : known)
      extents.push_back(extent ? extent : l.b.getIndexAttr(0));
    Value empty = l.empty(extents, storage());
    initial = empty.getType() == type() ? empty : Value(tensor::CastOp::create(l.b, l.loc(), type(), empty));
  }

  Value init() const { return initial; }
  bool keepsExtents() const { return isComplete; }

  /// Within the body: `all` with the element of this iteration, the `count`th, at `position`.
  Value insert(Value all, Value element, Index count, Index position) const {
    SmallVector<OpFoldResult> own = tensor::getMixedSizes(l.b, l.loc(), element);
    if (!isComplete)
      all = withRoom(all, own, count);
    return write(element, all, position, l.b.getIndexAttr(1), own);
  }

  /// Behind the loop: what is there of `all`.
  Value result(Value all, Index count) const {
    if (isComplete)
      return all;
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(l.b, l.loc(), all);
    sizes[0] = OpFoldResult(count);
    SmallVector<OpFoldResult> zeros(sizes.size(), l.b.getIndexAttr(0)), ones(sizes.size(), l.b.getIndexAttr(1));
    return l.slice(all, zeros, sizes, ones);
  }

private:
  static constexpr int64_t leastRoom = 8;

  Type storage() const { return storageType(Lowering::element(yielded)); }
  RankedTensorType type() const {
    SmallVector<OpFoldResult> extents = {isComplete ? initialRoom : OpFoldResult()};
    llvm::append_range(extents, known);
    auto shape = llvm::map_to_vector(extents, [](OpFoldResult extent) {
      return extent ? getConstantIntValue(extent).value_or(ShapedType::kDynamic) : ShapedType::kDynamic;
    });
    return RankedTensorType::get(shape, storage());
  }

  Value write(Value from, Value to, OpFoldResult position, OpFoldResult count, ArrayRef<OpFoldResult> own) const {
    SmallVector<OpFoldResult> offsets(own.size() + 1, l.b.getIndexAttr(0)),
        strides(own.size() + 1, l.b.getIndexAttr(1)), sizes = {count};
    offsets[0] = position;
    llvm::append_range(sizes, own);
    return tensor::InsertSliceOp::create(l.b, l.loc(), from, to, offsets, sizes, strides);
  }

  /// `all`, or where it is full, a copy with more room.
  Value withRoom(Value all, ArrayRef<OpFoldResult> own, Index count) const {
    SmallVector<OpFoldResult> before = tensor::getMixedSizes(l.b, l.loc(), all);
    for (auto [axis, extents] : llvm::enumerate(llvm::zip_equal(llvm::drop_begin(before), own))) {
      Index first(l, std::get<0>(extents)), now(l, std::get<1>(extents));
      if (!known[axis])
        l.check(count == 0 || first == now,
                "expects the same extents from every iteration; axis " + Twine(axis) + " has %0, then %1",
                {first, now});
    }
    Index room(l, before[0]);
    auto grown = scf::IfOp::create(l.b, l.loc(), TypeRange(type()), count == room, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointToEnd(&grown.getThenRegion().front());
    SmallVector<OpFoldResult> extents = {OpFoldResult(max(room * 2, Index(l, initialRoom)))};
    llvm::append_range(extents, own);
    Value larger = l.empty(extents, storage());
    if (larger.getType() != type())
      larger = tensor::CastOp::create(l.b, l.loc(), type(), larger);
    larger = write(all, larger, l.b.getIndexAttr(0), before[0], ArrayRef<OpFoldResult>(before).drop_front());
    scf::YieldOp::create(l.b, l.loc(), larger);
    l.b.setInsertionPointToEnd(&grown.getElseRegion().front());
    scf::YieldOp::create(l.b, l.loc(), all);
    return grown.getResult(0);
  }

  Lowering &l;
  Value yielded, initial;
  bool isComplete;                 ///< there is room for everything from the start
  SmallVector<OpFoldResult> known; ///< the extents of an element; null for what only its iteration tells
  OpFoldResult initialRoom;
};

/// Whether a state has the same extents in every iteration.
static bool keepsExtents(Lowering &l, Value state) {
  if (!isa<TensorType>(state.getType()))
    return true;
  return llvm::all_of(llvm::enumerate(l.known.extents(state)),
                      [&](auto extent) { return extent.value() != l.known.math.extentOf(state, extent.index()); });
}

/// What the body leaves as the next state. It stays in one place if it has the same extents in every iteration.
static Value nextState(Lowering &l, Value value, Value state, Value place) {
  if (!isa<TensorType>(state.getType()))
    return value;
  value = withTypeOf(l, value, state);
  bool isStatic = cast<RankedTensorType>(value.getType()).hasStaticShape(); // bufferization sees to these itself
  if (isStatic || !keepsExtents(l, state))
    return value;
  return bufferization::MaterializeInDestinationOp::create(l.b, l.loc(), value, place).getResult();
}

/// Given the number of an iteration, whether the condition holds and what is carried: what is carried on, behind the
/// next condition if there is one.
using Iteration = llvm::function_ref<FailureOr<SmallVector<Value>>(Index, Value condition, ValueRange)>;

/// Repeats `body` while `condition` holds (null: it always does), at most `most` times. Gives what is carried at the
/// end, and puts the number of iterations into `count`. Where what is carried changes its extents, this is no scf.for:
/// canonicalization takes it that these keep the types of what they start with.
static FailureOr<SmallVector<Value>> repeat(Lowering &l, std::optional<Index> most, Value condition, bool keepsExtents,
                                            SmallVector<Value> carried, Value &count, Iteration body) {
  OpBuilder &b = l.b;
  Index zero(l, 0), one(l, 1);
  Truth always(l, true);
  OpBuilder::InsertionGuard guard(b);
  if (!condition && keepsExtents) {
    count = *most;
    if (carried.empty())
      return carried;
    auto loop = scf::ForOp::create(b, l.loc(), zero, *most, one, carried);
    b.setInsertionPointToEnd(loop.getBody());
    FailureOr<SmallVector<Value>> next =
        body(Index(l, Value(loop.getInductionVar())), always, loop.getRegionIterArgs());
    if (failed(next))
      return failure();
    scf::YieldOp::create(b, l.loc(), *next);
    return SmallVector<Value>(loop.getResults());
  }
  // Carried first: how many iterations there were, and whether there is another.
  size_t own = condition ? 2 : 1;
  if (condition)
    carried.insert(carried.begin(), condition);
  carried.insert(carried.begin(), zero);
  auto types = llvm::map_to_vector(carried, [](Value value) { return value.getType(); });
  SmallVector<Location> locations(types.size(), l.loc());
  auto loop = scf::WhileOp::create(b, l.loc(), types, carried);
  Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
  Truth goesOn = condition ? Truth(l, Value(before->getArgument(1))) : Truth(l, true);
  if (most)
    goesOn = goesOn && Index(l, Value(before->getArgument(0))) < *most;
  scf::ConditionOp::create(b, l.loc(), goesOn, before->getArguments());
  Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
  Index iteration(l, Value(after->getArgument(0)));
  FailureOr<SmallVector<Value>> next = body(iteration, condition ? Value(after->getArgument(1)) : Value(always),
                                            ValueRange(after->getArguments()).drop_front(own));
  if (failed(next))
    return failure();
  next->insert(next->begin(), iteration + 1);
  scf::YieldOp::create(b, l.loc(), *next);
  count = loop.getResult(0);
  return SmallVector<Value>(loop.getResults().drop_front(own));
}

//===-- Loop ---------------------------------------------------------------------------===//

/// The parts of a Loop.
struct LoopParts {
  explicit LoopParts(LoopOp op)
      : body(op.getBody().front()), iteration(body.getArgument(0)), condition(body.getArgument(1)),
        states(ValueRange(body.getArguments()).drop_front(2)), nextCondition(yieldsOf(body).front()),
        nextStates(yieldsOf(body).drop_front().take_front(states.size())),
        outputs(yieldsOf(body).drop_front(1 + states.size())) {}

  Block &body;
  Value iteration, condition;
  ValueRange states;
  Value nextCondition;
  ValueRange nextStates, outputs;
};

static LogicalResult verifyLoop(LoopOp op) {
  Block &body = op.getBody().front();
  size_t states = op.getVInitial().size(), results = op->getNumResults();
  if (body.getNumArguments() != 2 + states)
    return op.emitOpError("expects a body with ") << 2 + states << " inputs, got " << body.getNumArguments();
  if (results < states || yieldsOf(body).size() != 1 + results)
    return op.emitOpError("expects a body with a condition and ")
           << results << " outputs, got " << yieldsOf(body).size() << " in all";
  return success();
}

/// Whether the condition never ends the loop: ONNX ignores it where there is none at the start.
static bool isCounted(LoopOp op, Known &known) {
  LoopParts loop(op);
  return !op.getCond() || isTrue(loop.condition, known);
}

static FailureOr<SmallVector<Facts>> shapeOfLoop(LoopOp op, Known &known) {
  if (failed(verifyLoop(op)))
    return failure();
  LoopParts loop(op);
  Facts always(known.math.constants(cast<RankedTensorType>(loop.condition.getType()).getShape()),
               Extents{known.math.constant(1)});
  SmallVector<Facts> initial = llvm::map_to_vector(op.getVInitial(), [&](Value value) { return known.of(value); });
  FailureOr<SmallVector<Facts>> states;
  for (bool mayBeCounted = !op.getCond() || isTrue(op.getCond(), known);; mayBeCounted = false) {
    known.set(loop.condition, mayBeCounted ? always : Facts(*always.extents));
    states = inferBody(loop.body, loop.states, loop.nextStates, initial, known);
    if (!mayBeCounted || !op.getCond() || (succeeded(states) && isTrue(loop.nextCondition, known)))
      break;
  }
  if (failed(states))
    return failure();

  SmallVector<Facts> results;
  for (const Facts &facts : *states)
    results.push_back(seenFromOutside(facts, op, known));
  Extent count;
  if (op.getM() && isCounted(op, known))
    if (std::optional<Extents> most = known.elementsOrSymbols(op.getM()); most && most->size() == 1)
      count = known.math.max(most->front(), known.math.constant(0));
  for (Value output : loop.outputs) {
    Facts facts = seenFromOutside(known.of(output), op, known);
    facts.elements.reset();
    if (facts.extents)
      facts.extents->insert(facts.extents->begin(), count);
    results.push_back(std::move(facts));
  }
  return results;
}

/// A tensor that holds one number, of the type of `argument`.
static Value holding(Lowering &l, Value scalar, Value argument) {
  return tensor::FromElementsOp::create(l.b, l.loc(), l.type(argument), scalar);
}

static FailureOr<SmallVector<Value>> lowerLoop(LoopOp op, Lowering &l) {
  LoopParts loop(op);
  if (failed(expectRanks(l, op->getResults())) || failed(expectRanks(l, loop.states)))
    return failure();
  if (!llvm::all_of(loop.outputs.getTypes(), llvm::IsaPred<TensorType>))
    return l.unsupported("only tensors can be gathered from iterations");
  OpBuilder &b = l.b;
  bool isCounted = onnx::isCounted(op, l.known);
  std::optional<Index> most;
  if (op.getM())
    most = max(Index(l, l.elementAsIndex(op.getM(), 0)), 0);
  else if (isCounted)
    return l.unsupported("it has neither a trip count nor a condition that could end it");

  SmallVector<Value> carried;
  for (auto [value, state] : llvm::zip_equal(op.getVInitial(), loop.states))
    carried.push_back(withTypeOf(l, l(value), state));
  SmallVector<Gathered> gathered;
  for (Value output : loop.outputs) {
    gathered.emplace_back(l, op, output, isCounted ? most : std::nullopt);
    carried.push_back(gathered.back().init());
  }
  size_t states = loop.states.size();
  bool keeps = llvm::all_of(loop.states, [&](Value state) { return keepsExtents(l, state); }) &&
               llvm::all_of(gathered, [](const Gathered &output) { return output.keepsExtents(); });

  Value count, condition = isCounted ? Value() : l.onlyElement(op.getCond());
  auto iterate = [&](Index iteration, Value goesOn, ValueRange before) -> FailureOr<SmallVector<Value>> {
    l.define(loop.iteration, holding(l, l.number(OpFoldResult(iteration), b.getI64Type()), loop.iteration));
    l.define(loop.condition, holding(l, storeScalar(b, l.loc(), goesOn, b.getI1Type()), loop.condition));
    for (auto [state, value] : llvm::zip(loop.states, before))
      l.define(state, value);
    FailureOr<SmallVector<Value>> values = l.lowerBlock(loop.body);
    if (failed(values))
      return failure();
    SmallVector<Value> after;
    if (!isCounted)
      after.push_back(l.onlyElement(loop.nextCondition));
    for (auto [value, state, place] : llvm::zip(ArrayRef<Value>(*values).slice(1, states), loop.states, before))
      after.push_back(nextState(l, value, state, place));
    for (auto [value, all, output] :
         llvm::zip_equal(ArrayRef<Value>(*values).drop_front(1 + states), before.drop_front(states), gathered))
      after.push_back(output.insert(all, value, iteration, iteration));
    return after;
  };
  FailureOr<SmallVector<Value>> results = repeat(l, most, condition, keeps, carried, count, iterate);
  if (failed(results))
    return failure();
  for (auto [result, output] : llvm::zip_equal(MutableArrayRef<Value>(*results).drop_front(states), gathered))
    result = output.result(result, Index(l, count));
  return results;
}

//===-- Scan ---------------------------------------------------------------------------===//

/// The parts of a Scan.
struct ScanParts {
  explicit ScanParts(ScanOp op)
      : op(op), body(op.getBody().front()), inputCount(op.getNumScanInputs()),
        stateCount(op->getNumOperands() - inputCount), outputCount(op->getNumResults() - stateCount),
        states(ValueRange(body.getArguments()).take_front(stateCount)),
        elements(ValueRange(body.getArguments()).drop_front(stateCount)),
        initial(op->getOperands().take_front(stateCount)), inputs(op->getOperands().drop_front(stateCount)),
        nextStates(yieldsOf(body).take_front(stateCount)), outputs(yieldsOf(body).drop_front(stateCount)) {}

  static bool isBackward(std::optional<ArrayRef<int64_t>> directions, size_t i) {
    return directions && i < directions->size() && (*directions)[i] != 0;
  }
  /// The axis that an input is taken apart along, or that an output is put together along; none if out of range.
  static std::optional<int64_t> axis(std::optional<ArrayRef<int64_t>> axes, size_t i, int64_t rank) {
    return normalizedAxis(axes && i < axes->size() ? (*axes)[i] : 0, rank);
  }

  ScanOp op;
  Block &body;
  size_t inputCount, stateCount, outputCount;
  ValueRange states, elements, initial, inputs, nextStates, outputs;
};

static LogicalResult verifyScan(ScanOp op) {
  int64_t inputs = op.getNumScanInputs(), operands = op->getNumOperands(), results = op->getNumResults();
  Block &body = op.getBody().front();
  if (inputs < 1 || inputs > operands || results < operands - inputs)
    return op.emitOpError("expects from 1 to ") << operands << " scan inputs, got " << inputs;
  if ((int64_t)body.getNumArguments() != operands)
    return op.emitOpError("expects a body with ") << operands << " inputs, got " << body.getNumArguments();
  if ((int64_t)yieldsOf(body).size() != results)
    return op.emitOpError("expects a body with ") << results << " outputs, got " << yieldsOf(body).size();
  return success();
}

static FailureOr<SmallVector<Facts>> shapeOfScan(ScanOp op, Known &known) {
  if (failed(verifyScan(op)))
    return failure();
  ScanParts scan(op);
  Extent count;
  for (auto [i, input] : llvm::enumerate(scan.inputs)) {
    if (!known.of(input).extents) {
      known.set(scan.elements[i], {});
      continue;
    }
    Extents extents(known.extents(input));
    std::optional<int64_t> axis = scan.axis(op.getScanInputAxes(), i, extents.size());
    if (!axis)
      return op.emitOpError("expects an axis of scan input ") << i << ", got a tensor of rank " << extents.size();
    if (!count)
      count = extents[*axis];
    else if (!known.math.mayBeEqual(count, extents[*axis]))
      return op.emitOpError("expects scan inputs of one length, got ")
             << known.math.print(count) << " and " << known.math.print(extents[*axis]);
    extents.erase(extents.begin() + *axis);
    known.set(scan.elements[i], Facts(std::move(extents)));
  }
  SmallVector<Facts> initial = llvm::map_to_vector(scan.initial, [&](Value value) { return known.of(value); });
  FailureOr<SmallVector<Facts>> states = inferBody(scan.body, scan.states, scan.nextStates, initial, known);
  if (failed(states))
    return failure();
  SmallVector<Facts> results;
  for (const Facts &facts : *states)
    results.push_back(seenFromOutside(facts, op, known));
  for (auto [i, output] : llvm::enumerate(scan.outputs)) {
    Facts facts = seenFromOutside(known.of(output), op, known);
    facts.elements.reset();
    if (facts.extents) {
      std::optional<int64_t> axis = scan.axis(op.getScanOutputAxes(), i, facts.extents->size() + 1);
      if (!axis)
        return op.emitOpError("expects an axis of scan output ")
               << i << ", which has rank " << facts.extents->size() + 1;
      facts.extents->insert(facts.extents->begin() + *axis, count);
    }
    results.push_back(std::move(facts));
  }
  return results;
}

static FailureOr<SmallVector<Value>> lowerScan(ScanOp op, Lowering &l) {
  ScanParts scan(op);
  if (failed(expectRanks(l, op->getResults())) || failed(expectRanks(l, scan.states)))
    return failure();
  OpBuilder &b = l.b;
  auto inputAxis = [&](size_t i) { return *scan.axis(op.getScanInputAxes(), i, l.rank(scan.inputs[i])); };
  Extent length = l.known.extents(scan.inputs[0])[inputAxis(0)];
  for (auto [i, input] : llvm::enumerate(scan.inputs))
    l.expectExtent(l.known.extents(input)[inputAxis(i)], length, "scan input " + Twine(i));

  Index count(l, length);
  SmallVector<Value> carried;
  for (auto [value, state] : llvm::zip_equal(scan.initial, scan.states))
    carried.push_back(withTypeOf(l, l(value), state));
  SmallVector<Gathered> gathered;
  for (Value output : scan.outputs) {
    gathered.emplace_back(l, op, output, count);
    carried.push_back(gathered.back().init());
  }
  bool keeps = llvm::all_of(scan.states, [&](Value state) { return keepsExtents(l, state); }) &&
               llvm::all_of(gathered, [](const Gathered &output) { return output.keepsExtents(); });

  auto iterate = [&](Index iteration, Value, ValueRange before) -> FailureOr<SmallVector<Value>> {
    auto position = [&](bool isBackward) { return isBackward ? count - 1 - iteration : iteration; };
    for (auto [state, value] : llvm::zip(scan.states, before))
      l.define(state, value);
    for (auto [i, input, element] : llvm::enumerate(scan.inputs, scan.elements)) {
      SmallVector<OpFoldResult> sizes = l.extents(input), offsets(sizes.size(), b.getIndexAttr(0)),
                                strides(sizes.size(), b.getIndexAttr(1));
      int64_t axis = inputAxis(i);
      offsets[axis] = OpFoldResult(position(scan.isBackward(op.getScanInputDirections(), i)));
      sizes[axis] = b.getIndexAttr(1);
      Value slice = l.slice(l(input), offsets, sizes, strides);
      sizes.erase(sizes.begin() + axis);
      l.define(element, withTypeOf(l, l.reshape(slice, sizes), element));
    }
    FailureOr<SmallVector<Value>> values = l.lowerBlock(scan.body);
    if (failed(values))
      return failure();
    SmallVector<Value> after;
    for (auto [value, state, place] :
         llvm::zip(ArrayRef<Value>(*values).take_front(scan.stateCount), scan.states, before))
      after.push_back(nextState(l, value, state, place));
    for (auto [i, output] : llvm::enumerate(gathered)) {
      Index at = position(scan.isBackward(op.getScanOutputDirections(), i));
      after.push_back(output.insert(before[scan.stateCount + i], (*values)[scan.stateCount + i], iteration, at));
    }
    return after;
  };
  Value iterations;
  FailureOr<SmallVector<Value>> results = repeat(l, count, nullptr, keeps, carried, iterations, iterate);
  if (failed(results))
    return failure();
  for (auto [i, output] : llvm::enumerate(gathered)) {
    Value &result = (*results)[scan.stateCount + i];
    result = output.result(result, count);
    int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
    int64_t axis = *scan.axis(op.getScanOutputAxes(), i, rank);
    if (axis == 0)
      continue;
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    permutation.insert(permutation.begin() + axis, 0);
    result = l.transpose(result, permutation);
  }
  return results;
}

/// Scan of opset 8 has the lengths of its sequences in front. That it runs over a batch, the importer sees to.
static LogicalResult dropLengths(Node &node) {
  if (node.operand(0))
    return node.emitError() << "has lengths of its sequences, which mlc does not read: expects none";
  node.operands.erase(node.operands.begin(), node.operands.begin() + std::min<size_t>(1, node.operands.size()));
  if (Attribute directions = node.attributes.erase("directions"))
    node.attributes.set("scan_input_directions", directions);
  return success();
}

void addControlRules(Rules &rules) {
  rules.op<IfOp>().acceptsUnranked().shape(shapeOfIf).lower(lowerIf);
  rules.op<LoopOp>().acceptsUnranked().shape(shapeOfLoop).lower(lowerLoop);
  rules.op<ScanOp>().upgrade(9, dropLengths).acceptsUnranked().shape(shapeOfScan).lower(lowerScan);
}

} // namespace mlc::onnx

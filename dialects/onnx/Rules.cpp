#include "onnx/Rules.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "onnx/Constants.h"
#include "onnx/ops/Families.h"

using namespace mlir;

namespace mlc::onnx {

const Rule *Rules::find(StringRef operation) const {
  auto found = table.find(operation);
  return found == table.end() ? nullptr : &found->second;
}

RuleOf<void> Rules::removed(StringRef operation) { return RuleOf<void>(table[("onnx." + operation).str()]); }

Rules &rulesToExtend() {
  static Rules rules = [] {
    Rules all;
    addAffineGridRules(all);
    addAttentionRules(all);
    addCastRules(all);
    addCausalConvRules(all);
    addColumnsRules(all);
    addConcatRules(all);
    addControlRules(all);
    addConvRules(all);
    addDeformConvRules(all);
    addDropoutRules(all);
    addEinsumRules(all);
    addElementwiseRules(all);
    addEliminationRules(all);
    addExpandRules(all);
    addFeaturesRules(all);
    addFillRules(all);
    addGatherRules(all);
    addImageRules(all);
    addLinearRules(all);
    addLookupRules(all);
    addMapRules(all);
    addMatMulRules(all);
    addNonMaxSuppressionRules(all);
    addNormalizeRules(all);
    addPadRules(all);
    addPoolRules(all);
    addQuantizeRules(all);
    addQuantizedProductsRules(all);
    addRandomRules(all);
    addRecurrentRules(all);
    addReduceRules(all);
    addRegionsRules(all);
    addReshapeRules(all);
    addResizeRules(all);
    addScatterRules(all);
    addSelectRules(all);
    addSequenceRules(all);
    addShapeRules(all);
    addSignalRules(all);
    addSliceRules(all);
    addSoftmaxRules(all);
    addSortRules(all);
    addStringRules(all);
    addSvmRules(all);
    addTfIdfRules(all);
    addTokenizerRules(all);
    addTrainRules(all);
    addTransposeRules(all);
    addTreeRules(all);
    addUnpoolRules(all);
    addUpgradeRules(all);
    return all;
  }();
  return rules;
}

const Rules &allRules() { return rulesToExtend(); }

const Rule *ruleOf(Operation *op) {
  if (auto custom = dyn_cast<CustomOp>(op))
    return allRules().find(("onnx." + custom.getOperatorName()).str());
  return allRules().find(op->getName().getStringRef());
}

//===-- What is known of a value ----------------------------------------------===//

/// Integer tensors of more elements than this are data, not shapes.
static constexpr int64_t maxFollowedElements = 1024;

/// The elements of a constant that may be part of a shape; booleans count as 0 and 1.
static std::optional<Extents> elementsOf(ElementsAttr value, ExtentMath &math) {
  Type element = value.getElementType();
  if (!element.isIntOrIndex() || value.getNumElements() > maxFollowedElements)
    return std::nullopt;
  std::optional<Extents> result(std::in_place);
  bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
  auto add = [&](const APInt &number) {
    result->push_back(math.constant(isUnsigned ? number.getZExtValue() : number.getSExtValue()));
  };
  unsigned bytes = bytesPerElement(element);
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    for (const APInt &number : dense.getValues<APInt>())
      add(number);
    return result;
  }
  if (!isa<DenseResourceElementsAttr>(value) || bytes == 0)
    return std::nullopt;
  std::vector<char> storage;
  ArrayRef<char> data = bytesOf(value, storage);
  for (; !data.empty(); data = data.drop_front(bytes)) {
    uint64_t number = 0;
    std::memcpy(&number, data.data(), bytes);
    add(APInt(bytes * 8, number));
  }
  return result;
}

Type tensorIn(Type type) {
  if (auto optional = dyn_cast<OptionalType>(type))
    type = optional.getElement();
  if (auto sequence = dyn_cast<SequenceType>(type))
    type = sequence.getElement();
  return type;
}

/// The type of the tensors in a sequence or optional, as far as its type tells; null for a tensor.
static Type itemsOfType(Type type) { return isa<OptionalType, SequenceType>(type) ? tensorIn(type) : Type(); }

Type commonItems(Type a, Type b) {
  if (a == b || !a || isa<NoneType>(b))
    return a;
  if (!b || isa<NoneType>(a))
    return b;
  auto one = dyn_cast<RankedTensorType>(a), other = dyn_cast<RankedTensorType>(b);
  if (!one || !other || one.getRank() != other.getRank())
    return withoutShape(a);
  auto shape = llvm::map_to_vector(llvm::zip_equal(one.getShape(), other.getShape()), [](auto pair) {
    return std::get<0>(pair) == std::get<1>(pair) ? std::get<0>(pair) : ShapedType::kDynamic;
  });
  return one.clone(shape);
}

static Facts factsOfType(Value value, Known &known) {
  Facts container;
  if ((container.items = itemsOfType(value.getType())))
    return container;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return {};
  SmallVector<StringRef> names;
  if (auto argument = dyn_cast<BlockArgument>(value))
    names = dimensionNames(argument);
  Extents extents;
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    extents.push_back(ShapedType::isDynamic(extent)
                          ? known.math.extentOf(value, i, i < names.size() ? names[i] : StringRef())
                          : known.math.constant(extent));
  return Facts(std::move(extents));
}

std::optional<ElementsAttr> valueOf(ConstantOp constant) {
  if (std::optional<ElementsAttr> value = constant.getValue())
    return value;
  Builder b(constant.getContext());
  auto typeOf = [](ArrayRef<int64_t> shape, Type element) { return RankedTensorType::get(shape, element); };
  if (std::optional<int64_t> value = constant.getValueInt())
    return DenseElementsAttr::get(typeOf({}, b.getI64Type()), *value);
  if (std::optional<ArrayRef<int64_t>> values = constant.getValueInts())
    return DenseElementsAttr::get(typeOf((int64_t)values->size(), b.getI64Type()), *values);
  if (std::optional<APFloat> value = constant.getValueFloat())
    return DenseElementsAttr::get(typeOf({}, b.getF32Type()), *value);
  if (std::optional<ArrayRef<float>> values = constant.getValueFloats())
    return DenseElementsAttr::get(typeOf((int64_t)values->size(), b.getF32Type()), *values);
  return std::nullopt;
}

const Facts &Known::of(Value value) {
  auto found = facts.find(value);
  if (found != facts.end())
    return *found->second;
  Facts told = factsOfType(value, *this);
  if (auto constant = value.getDefiningOp<ConstantOp>())
    if (std::optional<ElementsAttr> attribute = valueOf(constant))
      told = Facts(math.constants(attribute->getShapedType().getShape()), elementsOf(*attribute, math));
  set(value, std::move(told));
  return *facts[value];
}

void Known::set(Value value, Facts told) { facts[value] = std::make_unique<Facts>(std::move(told)); }

ArrayRef<Extent> Known::extents(Value value) {
  const Facts &all = of(value);
  assert(all.extents && "the driver calls rules with ranked operands only");
  return *all.extents;
}

std::optional<ArrayRef<Extent>> Known::elements(Value value) {
  if (!value)
    return std::nullopt;
  const Facts &all = of(value);
  if (!all.elements)
    return std::nullopt;
  return ArrayRef<Extent>(*all.elements);
}

std::optional<SmallVector<int64_t>> Known::constants(Value value) {
  std::optional<ArrayRef<Extent>> list = elements(value);
  return list ? ExtentMath::asConstants(*list) : std::nullopt;
}

std::optional<Extents> Known::elementsOrSymbols(Value value) {
  if (std::optional<ArrayRef<Extent>> list = elements(value))
    return Extents(*list);
  const Facts &all = of(value);
  if (!all.extents)
    return std::nullopt;
  unsigned position = 0;
  return tellElements(*all.extents, [&](ArrayRef<int64_t>) { return math.elementOf(value, position++); });
}

Extent Known::element(Value value, ArrayRef<int64_t> index) {
  std::optional<ArrayRef<Extent>> list = elements(value);
  if (!list)
    return nullptr;
  std::optional<SmallVector<int64_t>> shape = ExtentMath::asConstants(extents(value));
  int64_t position = 0;
  for (auto [extent, at] : llvm::zip_equal(*shape, index.take_back(shape->size())))
    position = position * extent + (extent == 1 ? 0 : at);
  return (*list)[position];
}

std::optional<Extents> tellElements(ArrayRef<Extent> extents, llvm::function_ref<Extent(ArrayRef<int64_t>)> element) {
  std::optional<SmallVector<int64_t>> shape = ExtentMath::asConstants(extents);
  if (!shape)
    return std::nullopt;
  int64_t count = 1;
  for (int64_t extent : *shape)
    if ((count *= extent) > maxFollowedElements || extent < 0)
      return std::nullopt;
  Extents result;
  SmallVector<int64_t> index(shape->size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    Extent told = element(index);
    if (!told)
      return std::nullopt;
    result.push_back(told);
    for (int64_t axis = index.size() - 1; axis >= 0 && ++index[axis] == (*shape)[axis]; --axis)
      index[axis] = 0;
  }
  return result;
}

//===-- The walk ---------------------------------------------------------------===//

/// Refines what a rule told by what the type says: a fixed extent of the type wins over a symbol, since the type holds
/// what was inferred before (with more knowledge, perhaps) or declared by the rule of the surrounding graph.
static LogicalResult refineByType(Operation *op, Value result, Facts &facts, Known &known) {
  if (Type items = itemsOfType(result.getType()); items && !facts.items)
    facts.items = items;
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type)
    return success();
  if (!facts.extents) {
    facts.extents = factsOfType(result, known).extents;
    return success();
  }
  if (facts.extents->size() != (size_t)type.getRank())
    return op->emitOpError("has a result of rank ") << facts.extents->size() << ", but its type says " << type;
  for (auto [extent, fixed] : llvm::zip_equal(*facts.extents, type.getShape())) {
    if (ShapedType::isDynamic(fixed))
      continue;
    std::optional<int64_t> inferred = ExtentMath::asConstant(extent);
    if (inferred && *inferred != fixed)
      return op->emitOpError("has a result with extent ")
             << *inferred << " where its type " << type << " says " << fixed;
    extent = known.math.constant(fixed);
  }
  return success();
}

/// The extents that are numbers; 1 for the others.
static SmallVector<int64_t> fixedOf(ArrayRef<Extent> extents) {
  return llvm::map_to_vector(extents, [](Extent extent) { return ExtentMath::asConstant(extent).value_or(1); });
}

void Known::giveUp(Operation *op) { givenUp.insert(op); }

void Known::tryAgain(Block &block) {
  block.walk([&](Operation *op) { givenUp.erase(op); });
}

bool Known::isHopeless(Operation *op) const {
  if (givenUp.empty())
    return false;
  auto readsGivenUp = [&](Operation *reader) {
    return llvm::any_of(reader->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return source && givenUp.contains(source);
    });
  };
  auto visit = [&](Operation *inner) { return WalkResult(success(!readsGivenUp(inner) && !givenUp.contains(inner))); };
  return op->walk(visit).wasInterrupted();
}

LogicalResult inferFactsOf(Operation *op, Known &known) {
  const Rule *rule = ruleOf(op);
  if (!rule || !rule->shape)
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (failed(inferFacts(block, known)))
          return failure();
  if (op->getNumResults() == 0 || isa<ConstantOp>(op))
    return success();

  SmallVector<Facts> results(op->getNumResults());
  bool ranked = llvm::all_of(op->getOperands(), [&](Value operand) {
    return !isa<TensorType>(operand.getType()) || known.of(operand).extents.has_value();
  });
  if (rule && rule->shape && (ranked || rule->acceptsUnranked)) {
    FailureOr<SmallVector<Facts>> told = rule->shape(op, known);
    if (failed(told))
      return failure();
    assert(told->size() == results.size() && "a shape rule tells of every result");
    results = std::move(*told);
  }
  for (auto [result, facts] : llvm::zip_equal(op->getResults(), results)) {
    if (failed(refineByType(op, result, facts, known)))
      return failure();
    if (facts.extents)
      for (auto [i, extent] : llvm::enumerate(*facts.extents)) {
        if (!extent)
          extent = known.math.extentOf(result, i); // a rule leaves null what only the data can tell
        if (std::optional<int64_t> fixed = ExtentMath::asConstant(extent); fixed && *fixed < 0)
          return op->emitOpError("has a result with the negative extent ") << *fixed << " on axis " << i;
        if (known.math.overflows(extent))
          return op->emitOpError("has a result whose extent on axis ") << i << " is beyond 64 bits";
      }
    if (facts.extents && !elementCount(fixedOf(*facts.extents)))
      return op->emitOpError("has a result with more elements than 64 bits can count: extents ")
             << fixedOf(*facts.extents);
    bool isInteger = getElementTypeOrSelf(result.getType()).isIntOrIndex();
    // Integers of a run wrap around; those of the analysis do not.
    if (!isInteger ||
        (facts.elements && llvm::any_of(*facts.elements, [&](Extent e) { return known.math.overflows(e); })))
      facts.elements = std::nullopt;
    known.set(result, std::move(facts));
  }
  return success();
}

LogicalResult inferFacts(Block &block, Known &known) {
  bool hasFailed = false;
  for (Operation &op : block)
    if (known.isHopeless(&op) || failed(inferFactsOf(&op, known))) {
      known.giveUp(&op);
      hasFailed = true;
    }
  return failure(hasFailed);
}

LogicalResult inferFacts(Operation *function, Known &known) {
  bool hasFailed = false;
  for (Region &region : function->getRegions())
    for (Block &block : region)
      hasFailed |= failed(inferFacts(block, known));
  return failure(hasFailed);
}

} // namespace mlc::onnx

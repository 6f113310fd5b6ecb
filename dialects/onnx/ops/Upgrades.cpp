// How nodes of older opsets become the pinned one's: what became operands of what were attributes, what defaults
// changed, what operators were replaced by others.
#include "onnx/Rules.h"

using namespace mlir;

namespace mlc::onnx {

/// For rules that every model needs, whatever its opset: forms that stay legal, of which the dialect has one.
static constexpr int64_t everyOpset = std::numeric_limits<int64_t>::max();

static constexpr int64_t end = std::numeric_limits<int64_t>::max(); // of a slice

template <typename... Ops> static void upgradeAll(Rules &rules, int64_t opset, const UpgradeRule &rule) {
  (rules.op<Ops>().upgrade(opset, rule), ...);
}

//===-- What rules are made of ----------------------------------------------------===//

static Type i64s(Node &node) { return UnrankedTensorType::get(node.builder.getI64Type()); }
static Type like(Value value) { return withoutShape(value.getType()); }
static Value shapeOf(Node &node, Value value) {
  return ShapeOp::create(node.builder, i64s(node), value, IntegerAttr());
}
static Value floats(Node &node, ArrayRef<float> values, ArrayRef<int64_t> shape, Type element) {
  SmallVector<Attribute> numbers =
      llvm::map_to_vector(values, [&](float value) -> Attribute { return FloatAttr::get(element, value); });
  return createConstant(node.builder, node.builder.getLoc(),
                        DenseElementsAttr::get(RankedTensorType::get(shape, element), numbers));
}
static Value number(Node &node, double value, Type element) {
  return node.scalar(node.builder.getF64FloatAttr(value), element);
}

/// `shape` with a one for each axis of `data` from `axis` on.
static Value withTrailingOnes(Node &node, Value shape, Value data, Value axis) {
  ImplicitLocOpBuilder &b = node.builder;
  Value tail = SliceOp::create(b, i64s(node), shapeOf(node, data), axis, node.constant({end}), Value(), Value());
  auto one = DenseElementsAttr::get(RankedTensorType::get({1}, b.getI64Type()), int64_t(1));
  Value ones = ConstantOfShapeOp::create(b, i64s(node), shapeOf(node, tail), one);
  return ConcatOp::create(b, i64s(node), ValueRange{shape, ones}, 0);
}

/// `value` with ones behind its extents, so that its first axis is axis `axis` of `data`.
static Value alignedAt(Node &node, Value value, Value data, int64_t axis) {
  ImplicitLocOpBuilder &b = node.builder;
  Value shape = shapeOf(node, value);
  Value behind = AddOp::create(b, i64s(node), shapeOf(node, shape), node.constant({axis}));
  return ReshapeOp::create(b, like(value), value, withTrailingOnes(node, shape, data, behind), /*allowzero=*/1);
}

//===-- Elementwise ---------------------------------------------------------------===//

/// Up to opset 6, operands broadcast on request only, with `axis` for where the second one starts in the first.
static LogicalResult broadcastExplicitly(Node &node) {
  int64_t axis = node.integer("axis", 0);
  if (node.integer("broadcast", 0) && node.attributes.get("axis") && node.operand(0) && node.operand(1)) {
    auto type = dyn_cast<RankedTensorType>(node.operand(1).getType());
    // Counted from the back, the axis says how many are behind it, of which the operand has some itself.
    if (axis < 0 && !type)
      return node.emitError() << "has axis " << axis << " for an operand of unknown rank, which mlc cannot broadcast";
    if (axis < 0) {
      SmallVector<int64_t> shape(type.getShape());
      shape.append(std::max<int64_t>(0, -axis - type.getRank()), 1);
      node.operands[1] =
          ReshapeOp::create(node.builder, like(node.operand(1)), node.operand(1), node.constant(shape), 1);
    } else if (!type || type.getRank() > 0) {
      node.operands[1] = alignedAt(node, node.operand(1), node.operand(0), axis);
    }
  }
  node.attributes.erase("axis");
  node.attributes.erase("broadcast");
  return success();
}

/// Up to opset 6, a slope of rank 1 is one for each channel.
static LogicalResult alignSlope(Node &node) {
  if (!node.operand(0) || !node.operand(1))
    return success();
  auto type = dyn_cast<RankedTensorType>(node.operand(1).getType());
  if (!type || (type.getRank() == 1 && type.getDimSize(0) != 1))
    node.operands[1] = alignedAt(node, node.operand(1), node.operand(0), 1);
  return success();
}

static LogicalResult boundsToOperands(Node &node) {
  for (auto [name, index] : {std::pair<StringRef, unsigned>("min", 1), {"max", 2}})
    if (Attribute bound = node.attributes.erase(name); bound && node.operand(0))
      node.setOperand(index, node.scalar(bound, node.element(0)));
  return success();
}

static LogicalResult oldSelu(Node &node) {
  for (auto [name, value] : {std::pair<StringRef, float>("alpha", 1.6732f), {"gamma", 1.0507f}})
    if (!node.attributes.get(name))
      node.attributes.set(name, node.builder.getF32FloatAttr(value));
  return success();
}

static void addElementwiseUpgrades(Rules &rules) {
  upgradeAll<AddOp, SubOp, MulOp, DivOp, PowOp, AndOp, OrOp, XorOp, EqualOp, GreaterOp, LessOp>(rules, 7,
                                                                                                broadcastExplicitly);
  rules.op<PReluOp>().upgrade(7, alignSlope);
  rules.op<ClipOp>().upgrade(11, boundsToOperands);
  rules.op<SeluOp>().upgrade(6, oldSelu);
}

//===-- Cast ----------------------------------------------------------------------===//

/// Up to opset 5, the type's name instead of its number.
static LogicalResult castTarget(Node &node) {
  static constexpr StringLiteral names[] = {"FLOAT",  "UINT8",  "INT8",   "UINT16",    "INT16",
                                            "INT32",  "INT64",  "STRING", "BOOL",      "FLOAT16",
                                            "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128"};
  auto to = dyn_cast_or_null<StringAttr>(node.attributes.get("to"));
  if (!to)
    return success();
  const auto *found = llvm::find(names, to.getValue().upper());
  if (found == std::end(names))
    return node.emitError() << "casts to '" << to.getValue() << "', which is no type";
  node.setInteger("to", found - names + 1);
  return success();
}

//===-- Reduce --------------------------------------------------------------------===//

static LogicalResult axesToOperand(Node &node) {
  node.attributeToOperand("axes", 1);
  return success();
}

static void addReduceUpgrades(Rules &rules) {
  rules.op<ReduceSumOp>().upgrade(13, axesToOperand);
  upgradeAll<ReduceL1Op, ReduceL2Op, ReduceLogSumOp, ReduceLogSumExpOp, ReduceMaxOp, ReduceMeanOp, ReduceMinOp,
             ReduceProdOp, ReduceSumSquareOp>(rules, 18, axesToOperand);
}

//===-- MatMul --------------------------------------------------------------------===//

static LogicalResult dropBroadcast(Node &node) {
  node.attributes.erase("broadcast");
  return success();
}

/// ONNX multiplies integers of 32 bits and more. Some models have narrower ones, whose products wrap around.
static LogicalResult multiplyNarrowIntegers(Node &node) {
  if (!node.operand(0) || !node.operand(1) || node.element(0) != node.element(1))
    return success();
  auto narrow = dyn_cast<IntegerType>(node.element(0));
  if (!narrow || narrow.getWidth() == 1 || narrow.getWidth() >= 32)
    return success();
  ImplicitLocOpBuilder &b = node.builder;
  auto cast = [&](Value value, Type element) -> Value {
    return CastOp::create(b, UnrankedTensorType::get(element), value, "up", 1, elementTypeNumber(element));
  };
  Value left = cast(node.operand(0), b.getI32Type()), right = cast(node.operand(1), b.getI32Type());
  node.operands = {MatMulOp::create(b, like(left), left, right)};
  node.type = "Cast";
  node.setInteger("to", elementTypeNumber(narrow));
  return success();
}

/// Floats of 8 bits have no zero points to take off, and their products are floats.
static LogicalResult multiplyQuantizedFloats(Node &node) {
  enum { A, AScale, AZero, B, BScale, BZero, YScale, YZero };
  if (node.operands.size() != YZero + 1 || llvm::is_contained(node.operands, Value()) ||
      (!isa_and_nonnull<FloatType>(node.element(A)) && !isa_and_nonnull<FloatType>(node.element(B))))
    return success();
  ImplicitLocOpBuilder &b = node.builder;
  // A has a scale for each row, or just one; B for each column.
  auto dequantized = [&](unsigned operand, int64_t axis) -> Value {
    Value scale = node.operand(operand + 1);
    return DequantizeLinearOp::create(b, like(scale), node.operand(operand), scale, node.operand(operand + 2), axis);
  };
  Value left = dequantized(A, -2), right = dequantized(B, -1);
  Value product = MatMulOp::create(b, like(left), left, right);
  node.operands = {product, node.operand(YScale), node.operand(YZero)};
  node.type = "QuantizeLinear";
  return success();
}

//===-- Pool ----------------------------------------------------------------------===//

static LogicalResult integerPower(Node &node) {
  if (auto p = dyn_cast_or_null<FloatAttr>(node.attributes.get("p"))) {
    double exact = p.getValueAsDouble();
    if (exact != (int64_t)exact)
      return node.emitError() << "has the power " << exact << ", which is not an integer";
    node.setInteger("p", exact);
  }
  return success();
}

//===-- Normalize -----------------------------------------------------------------===//

static LogicalResult dropTestMode(Node &node) {
  node.attributes.erase("is_test"); // a compiled model does not train
  return success();
}

/// Up to opset 8, `spatial = 0` has mean and variance of each element, not of each channel: what broadcasting does with
/// the parameters.
static LogicalResult normalizeElements(Node &node) {
  bool isSpatial = node.integer("spatial", 1);
  node.attributes.erase("spatial");
  if (isSpatial || node.operands.size() != 5 || llvm::is_contained(node.operands, Value()))
    return success();
  ImplicitLocOpBuilder &b = node.builder;
  Value x = node.operands[0], scale = node.operands[1], bias = node.operands[2], mean = node.operands[3],
        variance = node.operands[4];
  Value epsilon = number(node, node.number("epsilon", 1e-5f), node.element(4));
  Value deviation = SqrtOp::create(b, like(variance), AddOp::create(b, like(variance), variance, epsilon));
  Value centered = SubOp::create(b, like(x), x, mean);
  Value normal = MulOp::create(b, like(x), DivOp::create(b, like(x), centered, deviation), scale);
  node.type = "Add";
  node.operands = {normal, bias};
  node.attributes = {};
  node.results.resize(1);
  return success();
}

static LogicalResult refuseTraining(Node &node) {
  if (llvm::is_contained(ArrayRef(node.results).drop_front(std::min<size_t>(1, node.results.size())), true))
    return node.emitError() << "is in training mode: its mean and variance are read";
  node.results.resize(std::min<size_t>(1, node.results.size()));
  return success();
}

/// Up to opset 20, scale and bias are one for each group, now one for each channel.
static LogicalResult parametersOfChannels(Node &node) {
  std::optional<SmallVector<int64_t>> groups = node.integers("num_groups");
  if (!node.operand(0) || !groups)
    return success();
  ImplicitLocOpBuilder &b = node.builder;
  Value channels = ShapeOp::create(b, i64s(node), node.operand(0), b.getI64IntegerAttr(2), 1);
  Value each = DivOp::create(b, i64s(node), channels, node.constant(*groups));
  Value shape = ConcatOp::create(b, i64s(node), ValueRange{node.constant(*groups), each}, 0);
  for (unsigned i : {1, 2}) {
    if (!node.operand(i))
      continue;
    Value column = UnsqueezeOp::create(b, like(node.operand(i)), node.operand(i), node.constant({1}));
    Value repeated = ExpandOp::create(b, like(column), column, shape);
    node.operands[i] = ReshapeOp::create(b, like(repeated), repeated, node.constant({-1}));
  }
  return success();
}

static LogicalResult dropRatio(Node &node) {
  node.attributes.erase("ratio"); // nothing is dropped outside of training
  return success();
}

/// ONNX Runtime's name of RMSNormalization, in the domain of ONNX.
static LogicalResult simplifiedLayerNormalization(Node &node) {
  node.type = "RMSNormalization";
  return success();
}

static void addNormalizeUpgrades(Rules &rules) {
  rules.op<BatchNormalizationOp>().upgrade(7, dropTestMode).upgrade(9, normalizeElements).upgrade(14, refuseTraining);
  rules.op<GroupNormalizationOp>().upgrade(21, parametersOfChannels);
  rules.op<DropoutOp>().upgrade(7, dropTestMode).upgrade(12, dropRatio);
  rules.removed("SimplifiedLayerNormalization").upgrade(everyOpset, simplifiedLayerNormalization);
}

//===-- Softmax -------------------------------------------------------------------===//

/// Up to opset 12, the axes from `axis` on are one: the operand is seen as a matrix.
template <typename Op> static LogicalResult normalizeRows(Node &node) {
  int64_t axis = node.integer("axis", 1);
  if (axis == -1 || !node.operand(0)) { // the last axis alone
    node.setInteger("axis", axis);
    return success();
  }
  ImplicitLocOpBuilder &b = node.builder;
  Value x = node.operand(0);
  Value rows = FlattenOp::create(b, like(x), x, axis);
  Value result = Op::create(b, like(x), rows, /*axis=*/-1);
  node.type = "Reshape";
  node.operands = {result, shapeOf(node, x)};
  node.attributes = {};
  node.setInteger("allowzero", 1);
  return success();
}

//===-- Quantize, Recurrent, Signal, ... --------------------------------------------===//

static LogicalResult dropOutputSequence(Node &node) {
  node.attributes.erase("output_sequence"); // the results that are named say it
  return success();
}

static LogicalResult axisOfTransform(Node &node) {
  int64_t axis = node.integer("axis", 1);
  node.attributes.erase("axis");
  node.setOperand(2, node.scalar(node.builder.getI64IntegerAttr(axis), node.builder.getI64Type()));
  return success();
}

//===-- Reshape -------------------------------------------------------------------===//

static LogicalResult shapeToOperand(Node &node) {
  node.attributeToOperand("shape", 1);
  return success();
}

//===-- Slice, Split, Pad, Concat, Tile ----------------------------------------------===//

static LogicalResult rangeToOperands(Node &node) {
  node.attributeToOperand("starts", 1);
  node.attributeToOperand("ends", 2);
  node.attributeToOperand("axes", 3);
  return success();
}

static LogicalResult sizesToOperand(Node &node) {
  node.attributeToOperand("split", 1);
  return success();
}

static LogicalResult countResults(Node &node) {
  if (!node.operand(1))
    node.setInteger("num_outputs", node.results.size());
  return success();
}

static LogicalResult renamePaddings(Node &node) {
  if (Attribute pads = node.attributes.erase("paddings"))
    node.attributes.set("pads", pads);
  return success();
}

static LogicalResult padsToOperands(Node &node) {
  node.attributeToOperand("pads", 1);
  if (Attribute value = node.attributes.erase("value"); value && node.operand(0))
    node.setOperand(2, node.scalar(value, node.element(0)));
  return success();
}

static LogicalResult oldConcatAxis(Node &node) {
  node.setInteger("axis", node.integer("axis", 1));
  return success();
}

/// Up to opset 5, one axis and how often it is repeated.
static LogicalResult repeatsOfAxis(Node &node) {
  if (!node.operand(0) || !node.operand(1) || !node.operand(2))
    return success();
  ImplicitLocOpBuilder &b = node.builder;
  auto asList = [&](Value scalar) -> Value {
    Value integer = CastOp::create(b, i64s(node), scalar, "up", 1, elementTypeNumber(b.getI64Type()));
    return ReshapeOp::create(b, i64s(node), integer, node.constant({1}));
  };
  auto one = DenseElementsAttr::get(RankedTensorType::get({1}, b.getI64Type()), int64_t(1));
  Value ones = ConstantOfShapeOp::create(b, i64s(node), shapeOf(node, shapeOf(node, node.operand(0))), one);
  Value repeats = ScatterElementsOp::create(b, i64s(node), ones, asList(node.operand(2)), asList(node.operand(1)));
  node.operands = {node.operand(0), repeats};
  return success();
}

/// What ONNX Runtime had before Slice took operands.
static LogicalResult dynamicSlice(Node &node) {
  node.type = "Slice";
  return success();
}

static void addSliceUpgrades(Rules &rules) {
  rules.op<SliceOp>().upgrade(10, rangeToOperands);
  rules.op<SplitOp>().upgrade(13, sizesToOperand).upgrade(18, countResults);
  rules.op<PadOp>().upgrade(2, renamePaddings).upgrade(11, padsToOperands);
  rules.op<ConcatOp>().upgrade(4, oldConcatAxis);
  rules.op<TileOp>().upgrade(6, repeatsOfAxis);
  rules.removed("DynamicSlice").upgrade(10, dynamicSlice);
}

//===-- Gather --------------------------------------------------------------------===//

static LogicalResult scatterElements(Node &node) {
  node.type = "ScatterElements";
  return success();
}

//===-- Resize --------------------------------------------------------------------===//

/// Upsample of opset 1: two attributes, for the last two of four axes.
static LogicalResult scalesOfImage(Node &node) {
  float height = node.number("height_scale", 1), width = node.number("width_scale", 1);
  node.attributes.erase("height_scale");
  node.attributes.erase("width_scale");
  node.attributes.set("scales", node.builder.getDenseF32ArrayAttr({1, 1, height, width}));
  if (node.string("mode", "") == "bilinear")
    node.attributes.set("mode", node.builder.getStringAttr("linear"));
  return success();
}

static LogicalResult scalesToOperand(Node &node) {
  if (std::optional<SmallVector<float>> scales = node.numbers("scales"))
    node.setOperand(1, floats(node, *scales, {(int64_t)scales->size()}, node.builder.getF32Type()));
  node.attributes.erase("scales");
  return success();
}

static LogicalResult upsampleToResize(Node &node) {
  node.type = "Resize";
  return success();
}

static ElementsAttr constantOf(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  return constant ? constant.getValue().value_or(ElementsAttr()) : ElementsAttr();
}

/// Whether a resize makes the image smaller, along every axis that it changes.
static bool isReduction(Value scales) {
  auto values = dyn_cast_or_null<DenseElementsAttr>(constantOf(scales));
  if (!values || !values.getElementType().isF32())
    return false;
  return llvm::all_of(values.getValues<float>(), [](float scale) { return scale <= 1; }) &&
         llvm::any_of(values.getValues<float>(), [](float scale) { return scale < 1; });
}

/// Resize of opset 10 and Upsample before it have one coordinate mode. For the nearest element they say no rounding;
/// what runtimes do is to take the one before when they enlarge and the one behind when they reduce.
static LogicalResult oldResize(Node &node) {
  auto word = [&](StringRef text) { return node.builder.getStringAttr(text); };
  node.attributes.set("coordinate_transformation_mode", word("asymmetric"));
  node.attributes.set("nearest_mode", word(isReduction(node.operand(1)) ? "ceil" : "floor"));
  Value scales = node.operand(1);
  node.setOperand(1, Value());
  node.setOperand(2, scales);
  return success();
}

/// Where an operand is optional, an empty one means the same as none; up to opset 12 it was the only way.
static LogicalResult dropEmptyOperands(Node &node) {
  for (unsigned i = 1; i < node.operands.size(); ++i)
    if (auto type = node.operand(i) ? dyn_cast<RankedTensorType>(node.operand(i).getType()) : RankedTensorType())
      if (type.hasStaticShape() && type.getNumElements() == 0)
        node.operands[i] = Value();
  if (node.string("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize" && node.operands.size() > 1)
    node.operands[1] = Value(); // a region that nothing looks at
  return success();
}

static LogicalResult renameModes(Node &node) {
  StringRef mode = node.string("mode", "bilinear");
  node.attributes.set("mode", node.builder.getStringAttr(mode == "bilinear"  ? "linear"
                                                         : mode == "bicubic" ? "cubic"
                                                                             : mode));
  return success();
}

static LogicalResult oldRoiAlign(Node &node) {
  node.attributes.set("coordinate_transformation_mode", node.builder.getStringAttr("output_half_pixel"));
  return success();
}

static void addResizeUpgrades(Rules &rules) {
  rules.removed("Upsample").upgrade(7, scalesOfImage).upgrade(9, scalesToOperand).upgrade(10, upsampleToResize);
  rules.op<ResizeOp>().upgrade(11, oldResize).upgrade(everyOpset, dropEmptyOperands);
  rules.op<GridSampleOp>().upgrade(20, renameModes);
  rules.op<RoiAlignOp>().upgrade(16, oldRoiAlign);
}

//===-- Sort ----------------------------------------------------------------------===//

static LogicalResult countToOperand(Node &node) {
  node.attributeToOperand("k", 1);
  return success();
}

//===-- String --------------------------------------------------------------------===//

/// ai.onnx.ml 1: one list of classes, read in either direction.
static LogicalResult classesToPairs(Node &node) {
  auto classes = dyn_cast_or_null<ArrayAttr>(node.attributes.erase("classes_strings"));
  if (!classes || !node.operand(0))
    return success();
  bool fromString = isa<StringType>(node.element(0));
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, classes.size()));
  node.attributes.set(fromString ? "keys_strings" : "values_strings", classes);
  node.attributes.set(fromString ? "values_int64s" : "keys_int64s", node.builder.getDenseI64ArrayAttr(numbers));
  return success();
}

//===-- Operators that were never released -----------------------------------------------===//

/// alpha * f(beta * x), where `inner` is f.
template <typename Op> static LogicalResult scaled(Node &node) {
  ImplicitLocOpBuilder &b = node.builder;
  Value x = node.operand(0);
  if (!x)
    return node.emitError() << "expects an operand";
  Type element = node.element(0);
  Value inner = Op::create(b, like(x), MulOp::create(b, like(x), x, number(node, node.number("beta", 1), element)));
  node.operands = {inner, number(node, node.number("alpha", 1), element)};
  node.type = "Mul";
  node.attributes = {};
  return success();
}

/// alpha * x + beta
static LogicalResult affine(Node &node) {
  Value x = node.operand(0);
  if (!x)
    return node.emitError() << "expects an operand";
  Type element = node.element(0);
  Value product = MulOp::create(node.builder, like(x), x, number(node, node.number("alpha", 1), element));
  node.operands = {product, number(node, node.number("beta", 0), element)};
  node.type = "Add";
  node.attributes = {};
  return success();
}

/// scale * x
static LogicalResult scale(Node &node) {
  Value x = node.operand(0);
  if (!x)
    return node.emitError() << "expects an operand";
  node.operands = {x, number(node, node.number("scale", 1), node.element(0))};
  node.type = "Mul";
  node.attributes = {};
  return success();
}

/// scale * x + bias of the channel
static LogicalResult imageScaler(Node &node) {
  Value x = node.operand(0);
  std::optional<SmallVector<float>> bias = node.numbers("bias");
  if (!x || !bias)
    return node.emitError() << "expects an operand and attribute 'bias'";
  Type element = node.element(0);
  Value product = MulOp::create(node.builder, like(x), x, number(node, node.number("scale", 1), element));
  node.operands = {product, floats(node, *bias, {(int64_t)bias->size(), 1, 1}, element)};
  node.type = "Add";
  node.attributes = {};
  return success();
}

/// Cuts `border` = [left, top, right, bottom] off an image, or, with `scale` = [height, width], that much out of it
/// behind left and top.
static LogicalResult crop(Node &node) {
  std::optional<SmallVector<int64_t>> border = node.integers("border"), size = node.integers("scale");
  if (!node.operand(0) || !border || border->size() != 4 || (size && size->size() != 2))
    return node.emitError()
           << "expects an operand, four numbers in attribute 'border' and two in 'scale' if that is given";
  auto [left, top, right, bottom] = std::tuple((*border)[0], (*border)[1], (*border)[2], (*border)[3]);
  auto before = [](int64_t cut) { return cut == 0 ? end : -cut; };
  Value starts = node.constant({top, left});
  Value ends =
      size ? node.constant({top + (*size)[0], left + (*size)[1]}) : node.constant({before(bottom), before(right)});
  node.operands = {node.operand(0), starts, ends, node.constant({2, 3})};
  node.type = "Slice";
  node.attributes = {};
  return success();
}

/// x, seen as a matrix, times the transposed weights, plus bias
static LogicalResult fullyConnected(Node &node) {
  if (!node.operand(0) || !node.operand(1) || node.integer("axis_w", 1) != 1)
    return node.emitError() << "expects two operands or three, of which the second is a matrix";
  node.operands[0] = FlattenOp::create(node.builder, like(node.operand(0)), node.operand(0), node.integer("axis", 1));
  node.type = "Gemm";
  node.attributes = {};
  node.setInteger("transB", 1);
  return success();
}

/// What converters of Core ML wrote before a pooling, in com.microsoft: `pads` at either end, and behind it so much more
/// that the last window, which may reach over the end, is whole; unless nothing but padding is in that window, which is
/// left out then.
static LogicalResult padForLastWindow(Node &node) {
  std::optional<SmallVector<int64_t>> kernel = node.integers("kernel_shape"), strides = node.integers("strides"),
                                      pads = node.integers("pads");
  Value x = node.operand(0);
  if (!x || !kernel || !strides || !pads || strides->size() != kernel->size() || pads->size() != kernel->size() ||
      llvm::any_of(*strides, [](int64_t stride) { return stride < 1; }))
    return node.emitError() << "expects an operand, and as many numbers in 'kernel_shape', 'strides' and 'pads'";
  ImplicitLocOpBuilder &b = node.builder;
  auto sum = [&](Value left, Value right) -> Value { return AddOp::create(b, i64s(node), left, right); };
  auto difference = [&](Value left, Value right) -> Value { return SubOp::create(b, i64s(node), left, right); };
  auto rest = [&](Value left, Value right) -> Value { return ModOp::create(b, i64s(node), left, right, 0); };
  Type truth = UnrankedTensorType::get(b.getI1Type());
  Value before = node.constant(*pads), stride = node.constant(*strides), none = node.constant({0, 0});
  Value own = ShapeOp::create(b, i64s(node), x, IntegerAttr(), 2);
  Value last = sum(own, before), room = sum(last, before), starts = difference(room, node.constant(*kernel));
  Value missing = rest(NegOp::create(b, i64s(node), starts), stride), all = sum(room, missing);
  Value over = rest(all, stride);
  Value isMultiple = EqualOp::create(b, truth, over, node.constant({0}));
  Value shorter = difference(all, WhereOp::create(b, i64s(node), isMultiple, stride, over));
  Value isEmpty = GreaterOrEqualOp::create(b, truth, sum(starts, missing), last);
  Value behind = difference(WhereOp::create(b, i64s(node), isEmpty, shorter, all), last);
  Value paddings = ConcatOp::create(b, i64s(node), ValueRange{none, before, none, behind}, 0);
  node.operands = {x, paddings, number(node, node.number("value", 0), node.element(0))};
  node.domain = "";
  node.type = "Pad";
  node.attributes = {};
  return success();
}

static void addExperimentalUpgrades(Rules &rules) {
  rules.removed("Affine").upgrade(everyOpset, affine);
  rules.removed("Crop").upgrade(everyOpset, crop);
  rules.removed("FC").upgrade(everyOpset, fullyConnected);
  rules.removed("ImageScaler").upgrade(everyOpset, imageScaler);
  rules.removed("microsoft.LegacyPadding").upgrade(everyOpset, padForLastWindow);
  rules.removed("ParametricSoftplus").upgrade(everyOpset, scaled<SoftplusOp>);
  rules.removed("Scale").upgrade(everyOpset, scale);
  rules.removed("ScaledTanh").upgrade(everyOpset, scaled<TanhOp>);
}

//===-- Table ---------------------------------------------------------------------===//

void addUpgradeRules(Rules &rules) {
  addElementwiseUpgrades(rules);
  rules.op<CastOp>().upgrade(6, castTarget);
  addReduceUpgrades(rules);
  rules.op<GemmOp>().upgrade(7, dropBroadcast);
  rules.op<MatMulOp>().upgrade(everyOpset, multiplyNarrowIntegers);
  rules.op<QLinearMatMulOp>().upgrade(everyOpset, multiplyQuantizedFloats);
  upgradeAll<LpPoolOp, GlobalLpPoolOp>(rules, 2, integerPower);
  addNormalizeUpgrades(rules);
  rules.op<SoftmaxOp>().upgrade(13, normalizeRows<SoftmaxOp>);
  rules.op<LogSoftmaxOp>().upgrade(13, normalizeRows<LogSoftmaxOp>);
  rules.op<HardmaxOp>().upgrade(13, normalizeRows<HardmaxOp>);
  upgradeAll<LSTMOp, GRUOp, RNNOp>(rules, 7, dropOutputSequence);
  rules.op<DFTOp>().upgrade(20, axisOfTransform);
  rules.op<ReshapeOp>().upgrade(5, shapeToOperand);
  upgradeAll<SqueezeOp, UnsqueezeOp>(rules, 13, axesToOperand);
  addSliceUpgrades(rules);
  rules.removed("Scatter").upgrade(everyOpset, scatterElements);
  addResizeUpgrades(rules);
  rules.op<TopKOp>().upgrade(10, countToOperand);
  rules.op<MlLabelEncoderOp>().upgrade(2, classesToPairs);
  addExperimentalUpgrades(rules);
}

} // namespace mlc::onnx

// The one assembly of all generated operations.
//
//   %y = onnx.Conv(%x, %w) {strides = [2, 2]} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
//   %y, %h = onnx.LSTM(%x, %w, %r, _, _, %h0) {hidden_size = 8} : (...) -> (tensor<*xf32>, tensor<*xf32>)
//   %r = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32> else_branch { ... } then_branch { ... }
//
// `_` stands for an absent optional operand, and in the list of result types for an absent result; at the end of a list
// it may be left out. The sizes of operand and result segments follow from that. Attributes that have their default are
// left out. Among an operation's own attributes `1` is an i64, `1.0` an f32 and `[1, 2]` a list of those, since ONNX
// has no other numbers there.
#include "onnx/Onnx.h"
#include <numeric>

using namespace mlir;

namespace mlc::onnx {

static constexpr StringLiteral operandSegments = "operandSegmentSizes", resultSegments = "resultSegmentSizes";

/// The sizes of an operation's operand or result segments; null if it needs none.
static DenseI32ArrayAttr segmentsOf(Operation *op, StringRef attribute) {
  return dyn_cast_or_null<DenseI32ArrayAttr>(op->getInherentAttr(attribute).value_or(Attribute()));
}

/// The words before the regions of an operation that has more than one.
static ArrayRef<StringLiteral> regionNames(StringRef operation) {
  static constexpr StringLiteral ofIf[] = {"else_branch", "then_branch"};
  return operation == "onnx.If" ? ArrayRef(ofIf) : ArrayRef<StringLiteral>();
}

//===-- Print ------------------------------------------------------------------===//

/// What an operation has where nothing was said.
static DictionaryAttr defaultAttributes(Operation *op) {
  Operation *blank = Operation::create(op->getLoc(), op->getName(), TypeRange(), ValueRange(), NamedAttrList(),
                                       OpaqueProperties(nullptr), BlockRange(), /*numRegions=*/0);
  DictionaryAttr attributes = blank->getAttrDictionary();
  blank->destroy();
  return attributes;
}

/// Prints what the segments hold, with `_` for an empty one; `present` is printed item by item. Segments that do not
/// add up, in an operation that does not verify, are not looked at.
template <typename Range, typename Print>
static void printSegments(OpAsmPrinter &printer, DenseI32ArrayAttr segments, Range present, Print print) {
  SmallVector<int> places; // 1 for an item, 0 for an absent one
  if (segments &&
      std::accumulate(segments.asArrayRef().begin(), segments.asArrayRef().end(), 0) == (int)llvm::size(present))
    for (int32_t size : segments.asArrayRef())
      places.append(std::max(size, 1), size > 0);
  else
    places.assign(llvm::size(present), 1);
  while (!places.empty() && !places.back())
    places.pop_back();
  auto next = present.begin();
  llvm::interleaveComma(places, printer, [&](int place) {
    if (place)
      print(*next++);
    else
      printer << "_";
  });
}

static void printAttribute(OpAsmPrinter &printer, Attribute attribute) {
  auto printFloat = [&](FloatAttr number) {
    if (number.getValue().isFinite())
      printer.printAttributeWithoutType(number);
    else
      printer.printAttribute(number);
  };
  if (auto number = dyn_cast<IntegerAttr>(attribute); number && number.getType().isInteger(64)) {
    printer << number.getInt();
  } else if (auto number = dyn_cast<FloatAttr>(attribute); number && number.getType().isF32()) {
    printFloat(number);
  } else if (auto list = dyn_cast<DenseI64ArrayAttr>(attribute); list && !list.empty()) {
    printer << "[" << list.asArrayRef() << "]";
  } else if (auto list = dyn_cast<DenseF32ArrayAttr>(attribute); list && !list.empty()) {
    printer << "[";
    llvm::interleaveComma(list.asArrayRef(), printer, [&](float number) {
      printFloat(FloatAttr::get(Float32Type::get(list.getContext()), number));
    });
    printer << "]";
  } else {
    printer.printAttribute(attribute);
  }
}

static void printAttributes(OpAsmPrinter &printer, Operation *op) {
  DictionaryAttr defaults = defaultAttributes(op);
  SmallVector<NamedAttribute> shown;
  for (NamedAttribute attribute : op->getAttrs()) {
    StringRef name = attribute.getName();
    if (name != operandSegments && name != resultSegments && defaults.get(name) != attribute.getValue())
      shown.push_back(attribute);
  }
  if (shown.empty())
    return;
  printer << " {";
  llvm::interleaveComma(shown, printer, [&](NamedAttribute attribute) {
    printer.printKeywordOrString(attribute.getName());
    printer << " = ";
    if (op->getInherentAttr(attribute.getName()))
      printAttribute(printer, attribute.getValue());
    else
      printer.printAttribute(attribute.getValue());
  });
  printer << "}";
}

static void printOperation(Operation *op, OpAsmPrinter &printer) {
  printer << "(";
  printSegments(printer, segmentsOf(op, operandSegments), op->getOperands(),
                [&](Value value) { printer.printOperand(value); });
  printer << ")";
  printAttributes(printer, op);

  printer << " : (";
  llvm::interleaveComma(op->getOperandTypes(), printer);
  printer << ") -> ";
  DenseI32ArrayAttr segments = segmentsOf(op, resultSegments);
  bool isBare = !segments && op->getNumResults() == 1;
  if (!isBare)
    printer << "(";
  printSegments(printer, segments, op->getResultTypes(), [&](Type type) { printer << type; });
  if (!isBare)
    printer << ")";

  ArrayRef<StringLiteral> names = regionNames(op->getName().getStringRef());
  for (auto [i, region] : llvm::enumerate(op->getRegions())) {
    if (region.empty())
      continue;
    printer << " ";
    if (i < names.size())
      printer << names[i] << " ";
    printer.printRegion(region);
  }
}

//===-- Parse ------------------------------------------------------------------===//

/// The number of segments that an operation has of one kind; none if it needs no such attribute.
static std::optional<unsigned> segmentCount(OperationName name, StringRef attribute) {
  Operation *blank = Operation::create(UnknownLoc::get(name.getContext()), name, TypeRange(), ValueRange(),
                                       NamedAttrList(), OpaqueProperties(nullptr), BlockRange(), /*numRegions=*/0);
  std::optional<unsigned> count;
  if (DenseI32ArrayAttr segments = segmentsOf(blank, attribute))
    count = segments.size();
  blank->destroy();
  return count;
}

/// Sets the segment attribute that the places amount to.
static ParseResult setSegments(OpAsmParser &parser, OperationState &state, StringRef attribute, ArrayRef<int> places) {
  std::optional<unsigned> count = segmentCount(state.name, attribute);
  if (!count) {
    while (!places.empty() && !places.back())
      places = places.drop_back();
    if (llvm::is_contained(places, 0))
      return parser.emitError(parser.getNameLoc())
             << "'" << state.name << "' has no optional operand or result that `_` could stand for here";
    return success();
  }
  SmallVector<int32_t> sizes(*count, 0);
  for (auto [i, place] : llvm::enumerate(places))
    sizes[std::min<size_t>(i, *count - 1)] += place;
  state.addAttribute(attribute, parser.getBuilder().getDenseI32ArrayAttr(sizes));
  return success();
}

/// Gives numbers and lists of an operation's own attributes the types that ONNX has there.
static Attribute asOnnxAttribute(Attribute attribute) {
  auto isNumber = [](Attribute element) { return isa<FloatAttr>(element); };
  auto asFloat = [](Attribute number) { return (float)cast<FloatAttr>(number).getValueAsDouble(); };
  MLIRContext *context = attribute.getContext();
  if (auto number = dyn_cast<FloatAttr>(attribute); number && number.getType().isF64())
    return FloatAttr::get(Float32Type::get(context), asFloat(number));
  auto list = dyn_cast<ArrayAttr>(attribute);
  if (!list || list.empty())
    return attribute;
  if (llvm::all_of(list, llvm::IsaPred<IntegerAttr>))
    return DenseI64ArrayAttr::get(
        context, llvm::map_to_vector(list, [](Attribute number) { return cast<IntegerAttr>(number).getInt(); }));
  if (llvm::all_of(list, isNumber))
    return DenseF32ArrayAttr::get(context, llvm::map_to_vector(list, asFloat));
  return attribute;
}

static ParseResult parseAttributes(OpAsmParser &parser, OperationState &state) {
  ArrayRef<StringAttr> own = state.name.getAttributeNames();
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::OptionalBraces, [&]() -> ParseResult {
    std::string name;
    Attribute value;
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseKeywordOrString(&name) || parser.parseEqual() || parser.parseAttribute(value))
      return failure();
    if (state.attributes.get(name))
      return parser.emitError(at) << "attribute '" << name << "' is given twice";
    bool isOwn = llvm::any_of(own, [&](StringAttr known) { return known == name; });
    state.addAttribute(name, isOwn ? asOnnxAttribute(value) : value);
    return success();
  });
}

static ParseResult parseResultTypes(OpAsmParser &parser, OperationState &state, SmallVectorImpl<int> &places) {
  auto parseOne = [&]() -> ParseResult {
    if (succeeded(parser.parseOptionalKeyword("_"))) {
      places.push_back(0);
      return success();
    }
    places.push_back(1);
    return parser.parseType(state.types.emplace_back());
  };
  if (parser.parseArrow())
    return failure();
  if (failed(parser.parseOptionalLParen()))
    return parseOne();
  if (succeeded(parser.parseOptionalRParen()))
    return success();
  return failure(parser.parseCommaSeparatedList(parseOne) || parser.parseRParen());
}

static ParseResult parseRegions(OpAsmParser &parser, OperationState &state) {
  ArrayRef<StringLiteral> names = regionNames(state.name.getStringRef());
  for (StringLiteral name : names) {
    std::unique_ptr<Region> region = std::make_unique<Region>();
    if (parser.parseKeyword(name) || parser.parseRegion(*region))
      return failure();
    state.addRegion(std::move(region));
  }
  if (!names.empty())
    return success();
  std::unique_ptr<Region> region;
  OptionalParseResult parsed = parser.parseOptionalRegion(region);
  if (!parsed.has_value())
    return success();
  state.addRegion(std::move(region));
  return *parsed;
}

static ParseResult parseOperation(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<int> operandPlaces, resultPlaces;
  auto parseOperand = [&]() -> ParseResult {
    bool isAbsent = succeeded(parser.parseOptionalKeyword("_"));
    operandPlaces.push_back(!isAbsent);
    return isAbsent ? success() : parser.parseOperand(operands.emplace_back());
  };
  SmallVector<Type> operandTypes;
  auto parseType = [&] { return parser.parseType(operandTypes.emplace_back()); };
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOperand) || parseAttributes(parser, state) ||
      parser.parseColon() || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseType) ||
      parseResultTypes(parser, state, resultPlaces) ||
      parser.resolveOperands(operands, operandTypes, at, state.operands))
    return failure();
  return failure(setSegments(parser, state, operandSegments, operandPlaces) ||
                 setSegments(parser, state, resultSegments, resultPlaces) || parseRegions(parser, state));
}

//===-- Hooks ------------------------------------------------------------------===//

std::optional<Dialect::ParseOpHook> OnnxDialect::getParseOperationHook(StringRef) const {
  return ParseOpHook(parseOperation);
}

llvm::unique_function<void(Operation *, OpAsmPrinter &)> OnnxDialect::getOperationPrinter(Operation *) const {
  return printOperation;
}

} // namespace mlc::onnx

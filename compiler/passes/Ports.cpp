#include "passes/Ports.h"
#include "mlc/Mlc.h"
#include "onnx/Onnx.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mlc {

/// The name of dimension `axis`; "" if it has none.
static StringRef dimensionName(DictionaryAttr attributes, int64_t axis) {
  auto names = attributes ? attributes.getAs<ArrayAttr>("onnx.dims") : ArrayAttr();
  if (!names || axis >= (int64_t)names.size())
    return "";
  auto name = dyn_cast<StringAttr>(names[axis]);
  return name ? name.getValue() : "";
}

static Port makePort(DictionaryAttr attributes, Type type, StringRef fallbackName) {
  auto name = attributes ? attributes.getAs<StringAttr>("onnx.name") : StringAttr();
  Port port{(name ? name.getValue() : fallbackName).str(), getElementTypeOrSelf(type), {}};
  auto original = attributes ? attributes.getAs<TypeAttr>("onnx.type") : TypeAttr();
  if (!original)
    return port;
  Type inner = original.getValue();
  if (auto optional = dyn_cast<onnx::OptionalType>(inner)) {
    port.isOptional = true;
    inner = optional.getElement();
  }
  if (auto sequence = dyn_cast<onnx::SequenceType>(inner)) {
    port.isSequence = true;
    inner = sequence.getElement();
  }
  if (auto map = dyn_cast<onnx::MapType>(inner)) {
    port.key = map.getKey();
    port.element = map.getValue();
    return port;
  }
  port.element = getElementTypeOrSelf(inner);
  if (!port.isHandle())
    return port;
  auto tensor = dyn_cast<RankedTensorType>(inner);
  port.isRanked = tensor != nullptr;
  for (int64_t extent : tensor ? tensor.getShape() : ArrayRef<int64_t>())
    port.items.push_back({ShapedType::isDynamic(extent) ? std::nullopt : std::optional(extent), std::nullopt});
  return port;
}

Ports portsOf(func::FuncOp graph) {
  Ports ports;
  llvm::StringMap<unsigned> numbers;
  for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes())) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped && !isa<SequenceType>(type))
      continue; // the frame
    DictionaryAttr attributes = graph.getArgAttrDict(i);
    Port port = makePort(attributes, type, "input" + std::to_string(i));
    for (auto [axis, extent] : llvm::enumerate(shaped ? shaped.getShape() : ArrayRef<int64_t>())) {
      if (!ShapedType::isDynamic(extent)) {
        port.dimensions.push_back({extent, std::nullopt});
        continue;
      }
      StringRef given = dimensionName(attributes, axis);
      std::string name = given.empty() ? port.name + "." + std::to_string(axis) : given.str();
      auto [found, isNew] = numbers.try_emplace(name, ports.symbols.size());
      if (isNew)
        ports.symbols.push_back(name);
      port.dimensions.push_back({std::nullopt, found->second});
    }
    ports.inputs.push_back(std::move(port));
  }

  auto addOutput = [&](DictionaryAttr attributes, Type type) {
    Port port = makePort(attributes, type, "output" + std::to_string(ports.outputs.size()));
    auto shaped = dyn_cast<ShapedType>(type);
    for (auto [axis, extent] : llvm::enumerate(shaped ? shaped.getShape() : ArrayRef<int64_t>())) {
      Dimension dimension;
      if (!ShapedType::isDynamic(extent))
        dimension.fixed = extent;
      else if (auto found = numbers.find(dimensionName(attributes, axis)); found != numbers.end())
        dimension.symbol = found->second;
      port.dimensions.push_back(dimension);
    }
    ports.outputs.push_back(std::move(port));
  };
  if (auto outputs = graph->getAttrOfType<ArrayAttr>(outputsAttrName)) {
    for (auto attributes : outputs.getAsRange<DictionaryAttr>())
      addOutput(attributes, attributes.getAs<TypeAttr>("mlc.type").getValue());
  } else {
    for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
      addOutput(graph.getResultAttrDict(i), type);
  }
  return ports;
}

DictionaryAttr describePorts(const Ports &ports, MLIRContext *context) {
  Builder b(context);
  auto describe = [&](ArrayRef<Port> list) {
    SmallVector<Attribute> result;
    for (const Port &port : list) {
      // A number, the place of a symbol, or unit for what only a run can tell.
      SmallVector<Attribute> dimensions;
      for (const Dimension &dimension : port.dimensions)
        dimensions.push_back(dimension.fixed    ? Attribute(b.getI64IntegerAttr(*dimension.fixed))
                             : dimension.symbol ? Attribute(b.getStringAttr(ports.symbols[*dimension.symbol]))
                                                : Attribute(b.getUnitAttr()));
      result.push_back(b.getDictionaryAttr({b.getNamedAttr("name", b.getStringAttr(port.name)),
                                            b.getNamedAttr("element", TypeAttr::get(port.element)),
                                            b.getNamedAttr("dimensions", b.getArrayAttr(dimensions)),
                                            b.getNamedAttr("is_handle", b.getBoolAttr(port.isHandle()))}));
    }
    return b.getArrayAttr(result);
  };
  SmallVector<StringRef> symbols(ports.symbols.begin(), ports.symbols.end());
  return b.getDictionaryAttr({b.getNamedAttr("inputs", describe(ports.inputs)),
                              b.getNamedAttr("outputs", describe(ports.outputs)),
                              b.getNamedAttr("symbols", b.getStrArrayAttr(symbols))});
}

std::optional<Ports> portsOf(ModuleOp module) {
  auto attribute = module->getAttrOfType<DictionaryAttr>(interfaceAttrName);
  if (!attribute)
    return std::nullopt;
  Ports ports;
  auto read = [&](StringRef key, SmallVector<Port> &list) {
    auto array = attribute.getAs<ArrayAttr>(key);
    if (!array)
      return false;
    for (Attribute element : array) {
      auto port = dyn_cast<DictionaryAttr>(element);
      auto name = port ? port.getAs<StringAttr>("name") : StringAttr();
      auto type = port ? port.getAs<TypeAttr>("element") : TypeAttr();
      auto dimensions = port ? port.getAs<ArrayAttr>("dimensions") : ArrayAttr();
      if (!name || !type || !dimensions)
        return false;
      Port &result = list.emplace_back(Port{name.str(), type.getValue(), {}});
      // The header says no more of these than that they are not tensors.
      if (auto isHandle = port.getAs<BoolAttr>("is_handle"))
        result.isSequence = isHandle.getValue();
      for (Attribute dimension : dimensions) {
        Dimension &d = result.dimensions.emplace_back();
        if (auto fixed = dyn_cast<IntegerAttr>(dimension))
          d.fixed = fixed.getInt();
        else if (auto symbol = dyn_cast<StringAttr>(dimension))
          d.symbol = llvm::find(ports.symbols, symbol.getValue()) - ports.symbols.begin();
      }
    }
    return true;
  };
  auto symbols = attribute.getAs<ArrayAttr>("symbols");
  if (!symbols)
    return std::nullopt;
  for (auto symbol : symbols.getAsRange<StringAttr>())
    ports.symbols.push_back(symbol.str());
  if (!read("inputs", ports.inputs) || !read("outputs", ports.outputs))
    return std::nullopt;
  return ports;
}

std::string identifier(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) ? c : '_';
  if (result.empty() || llvm::isDigit(result.front()))
    result.insert(0, "_");
  return result;
}

} // namespace mlc

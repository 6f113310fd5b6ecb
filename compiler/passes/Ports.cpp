#include "passes/Ports.h"
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
  if (auto original = attributes ? attributes.getAs<TypeAttr>("onnx.type") : TypeAttr())
    port.element = getElementTypeOrSelf(original.getValue());
  return port;
}

Ports portsOf(func::FuncOp graph) {
  Ports ports;
  llvm::StringMap<unsigned> numbers;
  for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes())) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped)
      continue; // the frame
    DictionaryAttr attributes = graph.getArgAttrDict(i);
    Port port = makePort(attributes, type, "input" + std::to_string(i));
    for (auto [axis, extent] : llvm::enumerate(shaped.getShape())) {
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

  auto addOutput = [&](DictionaryAttr attributes, ShapedType type) {
    Port port = makePort(attributes, type, "output" + std::to_string(ports.outputs.size()));
    for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
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
      addOutput(attributes, cast<ShapedType>(attributes.getAs<TypeAttr>("mlc.type").getValue()));
  } else {
    for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
      addOutput(graph.getResultAttrDict(i), cast<ShapedType>(type));
  }
  return ports;
}

} // namespace mlc

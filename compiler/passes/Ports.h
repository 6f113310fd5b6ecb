// The inputs and outputs of a model as the graph function states them, and the numbering of its symbolic dimensions.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace mlc {

/// The attribute of a graph function whose outputs are no results any more: an array with the attributes of each former
/// result, and its type as `mlc.type`.
inline constexpr llvm::StringLiteral outputsAttrName = "mlc.outputs";

/// One dimension of a port: a fixed extent, a symbol, or (with neither) known only when the model has run.
struct Dimension {
  std::optional<int64_t> fixed;
  std::optional<unsigned> symbol;
};

struct Port {
  std::string name;
  mlir::Type element; ///< as the model has it, before booleans and unsigned integers became what buffers hold
  llvm::SmallVector<Dimension> dimensions; ///< of a tensor that is always there; empty for anything else
  bool isSequence = false, isOptional = false;
  mlir::Type key = {};  ///< of a map or of the maps of a sequence, whose values are `element`; else null
  bool isRanked = true; ///< always, unless it is a sequence or an optional
  llvm::SmallVector<Dimension> items = {}; ///< of each tensor of a sequence, or the one of an optional; without symbols

  /// No tensor, or an optional one: the graph function has it as an !mlc.sequence.
  bool isHandle() const { return isSequence || isOptional || key; }
  llvm::ArrayRef<Dimension> shape() const { return isHandle() ? items : dimensions; }
};

struct Ports {
  llvm::SmallVector<Port> inputs, outputs;
  /// Each distinct name in the inputs' dimensions, in order of appearance; a dimension without a name is
  /// "<input>.<axis>".
  llvm::SmallVector<std::string> symbols;
};

Ports portsOf(mlir::func::FuncOp graph);

/// The module attribute that keeps the ports when the graph function has become code: for the header.
inline constexpr llvm::StringLiteral interfaceAttrName = "mlc.interface";
mlir::DictionaryAttr describePorts(const Ports &ports, mlir::MLIRContext *context);
/// None if the module has no such attribute, or a broken one.
std::optional<Ports> portsOf(mlir::ModuleOp module);

/// What may stand for `name` in C: "my-model 2" -> "my_model_2".
std::string identifier(llvm::StringRef name);

} // namespace mlc

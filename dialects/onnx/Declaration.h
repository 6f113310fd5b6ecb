// Operators that ONNX does not have, as those who bring them state them.
//
// A declaration becomes a schema, so that nodes of such an operator are read and checked as all others are. This header
// knows nothing of MLIR or libonnx: plug-ins include it.
#pragma once
#include <string>
#include <vector>

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

/// One operator. Types are ONNX's words: float, double, float16, bfloat16, int8 to int64, uint8 to uint64, bool.
struct Declaration {
  /// A variable that stands for one of some types; the same one everywhere in a node.
  struct TypeVariable {
    std::string name;
    std::vector<std::string> types;
  };

  std::string domain; ///< as model files have it, "my.ops"
  std::string name;   ///< "Swish"
  /// "x: T", where T is a type or a variable; "scale?: float" may be left out. In order.
  std::vector<std::string> inputs;
  /// Of a type, or of a variable that an input binds.
  std::vector<std::string> outputs;
  std::vector<TypeVariable> types = {};
  /// "alpha: float = 1.0"; without a value a node must give it. The kinds are float, int, string, floats, ints; lists
  /// have no values here.
  std::vector<std::string> attributes = {};

  /// "my.ops.Swish"
  std::string qualifiedName() const { return domain + "." + name; }
};

/// Makes the operator known to everything that asks for schemas. Returns what is wrong with the declaration; empty if
/// nothing is.
std::string declare(const Declaration &declaration);

} // namespace mlc::onnx
#pragma GCC visibility pop

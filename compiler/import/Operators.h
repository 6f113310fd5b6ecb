// The operators that a model file names, found without importing it: what can be said of a model that cannot be
// imported.
#pragma once
#include <string>
#include <vector>

namespace onnx {
class ModelProto;
}

namespace mlc {

struct NamedOperator {
  std::string name; ///< "Conv", "my.domain.Frob"
  unsigned nodes = 0;
  std::string problem; ///< why mlc does not know it; empty where it does
};

/// In the order of their first nodes, in all graphs and functions. Calls of the model's functions are none.
std::vector<NamedOperator> operatorsOf(const ::onnx::ModelProto &model);

} // namespace mlc

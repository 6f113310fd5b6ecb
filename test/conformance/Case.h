// One case of the conformance suite, as make_cases.py writes it: KIND/NAME/{case.json, model.onnx, test_data_set_0}.
#pragma once
#include "support/Compare.h"

namespace mlc::conformance {

struct Case {
  std::string id;   ///< "node-dynamic/test_abs"
  std::string kind; ///< "node-dynamic"
  std::string op;   ///< what it tests, "Conv", "ai.onnx.ml:Scaler"; empty for models of several operators
  std::string folder;
  Tolerances tolerances;
  bool typesOnly = false; ///< the operator draws random numbers

  std::string model() const { return folder + "/model.onnx"; }
};

/// All cases under a folder, by id.
llvm::Expected<std::vector<Case>> findCases(llvm::StringRef root);

} // namespace mlc::conformance

// Operators that C functions of the user compute (runtime/include/mlc/function.h), declared in JSON:
//
//   {"operators": [{
//     "domain": "my.ops", "name": "Swish", "function": "my_swish",
//     "inputs": ["x: T", "bias?: T"], "outputs": ["y: T"],
//     "types": {"T": ["float", "double"]},
//     "attributes": ["alpha: float = 1.0"],
//     "extents": {"y": "x"}
//   }]}
//
// Ports, types and attributes are those of onnx/Declaration.h. `extents` are, for each output, "x": those of an input,
// "broadcast(x, y)", or a list of them: ["x[0]", "2 * x[-1] + pad", "value(k)"], see ExtentText.h.
#pragma once
#include "onnx/Declaration.h"
#include "onnx/Lowering.h"
#include "llvm/Support/Error.h"

namespace mlc {

/// Declares all operators of a JSON text. The error says which of them, and what, is wrong.
llvm::Error declareFunctionOperators(llvm::StringRef json);

/// What keeps a name from being that of a C function of the user; empty if nothing does.
std::string problemOfFunctionName(llvm::StringRef function);

/// The rule of an operator that has been declared.
std::pair<onnx::RuleOf<onnx::Custom>, onnx::Rule *> addRuleOf(const onnx::Declaration &declaration);

/// A call of the function, as an mlc.external.
llvm::FailureOr<llvm::SmallVector<mlir::Value>> lowerToFunction(onnx::Custom op, llvm::StringRef function,
                                                                onnx::Lowering &l);

} // namespace mlc

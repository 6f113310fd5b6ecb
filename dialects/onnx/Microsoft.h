// Operators of com.microsoft, which ONNX Runtime's optimizers and exporters write into models.
//
// Their schemas follow the runtime's public description of its operators (docs/ContribOperators.md there). Most are said as functions of ai.onnx
// operators, which the importer expands: fused forms that this compiler takes apart, and fuses again in its own way.
#pragma once
#include <stdexcept>

namespace mlc::onnx {

/// What building the function of an operator throws where it does not know the form that a node has; the text says what
/// it expects.
class UnknownForm : public std::runtime_error {
public:
  using runtime_error::runtime_error;
};

/// Registers the domain and its schemas with libonnx.
void registerMicrosoftSchemas();

} // namespace mlc::onnx

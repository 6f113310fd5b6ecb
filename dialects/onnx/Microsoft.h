// Operators of com.microsoft, which ONNX Runtime's optimizers and exporters write into models.
//
// Their schemas follow the runtime's public description of its operators (docs/ContribOperators.md there). Most are said as functions of ai.onnx
// operators, which the importer expands: fused forms that this compiler takes apart, and fuses again in its own way.
#pragma once

namespace mlc::onnx {

/// Registers the domain and its schemas with libonnx.
void registerMicrosoftSchemas();

} // namespace mlc::onnx

// One function for each file of this folder, which registers the schemas of its operators.
#pragma once

namespace mlc::onnx {

void addActivations();
void addAttentions();
void addContractions();
void addGroupQueryAttention();
void addMixturesOfExperts();
void addNormalizations();
void addPackedAttentions();
void addQuantized();
void addRecurrent();
void addTakenOver();
void addText();

} // namespace mlc::onnx

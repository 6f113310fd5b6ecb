#include "onnx/Microsoft.h"
#include "onnx/microsoft/Families.h"
#include <onnx/defs/schema.h>

namespace mlc::onnx {

void registerMicrosoftSchemas() {
  ::onnx::OpSchemaRegistry::DomainToVersionRange::Instance().AddDomainToVersion("com.microsoft", 1, 1);
  addActivations();
  addAttentions();
  addContractions();
  addGroupQueryAttention();
  addMixturesOfExperts();
  addNormalizations();
  addPackedAttentions();
  addQuantized();
  addRecurrent();
  addTakenOver();
  addText();
}

} // namespace mlc::onnx

// Operators on text.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

void addText() {
  Operator("Tokenizer", "X", "Y", {{"T", {"string"}}}) // lowered by a rule of its own
      .required("mark", AttributeProto::INT)
      .required("mincharnum", AttributeProto::INT)
      .required("pad_value", AttributeProto::STRING)
      .optional("separators", AttributeProto::STRINGS)
      .optional("tokenexp", AttributeProto::STRING)
      .add();
}

} // namespace mlc::onnx

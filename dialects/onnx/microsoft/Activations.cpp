// Activations with what models do before them: a bias, a split.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

static void biasGelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add(context.hasInput(1) ? "sum = Add(X, bias)" : "sum = Identity(X)");
  b.Add("Y = Gelu <approximate = \"tanh\"> (sum)");
}

static void quickGelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("Y = Swish(X)", "alpha", numberOf(context, "alpha", 1.702f));
}

void addActivations() {
  Types T = {{"T", allFloats}};
  Operator("BiasAdd", "X bias skip", "Y", {{"T", {"float16", "float"}}})
      .means("sum = Add(X, bias) Y = Add(sum, skip)")
      .add();
  Operator("BiasGelu", "A B", "C", T).means("sum = Add(A, B) C = Gelu(sum)").add();
  Operator("BiasSplitGelu", "X bias", "Y", T)
      .means("sum = Add(X, bias) left, right = Split <axis = -1, num_outputs = 2> (sum) gate = Gelu(right) Y = "
             "Mul(left, gate)")
      .add();
  Operator("FastGelu", "X bias?", "Y", T).means(biasGelu).add();
  Operator("Gelu", "X", "Y", T).means("Y = Gelu(X)").add();
  Operator("QuickGelu", "X", "Y", T).number("alpha", 1.702f).means(quickGelu).add();
}

} // namespace mlc::onnx

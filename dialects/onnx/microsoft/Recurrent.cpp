// Recurrent networks with weights of bytes.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

/// LSTM of ai.onnx with weights that lie transposed, [directions, features, 4 * hidden], and have a scale for each
/// direction, or for each of its columns. What they are multiplied with stays floats, where ONNX Runtime rounds it to
/// bytes, too.
static void dynamicQuantizeLstm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Const("byColumn", std::vector<int64_t>{0, 1, -1});
  for (string weights : {"W", "R"})
    b.Add((weights + "_scales = Reshape(" + weights + "_scale, byColumn)").c_str())
        .Add((weights + "_zeros = Reshape(" + weights + "_zero_point, byColumn)").c_str())
        .Add((weights + "_numbers = CastLike(" + weights + ", X)").c_str())
        .Add((weights + "_zeroNumbers = CastLike(" + weights + "_zeros, X)").c_str())
        .Add((weights + "_centered = Sub(" + weights + "_numbers, " + weights + "_zeroNumbers)").c_str())
        .Add((weights + "_floats = Mul(" + weights + "_centered, " + weights + "_scales)").c_str())
        .Add((weights + "_rows = Transpose <perm = [0, 2, 1]> (" + weights + "_floats)").c_str());
  string operands = operandsOf(context, {"X", "W_rows", "R_rows", "B", "sequence_lens", "initial_h", "initial_c", "P"});
  addCall(context, b, "Y, Y_h, Y_c = LSTM(" + operands + ")",
          {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "input_forget"});
}

void addRecurrent() {
  Operator("DynamicQuantizeLSTM",
           "X W:T2 R:T2 B? sequence_lens:T1? initial_h? initial_c? P? W_scale W_zero_point:T2 R_scale R_zero_point:T2",
           "Y? Y_h? Y_c?", {{"T", {"float"}}, {"T1", {"int32"}}, {"T2", bytes}})
      .optional("activation_alpha", AttributeProto::FLOATS)
      .optional("activation_beta", AttributeProto::FLOATS)
      .optional("activations", AttributeProto::STRINGS)
      .optional("clip", AttributeProto::FLOAT)
      .text("direction", "forward")
      .optional("hidden_size", AttributeProto::INT)
      .integer("input_forget", 0)
      .means(dynamicQuantizeLstm)
      .add();
}

} // namespace mlc::onnx

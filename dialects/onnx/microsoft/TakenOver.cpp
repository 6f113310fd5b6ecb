// Operators that ONNX took over, with other types.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

/// The operator of ai.onnx, with the same attributes.
static Body sameAs(string call, std::vector<string> attributes) {
  return [=](const FunctionBodyBuildContext &context, FunctionBuilder &b) { addCall(context, b, call, attributes); };
}

static void range(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (context.hasInput(2))
    b.Add("Y = Range(start, limit, delta)");
  else
    b.Const("one", int64_t(1)).Add("step = CastLike(one, start)").Add("Y = Range(start, limit, step)");
}

static void distances(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  string name = textOf(context, "metric", "sqeuclidean");
  require(name == "sqeuclidean" || name == "euclidean", "metric sqeuclidean or euclidean, got " + name);
  b.Const1D("middle", int64_t(1))
      .Const1D("front", int64_t(0))
      .Const1D("last", int64_t(-1))
      .Add("left = Unsqueeze(A, middle)")
      .Add("right = Unsqueeze(B, front)")
      .Add("difference = Sub(left, right)")
      .Add("squares = ReduceSumSquare <keepdims = 0> (difference, last)");
  b.Add(name == "euclidean" ? "C = Sqrt(squares)" : "C = Identity(squares)");
}

/// Without states of several moments, which ai.onnx has not.
static void linearAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  require(!integerOf(context, "state_window"), "state_window 0");
  std::vector<string> attributes = {"chunk_size", "kv_num_heads", "q_num_heads", "update_rule"};
  if (numberOf(context, "scale", 0) != 0)
    attributes.push_back("scale");
  addCall(context, b,
          "output, present_state = LinearAttention(" +
              operandsOf(context, {"query", "key", "value", "past_state", "decay", "beta"}) + ")",
          attributes);
}

/// What only some kernels of ONNX Runtime have: other layouts, parts of the channels, states of several moments.
static constexpr std::pair<const char *, int64_t> causalConvExtensions[] = {
    {"channels_last", 0}, {"dilation", 1},     {"input_channel_offset", 0},  {"input_channels", 0},      {"ndim", 1},
    {"state_length", 0},  {"state_window", 0}, {"state_update_capacity", 0}, {"state_channels_last", -1}};

static void causalConv(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  for (auto [name, otherwise] : causalConvExtensions)
    require(integerOf(context, name, otherwise) == otherwise, string(name) + " " + std::to_string(otherwise));
  require(!context.hasOutput(2), "no state_update");
  addCall(context, b,
          "output, present_state = CausalConvWithState(" +
              operandsOf(context, {"input", "weight", "bias", "past_state"}) + ")",
          {"activation"});
}

static void requireKnownSpectrum(const FunctionBodyBuildContext &context) {
  require(!integerOf(context, "normalized"), "normalized 0");
  require(integerOf(context, "onesided", 1), "onesided 1");
  require(integerOf(context, "signal_ndim", 1) == 1, "signal_ndim 1");
}

/// Real signals along the last axis, and their spectra.
static void spectrumOfReal(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  requireKnownSpectrum(context);
  b.Const1D("components", int64_t(-1)).Add("signal = Unsqueeze(X, components)");
  b.Const("axis", int64_t(-2)).Add("Y = DFT <onesided = 1> (signal, , axis)");
}

static void realOfSpectrum(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  requireKnownSpectrum(context);
  b.Const("axis", int64_t(-2)).Add("signal = DFT <inverse = 1, onesided = 1> (X, , axis)");
  b.Const1D("components", int64_t(-1)).Add("Y = Squeeze(signal, components)");
}

static void gridSample(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  string mode = textOf(context, "mode", "bilinear");
  if (mode == "bilinear" || mode == "bicubic")
    mode = mode == "bilinear" ? "linear" : "cubic";
  b.Add("Y = GridSample(X, Grid)", "mode", mode);
  b.AddAttributeToNode("padding_mode", textOf(context, "padding_mode", "zeros"));
  b.AddAttributeToNode("align_corners", integerOf(context, "align_corners"));
}

void addTakenOver() {
  std::vector<string> any = integers;
  any.insert(any.end(), allFloats.begin(), allFloats.end());
  std::vector<string> anything = any;
  anything.insert(anything.end(), {"bool", "string"});
  std::vector<string> quantized = {"int8", "uint8", "int16", "uint16", "int4", "uint4"}, dequantized = quantized;
  dequantized.push_back("int32");
  Operator("CDist", "A B", "C", {{"T", {"float", "double"}}}).text("metric", "sqeuclidean").means(distances).add();
  Operator("DequantizeLinear", "x:T1 x_scale:T2 x_zero_point:T1?", "y:T2",
           {{"T1", dequantized}, {"T2", {"float16", "float"}}})
      .optional("axis", AttributeProto::INT)
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        string call =
            context.hasInput(2) ? "y = DequantizeLinear(x, x_scale, x_zero_point)" : "y = DequantizeLinear(x, x_scale)";
        sameAs(call, {"axis"})(context, b);
      })
      .add();
  Operator("QuantizeLinear", "x:T1 y_scale:T1 y_zero_point:T2?", "y:T2",
           {{"T1", {"float16", "float"}}, {"T2", quantized}})
      .optional("axis", AttributeProto::INT)
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        string call =
            context.hasInput(2) ? "y = QuantizeLinear(x, y_scale, y_zero_point)" : "y = QuantizeLinear(x, y_scale)";
        sameAs(call, {"axis"})(context, b);
      })
      .add();
  Operator("ExpandDims", "X axis:tensor(int32)", "Y", {{"T", anything}})
      .means("list = Constant <value = int64[1] {1}> () wide = Cast <to = 7> (axis) axes = Reshape(wide, list) Y = "
             "Unsqueeze(X, axes)")
      .add();
  Operator("GatherND", "data indices:Tind", "output", {{"T", anything}, {"Tind", {"int32", "int64"}}})
      .means("wide = Cast <to = 7> (indices) output = GatherND(data, wide)")
      .add();
  Operator("Pad", "data pads:tensor(int64) value?", "output", {{"T", allFloats}})
      .text("mode", "constant")
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        b.Const1D("flat", int64_t(-1)).Add("list = Reshape(pads, flat)"); // [n], or [1, n]
        sameAs(context.hasInput(2) ? "output = Pad(data, list, value)" : "output = Pad(data, list)", {"mode"})(context,
                                                                                                               b);
      })
      .add();
  Operator("Range", "start limit delta?", "Y", {{"T", {"float", "double", "int16", "int32", "int64"}}})
      .means(range)
      .add();
  Operator("GridSample", "X Grid", "Y", {{"T", {"float"}}})
      .integer("align_corners", 0)
      .text("mode", "bilinear")
      .text("padding_mode", "zeros")
      .means(gridSample)
      .add();
  for (const auto &[name, body] : {std::pair<const char *, Body>("Rfft", spectrumOfReal), {"Irfft", realOfSpectrum}})
    Operator(name, "X", "Y", {{"T", {"float", "double", "float16"}}})
        .required("normalized", AttributeProto::INT)
        .required("onesided", AttributeProto::INT)
        .required("signal_ndim", AttributeProto::INT)
        .means(body)
        .add();
  Operator("Inverse", "X", "Y", {{"T", {"float", "double", "float16"}}}).add(); // a rule says what it means
  Operator("LinearAttention", "query key value past_state:S? decay? beta?", "output present_state:S",
           {{"T", someFloats}, {"S", someFloats}})
      .optional("chunk_size", AttributeProto::INT)
      .required("kv_num_heads", AttributeProto::INT)
      .required("q_num_heads", AttributeProto::INT)
      .optional("scale", AttributeProto::FLOAT)
      .integer("state_window", 0)
      .text("update_rule", "gated_delta")
      .means(linearAttention)
      .add();
  Operator causal("CausalConvWithState", "input weight bias? past_state?", "output present_state state_update?",
                  {{"T", someFloats}});
  causal.text("activation", "none").means(causalConv);
  for (auto [name, otherwise] : causalConvExtensions)
    causal.integer(name, otherwise);
  causal.add();
  Operator("Unique", "x", "y idx:I counts:I", {{"T", {"float"}}, {"I", {"int64"}}})
      .means("y, first, idx, counts = Unique <sorted = 0> (x)")
      .add();
  std::vector<string> triangular = any;
  triangular.push_back("bool");
  Operator("Trilu", "X k:tensor(int64)?", "Y", {{"T", triangular}})
      .integer("upper", 1)
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        sameAs(context.hasInput(1) ? "Y = Trilu(X, k)" : "Y = Trilu(X)", {"upper"})(context, b);
      })
      .add();
}

} // namespace mlc::onnx

// Normalizations with what models do before them, a residual, a sum of embeddings, and behind them, an activation, a
// gate.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

static void addSum(const FunctionBodyBuildContext &context, FunctionBuilder &b, int bias) {
  if (context.hasInput(bias))
    b.Add("skipped = Add(input, skip)").Add("input_skip_bias_sum = Add(skipped, bias)");
  else
    b.Add("input_skip_bias_sum = Add(input, skip)");
}

static void skipLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 4);
  string call = "output, mean, inv_std_var = LayerNormalization <axis = -1> (input_skip_bias_sum, gamma";
  b.Add((call + (context.hasInput(3) ? ", beta)" : ")")).c_str(), "epsilon", numberOf(context, "epsilon", 1e-12f));
}

static void skipSimplifiedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 3);
  b.Add("output = RMSNormalization <axis = -1> (input_skip_bias_sum, gamma)", "epsilon",
        numberOf(context, "epsilon", 1e-12f));
}

namespace {
/// Operands of an embedding; tables are the names of values in floats.
struct Embedding {
  int segments, mask, positions; ///< -1 for one that there is not
  string words, places, kinds, gamma, beta, output, lengths, sum;
};
} // namespace

/// The sum of word, position and segment embeddings, normalized; beside it, how many tokens the mask leaves of each
/// sentence.
static void embed(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Embedding &e) {
  auto isGiven = [&](int operand) { return operand >= 0 && context.hasInput(operand); };
  b.Add(("words = Gather(" + e.words + ", input_ids)").c_str());
  if (isGiven(e.positions))
    b.Add(("positions = Gather(" + e.places + ", position_ids)").c_str());
  else
    b.Add("lengths = Shape <start = 1, end = 2> (input_ids)")
        .Add("length = Squeeze(lengths)")
        .Const("first", int64_t(0))
        .Const("step", int64_t(1))
        .Add("numbers = Range(first, length, step)")
        .Add(("positions = Gather(" + e.places + ", numbers)").c_str());
  b.Add("placed = Add(words, positions)");
  if (isGiven(e.segments))
    b.Add(("segments = Gather(" + e.kinds + ", segment_ids)").c_str())
        .Add((e.sum + " = Add(placed, segments)").c_str());
  else
    b.Add((e.sum + " = Identity(placed)").c_str());
  b.Add((e.output + " = LayerNormalization <axis = -1> (" + e.sum + ", " + e.gamma + ", " + e.beta + ")").c_str(),
        "epsilon", numberOf(context, "epsilon", 1e-12f));
  if (isGiven(e.mask))
    b.Const("one", int32_t(1))
        .Const1D("lastAxis", int64_t(1))
        .Add("isKept = Equal(mask, one)")
        .Add("kept = CastLike(isKept, mask)")
        .Add((e.lengths + " = ReduceSum <keepdims = 0> (kept, lastAxis)").c_str());
  else
    b.Add("batch = Shape <end = 1> (input_ids)")
        .Add((e.lengths + " = ConstantOfShape <value = int32[1] {0}> (batch)").c_str());
}

static void embedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  require(context.hasInput(1) == context.hasInput(4), "segment_ids and segment_embedding, or neither");
  embed(context, b,
        {1, 7, 8, "word_embedding", "position_embedding", "segment_embedding", "gamma", "beta", "output", "mask_index",
         "embedding_sum"});
}

/// With tables of bytes; all that is of segments comes together.
static void quantizedEmbedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  bool hasSegments = context.hasInput(1);
  for (int segment : {4, 10, 15})
    require(context.hasInput(segment) == hasSegments,
            "segment_ids, segment_embedding, its scale and its zero point, or none of them");
  auto dequantize = [&](const string &name, const string &quantized) {
    b.Add((name + " = DequantizeLinear(" + quantized + ", " + name + "_scale, " + name + "_zero_point)").c_str());
  };
  dequantize("word_embedding", "word_embedding_quant");
  dequantize("position_embedding", "position_embedding_quant");
  if (hasSegments)
    b.Add("segment_table = DequantizeLinear(segment_embedding, segment_embedding_scale, segment_embedding_zero_point)");
  dequantize("gamma", "gamma_quant");
  dequantize("beta", "beta_quant");
  embed(context, b,
        {1, 7, -1, "word_embedding", "position_embedding", "segment_table", "gamma", "beta", "layernorm_out",
         "mask_index_out", "embedding_sum"});
}

/// Adds `Y`, the normalization of `sum` by groups of channels, with SiLU behind it where `activation` is 1. Channels are
/// the last axis, or the second.
static void normalizeGroups(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int rank = rankOf(context, 0);
  int64_t activation = integerOf(context, "activation");
  bool isLast = integerOf(context, "channels_last", 1);
  require(rank >= 3, "X of a rank that is known, at least 3");
  require(activation == 0 || activation == 1, "activation 0 or 1");
  b.Add("weights = CastLike(gamma, sum)").Add("offsets = CastLike(beta, sum)");
  auto normalize = [&](const string &result, const string &data) {
    b.Add(("normal = GroupNormalization(" + data + ", weights, offsets)").c_str(), "num_groups",
          integerOf(context, "groups"));
    b.AddAttributeToNode("epsilon", numberOf(context, "epsilon", 1e-5f));
    b.Add((result + (activation ? "Swish(normal)" : "Identity(normal)")).c_str());
  };
  if (isLast)
    withChannelsFirst(b, rank, "Y", "sum", [&](const string &result) { normalize(result, "sum_channelsFirst"); });
  else
    normalize("Y = ", "sum");
}

static void groupNorm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("sum = Identity(X)");
  normalizeGroups(context, b);
}

/// `skip` is like X, or has one number for each channel: [N, 1, ..., C] or [N, C].
static void skipGroupNorm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { X, Gamma, Beta, Skip, Bias };
  int rank = rankOf(context, X);
  bool isLast = integerOf(context, "channels_last", 1), isRow = rankOf(context, Skip) == 2;
  require(rank >= 3, "X of a rank that is known, at least 3");
  require(isLast || !context.hasInput(Bias), "channels_last 1 beside a bias");
  std::vector<int64_t> spatial;
  for (int64_t axis = isLast ? 1 : 2; axis < (isLast ? rank - 1 : rank); ++axis)
    spatial.push_back(axis);
  b.Const("spatial", spatial).Add(isRow ? "residual = Unsqueeze(skip, spatial)" : "residual = Identity(skip)");
  b.Add("plain = Add(X, residual)").Add(context.hasInput(Bias) ? "sum = Add(plain, bias)" : "sum = Identity(plain)");
  if (context.hasOutput(1))
    b.Add("S = Identity(sum)");
  normalizeGroups(context, b);
}

/// The root mean square is of the last as many elements as `scale` has, in 32 bits.
static void gatedNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  string activation = textOf(context, "activation", "silu");
  require(activation == "silu" || activation == "swish" || activation == "sigmoid",
          "activation silu, swish or sigmoid, got " + activation);
  b.Add("wide = Cast <to = 1> (X)")
      .Add("weights = Cast <to = 1> (scale)")
      .Add("gate32 = Cast <to = 1> (gate)")
      .Add("outer = Shape <end = -1> (X)")
      .Add("count = Shape(scale)")
      .Const1D("rest", int64_t(-1))
      .Add("split = Concat <axis = 0> (outer, rest, count)")
      .Add("rows = Reshape(wide, split)")
      .Add("normalRows = RMSNormalization <axis = -1> (rows, weights)", "epsilon", numberOf(context, "epsilon", 1e-5f))
      .Add("extents = Shape(X)")
      .Add("normal = Reshape(normalRows, extents)")
      .Add(activation == "sigmoid" ? "factor = Sigmoid(gate32)" : "factor = Swish(gate32)")
      .Add("product = Mul(normal, factor)")
      .Add("Y = CastLike(product, X)");
}

void addNormalizations() {
  Types T = {{"T", someFloats}, {"U", {"float"}}};
  Operator("EmbedLayerNormalization",
           "input_ids:T1 segment_ids:T1? word_embedding position_embedding segment_embedding? gamma beta mask:T1? "
           "position_ids:T1?",
           "output mask_index:T1? embedding_sum?", {{"T", someFloats}, {"T1", {"int32"}}})
      .number("epsilon", 1e-12f)
      .optional("mask_index_type", AttributeProto::INT)
      .means(embedLayerNormalization)
      .add();
  string tables = "word_embedding_quant:T2 position_embedding_quant:T2 segment_embedding:T2? gamma_quant:T2 "
                  "beta_quant:T2 mask:T1? word_embedding_scale position_embedding_scale segment_embedding_scale? "
                  "gamma_scale beta_scale word_embedding_zero_point:T2 position_embedding_zero_point:T2 "
                  "segment_embedding_zero_point:T2? gamma_zero_point:T2 beta_zero_point:T2";
  Operator("QEmbedLayerNormalization", "input_ids:T1 segment_ids:T1? " + tables, "layernorm_out mask_index_out:T1",
           {{"T", {"float"}}, {"T1", {"int32"}}, {"T2", bytes}})
      .number("epsilon", 1e-12f)
      .means(quantizedEmbedLayerNormalization)
      .add();
  Types groups = {{"T", {"float", "float16"}}, {"M", {"float", "float16"}}};
  for (const auto &[name, inputs, outputs, body] :
       {std::tuple<string, string, string, Body>("GroupNorm", "X gamma:M beta:M", "Y", groupNorm),
        {"SkipGroupNorm", "X gamma:M beta:M skip bias?", "Y S?", skipGroupNorm}})
    Operator(name, inputs, outputs, groups)
        .required("activation", AttributeProto::INT)
        .integer("channels_last", 1)
        .number("epsilon", 1e-5f)
        .required("groups", AttributeProto::INT)
        .means(body)
        .add();
  Operator("GatedRMSNorm", "X scale gate", "Y", {{"T", someFloats}})
      .text("activation", "silu")
      .number("epsilon", 1e-5f)
      .means(gatedNormalization)
      .add();
  Operator("SkipLayerNormalization", "input skip gamma beta? bias?",
           "output mean:U? inv_std_var:U? input_skip_bias_sum?", T)
      .number("epsilon", 1e-12f)
      .means(skipLayerNormalization)
      .add();
  Operator("SkipSimplifiedLayerNormalization", "input skip gamma bias?",
           "output mean:U? inv_std_var:U? input_skip_bias_sum?", T)
      .number("epsilon", 1e-12f)
      .means(skipSimplifiedLayerNormalization)
      .add();
}

} // namespace mlc::onnx

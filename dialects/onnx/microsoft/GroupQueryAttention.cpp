// GroupQueryAttention, what decoders of ONNX Runtime GenAI are made of: attention with fewer heads of keys and values than
// of queries, a cache, rotary positions, and sentences of different lengths.
//
// Sentence b has seqlens_k[b] + 1 elements, the last ones of which are in this call. Their keys and values are written
// behind those of the past, into a cache that may have room for more; elements see only what is before them, and with
// themselves no more than the window says.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Heads.h"
#include <limits>

namespace mlc::onnx {

enum {
  Query,
  Key,
  Value,
  PastKey,
  PastValue,
  Lengths,
  Total,
  Cos,
  Sin,
  Positions,
  AttentionBias,
  HeadSink,
  KeyScale,
  ValueScale,
  QueryNorm,
  KeyNorm,
  QueryLengths
};

/// Adds `queryHeads`, `keyHeads` and `valueHeads` of extents [batch, heads, length, size].
static void addHeads(const FunctionBodyBuildContext &context, FunctionBuilder &b, int64_t heads, int64_t keyHeads) {
  if (context.hasInput(Key)) {
    splitHeads(b, "queryHeads", "query", heads);
    splitHeads(b, "keyHeads", "key", keyHeads);
    splitHeads(b, "valueHeads", "value", keyHeads);
    return;
  }
  splitHeads(b, "packed", "query", heads + 2 * keyHeads);
  b.Const("shares", std::vector<int64_t>{heads, keyHeads, keyHeads})
      .Add("queryHeads, keyHeads, valueHeads = Split <axis = 1> (packed, shares)");
}

/// Adds `present` with the new heads behind the past ones, and `seen`, as much of it as any sentence has.
static void addCache(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &present,
                     const string &past, const string &heads, const string &seen) {
  if (!context.hasInput(PastKey)) {
    b.Add((present + " = Identity(" + heads + ")").c_str()).Add((seen + " = Identity(" + heads + ")").c_str());
    return;
  }
  b.Add((past + "_length = Shape <start = 2, end = 3> (" + past + ")").c_str())
      .Add((past + "_missing = Sub(total, " + past + "_length)").c_str())
      .Add((past + "_room = Max(" + past + "_missing, none)").c_str())
      .Add((past + "_pads = Concat <axis = 0> (none, none, none, none, none, none, " + past + "_room, none)").c_str())
      .Add((past + "_wide = Pad(" + past + ", " + past + "_pads)").c_str())
      .Add((present + " = TensorScatter(" + past + "_wide, " + heads + ", before)").c_str())
      .Add((seen + " = Slice(" + present + ", none, total, timeAxis)").c_str());
}

/// Adds `to`, heads of which each row is divided by its root mean square and multiplied by a weight.
static void addNormalized(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &to,
                          const string &heads, const string &which) {
  float epsilon = numberOf(context, (which + "_norm_epsilon").c_str(), numberOf(context, "qk_norm_epsilon", 1e-6f));
  b.Add((to + " = RMSNormalization <axis = -1> (" + heads + ", " + which + "_norm_weight)").c_str(), "epsilon",
        epsilon);
}

/// Adds `withSink`, `result` where the sum that softmax divides by has one more term, e to the power of a number of each
/// head. With Z for the sum without it, that is Z / (Z + e^sink) = sigmoid(log Z - sink) times the result.
static void addSink(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("logarithm = ReduceLogSumExp <keepdims = 1> (scores, lastAxis)");
  if (context.hasInput(HeadSink))
    b.Const("perHead", std::vector<int64_t>{1, -1, 1, 1})
        .Add("sink = Reshape(head_sink, perHead)")
        .Add("above = Sub(logarithm, sink)");
  else
    b.Add("above = Identity(logarithm)");
  b.Add("sinkShare = Sigmoid(above)").Add("withSink = Mul(result, sinkShare)");
}

static void groupQueryAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t heads = integerOf(context, "num_heads"), keyHeads = integerOf(context, "kv_num_heads"),
          window = integerOf(context, "local_window_size", -1);
  bool hasSink = context.hasInput(HeadSink) || integerOf(context, "smooth_softmax") > 0,
       isCausal = integerOf(context, "causal", 1);
  require(heads > 0 && keyHeads > 0, "num_heads and kv_num_heads of at least 1");
  require(window != 0 && (isCausal || window < 0), "local_window_size of at least 1, with causal 1, or -1");
  require(!context.hasOutput(3) && !integerOf(context, "qk_output"), "no output_qk");
  require(context.hasInput(PastKey) == context.hasInput(PastValue), "past_key and past_value, or neither");
  require(context.hasInput(Key) == context.hasInput(Value), "key and value, or neither");
  require(context.hasInput(QueryNorm) == context.hasInput(KeyNorm), "q_norm_weight and k_norm_weight, or neither");
  require(!integerOf(context, "sliding_window_cache"), "sliding_window_cache 0");
  require(!context.hasInput(KeyScale) && !context.hasInput(ValueScale), "a cache that is not quantized");
  require(!context.hasInput(QueryLengths), "no query_seqlens");
  addHeads(context, b, heads, keyHeads);
  b.Const("zero", int64_t(0))
      .Const("one", int64_t(1))
      .Const1D("none", int64_t(0))
      .Const1D("single", int64_t(1))
      .Const1D("timeAxis", int64_t(2))
      .Const1D("flat", int64_t(-1))
      .Add("lengths = Shape <start = 2, end = 3> (queryHeads)")
      .Add("length = Squeeze(lengths)")
      .Add("last32 = Reshape(seqlens_k, flat)")
      .Add("last = Cast <to = 7> (last32)")
      .Add("total32 = Reshape(total_sequence_length, flat)")
      .Add("total = Cast <to = 7> (total32)")
      // A sentence that is shorter than the call is filled up at its end.
      .Add("ends = Add(last, single)")
      .Add("starts = Sub(ends, lengths)")
      .Add("before = Max(starts, none)")
      .Add("steps = Range(zero, length, one)")
      .Add("beforeColumn = Unsqueeze(before, single)")
      .Add("times = Add(beforeColumn, steps)");
  string query = "queryHeads", key = "keyHeads";
  if (context.hasInput(QueryNorm)) {
    addNormalized(context, b, "normalQuery", query, "q");
    addNormalized(context, b, "normalKey", key, "k");
    query = "normalQuery";
    key = "normalKey";
  }
  if (integerOf(context, "do_rotary")) {
    require(context.hasInput(Cos) && context.hasInput(Sin), "cos_cache and sin_cache beside do_rotary");
    string call = "RotaryEmbedding <interleaved = " + std::to_string(integerOf(context, "rotary_interleaved")) + "> (";
    string places = string(", cos_cache, sin_cache, ") + (context.hasInput(Positions) ? "position_ids" : "times") + ")";
    b.Add(("rotatedQuery = " + call + query + places).c_str()).Add(("rotatedKey = " + call + key + places).c_str());
    query = "rotatedQuery";
    key = "rotatedKey";
  }
  addCache(context, b, "present_key", "past_key", key, "seenKeys");
  addCache(context, b, "present_value", "past_value", "valueHeads", "seenValues");

  b.Const("rowAxes", std::vector<int64_t>{1, 3})
      .Add("columnCounts = Shape <start = 2, end = 3> (seenKeys)")
      .Add("columnCount = Squeeze(columnCounts)")
      .Add("columns = Range(zero, columnCount, one)")
      .Add("rows = Unsqueeze(times, rowAxes)");
  if (isCausal)
    b.Add("isLater = Greater(columns, rows)");
  else
    b.Const("sentenceAxes", std::vector<int64_t>{1, 2, 3})
        .Add("ofSentence = Unsqueeze(last, sentenceAxes)")
        .Add("isLater = Greater(columns, ofSentence)");
  if (window >= 0)
    b.Const("window", window)
        .Add("oldest = Sub(rows, window)")
        .Add("isOld = LessOrEqual(columns, oldest)")
        .Add("isHidden = Or(isLater, isOld)");
  else
    b.Add("isHidden = Identity(isLater)");
  b.Const("seen32", 0.0f)
      .Const("hidden32", -std::numeric_limits<float>::infinity())
      .Add("seen = CastLike(seen32, query)")
      .Add("hidden = CastLike(hidden32, query)")
      .Add("filterOfTime = Where(isHidden, hidden, seen)")
      .Add(context.hasInput(AttentionBias) ? "filter = Add(filterOfTime, attention_bias)"
                                           : "filter = Identity(filterOfTime)");
  // The scores are what softmax takes.
  b.Const1D("lastAxis", int64_t(-1))
      .Add(((hasSink ? "result, , , scores" : "result") + string(" = Attention(") + query +
            ", seenKeys, seenValues, filter)")
               .c_str());
  if (hasSink)
    b.AddAttributeToNode("qk_matmul_output_mode", int64_t(2));
  if (float scale = numberOf(context, "scale", 0))
    b.AddAttributeToNode("scale", scale);
  if (float softcap = numberOf(context, "softcap", 0); softcap > 0)
    b.AddAttributeToNode("softcap", softcap);
  if (hasSink)
    addSink(context, b);
  joinHeads(b, "output", hasSink ? "withSink" : "result");
}

void addGroupQueryAttention() {
  Operator("GroupQueryAttention",
           "query key? value? past_key? past_value? seqlens_k:M total_sequence_length:M cos_cache? sin_cache? "
           "position_ids:P? attention_bias? head_sink? k_scale:F? v_scale:F? q_norm_weight? k_norm_weight? "
           "query_seqlens:M?",
           "output present_key? present_value? output_qk?",
           {{"T", someFloats}, {"M", {"int32"}}, {"P", {"int64"}}, {"F", {"float"}}})
      .integer("causal", 1)
      .integer("do_rotary", 0)
      .required("kv_num_heads", AttributeProto::INT)
      .optional("k_norm_epsilon", AttributeProto::FLOAT)
      .integer("local_window_size", -1)
      .required("num_heads", AttributeProto::INT)
      .optional("q_norm_epsilon", AttributeProto::FLOAT)
      .number("qk_norm_epsilon", 1e-6f)
      .integer("qk_output", 0)
      .integer("rotary_interleaved", 0)
      .optional("scale", AttributeProto::FLOAT)
      .integer("sliding_window_cache", 0)
      .integer("smooth_softmax", -1)
      .number("softcap", 0)
      .means(groupQueryAttention)
      .add();
}

} // namespace mlc::onnx

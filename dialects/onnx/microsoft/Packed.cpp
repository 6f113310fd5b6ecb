// Attention over sentences of different lengths whose elements lie one behind the other, without padding.
//
// token_offset[batch, length] is a permutation of the places in the padded form: those of the elements first, in the
// order in which they lie, then those of the padding. The elements are put there, attention sees keys up to the end of
// each sentence, and its rows are taken back from there.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Heads.h"
#include <limits>

namespace mlc::onnx {

/// Adds what both directions need: `places`, where the elements of `rows` [elements, ...] are in the padded form.
static void addPlaces(FunctionBuilder &b, const string &rows) {
  b.Const1D("flatExtent", int64_t(-1))
      .Const1D("start", int64_t(0))
      .Const1D("columnAxis", int64_t(1))
      .Add("offsets = Reshape(token_offset, flatExtent)")
      .Add("slots = Shape(offsets)")
      .Add("padded = Shape(token_offset)")
      .Add(("elements = Shape <end = 1> (" + rows + ")").c_str())
      .Add("places32 = Slice(offsets, start, elements)")
      .Add("places = Cast <to = 7> (places32)")
      .Add("placeColumn = Unsqueeze(places, columnAxis)");
}

/// Adds `to` [batch, length, features] for `from` [elements, features].
static void addPadded(FunctionBuilder &b, const string &to, const string &from) {
  b.Add((to + "_width = Shape <start = 1> (" + from + ")").c_str())
      .Add((to + "_flat = Concat <axis = 0> (slots, " + to + "_width)").c_str())
      .Add((to + "_zeros32 = ConstantOfShape(" + to + "_flat)").c_str())
      .Add((to + "_zeros = CastLike(" + to + "_zeros32, " + from + ")").c_str())
      .Add((to + "_rows = ScatterND(" + to + "_zeros, placeColumn, " + from + ")").c_str())
      .Add((to + "_extents = Concat <axis = 0> (padded, " + to + "_width)").c_str())
      .Add((to + " = Reshape(" + to + "_rows, " + to + "_extents)").c_str());
}

/// Adds `output` [elements, features]: attention of `queryRows`, `keyRows` and `valueRows` of the padded form.
static void addAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b, int64_t heads, int biasOperand) {
  splitHeads(b, "queryHeads", "queryRows", heads);
  splitHeads(b, "keyHeads", "keyRows", heads);
  splitHeads(b, "valueHeads", "valueRows", heads);
  b.Const("zero", int64_t(0))
      .Const("one", int64_t(1))
      .Const1D("all", std::numeric_limits<int64_t>::max())
      .Const1D("last", int64_t(-1))
      .Const("rowAxes", std::vector<int64_t>{1, 2, 3})
      .Add("ends = Slice(cumulative_sequence_length, columnAxis, all)")
      .Add("starts = Slice(cumulative_sequence_length, start, last)")
      .Add("lengths32 = Sub(ends, starts)")
      .Add("lengths = Cast <to = 7> (lengths32)")
      .Add("lengthOfEach = Unsqueeze(lengths, rowAxes)")
      .Add("longestList = Shape <start = 1> (token_offset)")
      .Add("longest = Squeeze(longestList)")
      .Add("columns = Range(zero, longest, one)")
      .Add("isSeen = Less(columns, lengthOfEach)")
      .Const("seen32", 0.0f)
      .Const("hidden32", numberOf(context, "mask_filter_value", -10000.0f))
      .Add("seen = CastLike(seen32, queryHeads)")
      .Add("hidden = CastLike(hidden32, queryHeads)")
      .Add("filterOfLength = Where(isSeen, seen, hidden)")
      .Add(context.hasInput(biasOperand) ? "filter = Add(filterOfLength, attention_bias)"
                                         : "filter = Identity(filterOfLength)")
      .Add("result = Attention(queryHeads, keyHeads, valueHeads, filter)");
  if (float scale = numberOf(context, "scale", 0))
    b.AddAttributeToNode("scale", scale);
  joinHeads(b, "resultRows", "result");
  b.Add("resultWidth = Shape <start = 2> (resultRows)")
      .Add("resultExtents = Concat <axis = 0> (slots, resultWidth)")
      .Add("resultFlat = Reshape(resultRows, resultExtents)")
      .Add("output = Gather(resultFlat, places)");
}

static void packedAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Input, Weights, Bias, Offsets, Lengths, AttentionBias };
  int64_t heads = integerOf(context, "num_heads");
  require(heads > 0, "num_heads of at least 1");
  addPlaces(b, "input");
  b.Add("product = MatMul(input, weights)").Add("projected = Add(product, bias)");
  addPadded(b, "rows", "projected");
  if (const AttributeProto *sizes = context.getAttribute("qkv_hidden_sizes"); sizes && sizes->ints_size() == 3)
    b.Const("sizes", std::vector<int64_t>(sizes->ints().begin(), sizes->ints().end()))
        .Add("queryRows, keyRows, valueRows = Split <axis = -1> (rows, sizes)");
  else
    b.Add("queryRows, keyRows, valueRows = Split <axis = -1, num_outputs = 3> (rows)");
  addAttention(context, b, heads, AttentionBias);
}

static void packedMultiHeadAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Query, Key, Value, Bias, Offsets, Lengths, AttentionBias };
  int64_t heads = integerOf(context, "num_heads");
  require(heads > 0, "num_heads of at least 1");
  require(context.hasInput(Key) == context.hasInput(Value), "key and value, or neither");
  addPlaces(b, "query");
  if (context.hasInput(Key))
    b.Add("plainQuery = Identity(query)").Add("plainKey = Identity(key)").Add("plainValue = Identity(value)");
  else // [elements, heads, 3, size]
    b.Const1D("packAxis", int64_t(2))
        .Const("flatRows", std::vector<int64_t>{0, -1})
        .Add("query4, key4, value4 = Split <axis = 2, num_outputs = 3> (query)")
        .Add("plainQuery = Reshape(query4, flatRows)")
        .Add("plainKey = Reshape(key4, flatRows)")
        .Add("plainValue = Reshape(value4, flatRows)");
  string suffix = "plain";
  if (context.hasInput(Bias)) { // of query, key and value, one behind the other
    b.Add("querySize = Shape <start = 1> (plainQuery)")
        .Add("valueSize = Shape <start = 1> (plainValue)")
        .Add("biasSizes = Concat <axis = 0> (querySize, querySize, valueSize)")
        .Add("queryBias, keyBias, valueBias = Split <axis = 0> (bias, biasSizes)")
        .Add("biasedQuery = Add(plainQuery, queryBias)")
        .Add("biasedKey = Add(plainKey, keyBias)")
        .Add("biasedValue = Add(plainValue, valueBias)");
    suffix = "biased";
  }
  addPadded(b, "queryRows", suffix + "Query");
  addPadded(b, "keyRows", suffix + "Key");
  addPadded(b, "valueRows", suffix + "Value");
  addAttention(context, b, heads, AttentionBias);
}

void addPackedAttentions() {
  Operator("PackedAttention", "input weights bias token_offset:M cumulative_sequence_length:M attention_bias?",
           "output", {{"T", {"float", "float16"}}, {"M", {"int32"}}})
      .required("num_heads", AttributeProto::INT)
      .optional("qkv_hidden_sizes", AttributeProto::INTS)
      .optional("scale", AttributeProto::FLOAT)
      .means(packedAttention)
      .add();
  Operator("PackedMultiHeadAttention",
           "query key? value? bias? token_offset:M cumulative_sequence_length:M attention_bias?", "output",
           {{"T", {"float", "float16"}}, {"M", {"int32"}}})
      .optional("mask_filter_value", AttributeProto::FLOAT)
      .required("num_heads", AttributeProto::INT)
      .optional("scale", AttributeProto::FLOAT)
      .means(packedMultiHeadAttention)
      .add();
}

} // namespace mlc::onnx

// Attention in the forms of ONNX Runtime, as that of ai.onnx with a filter of what is seen, and rotary embeddings.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Heads.h"
#include "onnx/microsoft/Operator.h"
#include <limits>

namespace mlc::onnx {

namespace {
/// The values that the body of an attention has when it comes to the masks.
struct AttentionNames {
  string query;      ///< [batch, heads, length, size]
  string past;       ///< i64[1], the length of what is remembered; empty: nothing is
  string mask, bias; ///< operands, empty if absent
  int maskRank;
};
} // namespace

/// Adds `filter`, which is added to the scores: of the mask, which says by numbers what can be seen, of the order of
/// time, and of the bias; false if there is none of these. Values that are to be ignored are finite as in ONNX Runtime,
/// so that a row that sees nothing sees everything alike.
static bool addFilter(FunctionBuilder &b, const AttentionNames &names, float hidden, bool isCausal) {
  if (names.mask.empty() && !isCausal && names.bias.empty())
    return false;
  b.Const("zero", int64_t(0)).Const("one", int64_t(1)).Const("seen32", 0.0f).Const("hidden32", hidden);
  b.Add(("seen = CastLike(seen32, " + names.query + ")").c_str())
      .Add(("hidden = CastLike(hidden32, " + names.query + ")").c_str());
  b.Add("lengths = Shape <start = 1, end = 2> (rows_of_keys)");
  b.Add("total = Squeeze(lengths)").Add("columns = Range(zero, total, one)");

  string filter;
  if (!names.mask.empty()) {
    switch (names.maskRank) {
    case 1: // where sentences end, and if there are as many numbers again, where they start
      b.Add("batch = Shape <end = 1> (rows_of_keys)")
          .Const1D("start_of_ends", int64_t(0))
          .Const1D("second", int64_t(2))
          .Const1D("behind", int64_t(1))
          .Add(("wide = Cast <to = 7> (" + names.mask + ")").c_str())
          .Add("noStarts = ConstantOfShape(batch)")
          .Add("noStartsInteger = CastLike(noStarts, wide)")
          .Add("padded = Concat <axis = 0> (wide, noStartsInteger)")
          .Add("twice = Mul(batch, second)")
          .Add("ends = Slice(padded, start_of_ends, batch)")
          .Add("starts = Slice(padded, batch, twice)")
          .Add("endColumn = Unsqueeze(ends, behind)")
          .Add("startColumn = Unsqueeze(starts, behind)")
          .Add("isBefore = Less(columns, endColumn)")
          .Add("isBehind = GreaterOrEqual(columns, startColumn)")
          .Add("isSeenInRow = And(isBefore, isBehind)")
          .Const("axesOfRows", std::vector<int64_t>{1, 2})
          .Add("isSeen = Unsqueeze(isSeenInRow, axesOfRows)");
      break;
    case 2: // [batch, total]
    case 3: // [batch, length, total]
      b.Const("axesOfMask", names.maskRank == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1})
          .Const("nothing", int32_t(0))
          .Add(("isSeenFlat = Greater(" + names.mask + ", nothing)").c_str())
          .Add("isSeen = Unsqueeze(isSeenFlat, axesOfMask)");
      break;
    default:
      require(false, names.mask + " of rank 1, 2 or 3");
    }
    b.Add("filterOfMask = Where(isSeen, seen, hidden)");
    filter = "filterOfMask";
  }
  if (isCausal) {
    b.Const("lowest32", std::numeric_limits<float>::lowest())
        .Add(("lowest = CastLike(lowest32, " + names.query + ")").c_str())
        .Add(("rowsShape = Shape <start = 2, end = 3> (" + names.query + ")").c_str())
        .Add("rowCount = Squeeze(rowsShape)")
        .Add("rowNumbers = Range(zero, rowCount, one)")
        .Const1D("lastAxis", int64_t(1))
        .Add("rowColumn = Unsqueeze(rowNumbers, lastAxis)")
        .Add(names.past.empty() ? "time = Identity(rowColumn)" : ("time = Add(rowColumn, " + names.past + ")").c_str())
        .Add("isLater = Greater(columns, time)")
        .Add(("filterOfTime = Where(isLater, lowest, " + (filter.empty() ? "seen" : filter) + ")").c_str());
    filter = "filterOfTime";
  }
  if (!names.bias.empty()) {
    b.Add((filter.empty() ? "filterOfBias = Identity(" + names.bias + ")"
                          : "filterOfBias = Add(" + filter + ", " + names.bias + ")")
              .c_str());
    filter = "filterOfBias";
  }
  b.Add(("filter = Identity(" + filter + ")").c_str());
  return true;
}

/// softmax(query * keys * scale + filter) * values, as ai.onnx says it.
static void addAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &result,
                         const string &query, const string &keys, const string &values, bool hasFilter) {
  string call = result + " = Attention(" + query + ", " + keys + ", " + values + (hasFilter ? ", filter)" : ")");
  float scale = numberOf(context, "scale", 0);
  if (scale == 0)
    b.Add(call.c_str());
  else
    b.Add(call.c_str(), "scale", scale);
}

namespace {
/// Operands that both attentions with projections have, at their own places; -1 for one that there is not.
struct ProjectedOperands {
  int mask, past, bias;
};
} // namespace

/// Attention of `rows`, in which query, key and value lie side by side.
static void attentionOfRows(const FunctionBodyBuildContext &context, FunctionBuilder &b,
                            const ProjectedOperands &operands) {
  auto isGiven = [&](int operand) { return operand >= 0 && context.hasInput(operand); };
  int64_t heads = integerOf(context, "num_heads");
  require(heads > 0, "num_heads of at least 1");
  require(!integerOf(context, "do_rotary"), "do_rotary 0");
  require(!integerOf(context, "past_present_share_buffer"), "past_present_share_buffer 0");
  if (const AttributeProto *sizes = context.getAttribute("qkv_hidden_sizes"); sizes && sizes->ints_size() == 3)
    b.Const("sizes", std::vector<int64_t>(sizes->ints().begin(), sizes->ints().end()))
        .Add("queryRows, keyRows, valueRows = Split <axis = -1> (rows, sizes)");
  else
    b.Add("queryRows, keyRows, valueRows = Split <axis = -1, num_outputs = 3> (rows)");
  splitHeads(b, "query", "queryRows", heads);
  splitHeads(b, "newKeys", "keyRows", heads);
  splitHeads(b, "newValues", "valueRows", heads);
  if (isGiven(operands.past))
    b.Const1D("pair", int64_t(0))
        .Add("pastKeysPair, pastValuesPair = Split <axis = 0, num_outputs = 2> (past)")
        .Add("pastKeys = Squeeze(pastKeysPair, pair)")
        .Add("pastValues = Squeeze(pastValuesPair, pair)")
        .Add("pastLength = Shape <start = 2, end = 3> (pastKeys)")
        .Add("keys = Concat <axis = 2> (pastKeys, newKeys)")
        .Add("values = Concat <axis = 2> (pastValues, newValues)");
  else
    b.Add("keys = Identity(newKeys)").Add("values = Identity(newValues)");
  if (context.hasOutput(1))
    b.Const1D("front", int64_t(0))
        .Add("keysPair = Unsqueeze(keys, front)")
        .Add("valuesPair = Unsqueeze(values, front)")
        .Add("present = Concat <axis = 0> (keysPair, valuesPair)");
  b.Add("rows_of_keys = Transpose <perm = [0, 2, 1, 3]> (keys)");
  AttentionNames names{"query", isGiven(operands.past) ? "pastLength" : "", isGiven(operands.mask) ? "mask_index" : "",
                       isGiven(operands.bias) ? "attention_bias" : "",
                       isGiven(operands.mask) ? rankOf(context, operands.mask) : 0};
  bool hasFilter =
      addFilter(b, names, numberOf(context, "mask_filter_value", -10000.0f), integerOf(context, "unidirectional"));
  addAttention(context, b, "result", "query", "keys", "values", hasFilter);
  joinHeads(b, "output", "result");
}

static void attention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Input, Weights, Bias, Mask, Past, AttentionBias };
  b.Add("projected = MatMul(input, weights)");
  b.Add(context.hasInput(Bias) ? "rows = Add(projected, bias)" : "rows = Identity(projected)");
  attentionOfRows(context, b, {Mask, Past, AttentionBias});
}

/// With a projection of integers.
static void quantizedAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Input, Weight, Bias, InputScale, WeightScale, Mask, InputZero, WeightZero, Past };
  string call = "sums = MatMulInteger(input, weight";
  if (context.hasInput(InputZero) || context.hasInput(WeightZero))
    call += context.hasInput(InputZero) ? ", input_zero_point" : ", ";
  if (context.hasInput(WeightZero))
    call += ", weight_zero_point";
  b.Add((call + ")").c_str())
      .Add("scales = Mul(input_scale, weight_scale)")
      .Add("floats = CastLike(sums, scales)")
      .Add("projected = Mul(floats, scales)")
      .Add("rows = Add(projected, bias)");
  attentionOfRows(context, b, {Mask, Past, -1});
}

/// Attention after its projections. Query, key and value come apart as rows, the latter two also by head, or packed
/// into one.
static void multiHeadAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Query, Key, Value, Bias, PaddingMask, AttentionBias, PastKey, PastValue, PastLength, Indirection };
  int64_t heads = integerOf(context, "num_heads");
  int queryRank = rankOf(context, Query), keyRank = context.hasInput(Key) ? rankOf(context, Key) : 0;
  require(heads > 0, "num_heads of at least 1");
  require(!context.hasInput(PastLength) && !context.hasInput(Indirection),
          "no past_sequence_length and no cache_indirection");
  require(context.hasInput(PastKey) == context.hasInput(PastValue), "past_key and past_value, or neither");
  require(!context.hasOutput(3), "no output qk");
  bool isPacked = queryRank == 5, isPackedPair = keyRank == 5;
  if (isPacked) // [batch, length, heads, 3, size]
    b.Const1D("packAxis", int64_t(3))
        .Add("q5, k5, v5 = Split <axis = 3, num_outputs = 3> (query)")
        .Add("q4 = Squeeze(q5, packAxis)")
        .Add("k4 = Squeeze(k5, packAxis)")
        .Add("v4 = Squeeze(v5, packAxis)");
  else
    require(queryRank == 3, "query of rank 3 or 5");
  auto rowsOf = [&](const string &rows, const string &heads4) {
    b.Const(rows + "_flat", std::vector<int64_t>{0, 0, -1})
        .Add((rows + " = Reshape(" + heads4 + ", " + rows + "_flat)").c_str());
  };
  bool comesByHead = !isPacked && keyRank == 4; // [batch, heads, length, size], with no bias and no past
  if (isPacked) {
    rowsOf("plainQuery", "q4");
    rowsOf("plainKey", "k4");
    rowsOf("plainValue", "v4");
  } else if (isPackedPair) { // [batch, length, heads, 2, size]
    b.Const1D("packAxis", int64_t(3))
        .Add("k5, v5 = Split <axis = 3, num_outputs = 2> (key)")
        .Add("k4 = Squeeze(k5, packAxis)")
        .Add("v4 = Squeeze(v5, packAxis)")
        .Add("plainQuery = Identity(query)");
    rowsOf("plainKey", "k4");
    rowsOf("plainValue", "v4");
  } else if (comesByHead) {
    b.Add("plainQuery = Identity(query)");
  } else {
    require(keyRank == 3 && context.hasInput(Value), "key and value of rank 3 or 4, or key of rank 5");
    b.Add("plainQuery = Identity(query)").Add("plainKey = Identity(key)").Add("plainValue = Identity(value)");
  }

  if (context.hasInput(Bias)) { // of query, key and value, one behind the other
    b.Add("querySize = Shape <start = 2, end = 3> (plainQuery)")
        .Const1D("all", std::numeric_limits<int64_t>::max())
        .Const1D("none", int64_t(0));
    b.Add("queryBias = Slice(bias, none, querySize)").Add("queryRows = Add(plainQuery, queryBias)");
    if (!comesByHead)
      b.Add("twiceSize = Add(querySize, querySize)")
          .Add("keyBias = Slice(bias, querySize, twiceSize)")
          .Add("valueBias = Slice(bias, twiceSize, all)")
          .Add("keyRows = Add(plainKey, keyBias)")
          .Add("valueRows = Add(plainValue, valueBias)");
  } else {
    b.Add("queryRows = Identity(plainQuery)");
    if (!comesByHead)
      b.Add("keyRows = Identity(plainKey)").Add("valueRows = Identity(plainValue)");
  }
  splitHeads(b, "queryHeads", "queryRows", heads);
  if (comesByHead) {
    b.Add("newKeys = Identity(key)").Add("newValues = Identity(value)");
  } else {
    splitHeads(b, "newKeys", "keyRows", heads);
    splitHeads(b, "newValues", "valueRows", heads);
  }
  if (context.hasInput(PastKey))
    b.Add("pastLength = Shape <start = 2, end = 3> (past_key)")
        .Add("present_key = Concat <axis = 2> (past_key, newKeys)")
        .Add("present_value = Concat <axis = 2> (past_value, newValues)");
  else
    b.Add("present_key = Identity(newKeys)").Add("present_value = Identity(newValues)");
  b.Add("rows_of_keys = Transpose <perm = [0, 2, 1, 3]> (present_key)");
  AttentionNames names{"queryHeads", context.hasInput(PastKey) ? "pastLength" : "",
                       context.hasInput(PaddingMask) ? "key_padding_mask" : "",
                       context.hasInput(AttentionBias) ? "attention_bias" : "",
                       context.hasInput(PaddingMask) ? rankOf(context, PaddingMask) : 0};
  bool hasFilter =
      addFilter(b, names, numberOf(context, "mask_filter_value", -10000.0f), integerOf(context, "unidirectional"));
  addAttention(context, b, "result", "queryHeads", "present_key", "present_value", hasFilter);
  joinHeads(b, "output", "result");
}

static void rotaryEmbedding(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int rank = rankOf(context, 0), positionRank = rankOf(context, 1);
  int64_t heads = integerOf(context, "num_heads"), rotated = integerOf(context, "rotary_embedding_dim");
  require(!integerOf(context, "is_packed_batching"), "is_packed_batching 0");
  require(numberOf(context, "scale", 1) == 1, "scale 1");
  require(rank == 3 || rank == 4, "input of rank 3 or 4");
  require(positionRank == 1 || positionRank == 2, "position_ids of rank 1 or 2");
  if (positionRank == 1) // the first position, the same for each sentence
    b.Add("batch = Shape <end = 1> (input)")
        .Add(rank == 3 ? "lengths = Shape <start = 1, end = 2> (input)"
                       : "lengths = Shape <start = 2, end = 3> (input)")
        .Const("zero", int64_t(0))
        .Const("one", int64_t(1))
        .Add("length = Squeeze(lengths)")
        .Add("numbers = Range(zero, length, one)")
        .Add("places = Add(numbers, position_ids)")
        .Add("extents = Concat <axis = 0> (batch, lengths)")
        .Add("positions = Expand(places, extents)");
  else
    b.Add("positions = Identity(position_ids)");
  string call = "RotaryEmbedding <interleaved = " + std::to_string(integerOf(context, "interleaved"));
  if (rotated)
    call += ", rotary_embedding_dim = " + std::to_string(rotated);
  if (rank == 4 || heads) {
    b.Add(("output = " + call + (rank == 3 ? ", num_heads = " + std::to_string(heads) : "") +
           "> (input, cos_cache, sin_cache, positions)")
              .c_str());
    return;
  }
  // The cache says how large a head is.
  b.Add("halfSize = Shape <start = 1> (cos_cache)")
      .Const1D("two", int64_t(2))
      .Add("size = Mul(halfSize, two)")
      .Const("front", std::vector<int64_t>{0, 0, -1})
      .Add("split = Concat <axis = 0> (front, size)")
      .Add("rows = Reshape(input, split)")
      .Add("byHead = Transpose <perm = [0, 2, 1, 3]> (rows)")
      .Add(("rotated = " + call + "> (byHead, cos_cache, sin_cache, positions)").c_str());
  joinHeads(b, "output", "rotated");
}

void addAttentions() {
  Operator("Attention", "input weights bias? mask_index:M? past? attention_bias? past_sequence_length:M?",
           "output present?", {{"T", someFloats}, {"M", {"int32"}}})
      .maskedAttention()
      .optional("do_rotary", AttributeProto::INT)
      .optional("past_present_share_buffer", AttributeProto::INT)
      .optional("qkv_hidden_sizes", AttributeProto::INTS)
      .optional("rotary_embedding_dim", AttributeProto::INT)
      .means(attention)
      .add();
  Operator("QAttention",
           "input:T1 weight:T2 bias input_scale weight_scale mask_index:M? input_zero_point:T1? weight_zero_point:T2? "
           "past?",
           "output present?", {{"T", {"float", "float16"}}, {"T1", bytes}, {"T2", bytes}, {"M", {"int32"}}})
      .maskedAttention()
      .optional("do_rotary", AttributeProto::INT)
      .optional("past_present_share_buffer", AttributeProto::INT)
      .means(quantizedAttention)
      .add();
  Operator("MultiHeadAttention",
           "query key? value? bias? key_padding_mask:M? attention_bias? past_key? past_value? past_sequence_length:M? "
           "cache_indirection:M?",
           "output present_key? present_value? qk?", {{"T", someFloats}, {"M", {"int32"}}})
      .maskedAttention()
      .means(multiHeadAttention)
      .add();
  Operator("RotaryEmbedding", "input position_ids:M cos_cache sin_cache", "output",
           {{"T", someFloats}, {"M", {"int64"}}})
      .optional("interleaved", AttributeProto::INT)
      .optional("is_packed_batching", AttributeProto::INT)
      .optional("num_heads", AttributeProto::INT)
      .optional("rotary_embedding_dim", AttributeProto::INT)
      .optional("scale", AttributeProto::FLOAT)
      .means(rotaryEmbedding)
      .add();
}

} // namespace mlc::onnx

#include "onnx/Microsoft.h"
#include <algorithm>
#include <limits>
#include <onnx/defs/function.h>
#include <onnx/defs/schema.h>
#include <sstream>

using ::onnx::AttributeProto;
using ::onnx::FunctionBodyBuildContext;
using ::onnx::FunctionBuilder;
using ::onnx::FunctionProto;
using ::onnx::OpSchema;
using std::string;

namespace mlc::onnx {

//===-- How schemas are said ----------------------------------------------------------===//

namespace {
using Body = std::function<bool(const FunctionBodyBuildContext &, FunctionBuilder &)>;
using Types = std::vector<std::pair<string, std::vector<string>>>;

/// The opset that bodies are written in.
constexpr int bodyOpset = 28;

const std::vector<string> someFloats = {"float", "float16", "bfloat16"},
                          allFloats = {"float", "float16", "bfloat16", "double"}, bytes = {"int8", "uint8"},
                          integers = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"};

/// One operator: `inputs` and `outputs` are names in order, each with `:T2` behind it if its type is not of variable T,
/// and `?` if it is optional or
/// `*` if there are any number of it.
class Operator {
public:
  Operator(const string &name, const string &inputs, const string &outputs, const Types &types)
      : schema(name, __FILE__, 0) {
    schema.SetDomain("com.microsoft").SinceVersion(1).SetNodeDeterminism(OpSchema::NodeDeterminism::Deterministic);
    ports(inputs, [&](int i, auto... port) { schema.Input(i, port...); });
    ports(outputs, [&](int i, auto... port) { schema.Output(i, port...); });
    for (const auto &[variable, elements] : types) {
      std::vector<string> spelled;
      for (const string &element : elements)
        spelled.push_back("tensor(" + element + ")");
      schema.TypeConstraint(variable, spelled, "");
    }
  }

  Operator &integer(const string &name, int64_t value) {
    return schema.Attr(name, "", AttributeProto::INT, value), *this;
  }
  Operator &number(const string &name, float value) {
    return schema.Attr(name, "", AttributeProto::FLOAT, value), *this;
  }
  Operator &text(const string &name, const string &value) {
    return schema.Attr(name, "", AttributeProto::STRING, value), *this;
  }
  Operator &optional(const string &name, AttributeProto::AttributeType kind) {
    return schema.Attr(name, "", kind, false), *this;
  }
  Operator &required(const string &name, AttributeProto::AttributeType kind) {
    return schema.Attr(name, "", kind, true), *this;
  }

  /// What it computes; a body returns false where it does not know the form.
  Operator &means(Body body) {
    schema.SetContextDependentFunctionBodyBuilder(
        [body](const FunctionBodyBuildContext &context, const OpSchema &schema, FunctionProto &function) {
          FunctionBuilder builder(function);
          builder.AddOpset("", bodyOpset);
          if (!body(context, builder))
            return false;
          schema.BuildFunction(function);
          nameVariadic(context, schema, function);
          return true;
        });
    return *this;
  }
  Operator &means(const char *text) {
    return means([text](const FunctionBodyBuildContext &, FunctionBuilder &b) {
      b.Add(text);
      return true;
    });
  }

  /// Each operand of a variadic input gets a name of its own: "inputs_0", "inputs_1", ...
  static void nameVariadic(const FunctionBodyBuildContext &context, const OpSchema &schema, FunctionProto &function) {
    if (schema.inputs().back().GetOption() != OpSchema::Variadic)
      return;
    int fixed = schema.inputs().size() - 1;
    string name = schema.inputs().back().GetName();
    function.mutable_input()->RemoveLast();
    for (int i = 0; context.hasInput(fixed + i); ++i)
      function.add_input(name + "_" + std::to_string(i));
  }

  void add() { ::onnx::RegisterSchema(std::move(schema)); }

private:
  template <typename Add> void ports(const string &text, Add add) {
    std::istringstream stream(text);
    string port;
    for (int i = 0; stream >> port; ++i) {
      OpSchema::FormalParameterOption option = port.back() == '?'   ? OpSchema::Optional
                                               : port.back() == '*' ? OpSchema::Variadic
                                                                    : OpSchema::Single;
      if (option != OpSchema::Single)
        port.pop_back();
      size_t colon = port.find(':');
      string name = port.substr(0, colon), type = colon == string::npos ? "T" : port.substr(colon + 1);
      add(i, name, string(), type, option);
    }
  }

  OpSchema schema;
};

int64_t integerOf(const FunctionBodyBuildContext &context, const char *name, int64_t otherwise = 0) {
  const AttributeProto *attribute = context.getAttribute(name);
  return attribute ? attribute->i() : otherwise;
}

float numberOf(const FunctionBodyBuildContext &context, const char *name, float otherwise) {
  const AttributeProto *attribute = context.getAttribute(name);
  return attribute ? attribute->f() : otherwise;
}

/// A u8 constant of one element, which libonnx has no function for.
void addByte(FunctionBuilder &b, const string &name, int value) {
  b.Add((name + " = Constant <value = uint8[1] {" + std::to_string(value) + "}> ()").c_str());
}

/// The rank of an operand, as far as it is known; otherwise -1.
int rankOf(const FunctionBodyBuildContext &context, int operand) {
  const ::onnx::TypeProto *type = context.getInputType(operand);
  return type && type->tensor_type().has_shape() ? type->tensor_type().shape().dim_size() : -1;
}

/// Adds a node with those of the operator's attributes that are given.
void addCall(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &call,
             const std::vector<string> &attributes) {
  b.Add(call.c_str());
  for (const string &name : attributes) {
    const AttributeProto *attribute = context.getAttribute(name);
    if (!attribute)
      continue;
    switch (attribute->type()) {
    case AttributeProto::INT:
      b.AddAttributeToNode(name, int64_t(attribute->i()));
      break;
    case AttributeProto::STRING:
      b.AddAttributeToNode(name, attribute->s());
      break;
    default:
      b.AddAttributeToNode(name, std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end()));
    }
  }
}
} // namespace

//===-- Activations -----------------------------------------------------------------===//

static bool biasGelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add(context.hasInput(1) ? "sum = Add(X, bias)" : "sum = Identity(X)");
  b.Add("Y = Gelu <approximate = \"tanh\"> (sum)");
  return true;
}

static bool quickGelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("Y = Swish(X)", "alpha", numberOf(context, "alpha", 1.702f));
  return true;
}

static void addActivations() {
  Types T = {{"T", allFloats}};
  Operator("BiasGelu", "A B", "C", T).means("sum = Add(A, B) C = Gelu(sum)").add();
  Operator("BiasSplitGelu", "X bias", "Y", T)
      .means("sum = Add(X, bias) left, right = Split <axis = -1, num_outputs = 2> (sum) gate = Gelu(right) Y = "
             "Mul(left, gate)")
      .add();
  Operator("FastGelu", "X bias?", "Y", T).means(biasGelu).add();
  Operator("Gelu", "X", "Y", T).means("Y = Gelu(X)").add();
  Operator("QuickGelu", "X", "Y", T).number("alpha", 1.702f).means(quickGelu).add();
}

/// Adds `to = activation(from)` for an attribute `activation` and its parameters; without it, an identity.
static bool addActivation(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &to,
                          const string &from, std::vector<float> parameters) {
  const AttributeProto *attribute = context.getAttribute("activation");
  string name = attribute ? attribute->s() : "";
  auto parameter = [&](size_t i, float otherwise) { return i < parameters.size() ? parameters[i] : otherwise; };
  auto call = [&](const string &call) { return to + " = " + call; };
  if (name.empty())
    b.Add(call("Identity(" + from + ")").c_str());
  else if (name == "Relu" || name == "Sigmoid" || name == "Tanh" || name == "Softsign" || name == "Softplus")
    b.Add(call(name + "(" + from + ")").c_str());
  else if (name == "LeakyRelu")
    b.Add(call("LeakyRelu(" + from + ")").c_str(), "alpha", parameter(0, 0.01f));
  else if (name == "HardSigmoid")
    b.Add(call("HardSigmoid(" + from + ")").c_str(), "alpha", parameter(0, 0.2f), "beta", parameter(1, 0.5f));
  else if (name == "Clip" && parameters.size() == 2)
    b.Const("lowest32", parameters[0])
        .Const("highest32", parameters[1])
        .Add(("lowest = CastLike(lowest32, " + from + ")").c_str())
        .Add(("highest = CastLike(highest32, " + from + ")").c_str())
        .Add(call("Clip(" + from + ", lowest, highest)").c_str());
  else
    return false;
  return true;
}

//===-- Normalizations -----------------------------------------------------------------===//

static void addSum(const FunctionBodyBuildContext &context, FunctionBuilder &b, int bias) {
  if (context.hasInput(bias))
    b.Add("skipped = Add(input, skip)").Add("input_skip_bias_sum = Add(skipped, bias)");
  else
    b.Add("input_skip_bias_sum = Add(input, skip)");
}

static bool skipLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 4);
  string call = "output, mean, inv_std_var = LayerNormalization <axis = -1> (input_skip_bias_sum, gamma";
  b.Add((call + (context.hasInput(3) ? ", beta)" : ")")).c_str(), "epsilon", numberOf(context, "epsilon", 1e-12f));
  return true;
}

static bool skipSimplifiedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addSum(context, b, 3);
  b.Add("output = RMSNormalization <axis = -1> (input_skip_bias_sum, gamma)", "epsilon",
        numberOf(context, "epsilon", 1e-12f));
  return true;
}

/// The sum of word, position and segment embeddings, normalized; beside it, how many tokens the mask leaves of each
/// sentence.
static bool embedLayerNormalization(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("words = Gather(word_embedding, input_ids)");
  if (context.hasInput(8))
    b.Add("positions = Gather(position_embedding, position_ids)");
  else
    b.Add("lengths = Shape <start = 1, end = 2> (input_ids)")
        .Add("length = Squeeze(lengths)")
        .Const("first", int64_t(0))
        .Const("step", int64_t(1))
        .Add("numbers = Range(first, length, step)")
        .Add("positions = Gather(position_embedding, numbers)");
  b.Add("placed = Add(words, positions)");
  if (context.hasInput(1) != context.hasInput(4))
    return false;
  if (context.hasInput(1))
    b.Add("segments = Gather(segment_embedding, segment_ids)").Add("embedding_sum = Add(placed, segments)");
  else
    b.Add("embedding_sum = Identity(placed)");
  b.Add("output = LayerNormalization <axis = -1> (embedding_sum, gamma, beta)", "epsilon",
        numberOf(context, "epsilon", 1e-12f));
  if (context.hasInput(7))
    b.Const("one", int32_t(1))
        .Const1D("lastAxis", int64_t(1))
        .Add("isKept = Equal(mask, one)")
        .Add("kept = CastLike(isKept, mask)")
        .Add("mask_index = ReduceSum <keepdims = 0> (kept, lastAxis)");
  else
    b.Add("batch = Shape <end = 1> (input_ids)").Add("mask_index = ConstantOfShape <value = int32[1] {0}> (batch)");
  return true;
}

static void addNormalizations() {
  Types T = {{"T", someFloats}, {"U", {"float"}}};
  Operator("EmbedLayerNormalization",
           "input_ids:T1 segment_ids:T1? word_embedding position_embedding segment_embedding? gamma beta mask:T1? "
           "position_ids:T1?",
           "output mask_index:T1? embedding_sum?", {{"T", someFloats}, {"T1", {"int32"}}})
      .number("epsilon", 1e-12f)
      .optional("mask_index_type", AttributeProto::INT)
      .means(embedLayerNormalization)
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

//===-- Attention ---------------------------------------------------------------------===//

/// Adds `heads` of extents [batch, heads, length, size] for `rows` of extents [batch, length, heads * size].
static void splitHeads(FunctionBuilder &b, const string &heads, const string &rows, int64_t count) {
  b.Const(heads + "_extents", std::vector<int64_t>{0, 0, count, -1})
      .Add((heads + "_rows = Reshape(" + rows + ", " + heads + "_extents)").c_str())
      .Add((heads + " = Transpose <perm = [0, 2, 1, 3]> (" + heads + "_rows)").c_str());
}

/// The reverse.
static void joinHeads(FunctionBuilder &b, const string &rows, const string &heads) {
  b.Const(rows + "_extents", std::vector<int64_t>{0, 0, -1})
      .Add((rows + "_heads = Transpose <perm = [0, 2, 1, 3]> (" + heads + ")").c_str())
      .Add((rows + " = Reshape(" + rows + "_heads, " + rows + "_extents)").c_str());
}

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
/// time, and of the bias. Values that are to be ignored are finite as in ONNX Runtime, so that a row that sees nothing
/// sees everything alike. False if the mask's form is not known.
static bool addFilter(FunctionBuilder &b, const AttentionNames &names, float hidden, bool isCausal, bool &isThere) {
  isThere = !names.mask.empty() || isCausal || !names.bias.empty();
  if (!isThere)
    return true;
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
      return false;
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

static bool attention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Input, Weights, Bias, Mask, Past, AttentionBias };
  int64_t heads = integerOf(context, "num_heads");
  if (integerOf(context, "do_rotary") || integerOf(context, "past_present_share_buffer") || heads <= 0)
    return false;
  b.Add("projected = MatMul(input, weights)");
  b.Add(context.hasInput(Bias) ? "rows = Add(projected, bias)" : "rows = Identity(projected)");
  if (const AttributeProto *sizes = context.getAttribute("qkv_hidden_sizes"); sizes && sizes->ints_size() == 3)
    b.Const("sizes", std::vector<int64_t>(sizes->ints().begin(), sizes->ints().end()))
        .Add("queryRows, keyRows, valueRows = Split <axis = -1> (rows, sizes)");
  else
    b.Add("queryRows, keyRows, valueRows = Split <axis = -1, num_outputs = 3> (rows)");
  splitHeads(b, "query", "queryRows", heads);
  splitHeads(b, "newKeys", "keyRows", heads);
  splitHeads(b, "newValues", "valueRows", heads);
  if (context.hasInput(Past))
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
  AttentionNames names{"query", context.hasInput(Past) ? "pastLength" : "", context.hasInput(Mask) ? "mask_index" : "",
                       context.hasInput(AttentionBias) ? "attention_bias" : "",
                       context.hasInput(Mask) ? rankOf(context, Mask) : 0};
  bool hasFilter;
  if (!addFilter(b, names, numberOf(context, "mask_filter_value", -10000.0f), integerOf(context, "unidirectional"),
                 hasFilter))
    return false;
  addAttention(context, b, "result", "query", "keys", "values", hasFilter);
  joinHeads(b, "output", "result");
  return true;
}

/// Attention after its projections. Query, key and value come apart as rows, the latter two also by head, or packed
/// into one.
static bool multiHeadAttention(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { Query, Key, Value, Bias, PaddingMask, AttentionBias, PastKey, PastValue, PastLength, Indirection };
  int64_t heads = integerOf(context, "num_heads");
  int queryRank = rankOf(context, Query), keyRank = context.hasInput(Key) ? rankOf(context, Key) : 0;
  if (heads <= 0 || context.hasInput(PastLength) || context.hasInput(Indirection) ||
      context.hasInput(PastKey) != context.hasInput(PastValue) || context.hasOutput(3))
    return false;
  bool isPacked = queryRank == 5, isPackedPair = keyRank == 5;
  if (isPacked) // [batch, length, heads, 3, size]
    b.Const1D("packAxis", int64_t(3))
        .Add("q5, k5, v5 = Split <axis = 3, num_outputs = 3> (query)")
        .Add("q4 = Squeeze(q5, packAxis)")
        .Add("k4 = Squeeze(k5, packAxis)")
        .Add("v4 = Squeeze(v5, packAxis)");
  else if (queryRank != 3)
    return false;
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
  } else if (keyRank == 3 && context.hasInput(Value)) {
    b.Add("plainQuery = Identity(query)").Add("plainKey = Identity(key)").Add("plainValue = Identity(value)");
  } else {
    return false;
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
  bool hasFilter;
  if (!addFilter(b, names, numberOf(context, "mask_filter_value", -10000.0f), integerOf(context, "unidirectional"),
                 hasFilter))
    return false;
  addAttention(context, b, "result", "queryHeads", "present_key", "present_value", hasFilter);
  joinHeads(b, "output", "result");
  return true;
}

static bool rotaryEmbedding(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int rank = rankOf(context, 0), positionRank = rankOf(context, 1);
  int64_t heads = integerOf(context, "num_heads"), rotated = integerOf(context, "rotary_embedding_dim");
  if (integerOf(context, "is_packed_batching") || numberOf(context, "scale", 1) != 1 || (rank != 3 && rank != 4) ||
      positionRank < 1 || positionRank > 2)
    return false;
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
    return true;
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
  return true;
}

static void addAttentions() {
  Operator("Attention", "input weights bias? mask_index:M? past? attention_bias? past_sequence_length:M?",
           "output present?", {{"T", someFloats}, {"M", {"int32"}}})
      .optional("do_rotary", AttributeProto::INT)
      .optional("mask_filter_value", AttributeProto::FLOAT)
      .required("num_heads", AttributeProto::INT)
      .optional("past_present_share_buffer", AttributeProto::INT)
      .optional("qkv_hidden_sizes", AttributeProto::INTS)
      .optional("rotary_embedding_dim", AttributeProto::INT)
      .optional("scale", AttributeProto::FLOAT)
      .integer("unidirectional", 0)
      .means(attention)
      .add();
  Operator("MultiHeadAttention",
           "query key? value? bias? key_padding_mask:M? attention_bias? past_key? past_value? past_sequence_length:M? "
           "cache_indirection:M?",
           "output present_key? present_value? qk?", {{"T", someFloats}, {"M", {"int32"}}})
      .optional("mask_filter_value", AttributeProto::FLOAT)
      .required("num_heads", AttributeProto::INT)
      .optional("scale", AttributeProto::FLOAT)
      .integer("unidirectional", 0)
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

//===-- Contractions ------------------------------------------------------------------===//

/// Adds `to`, `from` with its last two axes exchanged, and, where `batch` is set, its first axis moved behind the other
/// leading ones before that.
static bool addTransposed(const FunctionBodyBuildContext &context, FunctionBuilder &b, int operand, const string &to,
                          const string &from, bool last, bool batch) {
  if (!last && !batch) {
    b.Add((to + " = Identity(" + from + ")").c_str());
    return true;
  }
  int rank = rankOf(context, operand);
  if (rank < 1)
    return false;
  std::vector<int64_t> order;
  for (int i = 0; i < rank; ++i)
    order.push_back(i);
  if (batch && rank > 2) // [m, batch..., k] is read as [batch..., m, k]
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (last && rank > 1)
    std::swap(order[rank - 2], order[rank - 1]);
  b.Add((to + " = Transpose(" + from + ")").c_str(), "perm", order);
  return true;
}

static bool fusedMatMul(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (!addTransposed(context, b, 0, "left", "A", integerOf(context, "transA"), integerOf(context, "transBatchA")) ||
      !addTransposed(context, b, 1, "right", "B", integerOf(context, "transB"), integerOf(context, "transBatchB")))
    return false;
  float alpha = numberOf(context, "alpha", 1);
  if (alpha == 1)
    b.Add("product = MatMul(left, right)");
  else
    b.Const("alpha32", alpha)
        .Add("plain = MatMul(left, right)")
        .Add("alpha = CastLike(alpha32, plain)")
        .Add("product = Mul(plain, alpha)");
  if (!context.getAttribute("activation")) {
    b.Add("Y = Identity(product)");
    return true;
  }
  return addActivation(context, b, "Y", "product",
                       {numberOf(context, "activation_alpha", 0), numberOf(context, "activation_beta", 0)});
}

static bool fusedGemm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add(context.hasInput(2) ? "sum = Gemm(A, B, C)" : "sum = Gemm(A, B)", "transA", integerOf(context, "transA"),
        "transB", integerOf(context, "transB"), "alpha", numberOf(context, "alpha", 1), "beta",
        numberOf(context, "beta", 1));
  return addActivation(context, b, "Y", "sum",
                       {numberOf(context, "activation_alpha", 0), numberOf(context, "activation_beta", 0)});
}

static bool fusedConv(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addCall(context, b, context.hasInput(2) ? "product = Conv(X, W, B)" : "product = Conv(X, W)",
          {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"});
  b.Add(context.hasInput(3) ? "sum = Add(product, Z)" : "sum = Identity(product)");
  std::vector<float> parameters;
  if (const AttributeProto *list = context.getAttribute("activation_params"))
    parameters.assign(list->floats().begin(), list->floats().end());
  return addActivation(context, b, "Y", "sum", parameters);
}

static void addContractions() {
  Operator("FusedMatMul", "A B", "Y", {{"T", allFloats}})
      .number("alpha", 1)
      .integer("transA", 0)
      .integer("transB", 0)
      .integer("transBatchA", 0)
      .integer("transBatchB", 0)
      .means(fusedMatMul)
      .add();
  Operator("TransposeMatMul", "A B", "Y", {{"T", allFloats}})
      .number("alpha", 1)
      .integer("transA", 0)
      .integer("transB", 0)
      .means(fusedMatMul)
      .add();
  Operator("FusedMatMulActivation", "A B", "Y", {{"T", allFloats}})
      .required("activation", AttributeProto::STRING)
      .optional("activation_alpha", AttributeProto::FLOAT)
      .optional("activation_axis", AttributeProto::INT)
      .optional("activation_beta", AttributeProto::FLOAT)
      .optional("activation_gamma", AttributeProto::FLOAT)
      .number("alpha", 1)
      .integer("transA", 0)
      .integer("transB", 0)
      .integer("transBatchA", 0)
      .integer("transBatchB", 0)
      .means(fusedMatMul)
      .add();
  Operator("FusedGemm", "A B C?", "Y", {{"T", {"float16", "float", "double", "uint32", "uint64", "int32", "int64"}}})
      .optional("activation", AttributeProto::STRING)
      .optional("activation_alpha", AttributeProto::FLOAT)
      .optional("activation_beta", AttributeProto::FLOAT)
      .optional("activation_gamma", AttributeProto::FLOAT)
      .number("alpha", 1)
      .number("beta", 1)
      .integer("transA", 0)
      .integer("transB", 0)
      .means(fusedGemm)
      .add();
  Operator("FusedConv", "X W B? Z?", "Y", {{"T", {"float16", "float", "double"}}})
      .optional("activation", AttributeProto::STRING)
      .optional("activation_params", AttributeProto::FLOATS)
      .text("auto_pad", "NOTSET")
      .optional("dilations", AttributeProto::INTS)
      .integer("group", 1)
      .optional("kernel_shape", AttributeProto::INTS)
      .optional("pads", AttributeProto::INTS)
      .optional("strides", AttributeProto::INTS)
      .means(fusedConv)
      .add();
}

//===-- Quantized operators ---------------------------------------------------------------===//

namespace {
/// A quantized operand and the numbers of its scale and zero point.
struct Quantized {
  string data, scale, zeroPoint;
  int operand, zeroPointOperand;
};
} // namespace

static void dequantize(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &to,
                       const Quantized &from) {
  string call = to + " = DequantizeLinear(" + from.data + ", " + from.scale;
  b.Add((call + (context.hasInput(from.zeroPointOperand) ? ", " + from.zeroPoint + ")" : ")")).c_str());
}

/// Without a zero point, the result has the type of operand `like`.
static void quantize(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Quantized &to,
                     const string &from, int like) {
  string call = to.data + " = QuantizeLinear(" + from + ", " + to.scale;
  if (context.hasInput(to.zeroPointOperand)) {
    b.Add((call + ", " + to.zeroPoint + ")").c_str());
    return;
  }
  const ::onnx::TypeProto *type = context.getInputType(like);
  b.Add((call + ")").c_str(), "output_dtype", int64_t(type ? type->tensor_type().elem_type() : 0));
}

/// The operator in floats, between a dequantization and a quantization: the quantize phase makes integer arithmetic of
/// that.
static Body throughFloats(std::vector<Quantized> from, Quantized to,
                          std::function<bool(const FunctionBodyBuildContext &, FunctionBuilder &)> compute) {
  return [=](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
    for (size_t i = 0; i < from.size(); ++i)
      dequantize(context, b, "x" + std::to_string(i), from[i]);
    if (!compute(context, b))
      return false;
    quantize(context, b, to, "y", from.front().operand);
    return true;
  };
}
static Body throughFloats(std::vector<Quantized> from, Quantized to, const char *compute) {
  return throughFloats(from, to, [compute](const FunctionBodyBuildContext &, FunctionBuilder &b) {
    b.Add(compute);
    return true;
  });
}

static bool averagePool(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (integerOf(context, "channels_last"))
    return false;
  addCall(context, b, "y = AveragePool(x0)",
          {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"});
  return true;
}

static bool globalAveragePool(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("y = GlobalAveragePool(x0)");
  return !integerOf(context, "channels_last");
}

static bool softmax(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t axis = integerOf(context, "axis", -1);
  if (integerOf(context, "opset") >= 13)
    b.Add("y = Softmax(x0)", "axis", axis);
  else // the axes from there on are one
    b.Add("rows = Flatten(x0)", "axis", axis)
        .Add("normal = Softmax <axis = -1> (rows)")
        .Add("extents = Shape(x0)")
        .Add("y = Reshape(normal, extents)");
  return true;
}

static bool leakyRelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("y = LeakyRelu(x0)", "alpha", numberOf(context, "alpha", 0.01f));
  return true;
}

static bool reduceMean(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  const AttributeProto *axes = context.getAttribute("axes");
  if (!axes)
    return false;
  b.Const("axes", std::vector<int64_t>(axes->ints().begin(), axes->ints().end()))
      .Add("y = ReduceMean(x0, axes)", "keepdims", integerOf(context, "keepdims", 1));
  return true;
}

/// Operands come in threes: data, scale and zero point.
static bool quantizedConcat(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  string parts;
  for (int i = 2; context.hasInput(i); i += 3) {
    auto operand = [&](int at) { return "inputs_" + std::to_string(at - 2); };
    string part = "part" + std::to_string(i);
    const ::onnx::TypeProto *type = context.getInputType(i);
    if (type && type->tensor_type().elem_type() == ::onnx::TensorProto::FLOAT)
      b.Add((part + " = Identity(" + operand(i) + ")").c_str());
    else
      dequantize(context, b, part, {operand(i), operand(i + 1), operand(i + 2), i, i + 2});
    parts += (parts.empty() ? "" : ", ") + part;
  }
  b.Add(("whole = Concat(" + parts + ")").c_str(), "axis", integerOf(context, "axis"));
  b.Add("Y = QuantizeLinear(whole, Y_scale, Y_zero_point)");
  return !parts.empty();
}

static bool quantizedGemm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t transB = integerOf(context, "transB");
  float alpha = numberOf(context, "alpha", 1);
  b.Add("a = DequantizeLinear(A, a_scale, a_zero_point)")
      .Add("b = DequantizeLinear(B, b_scale, b_zero_point)", "axis", int64_t(transB ? 0 : 1));
  b.Add("product = Gemm(a, b)", "transA", integerOf(context, "transA"), "transB", transB, "alpha", alpha);
  if (context.hasInput(6)) // in units of the product
    b.Const("alpha", alpha)
        .Add("bias = Cast <to = 1> (C)")
        .Add("scales = Mul(a_scale, b_scale)")
        .Add("unit = Mul(scales, alpha)")
        .Add("scaled = Mul(bias, unit)")
        .Add("sum = Add(product, scaled)");
  else
    b.Add("sum = Identity(product)");
  if (context.hasInput(7))
    quantize(context, b, {"Y", "y_scale", "y_zero_point", 0, 8}, "sum", 0);
  else
    b.Add("Y = Identity(sum)");
  return true;
}

/// Adds Y = (A - its zero) * (B - its zero) * scales + bias; the zero points are operands, or "".
static void integerProduct(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &a,
                           const string &aZero, const string &bZero, const string &aScale, int bias) {
  b.Add(("sums = MatMulInteger(" + a + ", B, " + aZero + (bZero.empty() ? ")" : ", " + bZero + ")")).c_str());
  b.Add(("scales = Mul(" + aScale + ", b_scale)").c_str())
      .Add("floats = CastLike(sums, scales)")
      .Add("product = Mul(floats, scales)");
  b.Add(context.hasInput(bias) ? "Y = Add(product, bias)" : "Y = Identity(product)");
}

static bool matMulIntegerToFloat(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  integerProduct(context, b, "A", context.hasInput(4) ? "a_zero_point" : "", context.hasInput(5) ? "b_zero_point" : "",
                 "a_scale", 6);
  return true;
}

static bool dynamicQuantizeMatMul(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("a, aScale, aZero = DynamicQuantizeLinear(A)");
  integerProduct(context, b, "a", "aZero", context.hasInput(3) ? "b_zero_point" : "", "aScale", 4);
  return true;
}

/// Adds `to`, u8 elements of one number each, of `from`, where `perByte` numbers lie in a byte, the first in the lowest
/// bits.
static void unpack(FunctionBuilder &b, const string &to, const string &from, int64_t bits) {
  int64_t perByte = 8 / bits;
  string parts;
  addByte(b, to + "_mask", (1 << bits) - 1);
  b.Const1D(to + "_axis", int64_t(-1));
  for (int64_t i = 0; i < perByte; ++i) {
    string part = to + std::to_string(i);
    addByte(b, part + "_shift", i * bits);
    b.Add((part + "_low = BitShift <direction = \"RIGHT\"> (" + from + ", " + part + "_shift)").c_str())
        .Add((part + "_bits = BitwiseAnd(" + part + "_low, " + to + "_mask)").c_str())
        .Add((part + " = Unsqueeze(" + part + "_bits, " + to + "_axis)").c_str());
    parts += (parts.empty() ? "" : ", ") + part;
  }
  b.Add((to + " = Concat <axis = -1> (" + parts + ")").c_str());
}

/// Weights of 2, 4 or 8 bits in blocks along K, each with a scale and a zero point.
static bool matMulNBits(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t bits = integerOf(context, "bits", 4), n = integerOf(context, "N"), k = integerOf(context, "K"),
          block = integerOf(context, "block_size");
  if ((bits != 2 && bits != 4 && bits != 8) || n <= 0 || k <= 0 || block <= 0 || context.hasInput(4) ||
      integerOf(context, "weight_prepacked"))
    return false;
  int64_t blocks = (k + block - 1) / block;
  b.Const("blockExtents", std::vector<int64_t>{n, blocks, block})
      .Const("scaleExtents", std::vector<int64_t>{n, blocks, 1});
  unpack(b, "numbers", "B", bits);
  b.Add("blocks = Reshape(numbers, blockExtents)")
      .Add("weights = CastLike(blocks, scales)")
      .Add("blockScales = Reshape(scales, scaleExtents)");
  const ::onnx::TypeProto *zeroType = context.getInputType(3);
  if (!context.hasInput(3)) {
    addByte(b, "zero8", 1 << (bits - 1));
    b.Add("zeros = CastLike(zero8, scales)");
  } else if (zeroType && zeroType->tensor_type().elem_type() == ::onnx::TensorProto::UINT8) {
    unpack(b, "zeroNumbers", "zero_points", bits);
    b.Const("zeroRows", std::vector<int64_t>{n, -1})
        .Const1D("none", int64_t(0))
        .Const1D("columns", int64_t(1))
        .Const1D("count", blocks)
        .Add("zeroPadded = Reshape(zeroNumbers, zeroRows)")
        .Add("zeroCut = Slice(zeroPadded, none, count, columns)")
        .Add("zeroBlocks = Reshape(zeroCut, scaleExtents)")
        .Add("zeros = CastLike(zeroBlocks, scales)");
  } else {
    b.Add("zeros = Reshape(zero_points, scaleExtents)");
  }
  b.Const("rowExtents", std::vector<int64_t>{n, blocks * block})
      .Const1D("first", int64_t(0))
      .Const1D("depth", k)
      .Const1D("alongK", int64_t(1))
      .Add("centered = Sub(weights, zeros)")
      .Add("scaled = Mul(centered, blockScales)")
      .Add("padded = Reshape(scaled, rowExtents)")
      .Add("rows = Slice(padded, first, depth, alongK)")
      .Add("matrix = Transpose <perm = [1, 0]> (rows)")
      .Add("product = MatMul(A, matrix)")
      .Add(context.hasInput(5) ? "Y = Add(product, bias)" : "Y = Identity(product)");
  return true;
}

static void addQuantized() {
  Types T = {{"T", bytes}};
  Quantized A{"A", "A_scale", "A_zero_point", 0, 2}, B{"B", "B_scale", "B_zero_point", 3, 5},
      C{"C", "C_scale", "C_zero_point", -1, 7};
  string pair =
      "A A_scale:tensor(float) A_zero_point? B B_scale:tensor(float) B_zero_point? C_scale:tensor(float) C_zero_point?";
  Operator("QLinearAdd", pair, "C", T).means(throughFloats({A, B}, C, "y = Add(x0, x1)")).add();
  Operator("QLinearMul", pair, "C", T).means(throughFloats({A, B}, C, "y = Mul(x0, x1)")).add();

  Quantized X{"X", "X_scale", "X_zero_point", 0, 2}, Y{"Y", "Y_scale", "Y_zero_point", -1, 4};
  string one = "X X_scale:tensor(float) X_zero_point? Y_scale:tensor(float) Y_zero_point?";
  Operator("QLinearSigmoid", one, "Y", T).means(throughFloats({X}, Y, "y = Sigmoid(x0)")).add();
  Operator("QLinearLeakyRelu", one, "Y", T).number("alpha", 0.01f).means(throughFloats({X}, Y, leakyRelu)).add();
  Operator("QLinearSoftmax", one, "Y", T)
      .integer("axis", -1)
      .required("opset", AttributeProto::INT)
      .means(throughFloats({X}, Y, softmax))
      .add();
  Operator("QLinearAveragePool", one, "Y", T)
      .text("auto_pad", "NOTSET")
      .integer("ceil_mode", 0)
      .integer("channels_last", 0)
      .integer("count_include_pad", 0)
      .required("kernel_shape", AttributeProto::INTS)
      .optional("pads", AttributeProto::INTS)
      .optional("strides", AttributeProto::INTS)
      .means(throughFloats({X}, Y, averagePool))
      .add();
  Operator("QLinearGlobalAveragePool", one, "Y", T)
      .integer("channels_last", 0)
      .means(throughFloats({X}, Y, globalAveragePool))
      .add();
  Operator("QLinearReduceMean", one, "Y", T)
      .required("axes", AttributeProto::INTS)
      .required("keepdims", AttributeProto::INT)
      .means(throughFloats({X}, Y, reduceMean))
      .add();

  Quantized whereX{"X", "x_scale", "x_zero_point", 1, 3}, whereY{"Y", "y_scale", "y_zero_point", 4, 6},
      whereZ{"Z", "z_scale", "z_zero_point", -1, 8};
  Operator("QLinearWhere", "condition:B X x_scale:TF x_zero_point Y y_scale:TF y_zero_point z_scale:TF z_zero_point",
           "Z", {{"B", {"bool"}}, {"TF", {"float"}}, {"T", bytes}})
      .means(throughFloats({whereX, whereY}, whereZ, "y = Where(condition, x0, x1)"))
      .add();
  Operator("QLinearConcat", "Y_scale:TF Y_zero_point:T8 inputs:TV*", "Y:T8",
           {{"T8", bytes}, {"TF", {"float"}}, {"TV", {"uint8", "int8", "float"}}})
      .required("axis", AttributeProto::INT)
      .means(quantizedConcat)
      .add();
  Operator("QGemm", "A:TA a_scale a_zero_point:TA B:TB b_scale b_zero_point:TB C:TC? y_scale? y_zero_point:TYZ?",
           "Y:TY",
           {{"T", {"float"}},
            {"TA", bytes},
            {"TB", bytes},
            {"TC", {"int32"}},
            {"TYZ", bytes},
            {"TY", {"float", "uint8", "int8"}}})
      .number("alpha", 1)
      .integer("transA", 0)
      .integer("transB", 0)
      .means(quantizedGemm)
      .add();
  Operator("MatMulIntegerToFloat", "A:T1 B:T2 a_scale:T3 b_scale:T3 a_zero_point:T1? b_zero_point:T2? bias:T3?", "Y:T3",
           {{"T1", bytes}, {"T2", bytes}, {"T3", {"float", "float16"}}})
      .means(matMulIntegerToFloat)
      .add();
  Operator("DynamicQuantizeMatMul", "A:T1 B:T2 b_scale:T1 b_zero_point:T2? bias:T1?", "Y:T1",
           {{"T1", {"float"}}, {"T2", bytes}})
      .means(dynamicQuantizeMatMul)
      .add();
  Operator(
      "MatMulNBits", "A:T1 B:T2 scales:T1 zero_points:T3? g_idx:T4? bias:T1?", "Y:T1",
      {{"T1", someFloats}, {"T2", {"uint8"}}, {"T3", {"uint8", "float16", "float", "bfloat16"}}, {"T4", {"int32"}}})
      .required("K", AttributeProto::INT)
      .required("N", AttributeProto::INT)
      .integer("accuracy_level", 0)
      .integer("bits", 4)
      .required("block_size", AttributeProto::INT)
      .integer("weight_prepacked", 0)
      .means(matMulNBits)
      .add();
}

//===-- Operators that ONNX took over, with other types ----------------------------------------===//

/// The operator of ai.onnx, with the same attributes.
static Body sameAs(string call, std::vector<string> attributes) {
  return [=](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
    addCall(context, b, call, attributes);
    return true;
  };
}

static bool range(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (context.hasInput(2))
    b.Add("Y = Range(start, limit, delta)");
  else
    b.Const("one", int64_t(1)).Add("step = CastLike(one, start)").Add("Y = Range(start, limit, step)");
  return true;
}

static bool distances(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  const AttributeProto *metric = context.getAttribute("metric");
  string name = metric ? metric->s() : "sqeuclidean";
  if (name != "sqeuclidean" && name != "euclidean")
    return false;
  b.Const1D("middle", int64_t(1))
      .Const1D("front", int64_t(0))
      .Const1D("last", int64_t(-1))
      .Add("left = Unsqueeze(A, middle)")
      .Add("right = Unsqueeze(B, front)")
      .Add("difference = Sub(left, right)")
      .Add("squares = ReduceSumSquare <keepdims = 0> (difference, last)");
  b.Add(name == "euclidean" ? "C = Sqrt(squares)" : "C = Identity(squares)");
  return true;
}

static void addTakenOver() {
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
        return sameAs(call, {"axis"})(context, b);
      })
      .add();
  Operator("QuantizeLinear", "x:T1 y_scale:T1 y_zero_point:T2?", "y:T2",
           {{"T1", {"float16", "float"}}, {"T2", quantized}})
      .optional("axis", AttributeProto::INT)
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        string call =
            context.hasInput(2) ? "y = QuantizeLinear(x, y_scale, y_zero_point)" : "y = QuantizeLinear(x, y_scale)";
        return sameAs(call, {"axis"})(context, b);
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
        return sameAs(context.hasInput(2) ? "output = Pad(data, pads, value)" : "output = Pad(data, pads)",
                      {"mode"})(context, b);
      })
      .add();
  Operator("Range", "start limit delta?", "Y", {{"T", {"float", "double", "int16", "int32", "int64"}}})
      .means(range)
      .add();
  std::vector<string> triangular = any;
  triangular.push_back("bool");
  Operator("Trilu", "X k:tensor(int64)?", "Y", {{"T", triangular}})
      .integer("upper", 1)
      .means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
        return sameAs(context.hasInput(1) ? "Y = Trilu(X, k)" : "Y = Trilu(X)", {"upper"})(context, b);
      })
      .add();
}

//===-- Registration ---------------------------------------------------------------------===//

void registerMicrosoftSchemas() {
  ::onnx::OpSchemaRegistry::DomainToVersionRange::Instance().AddDomainToVersion("com.microsoft", 1, 1);
  addActivations();
  addAttentions();
  addContractions();
  addNormalizations();
  addQuantized();
  addTakenOver();
}

} // namespace mlc::onnx

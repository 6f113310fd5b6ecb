// Mixtures of experts: each row of the input goes through the few of many feed-forward networks that a router has chosen
// for it, and the results are added, weighted by what the router thinks of them.
//
//   Y = MoE(X, router, ...)   =>   probabilities = Softmax(router), the best k of each row, and for each expert
//                                  If any row has chosen it: Y[rows] += weight * network(X[rows])
//
// An expert that nobody has chosen costs nothing, and the weights of the quantized ones are numbers only while they are
// used.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"
#include <limits>

namespace mlc::onnx {

namespace {
/// Where the operands of one of an expert's layers are; -1 where the operator has none.
struct Layer {
  string name; ///< "fc1"
  int weights, bias, scales, zeroPoints;
};

struct Mixture {
  Layer first, second, third;
  int routerWeights;
  bool isQuantized;
};
} // namespace

static const Mixture plain = {{"fc1", 2, 3, -1, -1}, {"fc2", 4, 5, -1, -1}, {"fc3", 6, 7, -1, -1}, -1, false};
static const Mixture quantized = {{"fc1", 2, 4, 3, 11}, {"fc2", 5, 7, 6, 12}, {"fc3", 8, 10, 9, 13}, 14, true};

static bool isGiven(const FunctionBodyBuildContext &context, int operand) {
  return operand >= 0 && context.hasInput(operand);
}

/// The graph of the nodes that `add` adds.
static ::onnx::GraphProto graphOf(const string &name, const std::vector<string> &inputs,
                                  const std::vector<string> &outputs, std::function<void(FunctionBuilder &)> add) {
  FunctionProto nodes;
  FunctionBuilder builder(nodes);
  add(builder);
  ::onnx::GraphProto graph;
  graph.set_name(name);
  for (const string &input : inputs)
    graph.add_input()->set_name(input);
  for (const string &output : outputs)
    graph.add_output()->set_name(output);
  graph.mutable_node()->Swap(nodes.mutable_node());
  return graph;
}

static int64_t bitsOf(const FunctionBodyBuildContext &context, const Layer &layer) {
  return integerOf(context, (layer.name + "_expert_weight_bits").c_str(), integerOf(context, "expert_weight_bits", 4));
}

/// Adds the matrix of a layer of `expert`, [out, in], whose numbers of a few bits lie in bytes: one scale and zero point
/// for each block of a row, or for each row.
static void addQuantizedMatrix(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Layer &layer) {
  const string &name = layer.name;
  int64_t bits = bitsOf(context, layer);
  bool hasBlocks = integerOf(context, "block_size") > 0;
  b.Add((name + "_bytes = Gather(" + name + "_experts_weights, expert)").c_str())
      .Add((name + "_stored_scales = Gather(" + name + "_scales, expert)").c_str())
      .Const1D(name + "_last", int64_t(-1));
  // [out, blocks]
  if (hasBlocks)
    b.Add((name + "_scale_rows = Identity(" + name + "_stored_scales)").c_str());
  else
    b.Add((name + "_scale_rows = Unsqueeze(" + name + "_stored_scales, " + name + "_last)").c_str());
  b.Add((name + "_blocks = Shape(" + name + "_scale_rows)").c_str())
      .Add((name + "_block_extents = Concat <axis = 0> (" + name + "_blocks, " + name + "_last)").c_str());
  unpack(b, name + "_numbers", name + "_bytes", bits);
  b.Add((name + "_by_block = Reshape(" + name + "_numbers, " + name + "_block_extents)").c_str())
      .Add((name + "_values = CastLike(" + name + "_by_block, " + name + "_scale_rows)").c_str())
      .Add((name + "_scale_columns = Unsqueeze(" + name + "_scale_rows, " + name + "_last)").c_str());
  if (isGiven(context, layer.zeroPoints)) {
    // Each row of blocks, or all rows together, begin with a byte of their own.
    b.Add((name + "_zero_bytes = Gather(" + name + "_zero_points, expert)").c_str());
    unpack(b, name + "_zero_numbers", name + "_zero_bytes", bits);
    if (hasBlocks)
      b.Const(name + "_zero_extents", std::vector<int64_t>{0, -1});
    else
      b.Const1D(name + "_zero_extents", int64_t(-1));
    b.Add((name + "_zeros_padded = Reshape(" + name + "_zero_numbers, " + name + "_zero_extents)").c_str())
        .Add((name + "_zero_count = Shape <start = -1> (" + name + "_stored_scales)").c_str())
        .Const1D(name + "_zero_begin", int64_t(0))
        .Add((name + "_zeros_cut = Slice(" + name + "_zeros_padded, " + name + "_zero_begin, " + name +
              "_zero_count, " + name + "_last)")
                 .c_str())
        .Add((name + "_zero_rows = Reshape(" + name + "_zeros_cut, " + name + "_blocks)").c_str())
        .Add((name + "_zero_columns = Unsqueeze(" + name + "_zero_rows, " + name + "_last)").c_str());
  } else {
    addByte(b, name + "_zero_columns", 1 << (bits - 1));
  }
  b.Add((name + "_zeros = CastLike(" + name + "_zero_columns, " + name + "_scale_rows)").c_str())
      .Add((name + "_centered = Sub(" + name + "_values, " + name + "_zeros)").c_str())
      .Add((name + "_scaled = Mul(" + name + "_centered, " + name + "_scale_columns)").c_str())
      .Const(name + "_matrix_extents", std::vector<int64_t>{0, -1})
      .Add((name + "_flat = Reshape(" + name + "_scaled, " + name + "_matrix_extents)").c_str())
      .Add((name + "_matrix = CastLike(" + name + "_flat, input)").c_str());
}

/// Adds `to`, what a layer of `expert` makes of `rows`.
static void addLayer(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Mixture &mixture,
                     const Layer &layer, const string &to, const string &rows) {
  const string &name = layer.name;
  if (mixture.isQuantized)
    addQuantizedMatrix(context, b, layer);
  else
    b.Add((name + "_matrix = Gather(" + name + "_experts_weights, expert)").c_str());
  b.Add((name + "_columns = Transpose <perm = [1, 0]> (" + name + "_matrix)").c_str());
  bool hasBias = isGiven(context, layer.bias);
  b.Add(((hasBias ? name + "_product" : to) + " = MatMul(" + rows + ", " + name + "_columns)").c_str());
  if (hasBias)
    b.Add((name + "_bias = Gather(" + name + "_experts_bias, expert)").c_str())
        .Add((to + " = Add(" + name + "_product, " + name + "_bias)").c_str());
}

namespace {
/// What stands between an expert's layers.
struct Activation {
  bool isKnown, isGated;
};
} // namespace

static Activation activationOf(const FunctionBodyBuildContext &context, const Mixture &mixture) {
  string type = textOf(context, "activation_type", "relu");
  if (type == "swiglu" || type == "geglu") {
    int64_t fusion = integerOf(context, "swiglu_fusion");
    bool hasThird = isGiven(context, mixture.third.weights);
    return {fusion >= 0 && fusion <= 2 && (fusion == 0) == hasThird && (fusion != 0 || type == "swiglu"), true};
  }
  return {type == "relu" || type == "relu2" || type == "gelu" || type == "silu" || type == "identity", false};
}

/// Adds `to = activation(from)`, as ONNX Runtime computes them: its Gelu is the approximation by tanh.
static void addUngated(FunctionBuilder &b, const string &type, const string &to, const string &from) {
  if (type == "relu")
    b.Add((to + " = Relu(" + from + ")").c_str());
  else if (type == "relu2")
    b.Add((to + "_positive = Relu(" + from + ")").c_str())
        .Add((to + " = Mul(" + to + "_positive, " + to + "_positive)").c_str());
  else if (type == "gelu")
    b.Add((to + " = Gelu <approximate = \"tanh\"> (" + from + ")").c_str());
  else if (type == "silu")
    b.Add((to + " = Swish(" + from + ")").c_str());
  else
    b.Add((to + " = Identity(" + from + ")").c_str());
}

/// Adds `activated` of `gate` and `linear`, of which the limit may cut off what is far from 0.
static void addGated(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (textOf(context, "activation_type", "") == "geglu") {
    b.Add("opened = Gelu <approximate = \"tanh\"> (gate)").Add("activated = Mul(opened, linear)");
    return;
  }
  const AttributeProto *limit = context.getAttribute("swiglu_limit");
  bool isLimitedAfter = limit && integerOf(context, "swiglu_limit_after_activation");
  string gate = "gate", linear = "linear", opened = "opened";
  if (limit) {
    b.Const("highest32", limit->f())
        .Const("lowest32", -limit->f())
        .Add("highest = CastLike(highest32, input)")
        .Add("lowest = CastLike(lowest32, input)")
        .Add("linear_limited = Clip(linear, lowest, highest)");
    linear = "linear_limited";
    if (!isLimitedAfter) {
      b.Add("gate_limited = Min(gate, highest)");
      gate = "gate_limited";
    }
  }
  b.Add(("opened = Swish(" + gate + ")").c_str(), "alpha", numberOf(context, "activation_alpha", 1));
  if (isLimitedAfter) {
    b.Add("opened_limited = Min(opened, highest)");
    opened = "opened_limited";
  }
  b.Const("beta32", numberOf(context, "activation_beta", 0))
      .Add("beta = CastLike(beta32, input)")
      .Add(("shifted = Add(" + linear + ", beta)").c_str())
      .Add(("activated = Mul(" + opened + ", shifted)").c_str());
}

/// Adds `result`, what `expert` makes of `rows`.
static void addExpert(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Mixture &mixture) {
  string type = textOf(context, "activation_type", "relu");
  bool isGated = activationOf(context, mixture).isGated, hasThird = isGiven(context, mixture.third.weights);
  addLayer(context, b, mixture, mixture.first, "hidden", "rows");
  if (hasThird)
    addLayer(context, b, mixture, mixture.third, "other", "rows");
  if (!isGated) {
    addUngated(b, type, hasThird ? "bent" : "activated", "hidden");
    if (hasThird)
      b.Add("activated = Mul(bent, other)");
  } else if (hasThird) {
    b.Add("gate = Identity(hidden)").Add("linear = Identity(other)");
    addGated(context, b);
  } else if (integerOf(context, "swiglu_fusion") == 2) {
    b.Add("gate, linear = Split <axis = -1, num_outputs = 2> (hidden)");
    addGated(context, b);
  } else { // the two in turn
    b.Const1D("even", int64_t(0))
        .Const1D("odd", int64_t(1))
        .Const1D("step", int64_t(2))
        .Const1D("features", int64_t(-1))
        .Const1D("end", std::numeric_limits<int64_t>::max())
        .Add("gate = Slice(hidden, even, end, features, step)")
        .Add("linear = Slice(hidden, odd, end, features, step)");
    addGated(context, b);
  }
  addLayer(context, b, mixture, mixture.second, "result", "activated");
}

/// Adds `experts` and `shares`, [rows, k]: whom each row has chosen, and what their results count.
static void addRouting(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Mixture &mixture) {
  b.Const1D("k", integerOf(context, "k", 1)).Const1D("lastAxis", int64_t(-1));
  string shares = "best";
  if (isGiven(context, mixture.routerWeights)) {
    b.Add("bestScores, experts = TopK(router_probs, k)")
        .Add("given = GatherElements <axis = -1> (router_weights, experts)");
    shares = "given";
  } else {
    b.Add("probabilities = Softmax <axis = -1> (router_probs)").Add("best, experts = TopK(probabilities, k)");
  }
  if (integerOf(context, "normalize_routing_weights"))
    b.Add(("sumOfShares = ReduceSum(" + shares + ", lastAxis)").c_str())
        .Add(("shares = Div(" + shares + ", sumOfShares)").c_str());
  else
    b.Add(("shares = Identity(" + shares + ")").c_str());
}

static void mixtureOfExperts(const FunctionBodyBuildContext &context, FunctionBuilder &b, const Mixture &mixture) {
  // A sparse mixer chooses otherwise, by a threshold.
  require(!integerOf(context, "use_sparse_mixer"), "use_sparse_mixer 0");
  require(activationOf(context, mixture).isKnown,
          "activation_type relu, gelu, silu, identity, or swiglu with its parts in one matrix");
  addRouting(context, b, mixture);
  b.Add("width = Shape <start = -1> (input)")
      .Add("flatExtents = Concat <axis = 0> (lastAxis, width)")
      .Add("flat = Reshape(input, flatExtents)")
      .Add("nothing = Sub(flat, flat)")
      .Add("counts = Shape <end = 1> (fc1_experts_weights)")
      .Add("count = Squeeze(counts)");

  auto chosen = graphOf("chosen", {}, {"next"}, [&](FunctionBuilder &b) {
    b.Const("first", int64_t(0))
        .Const1D("behind", int64_t(1))
        .Add("numbers = Gather(places, first)")
        .Add("rows = Gather(flat, numbers)");
    addExpert(context, b, mixture);
    b.Add("positions = Transpose <perm = [1, 0]> (places)")
        .Add("share = GatherND(shares, positions)")
        .Add("shareColumn = Unsqueeze(share, behind)")
        .Add("weighted = Mul(result, shareColumn)")
        .Add("numberColumn = Unsqueeze(numbers, behind)")
        .Add("next = ScatterND <reduction = \"add\"> (sum, numberColumn, weighted)");
  });
  auto unchosen = graphOf("unchosen", {}, {"same"}, [&](FunctionBuilder &b) { b.Add("same = Identity(sum)"); });
  auto each = graphOf("each", {"expert", "more", "sum"}, {"goOn", "sumOut"}, [&](FunctionBuilder &b) {
    b.Add("goOn = Identity(more)")
        .Add("isChosen = Equal(experts, expert)")
        .Add("places = NonZero(isChosen)")
        .Add("size = Size(places)")
        .Const("none", int64_t(0))
        .Add("isUsed = Greater(size, none)")
        .Add("sumOut = If(isUsed)", "then_branch", chosen, "else_branch", unchosen);
  });
  // The types that a graph's inputs have.
  const ::onnx::TypeProto *element = context.getInputType(0);
  auto typed = [&](int input, int32_t type) {
    each.mutable_input(input)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
  };
  typed(0, ::onnx::TensorProto::INT64);
  typed(1, ::onnx::TensorProto::BOOL);
  typed(2, element ? element->tensor_type().elem_type() : int32_t(::onnx::TensorProto::FLOAT));
  b.Add("total = Loop(count, , nothing)", "body", each)
      .Add("extents = Shape(input)")
      .Add("output = Reshape(total, extents)");
}

static void mixtureOfQuantizedExperts(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  require(textOf(context, "quant_type", "int") == "int", "quant_type int");
  for (const Layer &layer : {quantized.first, quantized.second, quantized.third}) {
    int64_t bits = bitsOf(context, layer);
    require(!isGiven(context, layer.weights) || bits == 2 || bits == 4 || bits == 8, "weights of 2, 4 or 8 bits");
    require(!isGiven(context, layer.weights) || isGiven(context, layer.scales), layer.name + "_scales");
  }
  // Beyond the weights of the router, operands are scales of floating-point weights and of activations.
  constexpr int operands = 21;
  for (int i = quantized.routerWeights + 1; i < operands; ++i)
    require(!context.hasInput(i), "no global scales, and no scales of activations");
  mixtureOfExperts(context, b, quantized);
}

static void addActivationAttributes(Operator &op) {
  op.number("activation_alpha", 1)
      .number("activation_beta", 0)
      .text("activation_type", "relu")
      .integer("k", 1)
      .integer("normalize_routing_weights", 0)
      .integer("swiglu_fusion", 0)
      .optional("swiglu_limit", AttributeProto::FLOAT)
      .integer("swiglu_limit_after_activation", 0)
      .integer("use_sparse_mixer", 0);
}

void addMixturesOfExperts() {
  Operator moe("MoE",
               "input router_probs fc1_experts_weights fc1_experts_bias? fc2_experts_weights fc2_experts_bias? "
               "fc3_experts_weights? fc3_experts_bias?",
               "output", {{"T", someFloats}});
  addActivationAttributes(moe);
  moe.means([](const FunctionBodyBuildContext &context, FunctionBuilder &b) { mixtureOfExperts(context, b, plain); });
  moe.add();

  Operator qmoe("QMoE",
                "input router_probs fc1_experts_weights:T1 fc1_scales:T2? fc1_experts_bias? fc2_experts_weights:T1 "
                "fc2_scales:T2? fc2_experts_bias? fc3_experts_weights:T1? fc3_scales:T2? fc3_experts_bias? "
                "fc1_zero_points:T1? fc2_zero_points:T1? fc3_zero_points:T1? router_weights? fc1_global_scale:T4? "
                "fc2_global_scale:T4? fc1_act_scale:T4? fc2_act_scale:T4? fc1_act_block_scale:T2? "
                "fc2_act_block_scale:T2?",
                "output",
                {{"T", someFloats},
                 {"T1", {"uint8", "float8e4m3fn"}},
                 {"T2", {"float", "float16", "bfloat16", "float8e8m0", "float8e4m3fn"}},
                 {"T4", {"float"}}});
  addActivationAttributes(qmoe);
  qmoe.integer("accuracy_level", 0)
      .optional("block_size", AttributeProto::INT)
      .integer("expert_weight_bits", 4)
      .optional("fc1_expert_weight_bits", AttributeProto::INT)
      .optional("fc2_expert_weight_bits", AttributeProto::INT)
      .optional("fc3_expert_weight_bits", AttributeProto::INT)
      .text("quant_type", "int")
      .integer("weights_prepacked", -1)
      .means(mixtureOfQuantizedExperts);
  qmoe.add();
}

} // namespace mlc::onnx

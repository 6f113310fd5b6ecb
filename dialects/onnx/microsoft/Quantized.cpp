// Operators on quantized numbers, through floats; products with weights of a few bits.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

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
static Body throughFloats(std::vector<Quantized> from, Quantized to, Body compute) {
  return [=](const FunctionBodyBuildContext &context, FunctionBuilder &b) {
    for (size_t i = 0; i < from.size(); ++i)
      dequantize(context, b, "x" + std::to_string(i), from[i]);
    compute(context, b);
    quantize(context, b, to, "y", from.front().operand);
  };
}
static Body throughFloats(std::vector<Quantized> from, Quantized to, const char *compute) {
  return throughFloats(from, to, [compute](const FunctionBodyBuildContext &, FunctionBuilder &b) { b.Add(compute); });
}

/// The rank of what a pooling with `kernel_shape` takes; 0 if there is none.
static int rankOfPooled(const FunctionBodyBuildContext &context) {
  const AttributeProto *kernel = context.getAttribute("kernel_shape");
  return kernel ? kernel->ints_size() + 2 : 0;
}

static void averagePool(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  std::vector<string> attributes = {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"};
  if (!integerOf(context, "channels_last"))
    addCall(context, b, "y = AveragePool(x0)", attributes);
  else
    withChannelsFirst(b, rankOfPooled(context), "y", "x0", [&](const string &call) {
      addCall(context, b, call + "AveragePool(x0_channelsFirst)", attributes);
    });
}

static void globalAveragePool(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  if (!integerOf(context, "channels_last")) {
    b.Add("y = GlobalAveragePool(x0)");
    return;
  }
  int rank = rankOf(context, 0);
  require(rank >= 3, "X of a rank that is known, at least 3");
  withChannelsFirst(b, rank, "y", "x0",
                    [&](const string &call) { b.Add((call + "GlobalAveragePool(x0_channelsFirst)").c_str()); });
}

static void maxPoolChannelsLast(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int rank = rankOfPooled(context);
  require(rank >= 3, "kernel_shape of at least one extent");
  withChannelsFirst(b, rank, "y", "x", [&](const string &call) {
    addCall(context, b, call + "MaxPool(x_channelsFirst)",
            {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides"});
  });
}

static void softmax(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t axis = integerOf(context, "axis", -1);
  if (integerOf(context, "opset") >= 13)
    b.Add("y = Softmax(x0)", "axis", axis);
  else // the axes from there on are one
    b.Add("rows = Flatten(x0)", "axis", axis)
        .Add("normal = Softmax <axis = -1> (rows)")
        .Add("extents = Shape(x0)")
        .Add("y = Reshape(normal, extents)");
}

static void leakyRelu(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("y = LeakyRelu(x0)", "alpha", numberOf(context, "alpha", 0.01f));
}

static void reduceMean(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  const AttributeProto *axes = context.getAttribute("axes");
  require(axes, "axes");
  b.Const("axes", std::vector<int64_t>(axes->ints().begin(), axes->ints().end()))
      .Add("y = ReduceMean(x0, axes)", "keepdims", integerOf(context, "keepdims", 1));
}

/// Operands come in threes: data, scale and zero point.
static void quantizedConcat(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
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
  require(!parts.empty(), "inputs in threes: data, scale, zero point");
  b.Add(("whole = Concat(" + parts + ")").c_str(), "axis", integerOf(context, "axis"));
  b.Add("Y = QuantizeLinear(whole, Y_scale, Y_zero_point)");
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

static void matMulIntegerToFloat(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  integerProduct(context, b, "A", context.hasInput(4) ? "a_zero_point" : "", context.hasInput(5) ? "b_zero_point" : "",
                 "a_scale", 6);
}

static void dynamicQuantizeMatMul(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add("a, aScale, aZero = DynamicQuantizeLinear(A)");
  integerProduct(context, b, "a", "aZero", context.hasInput(3) ? "b_zero_point" : "", "aScale", 4);
}

/// Weights of 2, 4 or 8 bits in blocks along K, each with a scale and a zero point.
static void matMulNBits(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t bits = integerOf(context, "bits", 4), n = integerOf(context, "N"), k = integerOf(context, "K"),
          block = integerOf(context, "block_size");
  require(bits == 2 || bits == 4 || bits == 8, "bits 2, 4 or 8");
  require(n > 0 && k > 0 && block > 0, "N, K and block_size of at least 1");
  require(!context.hasInput(4), "no g_idx");
  require(!integerOf(context, "weight_prepacked"), "weight_prepacked 0");
  int64_t blocks = (k + block - 1) / block;
  const ::onnx::TypeProto *zeroType = context.getInputType(3);
  bool isByte = zeroType && zeroType->tensor_type().elem_type() == ::onnx::TensorProto::UINT8;
  unpack(b, "numbers", "B", bits);
  b.Const("rowExtents", std::vector<int64_t>{n, blocks * block}).Const("scaleExtents", std::vector<int64_t>{n, blocks});
  if (!context.hasInput(3)) {
    addByte(b, "zero", 1 << (bits - 1));
    b.Add("zeros = Expand(zero, scaleExtents)");
  } else if (isByte) {
    unpack(b, "zeroNumbers", "zero_points", bits);
    b.Const("zeroRows", std::vector<int64_t>{n, -1})
        .Const1D("none", int64_t(0))
        .Const1D("columns", int64_t(1))
        .Const1D("count", blocks)
        .Add("zeroPadded = Reshape(zeroNumbers, zeroRows)")
        .Add("zeroCut = Slice(zeroPadded, none, count, columns)")
        .Add("zeros = Reshape(zeroCut, scaleExtents)");
  }
  bool hasFloatZeros = context.hasInput(3) && !isByte;
  if (hasFloatZeros)
    b.Const("blockExtents", std::vector<int64_t>{n, blocks, block})
        .Const("zeroExtents", std::vector<int64_t>{n, blocks, 1})
        .Add("blocks = Reshape(numbers, blockExtents)")
        .Add("weights = CastLike(blocks, scales)")
        .Add("blockScales = Reshape(scales, zeroExtents)")
        .Add("blockZeros = Reshape(zero_points, zeroExtents)")
        .Add("centered = Sub(weights, blockZeros)")
        .Add("scaled = Mul(centered, blockScales)")
        .Add("padded = Reshape(scaled, rowExtents)");
  else
    b.Add("quantized = Reshape(numbers, rowExtents)")
        .Add("rowScales = Reshape(scales, scaleExtents)")
        .Add("padded = DequantizeLinear(quantized, rowScales, zeros)", "axis", int64_t(1), "block_size", block);
  bool isPadded = blocks * block != k;
  if (isPadded)
    b.Const1D("first", int64_t(0))
        .Const1D("depth", k)
        .Const1D("alongK", int64_t(1))
        .Add("rows = Slice(padded, first, depth, alongK)");
  b.Add(isPadded ? "matrix = Transpose <perm = [1, 0]> (rows)" : "matrix = Transpose <perm = [1, 0]> (padded)")
      .Add("product = MatMul(A, matrix)")
      .Add(context.hasInput(5) ? "Y = Add(product, bias)" : "Y = Identity(product)");
}

/// Weights that are each one of 16 numbers of "FP4" or "NF4" (Dettmers et al., QLoRA, 2023, appendix E), times the largest
/// magnitude of their block; two in a byte, the first in the upper bits. Blocks run through all rows.
static void matMulBnb4(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  static const std::vector<float> fp4 = {
      0,    0.005208333333f,  0.66666667f,  1,  0.33333333f,  0.5f,  0.16666667f,  0.25f,
      -0.f, -0.005208333333f, -0.66666667f, -1, -0.33333333f, -0.5f, -0.16666667f, -0.25f};
  static const std::vector<float> nf4 = {-1,
                                         -0.6961928009986877f,
                                         -0.5250730514526367f,
                                         -0.39491748809814453f,
                                         -0.28444138169288635f,
                                         -0.18477343022823334f,
                                         -0.09105003625154495f,
                                         0,
                                         0.07958029955625534f,
                                         0.16093020141124725f,
                                         0.24611230194568634f,
                                         0.33791524171829224f,
                                         0.44070982933044434f,
                                         0.5626170039176941f,
                                         0.7229568362236023f,
                                         1};
  int64_t kind = integerOf(context, "quant_type"), n = integerOf(context, "N"), k = integerOf(context, "K"),
          block = integerOf(context, "block_size");
  require(kind == 0 || kind == 1, "quant_type 0 or 1");
  require(n > 0 && k > 0 && block > 0, "N, K and block_size of at least 1");
  int64_t blocks = (n * k + block - 1) / block;
  addByte(b, "four", 4);
  addByte(b, "low", 15);
  b.Const1D("behind", int64_t(-1))
      .Const1D("start", int64_t(0))
      .Const1D("count", n * k)
      .Const("table", kind ? nf4 : fp4)
      .Const("byBlock", std::vector<int64_t>{blocks, 1})
      .Const("wholeBlocks", std::vector<int64_t>{blocks, block})
      .Const("rows", std::vector<int64_t>{n, k})
      .Add("firsts = BitShift <direction = \"RIGHT\"> (B, four)")
      .Add("seconds = BitwiseAnd(B, low)")
      .Add("firstColumn = Unsqueeze(firsts, behind)")
      .Add("secondColumn = Unsqueeze(seconds, behind)")
      .Add("pairs = Concat <axis = -1> (firstColumn, secondColumn)")
      .Add("flat = Reshape(pairs, behind)")
      .Add("bytes = Slice(flat, start, count)")
      .Add("numbers = Cast <to = 6> (bytes)")
      .Add("values32 = Gather(table, numbers)")
      .Add("values = CastLike(values32, A)")
      .Add("blockScales = Reshape(absmax, byBlock)")
      .Add("wideScales = Expand(blockScales, wholeBlocks)")
      .Add("flatScales = Reshape(wideScales, behind)")
      .Add("scales = Slice(flatScales, start, count)")
      .Add("scaled = Mul(values, scales)")
      .Add("matrix = Reshape(scaled, rows)")
      .Add(integerOf(context, "transB", 1) ? "right = Transpose <perm = [1, 0]> (matrix)" : "right = Identity(matrix)")
      .Add("Y = MatMul(A, right)");
}

/// QLinearConv of ai.onnx, where the channels of what goes in and out may lie last.
static void quantizedConv(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  bool isLast = integerOf(context, "channels_last");
  std::vector<string> attributes = {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"};
  auto convolve = [&](const string &result, const string &data) {
    addCall(context, b,
            result + "QLinearConv(" + data +
                ", x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point" +
                (context.hasInput(8) ? ", B)" : ")"),
            attributes);
  };
  int rank = rankOf(context, 0);
  require(!isLast || rank >= 3, "x of a rank that is known, at least 3");
  if (isLast)
    withChannelsFirst(b, rank, "y", "x", [&](const string &call) { convolve(call, "x_channelsFirst"); });
  else
    convolve("y = ", "x");
}

/// Rows of a table in which blocks along the last axis have a scale and a zero point each.
static void gatherBlockQuantized(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  int64_t bits = integerOf(context, "bits", 4), block = integerOf(context, "block_size", 128),
          axis = integerOf(context, "quantize_axis", 1);
  const ::onnx::TypeProto *type = context.getInputType(0);
  int rank = rankOf(context, 0);
  require(integerOf(context, "gather_axis") == 0, "gather_axis 0");
  require(type && rank >= 2, "data of a rank that is known, at least 2");
  require(axis == rank - 1 || axis == -1, "quantize_axis that is the last one");
  require(block >= 16, "block_size of at least 16");
  bool isPacked = type->tensor_type().elem_type() == ::onnx::TensorProto::UINT8;
  require(!isPacked || bits == 4 || bits == 8, "bits 4 or 8");
  // ai.onnx gathers no elements of 4 bits.
  bool isSigned = type->tensor_type().elem_type() == ::onnx::TensorProto::INT4;
  auto gather = [&](const string &to, const string &from) {
    if (isPacked)
      b.Add((to + " = Gather(" + from + ", indices)").c_str());
    else
      b.Add((to + "_table = Cast(" + from + ")").c_str(), "to",
            int64_t(isSigned ? ::onnx::TensorProto::INT8 : ::onnx::TensorProto::UINT8))
          .Add((to + " = Gather(" + to + "_table, indices)").c_str());
  };
  gather("rows", "data");
  b.Add("rowScales = Gather(scales, indices)");
  auto numbers = [&](const string &to, const string &from, const string &like) {
    if (!isPacked || bits == 8) {
      b.Add((to + " = Identity(" + from + ")").c_str());
      return;
    }
    // Two numbers in each byte of the last axis, which may be one too many.
    unpack(b, from + "_numbers", from, bits);
    b.Add((from + "_outer = Shape <end = -1> (" + from + ")").c_str());
    b.Const1D(from + "_rest", int64_t(-1))
        .Add((from + "_extents = Concat <axis = 0> (" + from + "_outer, " + from + "_rest)").c_str())
        .Add(((like.empty() ? to : to + "_all") + " = Reshape(" + from + "_numbers, " + from + "_extents)").c_str());
    if (!like.empty())
      b.Add((to + "_count = Shape <start = -1> (" + like + ")").c_str())
          .Const1D(to + "_begin", int64_t(0))
          .Const1D(to + "_axis", int64_t(-1))
          .Add((to + " = Slice(" + to + "_all, " + to + "_begin, " + to + "_count, " + to + "_axis)").c_str());
  };
  numbers("values", "rows", "");
  if (context.hasInput(3)) {
    gather("rowZeros", "zero_points");
    numbers("zeros", "rowZeros", "rowScales");
  } else if (isPacked) {
    addByte(b, "middle", 1 << (bits - 1));
    b.Add("scaleExtents = Shape(rowScales)").Add("zeros = Expand(middle, scaleExtents)");
  }
  bool hasZeros = context.hasInput(3) || isPacked;
  b.Add(hasZeros ? "output = DequantizeLinear(values, rowScales, zeros)"
                 : "output = DequantizeLinear(values, rowScales)",
        "axis", int64_t(-1), "block_size", block);
}

void addQuantized() {
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
  Operator("NhwcMaxPool", "x", "y", T)
      .text("auto_pad", "NOTSET")
      .integer("ceil_mode", 0)
      .optional("dilations", AttributeProto::INTS)
      .required("kernel_shape", AttributeProto::INTS)
      .optional("pads", AttributeProto::INTS)
      .optional("strides", AttributeProto::INTS)
      .means(maxPoolChannelsLast)
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
      .add(); // a rule says what it means
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
  Operator("MatMulBnb4", "A B:T2 absmax", "Y", {{"T", someFloats}, {"T2", {"uint8"}}})
      .required("K", AttributeProto::INT)
      .required("N", AttributeProto::INT)
      .required("block_size", AttributeProto::INT)
      .required("quant_type", AttributeProto::INT)
      .integer("training_mode", 0)
      .integer("transB", 1)
      .means(matMulBnb4)
      .add();
  Operator("QLinearConv",
           "x:T1 x_scale:TF x_zero_point:T1 w:T2 w_scale:TF w_zero_point:T2 y_scale:TF y_zero_point:T3 B:T4?", "y:T3",
           {{"T1", bytes}, {"T2", bytes}, {"T3", bytes}, {"T4", {"int32"}}, {"TF", {"float"}}})
      .convolution()
      .optional("pads", AttributeProto::INTS)
      .integer("channels_last", 0)
      .means(quantizedConv)
      .add();
  Operator("GatherBlockQuantized", "data:T1 indices:I scales:T2 zero_points:T1?", "output:T2",
           {{"T1", {"int4", "uint4", "uint8"}}, {"T2", someFloats}, {"I", {"int32", "int64"}}})
      .integer("bits", 4)
      .integer("block_size", 128)
      .integer("gather_axis", 0)
      .integer("quantize_axis", 1)
      .means(gatherBlockQuantized)
      .add();
}

} // namespace mlc::onnx

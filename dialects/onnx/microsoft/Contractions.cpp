// Matrix products and convolutions with transpositions before and activations behind them.
#include "onnx/microsoft/Families.h"
#include "onnx/microsoft/Operator.h"
#include <algorithm>

namespace mlc::onnx {

/// Adds `to`, `from` with its last two axes exchanged, and, where `batch` is set, its first axis moved behind the other
/// leading ones before that.
static void addTransposed(const FunctionBodyBuildContext &context, FunctionBuilder &b, int operand, const string &to,
                          const string &from, bool last, bool batch) {
  if (!last && !batch) {
    b.Add((to + " = Identity(" + from + ")").c_str());
    return;
  }
  int rank = rankOf(context, operand);
  require(rank >= 1, from + " of a rank that is known, and not 0");
  std::vector<int64_t> order;
  for (int i = 0; i < rank; ++i)
    order.push_back(i);
  if (batch && rank > 2) // [m, batch..., k] is read as [batch..., m, k]
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (last && rank > 1)
    std::swap(order[rank - 2], order[rank - 1]);
  b.Add((to + " = Transpose(" + from + ")").c_str(), "perm", order);
}

static void fusedMatMul(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addTransposed(context, b, 0, "left", "A", integerOf(context, "transA"), integerOf(context, "transBatchA"));
  addTransposed(context, b, 1, "right", "B", integerOf(context, "transB"), integerOf(context, "transBatchB"));
  float alpha = numberOf(context, "alpha", 1);
  if (alpha == 1)
    b.Add("product = MatMul(left, right)");
  else
    b.Const("alpha32", alpha)
        .Add("plain = MatMul(left, right)")
        .Add("alpha = CastLike(alpha32, plain)")
        .Add("product = Mul(plain, alpha)");
  addActivation(context, b, "Y", "product",
                {numberOf(context, "activation_alpha", 0), numberOf(context, "activation_beta", 0)});
}

static void fusedGemm(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  b.Add(context.hasInput(2) ? "sum = Gemm(A, B, C)" : "sum = Gemm(A, B)", "transA", integerOf(context, "transA"),
        "transB", integerOf(context, "transB"), "alpha", numberOf(context, "alpha", 1), "beta",
        numberOf(context, "beta", 1));
  addActivation(context, b, "Y", "sum",
                {numberOf(context, "activation_alpha", 0), numberOf(context, "activation_beta", 0)});
}

static void fusedConv(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  addCall(context, b, context.hasInput(2) ? "product = Conv(X, W, B)" : "product = Conv(X, W)",
          {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"});
  b.Add(context.hasInput(3) ? "sum = Add(product, Z)" : "sum = Identity(product)");
  std::vector<float> parameters;
  if (const AttributeProto *list = context.getAttribute("activation_params"))
    parameters.assign(list->floats().begin(), list->floats().end());
  addActivation(context, b, "Y", "sum", parameters);
}

/// Integers of 16 bits; sums wrap around in 32.
static void matMulInteger16(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  auto isSigned = [&](int operand) {
    const ::onnx::TypeProto *type = context.getInputType(operand);
    return type && type->tensor_type().elem_type() == ::onnx::TensorProto::INT16;
  };
  int64_t type = isSigned(0) || isSigned(1) ? ::onnx::TensorProto::INT32 : ::onnx::TensorProto::UINT32;
  b.Add("left = Cast(A)", "to", type).Add("right = Cast(B)", "to", type).Add("Y = MatMul(left, right)");
}

/// Without padding, and then as much less at either end of each axis as the run says.
static void convTransposeWithDynamicPads(const FunctionBodyBuildContext &context, FunctionBuilder &b) {
  enum { X, W, Pads, B };
  const AttributeProto *automatic = context.getAttribute("auto_pad");
  bool hasPads = context.hasInput(Pads), isAutomatic = automatic && automatic->s().rfind("SAME", 0) == 0;
  int rank = std::max(rankOf(context, X), rankOf(context, W));
  require(!hasPads || !isAutomatic, "auto_pad NOTSET or VALID beside Pads");
  require(!hasPads || rank >= 3, "X or W of a rank that is known, at least 3");
  std::vector<string> attributes = {"dilations", "group", "kernel_shape", "output_padding", "strides"};
  if (!hasPads)
    attributes.push_back("auto_pad");
  string call = string(hasPads ? "whole" : "Y") + " = ConvTranspose(X, W" + (context.hasInput(B) ? ", B)" : ")");
  addCall(context, b, call, attributes);
  if (hasPads) {
    std::vector<int64_t> spatial;
    for (int64_t axis = 2; axis < rank; ++axis)
      spatial.push_back(axis);
    b.Const("spatial", spatial)
        .Const1D("amounts", int64_t(2 * spatial.size()))
        .Add("pads = Reshape(Pads, amounts)")
        .Add("cuts = Neg(pads)")
        .Add("Y = Pad(whole, cuts, , spatial)");
  }
}

void addContractions() {
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
  std::vector<string> shorts = {"int16", "uint16"};
  Operator("MatMulInteger16", "A:T1 B:T2", "Y:T3", {{"T1", shorts}, {"T2", shorts}, {"T3", {"int32", "uint32"}}})
      .means(matMulInteger16)
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
      .convolution()
      .optional("pads", AttributeProto::INTS)
      .means(fusedConv)
      .add();
  Operator("ConvTransposeWithDynamicPads", "X W Pads:tensor(int64)? B?", "Y", {{"T", {"float16", "float", "double"}}})
      .convolution()
      .optional("output_padding", AttributeProto::INTS)
      .means(convTransposeWithDynamicPads)
      .add();
}

} // namespace mlc::onnx

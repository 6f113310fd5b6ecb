#include "onnx/microsoft/Operator.h"
#include "onnx/Microsoft.h"

namespace mlc::onnx {

void require(bool holds, const string &expectation) {
  if (!holds)
    throw UnknownForm("expects " + expectation);
}

int64_t integerOf(const FunctionBodyBuildContext &context, const char *name, int64_t otherwise) {
  const AttributeProto *attribute = context.getAttribute(name);
  return attribute ? attribute->i() : otherwise;
}

string textOf(const FunctionBodyBuildContext &context, const char *name, const string &otherwise) {
  const AttributeProto *attribute = context.getAttribute(name);
  return attribute ? attribute->s() : otherwise;
}

float numberOf(const FunctionBodyBuildContext &context, const char *name, float otherwise) {
  const AttributeProto *attribute = context.getAttribute(name);
  return attribute ? attribute->f() : otherwise;
}

void addByte(FunctionBuilder &b, const string &name, int value) {
  b.Add((name + " = Constant <value = uint8[1] {" + std::to_string(value) + "}> ()").c_str());
}

int rankOf(const FunctionBodyBuildContext &context, int operand) {
  const ::onnx::TypeProto *type = context.getInputType(operand);
  return type && type->tensor_type().has_shape() ? type->tensor_type().shape().dim_size() : -1;
}

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
    case AttributeProto::FLOAT:
      b.AddAttributeToNode(name, attribute->f());
      break;
    case AttributeProto::STRING:
      b.AddAttributeToNode(name, attribute->s());
      break;
    case AttributeProto::FLOATS:
      b.AddAttributeToNode(name, std::vector<float>(attribute->floats().begin(), attribute->floats().end()));
      break;
    case AttributeProto::STRINGS:
      b.AddAttributeToNode(name, std::vector<string>(attribute->strings().begin(), attribute->strings().end()));
      break;
    default:
      b.AddAttributeToNode(name, std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end()));
    }
  }
}

void withChannelsFirst(FunctionBuilder &b, int rank, const string &to, const string &from,
                       std::function<void(const string &call)> addCompute) {
  std::vector<int64_t> first = {0, rank - 1}, last = {0};
  for (int64_t axis = 1; axis < rank - 1; ++axis) {
    first.push_back(axis);
    last.push_back(axis + 1);
  }
  last.push_back(1);
  b.Add((from + "_channelsFirst = Transpose(" + from + ")").c_str(), "perm", first);
  addCompute(from + "_result = ");
  b.Add((to + " = Transpose(" + from + "_result)").c_str(), "perm", last);
}

string operandsOf(const FunctionBodyBuildContext &context, const std::vector<string> &names) {
  string list;
  for (size_t i = 0; i < names.size(); ++i)
    list += string(i ? ", " : "") + (context.hasInput(i) ? names[i] : "");
  return list;
}

void addActivation(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &to, const string &from,
                   std::vector<float> parameters) {
  string name = textOf(context, "activation");
  auto parameter = [&](size_t i, float otherwise) { return i < parameters.size() ? parameters[i] : otherwise; };
  auto call = [&](const string &call) { return to + " = " + call; };
  if (name.empty())
    b.Add(call("Identity(" + from + ")").c_str());
  else if (name == "Relu" || name == "Sigmoid" || name == "Tanh" || name == "Softsign" || name == "Softplus")
    b.Add(call(name + "(" + from + ")").c_str());
  else if (name == "LeakyRelu")
    b.Add(call("LeakyRelu(" + from + ")").c_str(), "alpha", parameter(0, 0.01f));
  else if (name == "Celu" || name == "Elu" || name == "ThresholdedRelu")
    b.Add(call(name + "(" + from + ")").c_str(), "alpha", parameter(0, 1.0f));
  else if (name == "Selu" && parameters.empty())
    b.Add(call("Selu(" + from + ")").c_str());
  else if (name == "HardSigmoid")
    b.Add(call("HardSigmoid(" + from + ")").c_str(), "alpha", parameter(0, 0.2f), "beta", parameter(1, 0.5f));
  else if (name == "Clip" && parameters.size() == 2)
    b.Const("lowest32", parameters[0])
        .Const("highest32", parameters[1])
        .Add(("lowest = CastLike(lowest32, " + from + ")").c_str())
        .Add(("highest = CastLike(highest32, " + from + ")").c_str())
        .Add(call("Clip(" + from + ", lowest, highest)").c_str());
  else
    require(false, "activation Relu, Sigmoid, Tanh, Softsign, Softplus, LeakyRelu, HardSigmoid, Celu, Elu, "
                   "ThresholdedRelu, Selu, or Clip with two parameters, got " +
                       name);
}

void unpack(FunctionBuilder &b, const string &to, const string &from, int64_t bits) {
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

} // namespace mlc::onnx

// How the schemas of com.microsoft are said: an operator, and what its body is written with.
#pragma once
#include <onnx/defs/function.h>
#include <onnx/defs/schema.h>
#include <sstream>

namespace mlc::onnx {

using ::onnx::AttributeProto;
using ::onnx::FunctionBodyBuildContext;
using ::onnx::FunctionBuilder;
using ::onnx::FunctionProto;
using ::onnx::OpSchema;
using std::string;

using Body = std::function<void(const FunctionBodyBuildContext &, FunctionBuilder &)>;
using Types = std::vector<std::pair<string, std::vector<string>>>;

/// The opset that bodies are written in.
inline constexpr int bodyOpset = 28;

inline const std::vector<string> someFloats = {"float", "float16", "bfloat16"},
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

  /// The attributes that all convolutions have.
  Operator &convolution() {
    return text("auto_pad", "NOTSET")
        .optional("dilations", AttributeProto::INTS)
        .integer("group", 1)
        .optional("kernel_shape", AttributeProto::INTS)
        .optional("strides", AttributeProto::INTS);
  }

  /// The attributes of attention with a mask.
  Operator &maskedAttention() {
    return optional("mask_filter_value", AttributeProto::FLOAT)
        .required("num_heads", AttributeProto::INT)
        .optional("scale", AttributeProto::FLOAT)
        .integer("unidirectional", 0);
  }

  /// What it computes; a body says by `require` which forms it knows.
  Operator &means(Body body) {
    schema.SetContextDependentFunctionBodyBuilder(
        [body](const FunctionBodyBuildContext &context, const OpSchema &schema, FunctionProto &function) {
          FunctionBuilder builder(function);
          builder.AddOpset("", bodyOpset);
          body(context, builder);
          schema.BuildFunction(function);
          nameVariadic(context, schema, function);
          return true;
        });
    return *this;
  }
  Operator &means(const char *text) {
    return means([text](const FunctionBodyBuildContext &, FunctionBuilder &b) { b.Add(text); });
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

/// Throws UnknownForm unless that holds: the text goes on after "expects ".
void require(bool holds, const string &expectation);

int64_t integerOf(const FunctionBodyBuildContext &context, const char *name, int64_t otherwise = 0);
string textOf(const FunctionBodyBuildContext &context, const char *name, const string &otherwise = "");
float numberOf(const FunctionBodyBuildContext &context, const char *name, float otherwise);
/// A u8 constant of one element, which libonnx has no function for.
void addByte(FunctionBuilder &b, const string &name, int value);
/// The rank of an operand, as far as it is known; otherwise -1.
int rankOf(const FunctionBodyBuildContext &context, int operand);
/// Adds a node with those of the operator's attributes that are given.
void addCall(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &call,
             const std::vector<string> &attributes);

/// Adds `to = compute(from)` where the channels of both lie last.
void withChannelsFirst(FunctionBuilder &b, int rank, const string &to, const string &from,
                       std::function<void(const string &call)> addCompute);

/// Names of operands that are there, as a call has them, with gaps for those that are not.
string operandsOf(const FunctionBodyBuildContext &context, const std::vector<string> &names);

/// Adds `to = activation(from)` for an attribute `activation` and its parameters; without it, an identity.
void addActivation(const FunctionBodyBuildContext &context, FunctionBuilder &b, const string &to, const string &from,
                   std::vector<float> parameters);

/// Adds `to`, u8 elements of one number each, of `from`, where `perByte` numbers lie in a byte, the first in the lowest
/// bits.
void unpack(FunctionBuilder &b, const string &to, const string &from, int64_t bits);

} // namespace mlc::onnx

#include "extend/ExtentText.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace mlc {

struct ExtentText::Node {
  enum Kind { Number, ExtentOf, ElementOf, Attribute, Sum, Difference, Product, Quotient } kind;
  int64_t number = 0; ///< or an axis
  unsigned input = 0;
  std::string name; ///< of the input or attribute
  std::shared_ptr<const Node> lhs, rhs;
};

namespace {
using Node = ExtentText::Node;
using Tree = std::shared_ptr<const Node>;

/// Recursive descent; the first error ends it.
class Parser {
public:
  Parser(StringRef text, const ExtentNames &names) : rest(text), names(names) {}

  Tree parse() {
    Tree tree = sum();
    skip();
    if (tree && !rest.empty())
      return refuse("expects an operator, got '" + rest + "'");
    return tree;
  }
  std::string problem;

private:
  StringRef rest;
  const ExtentNames &names;
  unsigned depth = 0;

  Tree refuse(const Twine &text) {
    if (problem.empty())
      problem = text.str();
    return nullptr;
  }
  void skip() { rest = rest.ltrim(); }
  bool take(char c) {
    skip();
    return rest.consume_front(StringRef(&c, 1));
  }
  static Tree make(Node node) { return std::make_shared<const Node>(std::move(node)); }

  Tree chain(Tree (Parser::*part)(), ArrayRef<std::pair<char, Node::Kind>> operators) {
    Tree tree = (this->*part)();
    while (tree) {
      const auto *found = find_if(operators, [&](const auto &known) { return take(known.first); });
      if (found == operators.end())
        return tree;
      Tree rhs = (this->*part)();
      if (!rhs)
        return nullptr;
      tree = make({found->second, 0, 0, "", tree, rhs});
    }
    return nullptr;
  }
  Tree sum() { return chain(&Parser::product, {{'+', Node::Sum}, {'-', Node::Difference}}); }
  Tree product() { return chain(&Parser::atom, {{'*', Node::Product}, {'/', Node::Quotient}}); }

  std::optional<int64_t> number() {
    skip();
    int64_t value;
    if (rest.consumeInteger(10, value))
      return std::nullopt;
    return value;
  }

  std::optional<unsigned> inputOf(StringRef name) {
    auto found = llvm::find(names.inputs, name);
    if (found != names.inputs.end())
      return found - names.inputs.begin();
    refuse("knows no input '" + name + "'");
    return std::nullopt;
  }

  Tree atom() {
    constexpr unsigned deepest = 64;
    if (take('(')) {
      if (++depth > deepest)
        return refuse("is nested too deep");
      Tree tree = sum();
      --depth;
      return tree && !take(')') ? refuse("expects ')'") : tree;
    }
    if (std::optional<int64_t> value = number())
      return make({Node::Number, *value, 0, "", nullptr, nullptr});
    StringRef name = rest.take_while([](char c) { return isAlnum(c) || c == '_'; });
    rest = rest.drop_front(name.size());
    if (name.empty())
      return refuse("expects a number or a name, got '" + rest + "'");
    if (name == "value" && take('(')) {
      skip();
      StringRef input = rest.take_while([](char c) { return isAlnum(c) || c == '_'; });
      rest = rest.drop_front(input.size());
      std::optional<unsigned> index = inputOf(input);
      if (!index || !take(')'))
        return refuse("expects 'value(INPUT)'");
      return make({Node::ElementOf, 0, *index, input.str(), nullptr, nullptr});
    }
    if (take('[')) {
      std::optional<unsigned> index = inputOf(name);
      std::optional<int64_t> axis = number();
      if (!index || !axis || !take(']'))
        return refuse("expects 'INPUT[AXIS]'");
      return make({Node::ExtentOf, *axis, *index, name.str(), nullptr, nullptr});
    }
    if (!is_contained(names.attributes, name))
      return refuse("knows no attribute '" + name + "' of kind int");
    return make({Node::Attribute, 0, 0, name.str(), nullptr, nullptr});
  }
};
} // namespace

Expected<ExtentText> ExtentText::parse(StringRef text, const ExtentNames &names) {
  Parser parser(text, names);
  ExtentText result;
  result.root = parser.parse();
  if (!result.root)
    return createStringError("extent '" + text + "': " + parser.problem);
  return result;
}

static FailureOr<onnx::Extent> evaluate(const Node &node, onnx::Custom op, onnx::Known &known) {
  switch (node.kind) {
  case Node::Number:
    return known.math.constant(node.number);
  case Node::Attribute:
    return known.math.constant(op.integer(node.name));
  case Node::ExtentOf: {
    mlir::Value operand = op.operand(node.input);
    if (!operand)
      return op->emitOpError("expects input '") << node.name << "', by which the extents of its result are given";
    int64_t rank = known.rank(operand), axis = node.number < 0 ? node.number + rank : node.number;
    if (axis < 0 || axis >= rank)
      return op->emitOpError("expects input '")
             << node.name << "' to have an axis " << node.number << ", got rank " << rank;
    return known.extents(operand)[axis];
  }
  case Node::ElementOf: {
    mlir::Value operand = op.operand(node.input);
    std::optional<onnx::Extents> elements = operand ? known.elementsOrSymbols(operand) : std::nullopt;
    if (!elements || elements->size() != 1 || !mlir::getElementTypeOrSelf(operand.getType()).isIntOrIndex())
      return op->emitOpError("expects input '") << node.name << "' to be one integer";
    return elements->front();
  }
  default:
    break;
  }
  FailureOr<onnx::Extent> lhs = evaluate(*node.lhs, op, known), rhs = evaluate(*node.rhs, op, known);
  if (failed(lhs) || failed(rhs))
    return failure();
  if (node.kind == Node::Quotient && onnx::ExtentMath::isConstant(*rhs, 0))
    return op->emitOpError("divides an extent by zero");
  return node.kind == Node::Sum          ? known.math.add(*lhs, *rhs)
         : node.kind == Node::Difference ? known.math.sub(*lhs, *rhs)
         : node.kind == Node::Product    ? known.math.mul(*lhs, *rhs)
                                         : known.math.floorDiv(*lhs, *rhs);
}

FailureOr<onnx::Extent> ExtentText::evaluate(onnx::Custom op, onnx::Known &known) const {
  return mlc::evaluate(*root, op, known);
}

} // namespace mlc

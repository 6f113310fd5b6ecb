// Rules: what an operator states about itself, and the table of all operators.
//
// Each operator has one home, a file under ops/, which fills the table through
// `rules.op<ConvOp>().shape(...).lower(...)`.
//
//   upgrade   how does an older version become the pinned one?     at import
//   shape     what are the extents of the results?                 simplify, and the verifier
//   moves     which operands' elements does it only move?          quantize
//   lower     what does it compute, in upstream dialects?          lower
//   expand    its own ONNX function body says it                   at import
#pragma once
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "onnx/Custom.h"
#include "onnx/Extents.h"
#include <functional>
#include <map>
#include <memory>
#include <vector>

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

//===-- Upgrade -------------------------------------------------------------===//

/// A node on its way into IR, still in the words of its model's opset. An upgrade rewrites it in place, one step of
/// versions at a time.
struct Node {
  llvm::StringRef domain;                  ///< "" for ai.onnx
  std::string type;                        ///< may be changed to another operator's
  int64_t opset;                           ///< of the domain, as the model imports it
  llvm::SmallVector<mlir::Value> operands; ///< null where an optional one is absent
  mlir::NamedAttrList
      attributes; ///< as the dialect has them: i64, f32, strings, arrays of these, ElementsAttr, TypeAttr
  llvm::SmallVector<bool> results; ///< which are used, in the order of the schema; an upgrade may shorten or extend it
  mlir::ImplicitLocOpBuilder &builder; ///< at the node's place, for constants and helper operations

  /// Null where the operand is absent.
  mlir::Value operand(unsigned index) const { return index < operands.size() ? operands[index] : mlir::Value(); }
  /// Behind what operands there are, absent ones fill the gap.
  void setOperand(unsigned index, mlir::Value value);
  /// The element type of an operand that is a tensor.
  mlir::Type element(unsigned index) const {
    return llvm::cast<mlir::TensorType>(operand(index).getType()).getElementType();
  }

  /// An attribute's value; the default where it is not given.
  int64_t integer(llvm::StringRef name, int64_t otherwise) const;
  double number(llvm::StringRef name, double otherwise) const;
  llvm::StringRef string(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<llvm::SmallVector<int64_t>> integers(llvm::StringRef name) const;
  std::optional<llvm::SmallVector<float>> numbers(llvm::StringRef name) const;
  void setInteger(llvm::StringRef name, int64_t value);

  /// An i64 tensor constant of rank 1.
  mlir::Value constant(llvm::ArrayRef<int64_t> values);
  /// A tensor constant of rank 0 of the type `element`, from an IntegerAttr or FloatAttr of any type.
  mlir::Value scalar(mlir::Attribute value, mlir::Type element);
  /// Turns attribute `name` (ints or int) into operand `index`, as many operators did between versions. Without the
  /// attribute, none.
  void attributeToOperand(llvm::StringRef name, unsigned index);

  /// "'onnx.Pad' op of opset 1 ", at the node.
  mlir::InFlightDiagnostic emitError() const;
};
using UpgradeRule = std::function<llvm::LogicalResult(Node &)>;

//===-- Shape ---------------------------------------------------------------===//

/// What shape rules read and write: the facts of all values met so far, and arithmetic on them.
class Known {
public:
  ExtentMath math;

  explicit Known(mlir::MLIRContext *context) : math(context) {}
  /// Replaces what is known; only the driver does.
  void set(mlir::Value value, Facts facts);
  /// Facts of a value that was defined before; what its type says where nothing else is known.
  const Facts &of(mlir::Value value);
  /// Extents of a ranked tensor. The driver calls a rule only when all tensor operands are ranked, unless it accepts
  /// unranked ones.
  llvm::ArrayRef<Extent> extents(mlir::Value value);
  int64_t rank(mlir::Value value) { return extents(value).size(); }
  /// The type of the tensors in a sequence or an optional; see Facts.
  mlir::Type items(mlir::Value value) { return of(value).items; }
  /// Elements of an integer tensor, where known; for a null value none.
  std::optional<llvm::ArrayRef<Extent>> elements(mlir::Value value);
  /// Elements that are all fixed numbers.
  std::optional<llvm::SmallVector<int64_t>> constants(mlir::Value value);
  /// Elements of a small integer tensor of fixed extents: the known ones, or symbols that stand for what is in the
  /// tensor at run time. None if an extent is not fixed.
  std::optional<Extents> elementsOrSymbols(mlir::Value value);
  /// The element at an index, read with broadcasting: leading positions that the tensor has no axes for are skipped,
  /// along an axis of extent 1 every position is 0. Null if it is not known.
  Extent element(mlir::Value value, llvm::ArrayRef<int64_t> index);

  /// Remembers an operation of which an error has been said, or which reads results of such: nothing more is said of it
  /// and of what reads its results, so that all errors of a graph can be said at once.
  void giveUp(mlir::Operation *op);
  /// Forgets that of all in a block, whose facts are inferred again from others.
  void tryAgain(mlir::Block &block);
  /// Whether that is so, or has to be: it or something in its regions reads what has been given up.
  bool isHopeless(mlir::Operation *op) const;

private:
  /// Behind pointers, so that what was handed out stays valid while more is learnt.
  llvm::DenseMap<mlir::Value, std::unique_ptr<Facts>> facts;
  llvm::SmallPtrSet<mlir::Operation *, 4> givenUp;
};

/// The elements of a result with these extents, in row-major order, each as `element` tells it by its index. None if an
/// extent is not fixed, if there are too many to be part of a shape, or if `element` tells null of one.
std::optional<Extents> tellElements(llvm::ArrayRef<Extent> extents,
                                    llvm::function_ref<Extent(llvm::ArrayRef<int64_t> index)> element);

/// What an optional, a sequence or an optional sequence has in it; any other type itself.
mlir::Type tensorIn(mlir::Type type);
/// The type of what is of one type or another of tensors in sequences, as Facts has them.
mlir::Type commonItems(mlir::Type a, mlir::Type b);

/// The value of a constant in whichever of its attributes it is; none for strings.
std::optional<mlir::ElementsAttr> valueOf(ConstantOp constant);

/// On an onnx.If: which branch it takes in every run that succeeds (mlc-settle-branches).
inline constexpr llvm::StringLiteral takenAttrName = "onnx.taken";

using ShapeRule = std::function<llvm::FailureOr<llvm::SmallVector<Facts>>(mlir::Operation *, Known &)>;

//===-- Move ----------------------------------------------------------------===//

/// Operands whose elements the results of their element type consist of, as they are: what is done to each element by
/// itself, as a conversion, can be done before the operation or behind it. None if the operation does not just move
/// elements.
using MoveRule = std::function<llvm::SmallVector<mlir::OpOperand *>(mlir::Operation *)>;

//===-- Lower ---------------------------------------------------------------===//

class Lowering; // Lowering.h
using LowerRule = std::function<llvm::FailureOr<llvm::SmallVector<mlir::Value>>(mlir::Operation *, Lowering &)>;

//===-- The table -----------------------------------------------------------===//

struct Rule {
  std::vector<std::pair<int64_t, UpgradeRule>> upgrades; ///< (first opset that does not need it, rule), ascending
  ShapeRule shape;
  MoveRule moves;
  bool movesByOrder = false; ///< it compares elements to choose: a conversion must keep their order
  LowerRule lower;
  bool expands = false;
  bool acceptsUnranked = false; ///< shape may be called with unranked operands
  bool callsFunction = false;   ///< of the user's, which is not there while compiling
};

/// Fills the rule of one operator. Shape rules may return Extents (one result), Facts (one result) or a vector of
/// Facts; lowerings one Value or a vector of them.
template <typename Op> class RuleOf {
public:
  explicit RuleOf(Rule &rule) : rule(rule) {}

  /// The node of an opset below `opset` needs `upgrade` first.
  RuleOf &upgrade(int64_t opset, UpgradeRule upgrade) {
    rule.upgrades.emplace_back(opset, std::move(upgrade));
    return *this;
  }
  template <typename F> RuleOf &shape(F f) {
    rule.shape = [f](mlir::Operation *op, Known &known) -> llvm::FailureOr<llvm::SmallVector<Facts>> {
      auto result = f(nodeOf(op), known);
      if (llvm::failed(result))
        return llvm::failure();
      if constexpr (std::is_same_v<decltype(result), llvm::FailureOr<llvm::SmallVector<Facts>>>)
        return result;
      else
        return llvm::SmallVector<Facts>{Facts(std::move(*result))};
    };
    return *this;
  }
  template <typename F> RuleOf &lower(F f) {
    rule.lower = [f](mlir::Operation *op, Lowering &l) -> llvm::FailureOr<llvm::SmallVector<mlir::Value>> {
      auto result = f(nodeOf(op), l);
      if (llvm::failed(result))
        return llvm::failure();
      if constexpr (std::is_same_v<decltype(result), llvm::FailureOr<llvm::SmallVector<mlir::Value>>>)
        return result;
      else
        return llvm::SmallVector<mlir::Value>{*result};
    };
    return *this;
  }
  /// It moves the elements of the operands that `f` tells.
  template <typename F> RuleOf &moves(F f) {
    rule.moves = [f](mlir::Operation *op) -> llvm::SmallVector<mlir::OpOperand *> { return f(nodeOf(op)); };
    return *this;
  }
  /// It moves the elements of its first operand.
  RuleOf &moves() {
    rule.moves = [](mlir::Operation *op) { return llvm::SmallVector<mlir::OpOperand *>{&op->getOpOperand(0)}; };
    return *this;
  }
  /// The same for those that are the greatest, say, of some.
  template <typename F> RuleOf &movesByOrder(F f) {
    rule.movesByOrder = true;
    return moves(f);
  }
  RuleOf &expand() {
    rule.expands = true;
    return *this;
  }
  Rule &get() { return rule; }
  RuleOf &callsFunction() {
    rule.callsFunction = true;
    return *this;
  }
  RuleOf &acceptsUnranked() {
    rule.acceptsUnranked = true;
    return *this;
  }

private:
  static Op nodeOf(mlir::Operation *op) {
    if constexpr (std::is_same_v<Op, Custom>)
      return Custom(op);
    else
      return llvm::cast<Op>(op);
  }

  Rule &rule;
};

class Rules {
public:
  template <typename Op> RuleOf<Op> op() { return RuleOf<Op>(table[Op::getOperationName().str()]); }
  /// By the name of an operation, "onnx.Conv"; null if nothing is stated.
  const Rule *find(llvm::StringRef operation) const;
  /// An operator that the pinned opset no longer has ("Upsample"), by its ONNX name; only upgrade rules make sense.
  RuleOf<void> removed(llvm::StringRef operation);
  /// An operator that was declared, by its name without "onnx.": "my.ops.Swish".
  RuleOf<Custom> custom(llvm::StringRef name) { return RuleOf<Custom>(table[("onnx." + name).str()]); }

private:
  std::map<std::string, Rule, std::less<>> table;
};
template <> class RuleOf<void> {
public:
  explicit RuleOf(Rule &rule) : rule(rule) {}
  RuleOf &upgrade(int64_t opset, UpgradeRule upgrade) {
    rule.upgrades.emplace_back(opset, std::move(upgrade));
    return *this;
  }

private:
  Rule &rule;
};

/// The rules of all operators; built once.
const Rules &allRules();
/// The same, for those who bring operators. Nothing may be compiled at that time.
Rules &rulesToExtend();
/// The rule of an operation's operator; null if nothing is stated.
const Rule *ruleOf(mlir::Operation *op);

/// Walks a graph function in order and applies the shape rules. Results that a rule cannot tell get fresh symbols.
/// Fails, with an error at the operation, where a rule finds a contradiction.
llvm::LogicalResult inferFacts(mlir::Operation *function, Known &known);
/// The same for one block of a region. The rules of operations with regions call it: only they know what the block's
/// arguments are, and how often it must be looked at.
llvm::LogicalResult inferFacts(mlir::Block &block, Known &known);
/// The same for one operation, behind those that it reads from.
llvm::LogicalResult inferFactsOf(mlir::Operation *op, Known &known);

} // namespace mlc::onnx
#pragma GCC visibility pop

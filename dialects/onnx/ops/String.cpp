// Operators on text: StringConcat, StringSplit, StringNormalizer, RegexFullMatch.
//
//   %c = onnx.StringConcat(%a, %b)   =>   linalg.generic { mlc.service "string_concat"(%a, %b) }
#include "mlc/Mlc.h"
#include "mlc/casing.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/RegularExpression.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Lookup.h"

using namespace mlir;

namespace mlc::onnx {

template <typename... Operands>
static Value service(OpBuilder &b, Location loc, StringRef name, Type result, Operands... operands) {
  return ServiceOp::create(b, loc, TypeRange(result), name, ValueRange{operands...}).getResult();
}

static Value concat(Scalars &s, ValueRange args) {
  return service(s.b, s.loc, "string_concat", args[0].getType(), args[0], args[1]);
}

//===-- StringSplit ------------------------------------------------------------------------===//

static FailureOr<SmallVector<Facts>> shapeOfSplit(StringSplitOp op, Known &known) {
  Extents counts(known.extents(op.getX())), parts(counts);
  parts.push_back(Extent());
  return SmallVector<Facts>{Facts(std::move(parts)), Facts(std::move(counts))};
}

static FailureOr<SmallVector<Value>> lowerSplit(StringSplitOp op, Lowering &l) {
  OpBuilder &b = l.b;
  Type i64 = b.getI64Type(), string = mlc::StringType::get(b.getContext());
  Value delimiter = TextOp::create(b, l.loc(), op.getDelimiter().value_or(""));
  Value splits = arith::ConstantIntOp::create(b, l.loc(), op.getMaxsplit().value_or(-1), 64);
  Value counts = l.elementwise(op.getZ(), op.getX(), [&](Scalars &s, ValueRange args) {
    return service(s.b, s.loc, "string_count_parts", i64, args[0], delimiter, splits);
  });
  int64_t rank = l.rank(op.getX());
  Value most = l.fold(counts, i64, llvm::to_vector(llvm::seq<int64_t>(0, rank)), i64, l.scalar(0, i64), nullptr,
                      [](Scalars &s, ValueRange args) { return scalar<arith::MaxSIOp>(s, args); });
  Value longest = tensor::ExtractOp::create(b, l.loc(), most, ValueRange());
  SmallVector<OpFoldResult> extents = l.extents(op.getX());
  extents.push_back(Value(arith::IndexCastOp::create(b, l.loc(), b.getIndexType(), longest)));
  Value text = l(op.getX());
  Value parts = l.generate(extents, string, [&](OpBuilder &inner, Location loc, ValueRange index) -> Value {
    Value whole = tensor::ExtractOp::create(inner, loc, text, index.drop_back());
    Value place = arith::IndexCastOp::create(inner, loc, i64, index.back());
    return service(inner, loc, "string_part", string, whole, delimiter, splits, place);
  });
  return SmallVector<Value>{parts, counts};
}

//===-- StringNormalizer -------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfNormalizer(StringNormalizerOp op, Known &known) {
  Extents extents(known.extents(op.getX()));
  if (extents.size() != 1 && extents.size() != 2)
    return op.emitOpError("expects a tensor of rank 1 or 2, got ") << op.getX().getType();
  if (extents.size() == 2 && !known.math.mayBeEqual(extents[0], known.math.constant(1)))
    return op.emitOpError("expects extent 1 on axis 0, got ") << known.math.print(extents[0]);
  if (op.getStopwords() && !op.getStopwords()->empty())
    extents.back() = nullptr;
  else // only nothing becomes something: one empty string
    extents.back() = known.math.max(extents.back(), known.math.constant(1));
  if (extents.size() == 2)
    extents[0] = known.math.constant(1);
  return extents;
}

/// Texts are compared with stop words as they are, or both in one case.
static std::string inCase(StringRef text, bool isUpper) {
  std::string changed(text.size(), 0);
  changed.resize(mlc_change_text_case(text.data(), text.size(), isUpper, changed.data()));
  return changed;
}

static FailureOr<Value> lowerNormalizer(StringNormalizerOp op, Lowering &l) {
  OpBuilder &b = l.b;
  StringRef action = op.getCaseChangeAction();
  if (action != "LOWER" && action != "UPPER" && action != "NONE")
    return op.emitOpError("expects case_change_action LOWER, UPPER or NONE, got ") << action;
  Value data = l(op.getX());
  Type string = mlc::StringType::get(b.getContext());
  SmallVector<OpFoldResult> extents = l.extents(op.getX());
  if (extents.size() == 2) {
    l.expectExtent(l.known.extents(op.getX())[0], l.known.math.constant(1), "axis 0");
    extents = {extents[1]};
    data = l.reshape(data, extents);
  }
  auto changed = [&](Value text, StringRef how) {
    return service(b, l.loc(), how == "UPPER" ? "string_upper" : "string_lower", string, text);
  };
  SmallVector<std::string> words;
  if (std::optional<ArrayAttr> given = op.getStopwords())
    for (auto word : given->getAsRange<StringAttr>())
      words.push_back(op.getIsCaseSensitive() ? word.getValue().str() : inCase(word.getValue(), action == "UPPER"));
  SmallVector<std::pair<StringRef, int64_t>> entries;
  for (StringRef word : words)
    entries.emplace_back(word, 0);
  Value table = entries.empty() ? Value() : Value(TextOp::create(b, l.loc(), stringTable(entries)));
  auto isStopword = [&](Value text) {
    Value key = op.getIsCaseSensitive() ? text : changed(text, action);
    Value found = findIn(b, l.loc(), key, table), none = arith::ConstantIntOp::create(b, l.loc(), 0, 64);
    return Truth(l, arith::CmpIOp::create(b, l.loc(), arith::CmpIPredicate::sge, found, none).getResult());
  };

  Index count(l, extents[0]), zero(l, 0);
  if (table)
    count =
        Index(l, loopNest(l, extents, {Value(zero)}, [&](ValueRange index, ValueRange carried) -> SmallVector<Value> {
                   Value text = tensor::ExtractOp::create(b, l.loc(), data, index);
                   Index before(l, carried[0]);
                   return {select(isStopword(text), before, before + 1)};
                 }).front());
  Value empty = l.filled({OpFoldResult(max(count, 1))}, TextOp::create(b, l.loc(), ""));
  Value kept = loopNest(l, extents, {empty, Value(zero)}, [&](ValueRange index, ValueRange carried) {
                 Value text = tensor::ExtractOp::create(b, l.loc(), data, index);
                 Truth isKept = table ? !isStopword(text) : Truth(l, true);
                 auto choice = scf::IfOp::create(
                     b, l.loc(), isKept,
                     [&](OpBuilder &inner, Location loc) {
                       OpBuilder::InsertionGuard guard(b);
                       b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
                       Value normal = action == "NONE" ? text : changed(text, action);
                       Value filled = tensor::InsertOp::create(b, loc, normal, carried[0], ValueRange(carried[1]));
                       scf::YieldOp::create(b, loc, ValueRange{filled, Index(l, carried[1]) + 1});
                     },
                     [&](OpBuilder &inner, Location loc) { scf::YieldOp::create(inner, loc, carried); });
                 return SmallVector<Value>(choice.getResults());
               }).front();
  if (l.rank(op.getX()) == 1)
    return kept;
  return l.reshape(kept, {b.getIndexAttr(1), OpFoldResult(max(count, 1))});
}

//===-- RegexFullMatch ---------------------------------------------------------------------===//

static FailureOr<Value> lowerMatch(RegexFullMatchOp op, Lowering &l) {
  std::string problem;
  std::optional<std::string> automaton = automatonOf(op.getPattern().value_or(""), problem);
  if (!automaton)
    return op.emitOpError("has the pattern '") << op.getPattern().value_or("") << "': " << problem;
  Value table = TextOp::create(l.b, l.loc(), *automaton);
  return l.elementwise(op.getY(), op.getX(), [&](Scalars &s, ValueRange args) -> Value {
    Type i64 = s.b.getI64Type();
    Value matches = service(s.b, s.loc, "string_matches", i64, args[0], table);
    return s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, matches, s.constant(0, i64));
  });
}

void addStringRules(Rules &rules) {
  rules.op<StringConcatOp>()
      .shape([](StringConcatOp op, Known &known) { return broadcastExtents(op, known); })
      .lower([](StringConcatOp op, Lowering &l) -> FailureOr<Value> { return lowerElementwise(op, l, concat); });
  rules.op<StringSplitOp>().shape(shapeOfSplit).lower(lowerSplit);
  rules.op<StringNormalizerOp>().shape(shapeOfNormalizer).lower(lowerNormalizer);
  rules.op<RegexFullMatchOp>()
      .shape([](RegexFullMatchOp op, Known &known) { return shapeOfFirst(op, known); })
      .lower(lowerMatch);
}

} // namespace mlc::onnx

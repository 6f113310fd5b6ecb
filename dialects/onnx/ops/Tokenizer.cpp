// Tokenizer of com.microsoft: the parts of strings, as one more axis.
//
//   %y = onnx.microsoft.Tokenizer(%x)   =>   scf.for: %parts = mlc.service "sequence_with_tokens"(%parts, %x[i], %table)
//                                            scf.for: %y[i, ...] = mlc.at %parts[i], filled up
//
// The run finds the tokens of each string once, since their largest number is an extent.
#include "mlc/abi.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RegularExpression.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Sequence.h"

using namespace mlir;

namespace mlc::onnx {

static FailureOr<Extents> shapeOfTokenizer(MicrosoftTokenizerOp op, Known &known) {
  Extents extents(known.extents(op.getX()));
  if (extents.size() != 1 && extents.size() != 2)
    return op.emitOpError("expects a tensor of rank 1 or 2, got ") << op.getX().getType();
  extents.push_back(Extent());
  return extents;
}

static std::string number(int64_t value) { return std::string(reinterpret_cast<const char *>(&value), sizeof value); }

/// What the runtime finds tokens by, an mlc_tokenizer.
static FailureOr<std::string> tokenizerOf(MicrosoftTokenizerOp op) {
  // The runtime descends into what is between separators by recursion.
  constexpr size_t mostSeparators = 256;
  SmallVector<StringRef> patterns;
  if (std::optional<ArrayAttr> separators = op.getSeparators())
    for (auto pattern : separators->getAsRange<StringAttr>())
      patterns.push_back(pattern.getValue());
  if (patterns.empty() == !op.getTokenexp())
    return op.emitOpError("expects either separators or tokenexp");
  if (patterns.size() > mostSeparators)
    return op.emitOpError("expects at most ") << mostSeparators << " separators, got " << patterns.size();
  bool areCharacters = patterns.size() == 1 && patterns.front().empty();
  if (areCharacters && op.getMincharnum() > 1)
    return op.emitOpError("expects mincharnum 1 where each character is a token, got ") << op.getMincharnum();
  if (op.getTokenexp())
    patterns.push_back(*op.getTokenexp());
  if (areCharacters)
    patterns.clear();

  int64_t place = sizeof(mlc_tokenizer) + patterns.size() * sizeof(int64_t);
  std::string head = number(op.getMincharnum()) + number(op.getTokenexp().has_value()) + number(patterns.size()), rest;
  for (StringRef pattern : patterns) {
    std::string problem;
    std::optional<std::string> automaton = automatonOf(pattern, problem, MatchKind::Anywhere);
    if (!automaton)
      return op.emitOpError("has the pattern '") << pattern << "': " << problem;
    head += number(place + rest.size());
    rest += *automaton;
    rest.resize(llvm::alignTo(rest.size(), sizeof(int64_t)));
  }
  return head + rest;
}

static FailureOr<Value> lowerTokenizer(MicrosoftTokenizerOp op, Lowering &l) {
  if (op.getMincharnum() < 1)
    return op.emitOpError("expects mincharnum of at least 1, got ") << op.getMincharnum();
  FailureOr<std::string> tokenizer = tokenizerOf(op);
  if (failed(tokenizer))
    return failure();
  OpBuilder &b = l.b;
  bool isMarked = op.getMark() != 0;
  Type string = mlc::StringType::get(b.getContext()), i64 = b.getI64Type();
  Value table = TextOp::create(b, l.loc(), *tokenizer), texts = l(op.getX());
  SmallVector<OpFoldResult> extents = l.extents(op.getX());
  int64_t rank = extents.size();
  auto countOf = [&](Value parts, Index text) {
    Value place = arith::IndexCastOp::create(b, l.loc(), i64, text),
          zero = arith::ConstantIntOp::create(b, l.loc(), 0, 64);
    Value count = service(l, "sequence_extent", i64, parts, place, zero);
    return Index(l, Value(arith::IndexCastOp::create(b, l.loc(), b.getIndexType(), count)));
  };

  auto find = [&](ValueRange index, ValueRange carried) -> SmallVector<Value> {
    Value text = tensor::ExtractOp::create(b, l.loc(), texts, index);
    Value parts = service(l, "sequence_with_tokens", carried[0].getType(), carried[0], text, table);
    Index number(l, carried[1]), most(l, carried[2]);
    return {parts, number + 1, max(most, countOf(parts, number))};
  };
  Index zero(l, 0), one(l, 1);
  SmallVector<Value> found = loopNest(l, extents, {emptySequence(l), zero, zero}, find);
  Value parts = found[0];
  Index most(l, found[2]);
  // Where there is no token at all, there are no marks either.
  Index columns = isMarked ? select(most > 0, most + 2, zero) : most;
  SmallVector<OpFoldResult> result(extents);
  result.push_back(columns);
  l.checkExtents(result);

  auto fill = [&](ValueRange index, ValueRange carried) -> SmallVector<Value> {
    Index text(l, carried[1]), count = countOf(parts, text);
    SmallVector<OpFoldResult> offsets(index.begin(), index.end()), sizes(rank, b.getIndexAttr(1));
    offsets.push_back(b.getIndexAttr(isMarked));
    sizes.push_back(count);
    auto type = RankedTensorType::get({ShapedType::kDynamic}, string);
    Value row = l.insert(l.reshape(itemAt(l, parts, text, type), sizes), carried[0], offsets, sizes);
    auto mark = [&](StringRef with, Index column) {
      SmallVector<Value> place(index);
      place.push_back(column);
      row = tensor::InsertOp::create(b, l.loc(), TextOp::create(b, l.loc(), with), row, place);
    };
    if (isMarked) {
      mark("\x02", zero);
      mark("\x03", count + 1);
    }
    return {row, text + 1};
  };
  SmallVector<OpFoldResult> filled(extents);
  filled[0] = select(most > 0, Index(l, extents[0]), zero);
  Value padded = l.filled(result, TextOp::create(b, l.loc(), op.getPadValue()));
  return loopNest(l, filled, {padded, zero}, fill)[0];
}

void addTokenizerRules(Rules &rules) { rules.op<MicrosoftTokenizerOp>().shape(shapeOfTokenizer).lower(lowerTokenizer); }

} // namespace mlc::onnx

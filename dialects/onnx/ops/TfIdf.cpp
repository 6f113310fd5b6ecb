// TfIdfVectorizer: how often n-grams of a pool are in each row.
//
//   %y = onnx.TfIdfVectorizer(%x)   =>   tokens = linalg.generic { mlc.service "find_string"(%x, %tokens) }
//                                        scf.for ... { %node = mlc.service "find_number"(%node * K + token, %trie) ... }
//
// The n-grams of the pool are a trie over the numbers of their tokens, which lies in one table: from a node and a token to
// the next node. From each place of a row, and with each skip, the trie is followed as far as it goes. Where ONNX's
// description and its reference differ on which weight belongs to a column (the n-gram's place in the pool, or the
// column's own number), the reference and the runtimes agree on the second.
#include "mlc/Mlc.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Lookup.h"

using namespace mlir;

namespace mlc::onnx {

static int64_t columnsOf(TfIdfVectorizerOp op) {
  int64_t columns = 0;
  for (int64_t index : op.getNgramIndexes())
    columns = std::max(columns, index + 1);
  return columns;
}

static FailureOr<Extents> shapeOfTfIdf(TfIdfVectorizerOp op, Known &known) {
  Extents extents(known.extents(op.getX()));
  if (extents.size() != 1 && extents.size() != 2)
    return op.emitOpError("expects a tensor of rank 1 or 2, got ") << op.getX().getType();
  if (llvm::any_of(op.getNgramIndexes(), [](int64_t index) { return index < 0 || index > INT32_MAX; }))
    return op.emitOpError("expects ngram_indexes that are columns, got ") << op.getNgramIndexes();
  extents.back() = known.math.constant(columnsOf(op));
  return extents;
}

namespace {
/// The n-grams of a pool.
struct Trie {
  std::string tokens;           ///< table: from a token to its number
  std::string steps;            ///< table: from node * tokenCount + token to the next node; the root is 0
  int64_t tokenCount;           ///< different ones
  SmallVector<int64_t> columns; ///< by node: where its n-gram is counted; -1 if there is none that ends here
};
} // namespace

static FailureOr<Trie> trieOf(TfIdfVectorizerOp op) {
  // Tokens by their numbers, in the order of the pool.
  SmallVector<int64_t> pool;
  Trie trie;
  if (std::optional<ArrayAttr> strings = op.getPoolStrings()) {
    std::map<StringRef, int64_t> numbers;
    for (auto text : strings->getAsRange<StringAttr>())
      pool.push_back(numbers.try_emplace(text.getValue(), numbers.size()).first->second);
    trie.tokens = stringTable(SmallVector<std::pair<StringRef, int64_t>>(numbers.begin(), numbers.end()));
    trie.tokenCount = numbers.size();
  } else if (std::optional<ArrayRef<int64_t>> integers = op.getPoolInt64s()) {
    std::map<int64_t, int64_t> numbers;
    for (int64_t number : *integers)
      pool.push_back(numbers.try_emplace(number, numbers.size()).first->second);
    trie.tokens = numberTable(SmallVector<std::pair<int64_t, int64_t>>(numbers.begin(), numbers.end()));
    trie.tokenCount = numbers.size();
  } else {
    return op.emitOpError("expects pool_strings or pool_int64s");
  }

  std::map<int64_t, int64_t> steps;
  trie.columns = {-1};
  ArrayRef<int64_t> starts = op.getNgramCounts(), indexes = op.getNgramIndexes();
  size_t ngram = 0;
  for (size_t size = 1; size <= starts.size(); ++size) {
    int64_t begin = starts[size - 1], end = size < starts.size() ? starts[size] : (int64_t)pool.size();
    if (begin < 0 || begin > end || end > (int64_t)pool.size() || (end - begin) % size != 0)
      return op.emitOpError("expects ngram_counts that cut the pool of ")
             << pool.size() << " tokens into n-grams of " << size << ", got " << starts;
    for (; begin < end; begin += size, ++ngram) {
      if (ngram >= indexes.size())
        return op.emitOpError("expects one of ngram_indexes for each n-gram of the pool, got ") << indexes.size();
      if ((int64_t)size < op.getMinGramLength() || (int64_t)size > op.getMaxGramLength())
        continue;
      int64_t node = 0;
      for (int64_t token : ArrayRef(pool).slice(begin, size)) {
        auto [step, isNew] = steps.try_emplace(node * trie.tokenCount + token, trie.columns.size());
        if (isNew)
          trie.columns.push_back(-1);
        node = step->second;
      }
      trie.columns[node] = indexes[ngram];
    }
  }
  trie.steps = numberTable(SmallVector<std::pair<int64_t, int64_t>>(steps.begin(), steps.end()));
  return trie;
}

static FailureOr<Value> lowerTfIdf(TfIdfVectorizerOp op, Lowering &l) {
  OpBuilder &b = l.b;
  Type i64 = b.getI64Type(), f32 = b.getF32Type(), element = Lowering::element(op.getX());
  StringRef mode = op.getMode();
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return op.emitOpError("expects mode TF, IDF or TFIDF, got ") << mode;
  if (isa<StringType>(element) != op.getPoolStrings().has_value())
    return op.emitOpError("expects a pool of the operand's type, got an operand of ") << element;
  if (op.getMinGramLength() < 1 || op.getMaxGramLength() < op.getMinGramLength() || op.getMaxSkipCount() < 0)
    return op.emitOpError("expects 1 <= min_gram_length <= max_gram_length and max_skip_count >= 0, got ")
           << op.getMinGramLength() << ", " << op.getMaxGramLength() << " and " << op.getMaxSkipCount();
  int64_t columns = columnsOf(op);
  if (op.getWeights() && (int64_t)op.getWeights()->size() < columns)
    return op.emitOpError("expects a weight for each of ") << columns << " columns, got " << op.getWeights()->size();
  FailureOr<Trie> trie = trieOf(op);
  if (failed(trie))
    return failure();

  Value tokenTable = TextOp::create(b, l.loc(), trie->tokens), steps = TextOp::create(b, l.loc(), trie->steps);
  SmallVector<OpFoldResult> extents = l.extents(op.getX());
  auto number = [&](Scalars &s, ValueRange args) {
    Value key = isa<StringType>(element) ? args[0] : castScalar(s, args[0], element, i64);
    return findIn(s.b, s.loc, key, tokenTable);
  };
  Value tokens = l.elementwise(extents, i64, ArrayRef<Value>{l(op.getX())}, ArrayRef<Type>{element}, number);
  if (extents.size() == 1) {
    extents.insert(extents.begin(), b.getIndexAttr(1));
    tokens = l.reshape(tokens, extents);
  }
  auto columnType = RankedTensorType::get({(int64_t)trie->columns.size()}, i64);
  Value columnOf = arith::ConstantOp::create(b, l.loc(), DenseElementsAttr::get(columnType, ArrayRef(trie->columns)));

  auto integer = [&](int64_t value) { return Value(arith::ConstantIntOp::create(b, l.loc(), value, 64)); };
  auto isThere = [&](Value value) {
    return Truth(l, arith::CmpIOp::create(b, l.loc(), arith::CmpIPredicate::sge, value, integer(0)).getResult());
  };
  auto choose = [&](Truth condition, Value yes, Value no) -> Value {
    return arith::SelectOp::create(b, l.loc(), condition, yes, no);
  };
  auto asIndex = [&](Value value) { // of what is there
    Value least = arith::MaxSIOp::create(b, l.loc(), value, integer(0));
    return Value(arith::IndexCastOp::create(b, l.loc(), b.getIndexType(), least));
  };
  Index length(l, extents[1]);
  auto walk = [&](ValueRange index, ValueRange carried) -> SmallVector<Value> {
    Index skip(l, index[1]), start(l, index[2]), depth(l, index[3]), position = start + depth * (skip + 1);
    Truth isInside = position < length;
    Value place = select(isInside, position, Index(l, 0));
    Value token = tensor::ExtractOp::create(b, l.loc(), tokens, ValueRange{index[0], place});
    Value node = choose(depth == 0, integer(0), carried[1]);
    Value key =
        arith::AddIOp::create(b, l.loc(), arith::MulIOp::create(b, l.loc(), node, integer(trie->tokenCount)), token);
    key = choose(isInside && isThere(token) && isThere(node), key, integer(-1));
    Value next = findIn(b, l.loc(), key, steps);
    Value column = tensor::ExtractOp::create(b, l.loc(), columnOf, ValueRange(asIndex(next)));
    // Single tokens are the same with every skip, and count once.
    Truth counts = isThere(next) && isThere(column) && !(depth == 0 && skip > 0);
    SmallVector<Value> to = {index[0], asIndex(column)};
    Value before = tensor::ExtractOp::create(b, l.loc(), carried[0], to);
    Value one = choose(counts, l.scalar(1, f32), l.scalar(0, f32));
    Value sum = arith::AddFOp::create(b, l.loc(), before, one);
    return {tensor::InsertOp::create(b, l.loc(), sum, carried[0], to), next};
  };
  SmallVector<OpFoldResult> result = {extents[0], b.getIndexAttr(columns)};
  Value counts = l.filled(result, l.scalar(0, f32));
  if (columns > 0)
    counts = loopNest(l,
                      {extents[0], b.getIndexAttr(op.getMaxSkipCount() + 1), extents[1],
                       b.getIndexAttr(op.getMaxGramLength())},
                      {counts, integer(0)}, walk)
                 .front();

  SmallVector<Value> operands = {counts};
  SmallVector<Type> elements = {f32};
  if (op.getWeights() && mode != "TF") {
    auto type = RankedTensorType::get({columns}, f32);
    operands.push_back(
        arith::ConstantOp::create(b, l.loc(), DenseElementsAttr::get(type, op.getWeights()->take_front(columns))));
    elements.push_back(f32);
  }
  if (mode != "TF")
    counts = l.elementwise(result, f32, operands, elements, [&](Scalars &s, ValueRange args) {
      Value weight = args[0];
      if (mode == "IDF") {
        Value occurs = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, args[0], s.constant(0, f32));
        weight = s.make<arith::SelectOp>(occurs, s.constant(1, f32), s.constant(0, f32));
      }
      return args.size() == 1 ? weight : s.make<arith::MulFOp>(weight, args[1]);
    });
  return l.rank(op.getX()) == 1 ? l.reshape(counts, {b.getIndexAttr(columns)}) : counts;
}

void addTfIdfRules(Rules &rules) { rules.op<TfIdfVectorizerOp>().shape(shapeOfTfIdf).lower(lowerTfIdf); }

} // namespace mlc::onnx

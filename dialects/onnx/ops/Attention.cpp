// Attention, and the rotation that puts positions into its operands (RotaryEmbedding).
//
//   scores = cap(q @ k^T * scale) + bias       bias: the mask; minus infinity where a query may not look at a key
//   y      = softmax(scores) @ v
//
// Everything is read as [batch, head, group, sequence, feature], where the heads of q are those of k and v times the
// group that shares one: operands that lie [batch, sequence, head * feature] are read that way and not transposed, and
// keys are not repeated for their group. A query that may look at nothing gets zeros.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Shape ------------------------------------------------------------------===//

namespace {
/// Extents of an attention.
struct Sizes {
  bool isFlat;             ///< operands are [batch, sequence, heads * features]
  Extent batch, heads;     ///< of k and v
  Extent group;            ///< heads of q for each of k and v
  Extent queries, keys;    ///< keys of this step
  Extent past, total;      ///< keys of the steps before, and all
  Extent features, values; ///< of q and k, and of v
};
} // namespace

static FailureOr<Sizes> sizesOf(AttentionOp op, Known &known) {
  ExtentMath &math = known.math;
  ArrayRef<Extent> q = known.extents(op.getQ()), k = known.extents(op.getK()), v = known.extents(op.getV());
  if (q.size() != k.size() || q.size() != v.size() || (q.size() != 3 && q.size() != 4))
    return op.emitOpError("expects Q, K and V of one rank, 3 or 4, got ")
           << q.size() << ", " << k.size() << " and " << v.size();
  Sizes sizes;
  sizes.isFlat = q.size() == 3;
  Extent queryHeads;
  if (sizes.isFlat) {
    int64_t ofQ = op.getQNumHeads().value_or(0), ofK = op.getKvNumHeads().value_or(0);
    if (ofQ < 1 || ofK < 1)
      return op.emitOpError("expects q_num_heads and kv_num_heads for operands of rank 3, got ")
             << ofQ << " and " << ofK;
    auto features = [&](Extent hidden, int64_t heads) -> FailureOr<Extent> {
      if (std::optional<int64_t> fixed = ExtentMath::asConstant(hidden); fixed && *fixed % heads != 0)
        return op.emitOpError("expects features that ") << heads << " heads divide, got " << *fixed;
      return math.floorDiv(hidden, math.constant(heads));
    };
    FailureOr<Extent> ofQuery = features(q[2], ofQ), ofKey = features(k[2], ofK), ofValue = features(v[2], ofK);
    if (failed(ofQuery) || failed(ofKey) || failed(ofValue))
      return failure();
    if (!math.mayBeEqual(*ofQuery, *ofKey))
      return op.emitOpError("expects Q and K with as many features for each head, got ") << op->getOperandTypes();
    queryHeads = math.constant(ofQ);
    sizes.heads = math.constant(ofK);
    sizes.queries = q[1];
    sizes.keys = k[1];
    sizes.features = *ofQuery;
    sizes.values = *ofValue;
  } else {
    if (!math.mayBeEqual(q[3], k[3]) || !math.mayBeEqual(k[1], v[1]))
      return op.emitOpError("expects Q and K with as many features, K and V with as many heads, got ")
             << op->getOperandTypes();
    queryHeads = q[1];
    sizes.heads = k[1];
    sizes.queries = q[2];
    sizes.keys = k[2];
    sizes.features = q[3];
    sizes.values = v[3];
  }
  sizes.batch = q[0];
  std::optional<int64_t> ofQ = ExtentMath::asConstant(queryHeads), ofK = ExtentMath::asConstant(sizes.heads);
  if (ofQ && ofK && (*ofK == 0 || *ofQ % *ofK != 0))
    return op.emitOpError("expects heads of Q that are a multiple of those of K, got ") << *ofQ << " and " << *ofK;
  sizes.group = math.floorDiv(queryHeads, sizes.heads);

  if (!op.getPastKey() != !op.getPastValue())
    return op.emitOpError("expects past_key and past_value together");
  if (op.getPastKey() && op.getNonpadKvSeqlen())
    return op.emitOpError("expects nonpad_kv_seqlen without past_key and past_value");
  sizes.past = math.constant(0);
  if (op.getPastKey()) {
    for (Value past : {op.getPastKey(), op.getPastValue()})
      if (known.rank(past) != 4)
        return op.emitOpError("expects a past of rank 4, got ") << past.getType();
    sizes.past = known.extents(op.getPastKey())[2];
  }
  sizes.total = math.add(sizes.past, sizes.keys);
  if (Value mask = op.getAttnMask(); mask && (known.rank(mask) < 1 || known.rank(mask) > 4))
    return op.emitOpError("expects attn_mask of rank 1 to 4, got ") << mask.getType();
  if (Value lengths = op.getNonpadKvSeqlen(); lengths && known.rank(lengths) != 1)
    return op.emitOpError("expects nonpad_kv_seqlen of rank 1, got ") << lengths.getType();
  return sizes;
}

static FailureOr<SmallVector<Facts>> shapeOfAttention(AttentionOp op, Known &known) {
  FailureOr<Sizes> sizes = sizesOf(op, known);
  if (failed(sizes))
    return failure();
  Extent queryHeads = known.math.mul(sizes->heads, sizes->group);
  SmallVector<Facts> results;
  if (sizes->isFlat)
    results.push_back(Facts(Extents{sizes->batch, sizes->queries, known.math.mul(queryHeads, sizes->values)}));
  else
    results.push_back(Facts(Extents{sizes->batch, queryHeads, sizes->queries, sizes->values}));
  if (op.getPresentKey())
    results.push_back(Facts(Extents{sizes->batch, sizes->heads, sizes->total, sizes->features}));
  if (op.getPresentValue())
    results.push_back(Facts(Extents{sizes->batch, sizes->heads, sizes->total, sizes->values}));
  if (op.getQkMatmulOutput())
    results.push_back(Facts(Extents{sizes->batch, queryHeads, sizes->queries, sizes->total}));
  return results;
}

//===-- Operands -----------------------------------------------------------------===//

namespace {
/// A tensor and which of the loops its axes run along.
struct Placed {
  Value value;
  SmallVector<int64_t> loops;
};
} // namespace

/// Loops of scores: batch, head, group, query, key; what is summed comes last.
enum ScoreLoop : int64_t { Batch, Head, Group, Query, Key, Summed };

/// Q as it lies, with its heads split: [batch, (query,) head, group, (query,) feature].
static Placed placedQueries(AttentionOp op, Lowering &l, const Sizes &sizes) {
  Extents extents = sizes.isFlat ? Extents{sizes.batch, sizes.queries, sizes.heads, sizes.group, sizes.features}
                                 : Extents{sizes.batch, sizes.heads, sizes.group, sizes.queries, sizes.features};
  SmallVector<int64_t> loops = sizes.isFlat ? SmallVector<int64_t>{Batch, Query, Head, Group, Summed}
                                            : SmallVector<int64_t>{Batch, Head, Group, Query, Summed};
  return {l.reshape(l(op.getQ()), l.materialize(extents)), loops};
}

/// K or V as [batch, head, key, feature], with what lies in the cache before it; `isNeeded` where a result is made of
/// it.
static Value withPast(Lowering &l, const Sizes &sizes, Value operand, Value past, Extent features, bool isNeeded) {
  if (!sizes.isFlat && !past)
    return l(operand);
  if (!past && !isNeeded)
    return nullptr;
  Value present = l(operand);
  if (sizes.isFlat) {
    present = l.reshape(present, l.materialize({sizes.batch, sizes.keys, sizes.heads, features}));
    present = l.transpose(present, {0, 2, 1, 3});
  }
  if (!past)
    return present;
  SmallVector<OpFoldResult> extents = l.materialize({sizes.batch, sizes.heads, sizes.total, features});
  SmallVector<OpFoldResult> offsets(4, l.b.getIndexAttr(0)), strides(4, l.b.getIndexAttr(1)), ofPast = extents,
                                                                                              ofPresent = extents;
  ofPast[2] = l.materialize(sizes.past);
  ofPresent[2] = l.materialize(sizes.keys);
  Value all = l.empty(extents, cast<RankedTensorType>(present.getType()).getElementType());
  // The types of the parts may know less than the extents, which are those of other operands; casts tell them.
  auto insert = [&](Value part, ArrayRef<OpFoldResult> sizes) {
    Type type = cast<RankedTensorType>(part.getType()).clone(decomposeMixedValues(sizes).first);
    if (part.getType() != type)
      part = tensor::CastOp::create(l.b, l.loc(), type, part);
    all = tensor::InsertSliceOp::create(l.b, l.loc(), part, all, offsets, sizes, strides);
  };
  insert(l(past), ofPast);
  offsets[2] = ofPast[2];
  insert(present, ofPresent);
  return all;
}

/// K or V in the order that it lies in; `inner` is the loop of its features.
static Placed placedKeys(Lowering &l, const Sizes &sizes, Value operand, Value present, Extent features, int64_t key,
                         int64_t inner) {
  if (present)
    return {present, {Batch, Head, key, inner}};
  Value split = l.reshape(l(operand), l.materialize({sizes.batch, sizes.keys, sizes.heads, features}));
  return {split, {Batch, key, Head, inner}};
}

static Value product(Lowering &l, ArrayRef<OpFoldResult> extents, const Placed &left, const Placed &right,
                     ArrayRef<int64_t> result) {
  auto map = [&](ArrayRef<int64_t> loops) {
    return AffineMap::get(result.size() + 1, 0,
                          llvm::map_to_vector(loops, [&](int64_t loop) { return l.b.getAffineDimExpr(loop); }),
                          l.b.getContext());
  };
  SmallVector<utils::IteratorType> iterators(result.size(), utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  return l.sumOfProducts(extents, left.value, right.value, {map(left.loops), map(right.loops), map(result)}, iterators);
}

//===-- Scores ---------------------------------------------------------------------===//

/// The mask as an operand along the loops of the scores. Keys that it does not reach are masked.
static Along placedMask(AttentionOp op, Lowering &l, const Sizes &sizes) {
  Value mask = op.getAttnMask();
  Type element = Lowering::element(mask), storage = storageType(element);
  Extents extents(l.known.extents(mask));
  int64_t rank = extents.size();
  ExtentMath &math = l.known.math;
  Value value = l(mask);
  if (!ExtentMath::isConstant(extents.back(), 1) && !math.isEqual(extents.back(), sizes.total)) {
    Index missing(l, math.sub(sizes.total, extents.back()));
    l.check(missing >= 0, "expects attn_mask for at most %0 keys, got %1",
            {Index(l, sizes.total), Index(l, extents.back())});
    SmallVector<OpFoldResult> low(rank, l.b.getIndexAttr(0)), high = low;
    high.back() = missing;
    Value masked = isFloat(element)
                       ? arith::ConstantOp::create(l.b, l.loc(), leastNumber(l.b, storage, false)).getResult()
                       : l.scalar(0, storage);
    value = l.pad(value, low, high, masked);
    extents.back() = sizes.total;
  }
  // [batch, heads, queries, keys], of which the first may be missing, broadcast to what they stand for.
  Extent queryHeads = math.mul(sizes.heads, sizes.group);
  Extents common = {sizes.batch, queryHeads, sizes.queries, sizes.total};
  value = l.broadcastable(value, extents, ArrayRef(common).take_back(rank));
  SmallVector<OpFoldResult> split;
  SmallVector<int64_t> loops;
  for (int64_t axis = 4 - rank; axis < 4; ++axis) {
    auto type = cast<RankedTensorType>(value.getType());
    int64_t own = axis - (4 - rank);
    bool isOne = type.getDimSize(own) == 1;
    auto add = [&](Extent extent, int64_t loop) {
      split.push_back(isOne ? OpFoldResult(l.b.getIndexAttr(1)) : l.materialize(extent));
      loops.push_back(loop);
    };
    if (axis == 1) {
      add(sizes.heads, Head);
      add(sizes.group, Group);
    } else {
      add(common[axis], axis == 0 ? Batch : axis == 2 ? Query : Key);
    }
  }
  return {l.reshape(value, split), element, loops};
}

/// Whether the query at `query` may look at the key at `key` by its position; null if all may.
static Value mayAttend(AttentionOp op, const Scalars &s, Value query, Value key, Value before, Value length) {
  Value allowed;
  auto also = [&](arith::CmpIPredicate predicate, Value a, Value b) {
    Value holds = s.make<arith::CmpIOp>(predicate, a, b);
    allowed = allowed ? s.make<arith::AndIOp>(allowed, holds) : holds;
  };
  Value position = before ? s.make<arith::AddIOp>(query, before) : query;
  auto moved = [&](int64_t by) { return s.make<arith::AddIOp>(position, s.constant(by, s.b.getIndexType())); };
  if (op.getIsCausal())
    also(arith::CmpIPredicate::sle, key, position);
  if (op.getLeftWindowSize() >= 0)
    also(arith::CmpIPredicate::sge, key, moved(-op.getLeftWindowSize()));
  if (op.getRightWindowSize() >= 0)
    also(arith::CmpIPredicate::sle, key, moved(op.getRightWindowSize()));
  if (length)
    also(arith::CmpIPredicate::slt, key, length);
  return allowed;
}

/// Scores with the mask and minus infinity where a query may not look.
static Value masked(AttentionOp op, Lowering &l, const Sizes &sizes, Value scores, ArrayRef<OpFoldResult> extents,
                    Type real) {
  SmallVector<Along> operands = {{scores, real, {Batch, Head, Group, Query, Key}}};
  Type i64 = l.b.getI64Type();
  bool hasMask = (bool)op.getAttnMask(), hasLengths = (bool)op.getNonpadKvSeqlen();
  if (hasMask)
    operands.push_back(placedMask(op, l, sizes));
  if (hasLengths) {
    l.expectExtent(l.known.extents(op.getNonpadKvSeqlen())[0], sizes.batch, "nonpad_kv_seqlen");
    operands.push_back({l(op.getNonpadKvSeqlen()), i64, {Batch}});
  }
  bool looksAtPositions = op.getIsCausal() || op.getLeftWindowSize() >= 0 || op.getRightWindowSize() >= 0;
  if (!hasMask && !hasLengths && !looksAtPositions)
    return scores;
  Value past = op.getPastKey() ? l.index(l.materialize(sizes.past)) : Value(),
        queries = l.index(l.materialize(sizes.queries));
  return l.elementwise(extents, real, operands, [&](Scalars &s, ValueRange args) -> Value {
    Real score(s, args[0]), nothing = score.same(-std::numeric_limits<double>::infinity());
    Value length = hasLengths ? s.make<arith::IndexCastOp>(s.b.getIndexType(), args.back()) : Value();
    Value before = length ? s.make<arith::SubIOp>(length, queries) : past;
    Value allowed = mayAttend(op, s, s.make<linalg::IndexOp>(Query), s.make<linalg::IndexOp>(Key), before, length);
    if (hasMask) {
      Type element = Lowering::element(op.getAttnMask());
      Value attends = args[1];
      if (!element.isInteger(1)) {
        Real bias(s, castScalar(s, args[1], element, real));
        // A bias of minus infinity masks whatever the score is.
        attends = s.make<arith::CmpFOp>(arith::CmpFPredicate::UNE, bias, nothing);
        score = score + bias;
      }
      allowed = allowed ? s.make<arith::AndIOp>(allowed, attends) : attends;
    }
    return select(allowed, score, nothing);
  });
}

/// Probabilities of each row of scores, whose last axis is the keys; zeros where every score is minus infinity. They
/// are of the type that is multiplied, not rounded to that of the operands.
static Value probabilities(Lowering &l, Value scores, ArrayRef<OpFoldResult> extents, Type real, Type element) {
  SmallVector<int64_t> all = {Batch, Head, Group, Query, Key}, rows = {Batch, Head, Group, Query};
  Along score{scores, real, all}, largest{maximumAlong(l, scores, real, Key), real, rows};
  Value powers = l.elementwise(extents, real, {score, largest}, [](Scalars &s, ValueRange args) -> Value {
    Real x(s, args[0]), origin(s, args[1]);
    Value isMasked = origin == -std::numeric_limits<double>::infinity();
    return s.make<math::ExpOp>(Value(x - select(isMasked, origin.same(0), origin)));
  });
  Along sum{sumAlong(l, powers, real, Key), real, rows};
  return l.elementwise(extents, element, {Along{powers, real, all}, sum}, [&](Scalars &s, ValueRange args) -> Value {
    Real power(s, args[0]), total(s, args[1]);
    return castScalar(s, power * (1 / select(total == 0, total.same(1), total)), real, element);
  });
}

//===-- Lower ------------------------------------------------------------------------===//

static FailureOr<SmallVector<Value>> lowerAttention(AttentionOp op, Lowering &l) {
  FailureOr<Sizes> told = sizesOf(op, l.known);
  if (failed(told))
    return failure();
  const Sizes &sizes = *told;
  ExtentMath &math = l.known.math;
  Type element = Lowering::element(op.getQ()), valueElement = Lowering::element(op.getV());
  Type real = op.getSoftmaxPrecision() == 11 ? Type(l.b.getF64Type()) : accumulatorElement(element);
  Type multiplied = accumulatorElement(element), multipliedValue = accumulatorElement(valueElement);
  for (Value operand : {op.getK(), op.getV()}) {
    ArrayRef<Extent> own = l.known.extents(operand);
    l.expectExtent(own[0], sizes.batch, "batches");
    l.expectExtent(own[sizes.isFlat ? 1 : 2], sizes.keys, "keys and values");
  }
  if (sizes.isFlat) {
    l.expectExtent(l.known.extents(op.getK())[2], math.mul(sizes.heads, sizes.features), "features of K");
  } else {
    l.expectExtent(l.known.extents(op.getQ())[1], math.mul(sizes.heads, sizes.group),
                   "whole groups of heads: heads of Q");
    l.expectExtent(l.known.extents(op.getV())[1], sizes.heads, "heads of V");
    l.expectExtent(l.known.extents(op.getK())[3], sizes.features, "features of K");
  }
  for (auto [past, features] : {std::pair(op.getPastKey(), sizes.features), std::pair(op.getPastValue(), sizes.values)})
    if (past)
      for (auto [axis, extent] : llvm::enumerate(Extents{sizes.batch, sizes.heads, sizes.past, features}))
        l.expectExtent(l.known.extents(past)[axis], extent, "axis " + Twine(axis) + " of a past");

  Value presentKey = withPast(l, sizes, op.getK(), op.getPastKey(), sizes.features, (bool)op.getPresentKey());
  Value presentValue = withPast(l, sizes, op.getV(), op.getPastValue(), sizes.values, (bool)op.getPresentValue());
  Placed queries = placedQueries(op, l, sizes);
  Placed keys = placedKeys(l, sizes, op.getK(), presentKey, sizes.features, Key, Summed);
  queries.value = l.cast(queries.value, element, multiplied);
  keys.value = l.cast(keys.value, element, multiplied);

  SmallVector<OpFoldResult> extents =
      l.materialize({sizes.batch, sizes.heads, sizes.group, sizes.queries, sizes.total});
  SmallVector<int64_t> scoreLoops = {Batch, Head, Group, Query, Key};
  Value raw = product(l, extents, queries, keys, scoreLoops);
  double softcap = op.getSoftcap().convertToFloat();
  Value features = l.number(l.materialize(sizes.features), multiplied);
  auto scaled = [&](Scalars &s, Value score) -> Real {
    if (op.getScale())
      return Real(s, score) * (double)op.getScale()->convertToFloat();
    return Real(s, score) * (1 / Real(s, s.make<math::SqrtOp>(features)));
  };
  auto capped = [&](Real score, Scalars &s) {
    return softcap > 0 ? Real(s, s.make<math::TanhOp>(Value(score / softcap))) * softcap : score;
  };
  Value scores = l.elementwise(extents, real, raw, multiplied, [&](Scalars &s, ValueRange args) {
    return castScalar(s, capped(scaled(s, args[0]), s), multiplied, real);
  });
  Value biased = masked(op, l, sizes, scores, extents, real);
  Value weights = probabilities(l, biased, extents, real, multipliedValue);

  // The values: loops batch, (query,) head, group, (query,) feature, and the keys are summed.
  SmallVector<int64_t> order = sizes.isFlat ? SmallVector<int64_t>{0, 2, 3, 1}
                                            : SmallVector<int64_t>{0, 1, 2, 3}; // of batch, head, group, query
  Placed left{weights, {order[Batch], order[Head], order[Group], order[Query], 5}};
  Placed right = placedKeys(l, sizes, op.getV(), presentValue, sizes.values, 5, 4);
  for (int64_t &loop : right.loops)
    if (loop == Head)
      loop = order[Head];
  right.value = l.cast(right.value, valueElement, multipliedValue);
  Extents ofValues = sizes.isFlat ? Extents{sizes.batch, sizes.queries, sizes.heads, sizes.group, sizes.values}
                                  : Extents{sizes.batch, sizes.heads, sizes.group, sizes.queries, sizes.values};
  Value y = product(l, l.materialize(ofValues), left, right, {0, 1, 2, 3, 4});

  SmallVector<Value> results = {
      l.reshape(l.cast(y, multipliedValue, Lowering::element(op.getY())), l.extents(op.getY()))};
  if (op.getPresentKey())
    results.push_back(presentKey);
  if (op.getPresentValue())
    results.push_back(presentValue);
  if (Value output = op.getQkMatmulOutput()) {
    Value shown;
    switch (op.getQkMatmulOutputMode()) {
    case 0:
      shown = l.elementwise(extents, element, raw, multiplied,
                            [&](Scalars &s, ValueRange args) -> Value { return scaled(s, args[0]); });
      break;
    case 1:
      shown = l.cast(scores, real, element);
      break;
    case 2:
      shown = l.cast(biased, real, element);
      break;
    case 3:
      shown = l.cast(weights, multipliedValue, element);
      break;
    default:
      return op.emitOpError("expects qk_matmul_output_mode 0 to 3, got ") << op.getQkMatmulOutputMode();
    }
    results.push_back(l.reshape(shown, l.extents(output)));
  }
  return results;
}

//===-- RotaryEmbedding ------------------------------------------------------------------===//

/// [batch, head, sequence, feature] or [batch, sequence, head * feature].
static FailureOr<Extent> rotaryFeatures(RotaryEmbeddingOp op, Known &known) {
  ArrayRef<Extent> x = known.extents(op.getX());
  if (x.size() == 4)
    return x[3];
  if (x.size() != 3)
    return op.emitOpError("expects X of rank 3 or 4, got ") << op.getX().getType();
  int64_t heads = op.getNumHeads().value_or(0);
  if (heads < 1)
    return op.emitOpError("expects num_heads for X of rank 3, got ") << heads;
  if (std::optional<int64_t> hidden = ExtentMath::asConstant(x[2]); hidden && *hidden % heads != 0)
    return op.emitOpError("expects features that ") << heads << " heads divide, got " << *hidden;
  return known.math.floorDiv(x[2], known.math.constant(heads));
}

static Extent rotatedFeatures(RotaryEmbeddingOp op, Known &known, Extent features) {
  return op.getRotaryEmbeddingDim() > 0 ? known.math.constant(op.getRotaryEmbeddingDim()) : features;
}

static FailureOr<Extents> shapeOfRotary(RotaryEmbeddingOp op, Known &known) {
  FailureOr<Extent> features = rotaryFeatures(op, known);
  if (failed(features))
    return failure();
  std::optional<int64_t> rotated = ExtentMath::asConstant(rotatedFeatures(op, known, *features)),
                         all = ExtentMath::asConstant(*features);
  if (rotated && (*rotated % 2 != 0 || (all && *rotated > *all)))
    return op.emitOpError("expects an even number of features to rotate, at most all, got ") << *rotated;
  int64_t cacheRank = op.getPositionIds() ? 2 : 3;
  for (Value cache : {op.getCosCache(), op.getSinCache()})
    if (known.rank(cache) != cacheRank)
      return op.emitOpError("expects caches of rank ") << cacheRank << ", got " << cache.getType();
  if (op.getPositionIds() && known.rank(op.getPositionIds()) != 2)
    return op.emitOpError("expects position_ids of rank 2, got ") << op.getPositionIds().getType();
  return Extents(known.extents(op.getX()));
}

/// The cache's rows at the positions: [batch, sequence, half of the features].
static FailureOr<Value> rowsOf(RotaryEmbeddingOp op, Lowering &l, Value cache, Extent batch, Extent sequence,
                               Extent half) {
  ArrayRef<Extent> own = l.known.extents(cache);
  l.expectExtent(own.back(), half, "a cache with half of the rotated features, an axis");
  if (!op.getPositionIds()) {
    l.expectExtent(own[0], batch, "batches of a cache");
    l.expectExtent(own[1], sequence, "positions of a cache");
    return l.broadcastable(cache, own);
  }
  ArrayRef<Extent> ids = l.known.extents(op.getPositionIds());
  l.expectExtent(ids[1], sequence, "position_ids");
  if (failed(checkIndices(l, op.getPositionIds(), own[0])))
    return failure();
  Value positions =
      l.broadcast(l.broadcastable(op.getPositionIds(), Extents{batch, sequence}), l.materialize({batch, sequence}));
  Value rows = l(cache);
  Index extent(l, own[0]);
  return l.generate(l.materialize({batch, sequence, half}), storageType(Lowering::element(cache)),
                    [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
                      Value id = tensor::ExtractOp::create(b, loc, positions, indices.take_front(2));
                      Value position = fromBeginning(l, id, Lowering::element(op.getPositionIds()), extent);
                      return tensor::ExtractOp::create(b, loc, rows, ValueRange{position, indices[2]});
                    });
}

/// Pairs of features turn by the angle of their position: (a cos - b sin, a sin + b cos).
static FailureOr<Value> lowerRotary(RotaryEmbeddingOp op, Lowering &l) {
  ExtentMath &math = l.known.math;
  ArrayRef<Extent> x = l.known.extents(op.getX());
  bool isFlat = x.size() == 3;
  Extent features = *rotaryFeatures(op, l.known), rotated = rotatedFeatures(op, l.known, features),
         half = math.floorDiv(rotated, math.constant(2));
  Extent batch = x[0], sequence = isFlat ? x[1] : x[2];
  l.expectExtent(rotated, math.mul(half, math.constant(2)), "an even number of features to rotate: an axis");
  Type element = Lowering::element(op.getX());
  FailureOr<Value> cosines = rowsOf(op, l, op.getCosCache(), batch, sequence, half),
                   sines = rowsOf(op, l, op.getSinCache(), batch, sequence, half);
  if (failed(cosines) || failed(sines))
    return failure();

  Extents extents = isFlat ? Extents{batch, sequence, math.constant(*op.getNumHeads()), features} : Extents(x);
  Value operand = l.reshape(l(op.getX()), l.materialize(extents));
  Extents ofHalf = extents;
  ofHalf[3] = half;
  SmallVector<OpFoldResult> sizes = l.materialize(ofHalf), offsets(4, l.b.getIndexAttr(0)),
                            steps(4, l.b.getIndexAttr(1));
  SmallVector<OpFoldResult> second = offsets;
  second[3] = op.getInterleaved() ? OpFoldResult(l.b.getIndexAttr(1)) : l.materialize(half);
  if (op.getInterleaved())
    steps[3] = l.b.getIndexAttr(2);
  SmallVector<int64_t> all = {0, 1, 2, 3}, ofPosition = {0, isFlat ? 1 : 2, 3};
  Along operands[] = {{l.slice(operand, offsets, sizes, steps), element, all},
                      {l.slice(operand, second, sizes, steps), element, all},
                      {*cosines, Lowering::element(op.getCosCache()), ofPosition},
                      {*sines, Lowering::element(op.getSinCache()), ofPosition}};
  Value first = l.elementwise(sizes, element, operands, [](Scalars &s, ValueRange args) -> Value {
    return Real(s, args[2]) * Real(s, args[0]) - Real(s, args[3]) * Real(s, args[1]);
  });
  Value other = l.elementwise(sizes, element, operands, [](Scalars &s, ValueRange args) -> Value {
    return Real(s, args[3]) * Real(s, args[0]) + Real(s, args[2]) * Real(s, args[1]);
  });
  // Features that do not turn are those of the operand.
  Value result = math.isEqual(rotated, features) ? l.empty(l.materialize(extents), storageType(element)) : operand;
  result = tensor::InsertSliceOp::create(l.b, l.loc(), first, result, offsets, sizes, steps);
  result = tensor::InsertSliceOp::create(l.b, l.loc(), other, result, second, sizes, steps);
  return l.reshape(result, l.extents(op.getY()));
}

void addAttentionRules(Rules &rules) {
  rules.op<AttentionOp>().shape(shapeOfAttention).lower(lowerAttention);
  rules.op<RotaryEmbeddingOp>().shape(shapeOfRotary).lower(lowerRotary);
}

} // namespace mlc::onnx

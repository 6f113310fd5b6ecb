// Maps: ZipMap, DictVectorizer, CastMap.
//
//   %m = onnx.ml.ZipMap(%x)           =>   %q = mlc.insert labels, then %x;  %m = mlc.service "sequence_of_maps"(%q)
//   %y = onnx.ml.DictVectorizer(%m)   =>   %keys = mlc.at %m[0], %values = mlc.at %m[1]
//                                          scf.for: %y[find %keys[i] in the vocabulary] = %values[i]
//
// A map is an !mlc.sequence of its keys and its values: see there. Of a key that is there several times, the last value
// counts.
#include "mlc/Mlc.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Cast.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Labels.h"
#include "onnx/ops/Lookup.h"
#include "onnx/ops/Sequence.h"

using namespace mlir;

namespace mlc::onnx {

//===-- ZipMap ---------------------------------------------------------------------------===//

static FailureOr<Facts> shapeOfZipMap(MlZipMapOp op, Known &known) {
  ArrayRef<Extent> scores = known.extents(op.getX());
  if (scores.size() != 1 && scores.size() != 2)
    return op.emitOpError("expects scores of rank 1 or 2, got ") << op.getX().getType();
  int64_t labels = labelsOf(op.getContext(), op.getClasslabelsStrings(), op.getClasslabelsInt64s()).size();
  if (labels == 0)
    return op.emitOpError("expects classlabels_int64s or classlabels_strings");
  if (!known.math.mayBeEqual(scores.back(), known.math.constant(labels)))
    return op.emitOpError("expects a score for each of its ")
           << labels << " labels, got " << known.math.print(scores.back());
  return Facts();
}

static FailureOr<Value> lowerZipMap(MlZipMapOp op, Lowering &l) {
  DenseElementsAttr labels = labelsOf(op.getContext(), op.getClasslabelsStrings(), op.getClasslabelsInt64s());
  ArrayRef<Extent> extents = l.known.extents(op.getX());
  Extent rows = extents.size() == 1 ? l.known.math.constant(1) : extents[0];
  l.expectExtent(extents.back(), l.known.math.constant(labels.size()), "the scores of a row");
  FailureOr<Value> keys = l.constant(labels);
  if (failed(keys))
    return failure();
  Value pair = append(l, emptySequence(l), *keys, labels.getElementType());
  Value scores = l.reshape(l(op.getX()), extents, {rows, extents.back()});
  pair = append(l, pair, scores, Lowering::element(op.getX()));
  return service(l, "sequence_of_maps", pair.getType(), pair);
}

//===-- From a map ------------------------------------------------------------------------===//

namespace {
/// The keys and values of a map, tensors of rank 1.
struct Entries {
  Index count;
  Value keys, values;
};
} // namespace

static Entries entriesOf(Lowering &l, Value map) {
  auto type = cast<MapType>(map.getType());
  auto at = [&](int64_t position, Type element) {
    return itemAt(l, l(map), Index(l, position), RankedTensorType::get({ShapedType::kDynamic}, storageType(element)));
  };
  Value keys = at(0, type.getKey()), values = at(1, type.getValue());
  return {Index(l, tensor::getMixedSize(l.b, l.loc(), keys, 0)), keys, values};
}

/// What an element is that a map says nothing of.
static Value nothing(Lowering &l, Type element) {
  return isa<StringType>(element) ? Value(TextOp::create(l.b, l.loc(), "")) : l.scalar(0, storageType(element));
}

/// A row of `columns` elements: `otherwise`, and in the columns that `columnOf` tells by the number of an entry, that
/// entry's value; a negative column is none.
static Value scatter(Lowering &l, Index count, Value values, OpFoldResult columns, Value otherwise,
                     llvm::function_ref<Index(Value)> columnOf) {
  Value row = l.filled({l.b.getIndexAttr(1), columns}, otherwise), zero = l.index(int64_t(0));
  return loopNest(l, {OpFoldResult(count)}, row,
                  [&](ValueRange entry, ValueRange carried) -> SmallVector<Value> {
                    Index column = columnOf(entry[0]);
                    auto filled = scf::IfOp::create(
                        l.b, l.loc(), column >= 0,
                        [&](OpBuilder &b, Location loc) {
                          Value value = tensor::ExtractOp::create(b, loc, values, entry);
                          Value next = tensor::InsertOp::create(b, loc, value, carried[0], ValueRange{zero, column});
                          scf::YieldOp::create(b, loc, next);
                        },
                        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, carried); });
                    return {filled.getResult(0)};
                  })
      .front();
}

//===-- DictVectorizer --------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfDictVectorizer(MlDictVectorizerOp op, Known &known) {
  DenseElementsAttr vocabulary = labelsOf(op.getContext(), op.getStringVocabulary(), op.getInt64Vocabulary());
  if (vocabulary.empty())
    return op.emitOpError("expects string_vocabulary or int64_vocabulary");
  Type key = cast<MapType>(op.getX().getType()).getKey();
  if (vocabulary.getElementType() != key)
    return op.emitOpError("expects a vocabulary of the type of the keys, ")
           << key << ", got " << vocabulary.getElementType();
  return Extents{known.math.constant(1), known.math.constant(vocabulary.size())};
}

static FailureOr<Value> lowerDictVectorizer(MlDictVectorizerOp op, Lowering &l) {
  DenseElementsAttr vocabulary = labelsOf(op.getContext(), op.getStringVocabulary(), op.getInt64Vocabulary());
  Value table = TextOp::create(l.b, l.loc(), *tableOfPlaces(vocabulary));
  Entries entries = entriesOf(l, op.getX());
  return scatter(l, entries.count, entries.values, l.b.getIndexAttr(vocabulary.size()),
                 nothing(l, Lowering::element(op.getY())), [&](Value entry) {
                   Value key = tensor::ExtractOp::create(l.b, l.loc(), entries.keys, entry);
                   Value place = findIn(l.b, l.loc(), key, table);
                   return Index(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), place).getResult());
                 });
}

//===-- CastMap -----------------------------------------------------------------------------===//

static bool isSparse(MlCastMapOp op) { return op.getMapForm() == "SPARSE"; }

static FailureOr<Extents> shapeOfCastMap(MlCastMapOp op, Known &known) {
  if (!isSparse(op) && op.getMapForm() != "DENSE")
    return op.emitOpError("expects map_form DENSE or SPARSE, got '") << op.getMapForm() << "'";
  if (isSparse(op) && op.getMaxMap() < 1)
    return op.emitOpError("expects max_map of at least 1 for map_form SPARSE, got ") << op.getMaxMap();
  return Extents{known.math.constant(1), isSparse(op) ? known.math.constant(op.getMaxMap()) : Extent()};
}

/// How many keys come before key `entry`.
static Index placeInOrder(Lowering &l, const Entries &entries, Value entry) {
  Value key = tensor::ExtractOp::create(l.b, l.loc(), entries.keys, entry);
  Value place = loopNest(l, {OpFoldResult(entries.count)}, {l.index(int64_t(0))},
                         [&](ValueRange other, ValueRange carried) -> SmallVector<Value> {
                           Value its = tensor::ExtractOp::create(l.b, l.loc(), entries.keys, other);
                           auto compare = [&](arith::CmpIPredicate predicate) {
                             return Truth(l, arith::CmpIOp::create(l.b, l.loc(), predicate, its, key).getResult());
                           };
                           Index before(l, carried[0]);
                           Truth isLess = compare(arith::CmpIPredicate::slt) ||
                                          (compare(arith::CmpIPredicate::eq) && Index(l, other[0]) < Index(l, entry));
                           return {select(isLess, before + 1, before)};
                         })
                    .front();
  return Index(l, place);
}

static FailureOr<Value> lowerCastMap(MlCastMapOp op, Lowering &l) {
  Type from = cast<MapType>(op.getX().getType()).getValue(), to = Lowering::element(op.getY());
  Entries entries = entriesOf(l, op.getX());
  Value values = convertElements(l, entries.values, from, to);
  if (!isSparse(op))
    return scatter(l, entries.count, values, OpFoldResult(entries.count), nothing(l, to),
                   [&](Value entry) { return placeInOrder(l, entries, entry); });
  Index columns(l, op.getMaxMap());
  return scatter(l, entries.count, values, l.b.getIndexAttr(op.getMaxMap()), nothing(l, to), [&](Value entry) {
    Value key = tensor::ExtractOp::create(l.b, l.loc(), entries.keys, entry);
    Index column(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), key).getResult());
    l.check(column >= 0, "expects keys that are not negative, got %0", {column});
    return select(column < columns, column, Index(l, -1));
  });
}

void addMapRules(Rules &rules) {
  rules.op<MlZipMapOp>().shape(shapeOfZipMap).lower(lowerZipMap);
  rules.op<MlDictVectorizerOp>().shape(shapeOfDictVectorizer).lower(lowerDictVectorizer);
  rules.op<MlCastMapOp>().shape(shapeOfCastMap).lower(lowerCastMap);
}

} // namespace mlc::onnx

// Operators whose results say which elements were chosen, or hold just those: OneHot, NonZero, Compress.
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Indices.h"

using namespace mlir;

namespace mlc::onnx {

//===-- OneHot -----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfOneHot(OneHotOp op, Known &known) {
  Extents extents(known.extents(op.getIndices()));
  int64_t rank = extents.size() + 1;
  std::optional<int64_t> axis = normalizedAxis(op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << op.getAxis();
  Extent depth;
  if (Lowering::element(op.getDepth()).isIntOrIndex()) {
    if (std::optional<Extents> told = known.elementsOrSymbols(op.getDepth()); told && told->size() == 1)
      depth = told->front();
  } else if (std::optional<double> told = constantNumber(op.getDepth())) {
    depth = known.math.constant(*told);
  }
  extents.insert(extents.begin() + *axis, depth);
  return extents;
}

static FailureOr<Value> lowerOneHot(OneHotOp op, Lowering &l) {
  int64_t indexRank = l.rank(op.getIndices()), rank = indexRank + 1, axis = *normalizedAxis(op.getAxis(), rank);
  Type element = Lowering::element(op.getIndices()), depthElement = Lowering::element(op.getDepth());
  Type storage = storageType(Lowering::element(op.getValues())), i64 = l.b.getI64Type();
  Scalars outside{l.b, l.loc(), depthElement};
  Value told = castScalar(outside, l.onlyElement(op.getDepth()), depthElement, i64);
  Index depth(l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), told).getResult());
  SmallVector<OpFoldResult> extents = l.extents(op.getIndices());
  extents.insert(extents.begin() + axis, depth);
  if (!ExtentMath::asConstant(l.known.extents(op.getOutput())[axis]))
    l.checkExtents(extents);
  else
    extents = l.extents(op.getOutput());
  Value values = l(op.getValues());
  Value off = tensor::ExtractOp::create(l.b, l.loc(), values, l.index(int64_t(0)));
  Value on = tensor::ExtractOp::create(l.b, l.loc(), values, l.index(1));
  SmallVector<AffineExpr> access;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      access.push_back(l.b.getAffineDimExpr(i));
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, access, l.b.getContext()), l.b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(extents, storage), l(op.getIndices()), maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Scalars s{b, loc, element};
                     Value index = castScalar(s, loadScalar(b, loc, args.front(), element), element, i64);
                     Index place = fromBeginning(l, index, i64, depth);
                     Index at(l, linalg::IndexOp::create(b, loc, axis).getResult());
                     return arith::SelectOp::create(b, loc, place == at, on, off);
                   });
}

//===-- NonZero --------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfNonZero(NonZeroOp op, Known &known) {
  return Extents{known.math.constant(known.rank(op.getX())), nullptr};
}

/// Whether an element is not zero, as i1; a string is zero if it is empty.
static Value isTrue(const Scalars &s, Value value) {
  if (!isa<StringType>(s.element))
    return castScalar(s, value, s.element, s.b.getI1Type());
  Type i64 = s.b.getI64Type();
  Value empty = TextOp::create(s.b, s.loc, "");
  Value isEmpty = ServiceOp::create(s.b, s.loc, TypeRange(i64), "string_equal", ValueRange{value, empty}).getResult();
  return s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, isEmpty, s.constant(0, i64));
}

/// The same of an element as it is stored.
static Truth isNonZero(Lowering &l, Value stored, Type element) {
  return {l, isTrue({l.b, l.loc(), element}, loadScalar(l.b, l.loc(), stored, element))};
}

/// How many elements of a tensor are not zero.
static Index countNonZero(Lowering &l, Value tensor, Type element) {
  Type index = l.b.getIndexType();
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  auto load = [&](Scalars &s, ValueRange args) -> Value {
    return s.make<arith::IndexCastUIOp>(index, isTrue(s, args.front()));
  };
  auto add = [](Scalars &s, ValueRange args) { return scalar<arith::AddIOp>(s, args); };
  Value count =
      l.reduce(tensor, element, llvm::to_vector(llvm::seq<int64_t>(0, rank)), index, l.index(int64_t(0)), load, add);
  SmallVector<Value> first(rank, l.index(int64_t(0)));
  return {l, tensor::ExtractOp::create(l.b, l.loc(), count, first).getResult()};
}

/// `carried` (a tensor and how many columns of it are full) after `column` has been added if `condition` holds.
static SmallVector<Value> addColumn(Lowering &l, Truth condition, ValueRange column, ValueRange carried) {
  auto choice = scf::IfOp::create(
      l.b, l.loc(), condition,
      [&](OpBuilder &b, Location loc) {
        Value filled = carried[0];
        for (auto [row, value] : llvm::enumerate(column)) {
          Value stored = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
          filled = tensor::InsertOp::create(b, loc, stored, filled, ValueRange{l.index(row), carried[1]});
        }
        scf::YieldOp::create(b, loc, ValueRange{filled, Index(l, carried[1]) + 1});
      },
      [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, carried); });
  return SmallVector<Value>(choice.getResults());
}

static FailureOr<Value> lowerNonZero(NonZeroOp op, Lowering &l) {
  Value data = l(op.getX());
  Type element = Lowering::element(op.getX());
  int64_t rank = l.rank(op.getX());
  Index count = countNonZero(l, data, element);
  Value places = l.empty({l.b.getIndexAttr(rank), count}, l.b.getI64Type());
  return loopNest(l, l.extents(op.getX()), {places, l.index(int64_t(0))},
                  [&](ValueRange index, ValueRange carried) {
                    Value stored = tensor::ExtractOp::create(l.b, l.loc(), data, index);
                    return addColumn(l, isNonZero(l, stored, element), index, carried);
                  })
      .front();
}

//===-- Compress -------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfCompress(CompressOp op, Known &known) {
  Extents extents(known.extents(op.getInput()));
  if (known.rank(op.getCondition()) != 1)
    return op.emitOpError("expects a condition of rank 1, got ") << known.rank(op.getCondition());
  if (!op.getAxis())
    return Extents{nullptr};
  int64_t rank = extents.size();
  std::optional<int64_t> axis = normalizedAxis(*op.getAxis(), rank);
  if (!axis)
    return op.emitOpError("expects an axis in [") << -rank << ", " << rank - 1 << "], got " << *op.getAxis();
  extents[*axis] = nullptr;
  return extents;
}

static FailureOr<Value> lowerCompress(CompressOp op, Lowering &l) {
  Extents extents(l.known.extents(op.getInput()));
  Value data = l(op.getInput());
  int64_t axis = 0;
  if (op.getAxis()) {
    axis = *normalizedAxis(*op.getAxis(), extents.size());
  } else {
    Extents flat = {l.known.math.product(extents)};
    data = l.reshape(data, extents, flat);
    extents = flat;
  }
  Index length(l, l.known.extents(op.getCondition()).front()), limit(l, extents[axis]);
  l.check(length <= limit, "expects a condition of at most %0 elements, got %1", {limit, length});
  Value condition = l(op.getCondition());
  Index count = countNonZero(l, condition, l.b.getI1Type());
  Value places = l.empty({l.b.getIndexAttr(1), count}, l.b.getI64Type());
  places = loopNest(l, {length}, {places, l.index(int64_t(0))}, [&](ValueRange index, ValueRange carried) {
             Value stored = tensor::ExtractOp::create(l.b, l.loc(), condition, index);
             return addColumn(l, isNonZero(l, stored, l.b.getI1Type()), index, carried);
           }).front();

  int64_t rank = extents.size();
  SmallVector<OpFoldResult> result = l.materialize(extents);
  result[axis] = count;
  SmallVector<AffineMap> maps = {
      AffineMap::get(rank, 0, {l.b.getAffineConstantExpr(0), l.b.getAffineDimExpr(axis)}, l.b.getContext()),
      l.b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return l.generic(l.empty(result, storageType(Lowering::element(op.getInput()))), places, maps, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     SmallVector<Value> source;
                     for (int64_t i = 0; i < rank; ++i)
                       source.push_back(linalg::IndexOp::create(b, loc, i));
                     source[axis] = arith::IndexCastOp::create(b, loc, b.getIndexType(), args.front());
                     return tensor::ExtractOp::create(b, loc, data, source);
                   });
}

void addSelectRules(Rules &rules) {
  rules.op<OneHotOp>().shape(shapeOfOneHot).lower(lowerOneHot);
  rules.op<NonZeroOp>().shape(shapeOfNonZero).lower(lowerNonZero);
  rules.op<CompressOp>().shape(shapeOfCompress).moves().lower(lowerCompress);
}

} // namespace mlc::onnx

#include "onnx/Lowering.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "onnx/Constants.h"
#include "onnx/NodeText.h"
#include "onnx/Onnx.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Operands and extents ---------------------------------------------------===//

OpFoldResult Lowering::materialize(Extent extent) {
  return known.math.materialize(extent, b, loc(), [&](Value value) { return lowered.lookup(value); });
}

SmallVector<OpFoldResult> Lowering::materialize(ArrayRef<Extent> extents) {
  return llvm::map_to_vector(extents, [&](Extent extent) { return materialize(extent); });
}

Value Lowering::index(OpFoldResult value) { return getValueOrCreateConstantIndexOp(b, loc(), value); }
Value Lowering::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc(), value); }

RankedTensorType Lowering::type(Value value) {
  SmallVector<int64_t> shape;
  for (Extent extent : known.extents(value))
    shape.push_back(ExtentMath::asConstant(extent).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, storageType(element(value)));
}

Value Lowering::empty(ArrayRef<OpFoldResult> extents, Type storage) {
  return tensor::EmptyOp::create(b, loc(), extents, storage);
}

Value Lowering::filled(ArrayRef<OpFoldResult> extents, Value scalar) {
  Value init = empty(extents, scalar.getType());
  return linalg::FillOp::create(b, loc(), scalar, init).getResult(0);
}

Value Lowering::scalar(double value, Type storage) {
  if (isa<mlc::StringType>(storage))
    return TextOp::create(b, loc(), "");
  return arith::ConstantOp::create(b, loc(), numberAttr(b, value, storage));
}

/// The same data in a storage type; booleans and elements of fewer than 8 bits take a byte.
static FailureOr<ElementsAttr> asStored(ElementsAttr value, ShapedType type) {
  if (value.getType() == type)
    return value;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    if (bytesPerElement(value.getElementType()) > 0)
      return ElementsAttr(DenseResourceElementsAttr::get(type, resource.getRawHandle()));
    std::vector<char> storage;
    return constantOf(cast<RankedTensorType>(type), bytesOf(value, storage));
  }
  unsigned width = type.getElementTypeBitWidth();
  if (auto dense = dyn_cast<DenseFPElementsAttr>(value)) // of 8 bits and fewer
    return ElementsAttr(dense.mapValues(
        type.getElementType(), [&](const APFloat &number) { return number.bitcastToAPInt().zextOrTrunc(width); }));
  auto dense = dyn_cast<DenseIntElementsAttr>(value);
  if (!dense)
    return failure();
  bool isSigned = !isUnsigned(dense.getElementType());
  return ElementsAttr(dense.mapValues(type.getElementType(), [&](const APInt &number) {
    return isSigned ? number.sextOrTrunc(width) : number.zextOrTrunc(width);
  }));
}

/// One text, and the places of the strings in it as numbers: no address has to be written by the loader.
static Value stringConstant(Lowering &l, DenseElementsAttr value) {
  ArrayRef<int64_t> shape = value.getType().getShape();
  std::string text;
  SmallVector<int64_t> offsets, sizes;
  llvm::StringMap<int64_t> places;
  for (StringRef string : value.getValues<StringRef>()) {
    auto [place, isNew] = places.try_emplace(string, text.size());
    if (isNew)
      text += string;
    offsets.push_back(place->second);
    sizes.push_back(string.size());
  }
  Value whole = TextOp::create(l.b, l.loc(), text);
  SmallVector<OpFoldResult> extents =
      llvm::map_to_vector(shape, [&](int64_t extent) -> OpFoldResult { return l.b.getIndexAttr(extent); });
  if (places.size() == 1)
    return l.filled(extents, whole);
  auto type = RankedTensorType::get(shape, l.b.getI64Type());
  Value inText[] = {arith::ConstantOp::create(l.b, l.loc(), DenseElementsAttr::get(type, ArrayRef(offsets))),
                    arith::ConstantOp::create(l.b, l.loc(), DenseElementsAttr::get(type, ArrayRef(sizes)))};
  AffineMap identity = l.b.getMultiDimIdentityMap(shape.size());
  SmallVector<utils::IteratorType> parallel(shape.size(), utils::IteratorType::parallel);
  return l.generic(l.empty(extents, whole.getType()), inText, {identity, identity, identity}, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     return SubstringOp::create(b, loc, whole, args[0], args[1]);
                   });
}

FailureOr<Value> Lowering::constant(ElementsAttr value) {
  if (isa<StringType>(value.getElementType()))
    return stringConstant(*this, cast<DenseElementsAttr>(value));
  auto type = RankedTensorType::get(value.getShapedType().getShape(), storageType(value.getElementType()));
  FailureOr<ElementsAttr> stored = asStored(value, type);
  if (failed(stored))
    return unsupported("a constant of this kind of attribute");
  return Value(arith::ConstantOp::create(b, loc(), *stored));
}

Value Lowering::elementAsIndex(Value value, int64_t position) {
  if (auto elements = known.elements(value))
    return index(materialize((*elements)[position]));
  return index(materialize(known.math.elementOf(value, position)));
}

Value Lowering::onlyElement(Value value) { return loadScalar(b, loc(), storedElement(value), element(value)); }

Value Lowering::storedElement(Value value) {
  Value tensor = (*this)(value);
  SmallVector<Value> zeros(cast<RankedTensorType>(tensor.getType()).getRank(), nullptr);
  for (Value &zero : zeros)
    zero = index(int64_t(0));
  return tensor::ExtractOp::create(b, loc(), tensor, zeros);
}

//===-- Forms ------------------------------------------------------------------===//

Value Lowering::generic(Value init, ValueRange inputs, ArrayRef<AffineMap> maps,
                        ArrayRef<utils::IteratorType> iterators,
                        llvm::function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  auto op = linalg::GenericOp::create(
      b, loc(), init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &inner, Location l, ValueRange args) { linalg::YieldOp::create(inner, l, body(inner, l, args)); });
  return op.getResult(0);
}

/// `operand` copied to the extents of the result, where only the run tells along which axes it is 1.
static Value expandAtRunTime(Lowering &l, Value operand, ArrayRef<OpFoldResult> extents) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t offset = extents.size() - type.getRank();
  Value one = l.index(1), zero = l.index(int64_t(0));
  SmallVector<Value> isOne;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    Value own = l.index(tensor::getMixedSize(l.b, l.loc(), operand, axis)), common = l.index(extents[offset + axis]);
    Value single = arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::eq, own, one);
    Value same = arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::eq, own, common);
    l.check(arith::OrIOp::create(l.b, l.loc(), single, same),
            "expects operands that broadcast; axis " + Twine(offset + axis) + " has extent %0 in one and %1 in another",
            {own, common});
    isOne.push_back(single);
  }
  Value init = l.empty(extents, type.getElementType());
  AffineMap identity = l.b.getMultiDimIdentityMap(extents.size());
  SmallVector<utils::IteratorType> parallel(extents.size(), utils::IteratorType::parallel);
  return l.generic(init, {}, identity, parallel, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
    SmallVector<Value> indices;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      Value position = linalg::IndexOp::create(b, loc, offset + axis);
      indices.push_back(arith::SelectOp::create(b, loc, isOne[axis], zero, position));
    }
    return tensor::ExtractOp::create(b, loc, operand, indices);
  });
}

/// The last `count` axes of `rank`.
static SmallVector<int64_t> lastAxes(int64_t rank, int64_t count) {
  return llvm::to_vector(llvm::seq<int64_t>(rank - count, rank));
}

/// How an operand is read whose axes run along `axes` of the result, which has the extents `extents`.
static AffineMap broadcastMap(OpBuilder &b, RankedTensorType operand, ArrayRef<int64_t> axes,
                              ArrayRef<OpFoldResult> extents) {
  SmallVector<AffineExpr> access;
  for (auto [extent, along] : llvm::zip_equal(operand.getShape(), axes)) {
    bool repeats = extent == 1 && getConstantIntValue(extents[along]) != 1;
    access.push_back(repeats ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(along));
  }
  return AffineMap::get(extents.size(), 0, access, b.getContext());
}

Value Lowering::elementwise(ArrayRef<OpFoldResult> extents, Type resultElement, ArrayRef<Along> operands,
                            ScalarBody body) {
  int64_t rank = extents.size();
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const Along &operand : operands) {
    values.push_back(operand.value);
    maps.push_back(broadcastMap(b, cast<RankedTensorType>(operand.value.getType()), operand.axes, extents));
  }
  maps.push_back(b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return generic(empty(extents, storageType(resultElement)), values, maps, parallel,
                 [&](OpBuilder &inner, Location l, ValueRange args) {
                   Scalars scalars{inner, l, operands.empty() ? resultElement : operands.front().element};
                   SmallVector<Value> loaded;
                   for (auto [arg, operand] : llvm::zip(args, operands))
                     loaded.push_back(loadScalar(inner, l, arg, operand.element));
                   return storeScalar(inner, l, body(scalars, loaded), resultElement);
                 });
}

Value Lowering::elementwise(ArrayRef<OpFoldResult> extents, Type resultElement, ValueRange operands, TypeRange elements,
                            ScalarBody body) {
  SmallVector<Along> aligned;
  for (auto [operand, element] : llvm::zip_equal(operands, elements)) {
    int64_t rank = extents.size(), own = cast<RankedTensorType>(operand.getType()).getRank();
    aligned.push_back({operand, element, lastAxes(rank, own)});
  }
  return elementwise(extents, resultElement, aligned, body);
}

Value Lowering::broadcast(Value operand, ArrayRef<OpFoldResult> extents) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t rank = extents.size();
  SmallVector<AffineMap> maps = {broadcastMap(b, type, lastAxes(rank, type.getRank()), extents),
                                 b.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return generic(empty(extents, type.getElementType()), operand, maps, parallel,
                 [](OpBuilder &, Location, ValueRange args) { return args.front(); });
}

Value Lowering::broadcastable(Value operand, ArrayRef<Extent> common) {
  return broadcastable((*this)(operand), known.extents(operand), common);
}

Value Lowering::broadcastable(Value value, ArrayRef<Extent> own, ArrayRef<Extent> common) {
  int64_t offset = common.size() - own.size();
  for (auto [axis, extent] : llvm::enumerate(own))
    if (!ExtentMath::isConstant(extent, 1) && !known.math.isEqual(extent, common[offset + axis]))
      return expandAtRunTime(*this, value, materialize(common));
  // The type may know less than the facts; a cast tells it.
  auto type = cast<RankedTensorType>(value.getType());
  auto shape = llvm::map_to_vector(
      own, [](Extent extent) { return ExtentMath::asConstant(extent).value_or(ShapedType::kDynamic); });
  auto refined = type.clone(shape);
  return type == refined ? value : Value(tensor::CastOp::create(b, loc(), refined, value));
}

Value Lowering::elementwise(Value result, ValueRange operands, ScalarBody body) {
  ArrayRef<Extent> common = known.extents(result);
  SmallVector<Value> values;
  SmallVector<Type> elements;
  for (Value operand : operands) {
    values.push_back(broadcastable(operand, common));
    elements.push_back(element(operand));
  }
  return elementwise(extents(result), element(result), values, elements, body);
}

Value Lowering::fold(Value operand, Type element, ArrayRef<int64_t> axes, Type accumulator, Value init, ScalarBody load,
                     ScalarBody combine) {
  int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
  SmallVector<OpFoldResult> all = tensor::getMixedSizes(b, loc(), operand), kept;
  SmallVector<AffineExpr> access;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t axis = 0; axis < rank; ++axis) {
    bool reduced = llvm::is_contained(axes, axis);
    iterators.push_back(reduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (reduced)
      continue;
    kept.push_back(all[axis]);
    access.push_back(b.getAffineDimExpr(axis));
  }
  Value start = filled(kept, init);
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank), AffineMap::get(rank, 0, access, b.getContext())};
  return generic(start, operand, maps, iterators, [&](OpBuilder &inner, Location l, ValueRange args) {
    Scalars scalars{inner, l, element};
    Value value = loadScalar(inner, l, args[0], element);
    if (load)
      value = load(scalars, value);
    return combine(scalars, {args[1], value});
  });
}

Value Lowering::reduce(Value operand, Type element, ArrayRef<int64_t> axes, Type accumulator, Value init,
                       ScalarBody load, ScalarBody combine) {
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc(), operand);
  for (int64_t axis : axes)
    extents[axis] = b.getIndexAttr(1);
  return reshape(fold(operand, element, axes, accumulator, init, load, combine), extents);
}

Value Lowering::sumOfProducts(ArrayRef<OpFoldResult> extents, Value lhs, Value rhs, ArrayRef<AffineMap> maps,
                              ArrayRef<utils::IteratorType> iterators, Factors factors) {
  Type type = factors == Factors::Same ? getElementTypeOrSelf(lhs.getType()) : b.getI32Type();
  return generic(filled(extents, scalar(0, type)), {lhs, rhs}, maps, iterators,
                 [&](OpBuilder &inner, Location l, ValueRange args) -> Value {
                   if (isFloat(type))
                     return arith::AddFOp::create(inner, l, args[2], arith::MulFOp::create(inner, l, args[0], args[1]));
                   auto extended = [&](Value factor, bool isUnsigned) -> Value {
                     if (factor.getType() == type)
                       return factor;
                     if (isUnsigned)
                       return arith::ExtUIOp::create(inner, l, type, factor);
                     return arith::ExtSIOp::create(inner, l, type, factor);
                   };
                   Value x = extended(args[0], factors == Factors::UnsignedBySigned), y = extended(args[1], false);
                   return arith::AddIOp::create(inner, l, args[2], arith::MulIOp::create(inner, l, x, y));
                 });
}

AffineMap Lowering::consecutive(int64_t loops, int64_t first, int64_t count) {
  SmallVector<AffineExpr> exprs;
  for (int64_t loop = first; loop < first + count; ++loop)
    exprs.push_back(b.getAffineDimExpr(loop));
  return AffineMap::get(loops, 0, exprs, b.getContext());
}

Value Lowering::generate(ArrayRef<OpFoldResult> extents, Type storage,
                         llvm::function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  int64_t rank = extents.size();
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return generic(empty(extents, storage), {}, b.getMultiDimIdentityMap(rank), parallel,
                 [&](OpBuilder &inner, Location l, ValueRange) {
                   SmallVector<Value> indices;
                   for (int64_t axis = 0; axis < rank; ++axis)
                     indices.push_back(linalg::IndexOp::create(inner, l, axis));
                   return body(inner, l, indices);
                 });
}

Value Lowering::transpose(Value operand, ArrayRef<int64_t> permutation) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc(), operand), permuted;
  for (int64_t axis : permutation)
    permuted.push_back(sizes[axis]);
  Value init = empty(permuted, cast<RankedTensorType>(operand.getType()).getElementType());
  return linalg::TransposeOp::create(b, loc(), operand, init, permutation)->getResult(0);
}

/// Groups of axes that one axis of the other shape stands for, when the two differ only by axes of extent 1.
static std::optional<SmallVector<ReassociationIndices>> unitReassociation(ArrayRef<OpFoldResult> longer,
                                                                          ArrayRef<OpFoldResult> shorter) {
  SmallVector<ReassociationIndices> groups;
  size_t at = 0;
  ReassociationIndices pending;
  for (auto [axis, extent] : llvm::enumerate(longer)) {
    pending.push_back(axis);
    bool matches = at < shorter.size() && isEqualConstantIntOrValue(extent, shorter[at]);
    bool isUnit = getConstantIntValue(extent) == 1;
    if (matches) {
      groups.push_back(std::exchange(pending, {}));
      ++at;
    } else if (!isUnit) {
      return std::nullopt;
    }
  }
  if (at != shorter.size())
    return std::nullopt;
  if (!pending.empty()) {
    if (groups.empty())
      return SmallVector<ReassociationIndices>(); // to rank 0
    llvm::append_range(groups.back(), pending);
  }
  return groups;
}

Value Lowering::reshape(Value operand, ArrayRef<OpFoldResult> extents) {
  SmallVector<int64_t> shape;
  SmallVector<Value> ignored;
  dispatchIndexOpFoldResults(extents, ignored, shape);
  auto from = cast<RankedTensorType>(operand.getType());
  auto to = RankedTensorType::get(shape, from.getElementType());
  SmallVector<OpFoldResult> own = tensor::getMixedSizes(b, loc(), operand);
  if (own.size() == extents.size() &&
      llvm::equal(own, extents, [](auto a, auto b) { return isEqualConstantIntOrValue(a, b); }))
    return from == to ? operand : Value(tensor::CastOp::create(b, loc(), to, operand));

  // All in one step where the shapes allow it, since such reshapes can be seen through by fusion.
  if (from.hasStaticShape() && to.hasStaticShape()) {
    if (std::optional<SmallVector<ReassociationIndices>> groups = getReassociationIndicesForReshape(from, to))
      return from.getRank() > to.getRank() ? Value(tensor::CollapseShapeOp::create(b, loc(), to, operand, *groups))
                                           : Value(tensor::ExpandShapeOp::create(b, loc(), to, operand, *groups));
  } else if (own.size() > extents.size()) {
    if (auto groups = unitReassociation(own, extents)) {
      if (groups->empty()) {
        auto ones = RankedTensorType::get(SmallVector<int64_t>(from.getRank(), 1), from.getElementType());
        if (from != ones)
          operand = tensor::CastOp::create(b, loc(), ones, operand);
      }
      Value collapsed = tensor::CollapseShapeOp::create(b, loc(), operand, *groups);
      return collapsed.getType() == to ? collapsed : Value(tensor::CastOp::create(b, loc(), to, collapsed));
    }
  } else if (auto groups = unitReassociation(extents, own)) {
    return tensor::ExpandShapeOp::create(b, loc(), to, operand, *groups, extents);
  }

  // Through one axis of all elements.
  Value flat = operand;
  if (from.getRank() == 0) {
    flat = tensor::ExpandShapeOp::create(b, loc(), RankedTensorType::get({1}, from.getElementType()), operand,
                                         ArrayRef<ReassociationIndices>{});
  } else if (from.getRank() > 1) {
    ReassociationIndices every = llvm::to_vector(llvm::seq<int64_t>(0, from.getRank()));
    flat = tensor::CollapseShapeOp::create(b, loc(), operand, ArrayRef<ReassociationIndices>{every});
  }
  if (to.getRank() == 0) {
    auto one = RankedTensorType::get({1}, from.getElementType());
    if (flat.getType() != one)
      flat = tensor::CastOp::create(b, loc(), one, flat);
    return tensor::CollapseShapeOp::create(b, loc(), to, flat, ArrayRef<ReassociationIndices>{});
  }
  if (to.getRank() == 1)
    return flat.getType() == to ? flat : Value(tensor::CastOp::create(b, loc(), to, flat));
  // An expand_shape wants a fixed extent on both sides or on neither.
  auto flatType = cast<RankedTensorType>(flat.getType());
  if (to.hasStaticShape() != flatType.hasStaticShape()) {
    int64_t count = to.hasStaticShape() ? to.getNumElements() : ShapedType::kDynamic;
    flat = tensor::CastOp::create(b, loc(), RankedTensorType::get({count}, from.getElementType()), flat);
  }
  ReassociationIndices every = llvm::to_vector(llvm::seq<int64_t>(0, to.getRank()));
  return tensor::ExpandShapeOp::create(b, loc(), to, flat, ArrayRef<ReassociationIndices>{every}, extents);
}

/// The verifiers of slices refuse every offset into nothing.
static bool isNothing(ArrayRef<OpFoldResult> sizes, Value whole) {
  return llvm::any_of(sizes, [](OpFoldResult size) { return getConstantIntValue(size) == 0; }) ||
         llvm::is_contained(cast<RankedTensorType>(whole.getType()).getShape(), 0);
}

Value Lowering::slice(Value operand, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                      ArrayRef<OpFoldResult> strides) {
  if (isNothing(sizes, operand))
    return empty(sizes, cast<RankedTensorType>(operand.getType()).getElementType());
  return tensor::ExtractSliceOp::create(b, loc(), operand, offsets, sizes, strides);
}

Value Lowering::insert(Value part, Value into, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  if (isNothing(sizes, into))
    return into;
  SmallVector<int64_t> shape = llvm::map_to_vector(
      sizes, [](OpFoldResult size) { return getConstantIntValue(size).value_or(ShapedType::kDynamic); });
  auto type = cast<RankedTensorType>(part.getType());
  if (type.getShape() != ArrayRef(shape))
    part = tensor::CastOp::create(b, loc(), type.clone(shape), part);
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, loc(), part, into, offsets, sizes, strides);
}

Value Lowering::pad(Value operand, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high, Value value) {
  auto isZero = [](OpFoldResult amount) { return getConstantIntValue(amount) == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return operand;
  return tensor::PadOp::create(b, loc(), Type(), operand, low, high, value);
}

Value Lowering::cast(Value operand, Type from, Type to, Narrowing narrowing) {
  if (from == to)
    return operand;
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc(), operand);
  AffineMap identity = b.getMultiDimIdentityMap(extents.size());
  SmallVector<utils::IteratorType> parallel(extents.size(), utils::IteratorType::parallel);
  return generic(empty(extents, storageType(to)), operand, {identity, identity}, parallel,
                 [&](OpBuilder &inner, Location l, ValueRange args) {
                   Value converted = castScalar({inner, l, from}, loadScalar(inner, l, args[0], from), from, to);
                   return storeScalar(inner, l, converted, to, narrowing);
                 });
}

//===-- Arithmetic on index values ----------------------------------------------===//

template <typename Op, typename Fold>
static OpFoldResult arithmetic(Lowering &l, OpFoldResult a, OpFoldResult b, Fold fold) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return l.b.getIndexAttr(fold(*x, *y));
  return Value(Op::create(l.b, l.loc(), l.index(a), l.index(b)));
}

OpFoldResult Lowering::add(OpFoldResult x, OpFoldResult y) {
  return arithmetic<arith::AddIOp>(*this, x, y, std::plus<int64_t>());
}
OpFoldResult Lowering::sub(OpFoldResult x, OpFoldResult y) {
  return arithmetic<arith::SubIOp>(*this, x, y, std::minus<int64_t>());
}
OpFoldResult Lowering::mul(OpFoldResult x, OpFoldResult y) {
  return arithmetic<arith::MulIOp>(*this, x, y, std::multiplies<int64_t>());
}

Value Lowering::number(OpFoldResult index, Type type) {
  if (std::optional<int64_t> fixed = getConstantIntValue(index))
    return scalar(*fixed, type);
  if (isa<IndexType>(type))
    return this->index(index);
  bool real = isa<FloatType>(type);
  Value integer = arith::IndexCastOp::create(b, loc(), real ? b.getI64Type() : type, this->index(index));
  return real ? Value(arith::SIToFPOp::create(b, loc(), type, integer)) : integer;
}

//===-- Failure ----------------------------------------------------------------===//

/// The name of the node, which the importer put into the location.
static StringRef nodeName(Location loc) {
  if (auto name = loc->findInstanceOf<NameLoc>())
    return name.getName().getValue();
  return "";
}

std::string nodeText(Operation *op) { return (nodeName(op->getLoc()) + " (" + operatorName(op) + ")").str(); }

void Lowering::check(Value condition, Twine message, ValueRange values) {
  CheckOp::create(b, loc(), condition, b.getStringAttr(nodeText(op) + " " + message), values);
}

/// More elements than memory can hold, few enough for their number of bytes to be computed.
static constexpr double mostElements = double(int64_t(1) << 48);

void Lowering::checkExtents(ArrayRef<OpFoldResult> extents) {
  // In floating point, where the product of large extents does not wrap around.
  Type f64 = b.getF64Type();
  Value count = scalar(1, f64), zero = index(int64_t(0));
  bool isFixed = true;
  for (OpFoldResult extent : extents) {
    Value value = index(extent);
    if (!getConstantIntValue(extent)) {
      isFixed = false;
      check(arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::sge, value, zero),
            "expects extents that are not negative, got %0", value);
    }
    Value wide = arith::IndexCastOp::create(b, loc(), b.getI64Type(), value);
    count = arith::MulFOp::create(b, loc(), count, arith::SIToFPOp::create(b, loc(), f64, wide));
  }
  if (isFixed)
    return;
  Value fits = arith::CmpFOp::create(b, loc(), arith::CmpFPredicate::OLE, count, scalar(mostElements, f64));
  check(fits, "has a result that is too large", {});
}

void Lowering::checkExtents(ArrayRef<Extent> extents) {
  if (!llvm::all_of(extents, [&](Extent extent) { return known.math.isNonNegative(extent); }))
    checkExtents(materialize(extents));
}

void Lowering::expectExtent(Extent actual, Extent expected, Twine what) {
  if (known.math.isEqual(actual, expected))
    return;
  Value a = index(materialize(actual)), e = index(materialize(expected));
  Value equal = arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, a, e);
  check(equal, "expects " + what + " of extent %0, got %1", {e, a});
}

FailureOr<SmallVector<Value>> Lowering::lowerBlock(Block &block) {
  Operation *outer = op;
  LogicalResult done = lowerOperations(block, *this);
  op = outer;
  if (failed(done))
    return failure();
  return llvm::map_to_vector(block.getTerminator()->getOperands(), [&](Value value) { return lowered.lookup(value); });
}

/// Elements that are computed one by one; shapes are short.
static constexpr size_t maxComputedElements = 32;

Value Lowering::fromElements(Value value) {
  std::optional<ArrayRef<Extent>> elements = known.elements(value);
  if (!elements)
    return nullptr;
  RankedTensorType tensor = type(value);
  auto integer = cast<IntegerType>(tensor.getElementType());
  if (auto constants = ExtentMath::asConstants(*elements)) {
    auto numbers = llvm::map_to_vector(*constants, [&](int64_t number) {
      return APInt(integer.getWidth(), number, /*isSigned=*/true, /*implicitTrunc=*/true);
    });
    return arith::ConstantOp::create(b, loc(), DenseElementsAttr::get(tensor, numbers));
  }
  if (elements->size() > maxComputedElements)
    return nullptr;
  SmallVector<Value> numbers;
  for (Extent element : *elements)
    numbers.push_back(arith::IndexCastOp::create(b, loc(), integer, index(materialize(element))));
  return tensor::FromElementsOp::create(b, loc(), tensor, numbers);
}

/// Why the function of an operator, which would have taken its place, could not be built.
static constexpr StringRef unknownFormName = "onnx.unknown_form";

void noteUnknownForm(Operation &op, StringRef expectation) {
  op.setDiscardableAttr(unknownFormName, StringAttr::get(op.getContext(), expectation));
}

/// The results of an operation; those whose elements are known are made of them, without the operation.
static FailureOr<SmallVector<Value>> lowerOperation(Operation *op, Lowering &lowering) {
  if (op->getNumResults() == 1 && !isa<ConstantOp>(op))
    if (Value made = lowering.fromElements(op->getResult(0)))
      return SmallVector<Value>{made};
  const Rule *rule = ruleOf(op);
  if (!rule && isa<CustomOp>(op))
    return lowering.unsupported("operator '" + operatorName(op) + "' is not loaded; --ops=FILE adds operators");
  if (!rule || !rule->lower) {
    auto unknownForm = op->getAttrOfType<StringAttr>(unknownFormName);
    return lowering.unsupported(unknownForm ? unknownForm.getValue() : "this operator has no lowering yet");
  }
  return rule->lower(op, lowering);
}

LogicalResult lowerOperations(Block &block, Lowering &lowering) {
  bool hasFailed = false;
  for (Operation &op : block.without_terminator()) {
    lowering.op = &op;
    OpBuilder::InsertPoint place = lowering.b.saveInsertionPoint();
    FailureOr<SmallVector<Value>> values;
    if (!lowering.known.isHopeless(&op))
      values = lowerOperation(&op, lowering);
    if (failed(values)) {
      lowering.known.giveUp(&op);
      lowering.b.restoreInsertionPoint(place);
      hasFailed = true;
      continue;
    }
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *values)) {
      if (!value)
        continue; // an absent optional result
      // Types agree with the facts, so that users of either see the same.
      if (isa<RankedTensorType>(result.getType())) {
        RankedTensorType expected = lowering.type(result);
        if (value.getType() != expected)
          value = tensor::CastOp::create(lowering.b, op.getLoc(), expected, value);
      }
      lowering.define(result, value);
    }
  }
  return failure(hasFailed);
}

//===-- Constants and axes -------------------------------------------------------===//

std::optional<ElementsAttr> constantValue(Value value) {
  if (!value)
    return std::nullopt;
  auto constant = value.getDefiningOp<ConstantOp>();
  return constant ? valueOf(constant) : std::nullopt;
}

std::optional<double> constantNumber(Value value) {
  std::optional<ElementsAttr> elements = constantValue(value);
  if (!elements || elements->getNumElements() == 0)
    return std::nullopt;
  auto dense = dyn_cast<DenseElementsAttr>(*elements);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(*elements); resource && resource.getNumElements() == 1)
    dense = DenseElementsAttr::getFromRawBuffer(resource.getType(), resource.getRawHandle().getBlob()->getData());
  if (!dense || !dense.isSplat())
    return std::nullopt;
  if (auto real = dyn_cast<FloatType>(dense.getElementType())) {
    APFloat number = dense.getSplatValue<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    return number.convertToDouble();
  }
  if (!dense.getElementType().isInteger())
    return std::nullopt;
  return dense.getSplatValue<APInt>().roundToDouble(!isUnsigned(dense.getElementType()));
}

std::optional<int64_t> normalizedAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>> normalizedAxes(Operation *op, ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    std::optional<int64_t> normal = normalizedAxis(axis, rank);
    if (!normal)
      return op->emitOpError("expects axes in [") << -rank << ", " << rank - 1 << "], got " << axis;
    if (llvm::is_contained(result, *normal))
      return op->emitOpError("expects every axis once, got ") << axis << " again";
    result.push_back(*normal);
  }
  llvm::sort(result);
  return result;
}

} // namespace mlc::onnx

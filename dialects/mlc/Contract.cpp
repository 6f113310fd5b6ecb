// mlc.contract: what its maps may be, and how it is cut into tiles.
#include "mlc/Contract.h"
#include "mlc/Mlc.h"
#include "mlir/Analysis/FlatLinearValueConstraints.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace mlc {

//===-- Maps -----------------------------------------------------------------------===//

FailureOr<SmallVector<int64_t>> loopFactors(AffineExpr index, unsigned loops) {
  SmallVector<int64_t> flat;
  // A floordiv or mod would show as a further, local, variable.
  if (failed(getFlattenedAffineExpr(index, loops, /*numSymbols=*/0, &flat)) || flat.size() != loops + 1 ||
      flat.back() != 0)
    return failure();
  flat.pop_back();
  return flat;
}

AffineMap panelMap(MLIRContext *context, unsigned outer, ArrayRef<unsigned> batch, ArrayRef<int64_t> depth,
                   int64_t width, int64_t group) {
  unsigned loops = outer + 1 + depth.size() + (group > 1);
  SmallVector<AffineExpr> results;
  for (unsigned loop : batch)
    results.push_back(getAffineDimExpr(loop, context));
  AffineExpr column = getAffineDimExpr(outer, context), place = getAffineConstantExpr(0, context);
  int64_t factor = 1;
  for (size_t i = depth.size(); i-- > 0; factor *= depth[i])
    place = getAffineDimExpr(outer + 1 + i, context) * factor + place;
  results.append({column.floorDiv(width), place, column % width});
  if (group > 1)
    results.push_back(getAffineDimExpr(loops - 1, context));
  return AffineMap::get(loops, 0, results, context);
}

/// W, if these results of a map are those of panels: n floordiv W, place, n mod W.
static std::optional<int64_t> panelWidth(ArrayRef<AffineExpr> results, AffineExpr n) {
  auto lane = dyn_cast<AffineBinaryOpExpr>(results.back());
  if (!lane || lane.getKind() != AffineExprKind::Mod || lane.getLHS() != n)
    return std::nullopt;
  auto width = dyn_cast<AffineConstantExpr>(lane.getRHS());
  if (!width || results.front() != n.floorDiv(width))
    return std::nullopt;
  return width.getValue();
}

std::optional<PanelDims> ContractOp::getPanels() {
  AffineMap map = getRhsMap();
  ArrayRef<AffineExpr> results = map.getResults();
  AffineExpr n = getAffineDimExpr(getColumnLoop(), getContext()),
             last = getAffineDimExpr(getNumLoops() - 1, getContext());
  if (results.size() >= 3)
    if (std::optional<int64_t> width = panelWidth(results.take_back(3), n))
      return PanelDims{*width, 1, unsigned(results.size() - 3)};
  if (results.size() >= 4 && results.back() == last && last != n)
    if (std::optional<int64_t> width = panelWidth(results.drop_back().take_back(3), n))
      return PanelDims{*width, cast<ShapedType>(getRhs().getType()).getShape().back(), unsigned(results.size() - 4)};
  return std::nullopt;
}

bool ContractOp::isLanewise() {
  return getLhsMap().getResults().back() == getAffineDimExpr(getColumnLoop(), getContext());
}

std::optional<int64_t> ContractOp::getPanelWidth() {
  std::optional<PanelDims> panels = getPanels();
  return panels ? std::optional(panels->width) : std::nullopt;
}

SmallVector<unsigned> ContractOp::getBatchLoops() {
  SmallVector<unsigned> batch;
  for (unsigned loop = 0; loop < getColumnLoop(); ++loop)
    if (getRhsMap().isFunctionOfDim(loop))
      batch.push_back(loop);
  return batch;
}

namespace {
/// A digit of an index into the right-hand side that is a mixed-radix number of depth loops.
struct Digit {
  unsigned loop;
  int64_t factor;
};
} // namespace

/// The loops of an index, the most significant first; fails unless it is a mixed-radix number.
static FailureOr<SmallVector<Digit>> digits(AffineExpr index, unsigned loops) {
  FailureOr<SmallVector<int64_t>> factors = loopFactors(index, loops);
  if (failed(factors))
    return failure();
  SmallVector<Digit> digits;
  for (auto [loop, factor] : llvm::enumerate(*factors))
    if (factor != 0)
      digits.push_back({(unsigned)loop, factor});
  llvm::sort(digits, [](Digit a, Digit b) { return a.factor > b.factor; });
  for (size_t i = 1; i < digits.size(); ++i)
    if (digits[i].factor < 1 || digits[i - 1].factor % digits[i].factor != 0)
      return failure();
  if (digits.empty() || digits.back().factor != 1)
    return failure();
  return digits;
}

static OpFoldResult extentOf(OpBuilder &b, Location loc, Value shaped, int64_t dim) {
  auto type = cast<ShapedType>(shaped.getType());
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  if (isa<TensorType>(type))
    return tensor::getMixedSize(b, loc, shaped, dim);
  return memref::getMixedSize(b, loc, shaped, dim);
}

SmallVector<OpFoldResult> ContractOp::getLoopExtents(OpBuilder &b) {
  SmallVector<OpFoldResult> extents(getNumLoops());
  for (unsigned loop = 0; loop <= getColumnLoop(); ++loop)
    extents[loop] = extentOf(b, getLoc(), getInit(), loop);
  for (auto [dim, index] : llvm::enumerate(getRhsMap().getResults())) {
    FailureOr<SmallVector<Digit>> found = digits(index, getNumLoops());
    if (failed(found) || found->front().loop <= getColumnLoop())
      continue;
    for (size_t i = 1; i < found->size(); ++i)
      extents[(*found)[i].loop] = b.getIndexAttr((*found)[i - 1].factor / (*found)[i].factor);
    extents[found->front().loop] = affine::makeComposedFoldedAffineApply(
        b, getLoc(), b.getAffineDimExpr(0).floorDiv(found->front().factor), {extentOf(b, getLoc(), getRhs(), dim)});
  }
  return extents;
}

SmallVector<int64_t> ContractOp::getStaticLoopExtents() {
  SmallVector<int64_t> extents(getOutType().getShape());
  extents.resize(getNumLoops(), ShapedType::kDynamic);
  auto rhs = cast<ShapedType>(getRhs().getType());
  for (auto [dim, index] : llvm::enumerate(getRhsMap().getResults())) {
    FailureOr<SmallVector<Digit>> found = digits(index, getNumLoops());
    if (failed(found) || found->front().loop <= getColumnLoop())
      continue;
    for (size_t i = 1; i < found->size(); ++i)
      extents[(*found)[i].loop] = (*found)[i - 1].factor / (*found)[i].factor;
    if (!rhs.isDynamicDim(dim))
      extents[found->front().loop] = rhs.getDimSize(dim) / found->front().factor;
  }
  return extents;
}

//===-- Build and verify -------------------------------------------------------------===//

void ContractOp::build(OpBuilder &b, OperationState &state, Value lhs, Value rhs, Value init, AffineMap lhsMap,
                       AffineMap rhsMap, bool accumulate, bool lhsIsUnsigned) {
  auto result = dyn_cast<RankedTensorType>(init.getType());
  build(b, state, result ? TypeRange(result) : TypeRange(), lhs, rhs, init, AffineMapAttr::get(lhsMap),
        AffineMapAttr::get(rhsMap), accumulate ? b.getUnitAttr() : UnitAttr(),
        lhsIsUnsigned ? b.getUnitAttr() : UnitAttr());
}

static LogicalResult verifyRightMap(ContractOp op, llvm::SmallBitVector &depthSeen) {
  AffineMap map = op.getRhsMap();
  unsigned column = op.getColumnLoop();
  std::optional<PanelDims> panels = op.getPanels();
  auto type = cast<ShapedType>(op.getRhs().getType());
  ArrayRef<AffineExpr> places = map.getResults().drop_back();
  if (panels) {
    places = map.getResults().take_front(panels->first);
    if (type.getDimSize(panels->first + 2) != panels->width)
      return op.emitOpError("expects panels of ") << panels->width << " columns, as rhs_map says, got " << type;
    int64_t count = type.getDimSize(panels->first), columns = op.getOutType().getDimSize(column);
    if (!ShapedType::isDynamic(count) && !ShapedType::isDynamic(columns) &&
        count != (int64_t)llvm::divideCeil(columns, panels->width))
      return op.emitOpError("expects ") << llvm::divideCeil(columns, panels->width) << " panels for " << columns
                                        << " columns, got " << count;
    if (ShapedType::isDynamic(panels->group) || panels->group < 1)
      return op.emitOpError("expects groups of a fixed number of terms, got ") << type;
  } else if (map.getResults().back() != getAffineDimExpr(column, op.getContext())) {
    return op.emitOpError("expects rhs_map to end in the columns, d")
           << column << ", or in panels of them, got " << AffineMapAttr::get(map);
  }
  auto readDepth = [&](AffineExpr index) {
    FailureOr<SmallVector<Digit>> found = digits(index, op.getNumLoops());
    if (failed(found))
      return failure();
    for (Digit digit : *found) {
      if (found->size() > 1 && digit.loop <= column)
        return failure();
      if (digit.loop == column)
        return failure();
      if (digit.loop < column)
        continue;
      if (depthSeen.test(digit.loop))
        return failure();
      depthSeen.set(digit.loop);
    }
    return success();
  };
  if (panels && panels->group > 1)
    depthSeen.set(op.getNumLoops() - 1);
  if (panels && failed(readDepth(map.getResult(panels->first + 1))))
    return op.emitOpError("expects rhs_map to index a panel by a mixed-radix number of the depth loops, got ")
           << AffineMapAttr::get(map);
  for (AffineExpr index : places)
    if (failed(readDepth(index)))
      return op.emitOpError("expects rhs_map to name each outer loop alone and each depth loop once, got ")
             << AffineMapAttr::get(map);
  return success();
}

static LogicalResult verifyElements(ContractOp op) {
  auto lhs = cast<ShapedType>(op.getLhs().getType()), rhs = cast<ShapedType>(op.getRhs().getType());
  Type sum = op.getElementType();
  if (sum.isInteger(32)) {
    for (ShapedType factor : {lhs, rhs})
      if (!llvm::is_contained({8, 16, 32}, factor.getElementTypeBitWidth()) || !factor.getElementType().isInteger())
        return op.emitOpError("expects factors of 8, 16 or 32 bits for a sum of integers, got ") << factor;
    return success();
  }
  if (!sum.isF32() && !sum.isF64())
    return op.emitOpError("expects to accumulate f32, f64 or i32, got ") << op.getOutType();
  if (lhs.getElementType() != sum)
    return op.emitOpError("expects lhs to have the elements of the result, ") << sum << ", got " << lhs;
  auto rhsFloat = dyn_cast<FloatType>(rhs.getElementType());
  if (!rhsFloat || rhsFloat.getWidth() > sum.getIntOrFloatBitWidth())
    return op.emitOpError("expects rhs to have floats no wider than ") << sum << ", got " << rhs;
  if (op.getLhsUnsigned())
    return op.emitOpError("expects integers where lhs_unsigned is, got ") << lhs;
  return success();
}

LogicalResult ContractOp::verify() {
  auto lhs = cast<ShapedType>(getLhs().getType()), rhs = cast<ShapedType>(getRhs().getType());
  ShapedType out = getOutType();
  if (!lhs.hasRank() || !rhs.hasRank() || !out.hasRank() || out.getRank() == 0)
    return emitOpError("expects ranked operands and a result with columns");
  bool tensors = isa<TensorType>(out);
  if (isa<TensorType>(lhs) != tensors || isa<TensorType>(rhs) != tensors || (getResult() != nullptr) != tensors)
    return emitOpError("expects all operands to be tensors, with a result, or all buffers, without");
  if (tensors && getResult().getType() != out)
    return emitOpError("expects the result to have the type of outs, ") << out;
  if (failed(verifyElements(*this)))
    return failure();

  unsigned column = getColumnLoop();
  if (getLhsMap().getNumDims() != getRhsMap().getNumDims() || getLhsMap().getNumDims() <= column)
    return emitOpError("expects maps of the same loops, at least ") << column + 1;
  if (getLhsMap().getNumResults() != lhs.getRank() || getRhsMap().getNumResults() != rhs.getRank())
    return emitOpError("expects a map result for each dimension of lhs and rhs");
  if (lhs.getRank() == 0 || rhs.getRank() == 0)
    return emitOpError("expects lhs and rhs of rank 1 or more");

  ArrayRef<AffineExpr> window = getLhsMap().getResults();
  if (isLanewise())
    window = window.drop_back();
  for (AffineExpr index : window) {
    FailureOr<SmallVector<int64_t>> factors = loopFactors(index, getNumLoops());
    if (failed(factors) || (*factors)[column] != 0 || llvm::any_of(*factors, [](int64_t factor) { return factor < 0; }))
      return emitOpError("expects lhs_map to sum loops other than the columns times constants, got ")
             << AffineMapAttr::get(getLhsMap());
  }

  llvm::SmallBitVector depthSeen(getNumLoops());
  if (failed(verifyRightMap(*this, depthSeen)))
    return failure();
  if (depthSeen.count() != getNumDepthLoops())
    return emitOpError("expects rhs_map to name each depth loop once");

  // What is read must be there, as far as the types tell.
  OpBuilder builder(getContext());
  SmallVector<int64_t> extents(out.getShape());
  extents.resize(getNumLoops(), ShapedType::kDynamic);
  for (auto [dim, index] : llvm::enumerate(getRhsMap().getResults())) {
    FailureOr<SmallVector<Digit>> found = digits(index, getNumLoops());
    if (failed(found))
      continue;
    for (size_t i = 1; i < found->size(); ++i)
      extents[(*found)[i].loop] = (*found)[i - 1].factor / (*found)[i].factor;
    if (rhs.isDynamicDim(dim))
      continue;
    int64_t extent = rhs.getDimSize(dim) / found->front().factor;
    unsigned loop = found->front().loop;
    if (extent * found->front().factor != rhs.getDimSize(dim) ||
        (loop <= column && !out.isDynamicDim(loop) && extent != extents[loop]))
      return emitOpError("expects rhs to have the extents of the loops, got ")
             << rhs << " for " << AffineMapAttr::get(getRhsMap());
    extents[loop] = extent;
  }
  for (auto [dim, index] : llvm::enumerate(getLhsMap().getResults())) {
    if (lhs.isDynamicDim(dim))
      continue;
    FailureOr<SmallVector<int64_t>> factors = loopFactors(index, getNumLoops());
    int64_t last = 0;
    for (auto [factor, extent] : llvm::zip(*factors, extents)) {
      if (factor == 0)
        continue;
      if (ShapedType::isDynamic(extent) || extent == 0)
        last = INT64_MIN / 2;
      else
        last += factor * (extent - 1);
    }
    if (last >= lhs.getDimSize(dim))
      return emitOpError("expects lhs to have at least ")
             << last + 1 << " elements along dimension " << dim << ", got " << lhs;
  }
  return success();
}

void ContractOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (isa<TensorType>(getOutType()))
    return;
  auto *resource = SideEffects::DefaultResource::get();
  effects.emplace_back(MemoryEffects::Read::get(), &getLhsMutable(), resource);
  effects.emplace_back(MemoryEffects::Read::get(), &getRhsMutable(), resource);
  if (getAccumulate())
    effects.emplace_back(MemoryEffects::Read::get(), &getInitMutable(), resource);
  effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable(), resource);
}

LogicalResult ContractOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  if (!getResult())
    return failure();
  shapes.emplace_back();
  for (int64_t dim = 0; dim < getOutType().getRank(); ++dim)
    shapes.back().push_back(extentOf(b, getLoc(), getInit(), dim));
  return success();
}

/// What the destination held matters only when it is added to, and adding zero is no addition.
LogicalResult ContractOp::canonicalize(ContractOp op, PatternRewriter &rewriter) {
  auto fill = op.getInit().getDefiningOp<linalg::FillOp>();
  if (!fill || !op.getResult())
    return rewriter.notifyMatchFailure(op, "destination is not filled");
  if (op.getAccumulate() && !matchPattern(fill.value(), m_PosZeroFloat()) && !matchPattern(fill.value(), m_Zero()))
    return rewriter.notifyMatchFailure(op, "destination is not zero");
  rewriter.modifyOpInPlace(op, [&] {
    op.setAccumulate(false);
    op.getInitMutable().assign(fill.output());
  });
  return success();
}

//===-- Tiling -----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> ContractOp::getLoopIteratorTypes() {
  SmallVector<utils::IteratorType> types(getColumnLoop() + 1, utils::IteratorType::parallel);
  types.resize(getNumLoops(), utils::IteratorType::reduction);
  return types;
}

SmallVector<Range> ContractOp::getIterationDomain(OpBuilder &b) {
  return llvm::map_to_vector(getLoopExtents(b),
                             [&](OpFoldResult extent) { return Range{b.getIndexAttr(0), extent, b.getIndexAttr(1)}; });
}

/// Whether a value is sure to be a multiple of `divisor`.
static bool isMultiple(OpFoldResult value, int64_t divisor) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % divisor == 0;
  auto dynamic = cast<Value>(value);
  if (auto argument = dyn_cast<BlockArgument>(dynamic)) {
    auto loop = dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
    std::optional<SmallVector<Value>> variables = loop ? loop.getLoopInductionVars() : std::nullopt;
    if (!variables || !llvm::is_contained(*variables, dynamic))
      return false;
    size_t index = llvm::find(*variables, dynamic) - variables->begin();
    return isMultiple((*loop.getLoopLowerBounds())[index], divisor) &&
           isMultiple((*loop.getLoopSteps())[index], divisor);
  }
  if (auto apply = dynamic.getDefiningOp<affine::AffineApplyOp>()) {
    AffineMap map = apply.getAffineMap();
    if (map.getResult(0).isMultipleOf(divisor))
      return true;
    if (map.getNumSymbols() != 0)
      return false;
    FailureOr<SmallVector<int64_t>> factors = loopFactors(map.getResult(0), map.getNumDims());
    return succeeded(factors) && llvm::all_of(llvm::zip(*factors, apply.getOperands()), [&](auto term) {
             return std::get<0>(term) % divisor == 0 || isMultiple(std::get<1>(term), divisor);
           });
  }
  return false;
}

/// Whether a tile's columns, which begin with a panel, are sure to end in it.
static bool isWithinPanel(OpFoldResult columns, int64_t width) {
  FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(columns),
      /*stopCondition=*/nullptr, /*closedUB=*/true);
  return succeeded(most) && *most <= width;
}

/// The part of an operand that a tile touches; `first` and `count` are those of the loops.
static Operation *slice(OpBuilder &b, Location loc, Value operand, AffineMap map, std::optional<PanelDims> panels,
                        ArrayRef<OpFoldResult> first, ArrayRef<OpFoldResult> count) {
  unsigned loops = map.getNumDims();
  SmallVector<AffineExpr> last;
  for (unsigned loop = 0; loop < loops; ++loop)
    last.push_back(b.getAffineDimExpr(loop) - 1);
  SmallVector<OpFoldResult> offsets, sizes, strides(map.getNumResults(), b.getIndexAttr(1));
  for (auto [dim, index] : llvm::enumerate(map.getResults())) {
    if (panels && dim == panels->first + 2) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(panels->width));
      continue;
    }
    offsets.push_back(affine::makeComposedFoldedAffineApply(b, loc, index, first));
    if (panels && dim == panels->first &&
        isWithinPanel(count[cast<AffineDimExpr>(cast<AffineBinaryOpExpr>(index).getLHS()).getPosition()],
                      panels->width)) {
      sizes.push_back(b.getIndexAttr(1));
      continue;
    }
    AffineExpr size = panels && dim == panels->first ? cast<AffineBinaryOpExpr>(index).getLHS().ceilDiv(panels->width)
                                                     : index.replaceDims(last) + 1;
    sizes.push_back(affine::makeComposedFoldedAffineApply(b, loc, size, count));
  }
  return tensor::ExtractSliceOp::create(b, loc, operand, offsets, sizes, strides);
}

FailureOr<TilingResult> ContractOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                           ArrayRef<OpFoldResult> sizes) {
  unsigned column = getColumnLoop();
  std::optional<PanelDims> panels = getPanels();
  if (!getResult())
    return emitOpError("is tiled on tensors only");
  if (panels && !isMultiple(offsets[column], panels->width))
    return emitOpError("expects tiles of whole panels of ") << panels->width << " columns";
  // The depth stays whole: splitting it is the business of whoever computes the tile.
  SmallVector<OpFoldResult> first(offsets.begin(), offsets.begin() + column + 1),
      count(sizes.begin(), sizes.begin() + column + 1);
  SmallVector<OpFoldResult> outFirst = first, outCount = count, ones(column + 1, b.getIndexAttr(1));
  SmallVector<OpFoldResult> extents = getLoopExtents(b);
  first.resize(getNumLoops(), b.getIndexAttr(0));
  count.append(extents.begin() + column + 1, extents.end());

  Operation *lhs = slice(b, getLoc(), getLhs(), getLhsMap(), std::nullopt, first, count);
  Operation *rhs = slice(b, getLoc(), getRhs(), getRhsMap(), panels, first, count);
  auto init = tensor::ExtractSliceOp::create(b, getLoc(), getInit(), outFirst, outCount, ones);
  auto tile = ContractOp::create(b, getLoc(), lhs->getResult(0), rhs->getResult(0), init, getLhsMap(), getRhsMap(),
                                 getAccumulate(), getLhsUnsigned());
  return TilingResult{{tile}, {tile.getResult()}, {lhs, rhs, init}};
}

LogicalResult ContractOp::getResultTilePosition(OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,
                                                ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                                SmallVector<OpFoldResult> &resultSizes) {
  llvm::append_range(resultOffsets, offsets.take_front(getColumnLoop() + 1));
  llvm::append_range(resultSizes, sizes.take_front(getColumnLoop() + 1));
  return success();
}

LogicalResult ContractOp::getIterationDomainTileFromResultTile(OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes,
                                                               SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                               SmallVectorImpl<OpFoldResult> &loopSizes) {
  SmallVector<OpFoldResult> extents = getLoopExtents(b);
  llvm::append_range(loopOffsets, offsets);
  llvm::append_range(loopSizes, sizes);
  loopOffsets.resize(getNumLoops(), b.getIndexAttr(0));
  loopSizes.append(extents.begin() + getColumnLoop() + 1, extents.end());
  return success();
}

FailureOr<TilingResult> ContractOp::generateResultTileValue(OpBuilder &b, unsigned result,
                                                            ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> loopOffsets, loopSizes;
  if (failed(getIterationDomainTileFromResultTile(b, result, offsets, sizes, loopOffsets, loopSizes)))
    return failure();
  return getTiledImplementation(b, loopOffsets, loopSizes);
}

//===-- mlc.ukernel --------------------------------------------------------------------===//

/// The most vector registers that a machine has.
static constexpr int64_t mostRegisters = 32;

LogicalResult UkernelOp::verify() {
  if (getRows() < 1 || getLanes() < 1 || getColumns() < getLanes() || getColumns() % getLanes() != 0)
    return emitOpError("expects at least one row and whole vectors of columns, got ")
           << getRows() << " x " << getColumns() << " with " << getLanes() << " lanes";
  int64_t vectors = getColumns() / getLanes(), registers = getRows() * vectors + vectors + 1;
  if (registers > mostRegisters)
    return emitOpError("expects a tile that fits in ")
           << mostRegisters << " registers, got one that needs " << registers;
  size_t depth = getStaticDepth().size();
  if (depth < 1 || depth > 3)
    return emitOpError("expects one to three depth loops, got ") << depth;
  if (getStaticLhsStrides().size() != depth + 1 || getStaticRhsStrides().size() != depth ||
      getStaticOutStride().size() != 1)
    return emitOpError(
        "expects lhs strides of the rows and each depth loop, rhs strides of each depth loop, and one out stride");
  if (getStaticWidth().size() > 1)
    return emitOpError("expects at most one width, got ") << getStaticWidth().size();
  return success();
}

} // namespace mlc

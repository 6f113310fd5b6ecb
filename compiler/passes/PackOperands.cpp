// Turns sums of products into mlc.contract, with the right-hand side in panels.
//
//   %y = linalg.generic ins(%x, %w) outs(%0)      =>   %1 = linalg.transpose %x        channels last
//     { mulf, addf }                                   %2 = mlc.contract ins(%1, %panels) outs(%empty)
//     y[b, f, y, x] += x[b, c, y + i, x + j]           %y = linalg.transpose %2        channels first again
//                      * w[f, c, i, j]
//
// A loop of the sum is one of the rows (lhs only), the columns (rhs only), a batch (both and the result) or the depth
// (both, summed). The operand that is constant, or has no window, is the right-hand side; one of its loops becomes the
// columns. Panels of a constant are made here; other right-hand sides are packed by an operation at run time, unless
// few rows would use the panels or they are as good as packed: then they are read in rows.
//
// Windows are read channels last, so that their rows are contiguous; PropagateLayout removes the transpositions between
// them. Everything else is read as it lies: a micro-kernel takes its rows by any stride.
//
// Integers are multiplied as the target does it best: the right-hand side goes into panels of groups of terms, and both are
// filled up to whole groups. If the right-hand side is constant, the left-hand side may become signed or unsigned by a
// shift of 128 that a constant for each column makes good.
//
// Weights that are dequantized stay what they are: their panels are computed of constants by an operation that becomes
// part of the contraction's kernel (ComputedPanels.h).
//
// Sums that are no matrix product (no columns), and those of a few rows with columns that lie apart, stay as they are.
#include "Target.h"
#include "mlc/Contract.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "onnx/Constants.h"
#include "passes/ComputedPanels.h"
#include "passes/ConstantPanels.h"
#include "passes/Passes.h"
#include <cstring>

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_PACKOPERANDS
#include "passes/Passes.h.inc"

namespace {

//===-- Reading a sum of products ------------------------------------------------------===//

struct Factor {
  Value value;
  AffineMap map;
  bool isUnsigned = false; ///< where it is extended
  unsigned bits() const { return getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(); }
};

/// out += lhs * rhs over the loops of a structured operation.
struct SumOfProducts {
  Factor lhs, rhs;
  AffineMap out;
  Value init;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<int64_t> extents; ///< of the loops

  bool isReduction(unsigned loop) const { return iterators[loop] == utils::IteratorType::reduction; }
  bool isRow(unsigned loop) const {
    return !isReduction(loop) && lhs.map.isFunctionOfDim(loop) && !rhs.map.isFunctionOfDim(loop);
  }
  bool isColumn(unsigned loop) const {
    return !isReduction(loop) && !lhs.map.isFunctionOfDim(loop) && rhs.map.isFunctionOfDim(loop);
  }
  bool isBatch(unsigned loop) const {
    return !isReduction(loop) && lhs.map.isFunctionOfDim(loop) && rhs.map.isFunctionOfDim(loop);
  }
  /// Loops that share an index with another loop.
  llvm::SmallBitVector windowLoops() const {
    llvm::SmallBitVector loops(lhs.map.getNumDims());
    for (AffineExpr index : lhs.map.getResults())
      if (!isa<AffineDimExpr>(index))
        for (unsigned loop = 0; loop < loops.size(); ++loop)
          if (index.isFunctionOfDim(loop))
            loops.set(loop);
    return loops;
  }
};

/// The argument of the body that a factor is, maybe extended.
Value argumentOf(Value factor) {
  if (Operation *op = factor.getDefiningOp(); isa_and_nonnull<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op))
    factor = op->getOperand(0);
  return factor;
}

bool isAccumulator(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return element.isF32() || element.isF64() || element.isInteger(32);
}

std::optional<SumOfProducts> matchSum(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !isAccumulator(op.getDpsInits()[0]))
    return std::nullopt;
  Block *body = op.getBlock();
  Value a = body->getArgument(0), b = body->getArgument(1), sum = body->getArgument(2);
  Operation *add = body->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add) || !llvm::is_contained(add->getOperands(), sum))
    return std::nullopt;
  Operation *product = add->getOperand(add->getOperand(0) == sum ? 1 : 0).getDefiningOp();
  if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(product))
    return std::nullopt;
  Value x = argumentOf(product->getOperand(0)), y = argumentOf(product->getOperand(1));
  if ((x != a || y != b) && (x != b || y != a))
    return std::nullopt;
  auto isUnsigned = [](Value argument) { return llvm::any_of(argument.getUsers(), llvm::IsaPred<arith::ExtUIOp>); };
  for (Value argument : {a, b}) // elements that no contraction has, as those of 4 bits
    if (auto type = dyn_cast<IntegerType>(argument.getType());
        type && !llvm::is_contained({8, 16, 32}, type.getWidth()))
      return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SumOfProducts found{{op->getOperand(0), maps[0], isUnsigned(a)},
                      {op->getOperand(1), maps[1], isUnsigned(b)},
                      maps[2],
                      op.getDpsInits()[0],
                      op.getIteratorTypesArray(),
                      op.getStaticLoopRanges()};
  if (!maps[2].isProjectedPermutation() || maps[2].getNumResults() != op.getNumParallelLoops())
    return std::nullopt;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    bool inLhs = maps[0].isFunctionOfDim(loop), inRhs = maps[1].isFunctionOfDim(loop);
    if (found.isReduction(loop) ? !inLhs || !inRhs : !inLhs && !inRhs)
      return std::nullopt;
  }
  for (AffineMap map : {maps[0], maps[1]})
    for (AffineExpr index : map.getResults())
      if (failed(loopFactors(index, map.getNumDims())))
        return std::nullopt;
  return found;
}

//===-- Deciding -----------------------------------------------------------------------===//

/// How a sum becomes a contraction. All loops are those of the sum.
struct Plan {
  SmallVector<unsigned> outer; ///< in the order of the result
  unsigned column = 0;
  SmallVector<unsigned> depth; ///< the outermost first
  bool isLanewise = false;     ///< the columns are a batch
};

/// None if there are no columns.
std::optional<Plan> planFor(const SumOfProducts &sum) {
  if (!sum.rhs.map.isProjectedPermutation())
    return std::nullopt;
  SmallVector<unsigned> result = llvm::map_to_vector(
      sum.out.getResults(), [](AffineExpr index) { return cast<AffineDimExpr>(index).getPosition(); });
  llvm::SmallBitVector window = sum.windowLoops();
  Plan plan;
  auto isColumn = [&](unsigned loop) { return sum.isColumn(loop); };
  auto isChannel = [&](unsigned loop) { return sum.isBatch(loop) && !window.test(loop); };
  auto column = llvm::find_if(llvm::reverse(result), isColumn);
  if (column != result.rend()) {
    plan.column = *column;
  } else {
    // Each channel by itself.
    column = window.any() ? llvm::find_if(llvm::reverse(result), isChannel) : result.rend();
    if (column == result.rend())
      return std::nullopt;
    plan.column = *column;
    plan.isLanewise = true;
  }
  for (unsigned loop : result)
    if (loop != plan.column)
      plan.outer.push_back(loop);
  for (unsigned loop = 0; loop < sum.iterators.size(); ++loop)
    if (sum.isReduction(loop))
      plan.depth.push_back(loop);
  // A window's own loops come before those of channels, in the result and in the depth.
  auto rank = [&](unsigned loop) { return window.test(loop) ? 1 : sum.isRow(loop) ? 0 : 2; };
  if (window.any()) {
    llvm::stable_sort(plan.outer, [&](unsigned a, unsigned b) { return rank(a) < rank(b); });
    llvm::stable_sort(plan.depth, [&](unsigned a, unsigned b) { return rank(a) < rank(b); });
  }
  // Places in a panel are counted by the extents of all depth loops but the first.
  if (llvm::any_of(ArrayRef(plan.depth).drop_front(plan.depth.empty() ? 0 : 1),
                   [&](unsigned loop) { return ShapedType::isDynamic(sum.extents[loop]); }))
    return std::nullopt;
  return plan;
}

/// Less work on each element of a panel than this does not pay for making panels at run time.
constexpr int64_t rowsWorthPacking = 16;

/// Rows that pass over a panel; an extent that only the run knows counts as many.
int64_t rowsOf(const SumOfProducts &sum) {
  int64_t rows = 1;
  for (unsigned loop = 0; loop < sum.iterators.size(); ++loop)
    if (sum.isRow(loop))
      rows = ShapedType::isDynamic(sum.extents[loop]) ? rowsWorthPacking : rows * sum.extents[loop];
  return rows;
}

/// Whether the columns of the right-hand side lie one after the other.
bool hasContiguousColumns(const SumOfProducts &sum, const Plan &plan) {
  return sum.rhs.map.getResults().back() == getAffineDimExpr(plan.column, sum.rhs.map.getContext()) && !plan.isLanewise;
}

/// The right-hand side, if it is a matrix that is computed of constants.
std::optional<ComputedMatrix> computedMatrix(const SumOfProducts &sum, const Plan &plan) {
  bool isMatrix = sum.rhs.map.getNumResults() == 2 && plan.depth.size() == 1 && !plan.isLanewise &&
                  sum.isColumn(plan.column) &&
                  getElementTypeOrSelf(sum.rhs.value.getType()) == getElementTypeOrSelf(sum.init.getType());
  std::optional<ComputedMatrix> matrix = isMatrix ? ComputedMatrix::of(sum.rhs.value) : std::nullopt;
  bool columnsAreOneLoop =
      matrix &&
      matrix->loops[*sum.rhs.map.getResultPosition(getAffineDimExpr(plan.column, sum.rhs.map.getContext()))].size() ==
          1;
  return columnsAreOneLoop ? matrix : std::nullopt;
}

/// Whether the right-hand side can be had in a form that micro-kernels read, for less than the product costs. What
/// cannot is a sum along contiguous memory, as the product of a matrix and a vector.
bool pays(const SumOfProducts &sum, const Plan &plan) {
  return viewOfConstant(sum.rhs.value) || computedMatrix(sum, plan) || hasContiguousColumns(sum, plan) ||
         rowsOf(sum) >= rowsWorthPacking;
}

/// The sum with the roles of its factors chosen, and the plan for it.
std::optional<std::pair<SumOfProducts, Plan>> choose(SumOfProducts sum) {
  SumOfProducts swapped = sum;
  std::swap(swapped.lhs, swapped.rhs);
  // Weights are on the right, whatever the order.
  if (viewOfConstant(sum.lhs.value) && !viewOfConstant(sum.rhs.value))
    std::swap(sum, swapped);
  for (SumOfProducts *candidate : {&sum, &swapped})
    if (std::optional<Plan> plan = planFor(*candidate); plan && pays(*candidate, *plan))
      return std::pair(*candidate, *plan);
  return std::nullopt;
}

//===-- Rewriting ----------------------------------------------------------------------===//

class Packer {
public:
  Packer(ImplicitLocOpBuilder &b, SumOfProducts sum, Plan plan, const Target &target, TargetAttr attr,
         ConstantPanels &constants)
      : b(b), sum(sum), plan(plan), target(target), attr(attr), constants(constants),
        element(getElementTypeOrSelf(sum.init.getType())), extents(sum.extents) {
    loopOf = plan.outer;
    loopOf.push_back(plan.column);
    llvm::append_range(loopOf, plan.depth);
    if (element.isInteger())
      chooseIntegers();
    else if (std::optional<ComputedMatrix> matrix = computedMatrix(sum, plan))
      computed = packComputed(b, *matrix, axisOf(plan.column), width());
  }

  Value pack() {
    auto [lhs, lhsMap] = layLeft();
    auto [rhs, rhsMap] = layRight();
    SmallVector<int64_t> order = resultOrder();
    Value init = sum.init;
    auto fill = init.getDefiningOp<linalg::FillOp>();
    bool accumulates =
        !fill || (!matchPattern(fill.value(), m_AnyZeroFloat()) && !matchPattern(fill.value(), m_Zero()));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), fill ? fill.output() : init);
    Value out = accumulates ? transpose(init, order)
                            : tensor::EmptyOp::create(b, applyPermutation(sizes, order), element).getResult();
    bool isUnsigned = element.isInteger() && integers.lhsIsUnsigned && integers.lhsBits < 32;
    auto contract = ContractOp::create(b, lhs, rhs, out, lhsMap, rhsMap, accumulates, isUnsigned);
    return transpose(isShifted() ? unshifted(contract.getResult()) : contract.getResult(),
                     invertPermutationVector(order));
  }

private:
  //===-- Maps --------------------------------------------------------------------------===//

  /// A map of the sum's loops as one of the contraction's: outer loops, columns, depth.
  AffineMap renumbered(ArrayRef<AffineExpr> indices) {
    SmallVector<AffineExpr> loops(loopOf.size());
    for (auto [own, loop] : llvm::enumerate(loopOf))
      loops[loop] = b.getAffineDimExpr(own);
    if (integers.group > 1) // the last loop counts groups, a further one the terms in them
      loops[loopOf.back()] = loops[loopOf.back()] * integers.group + b.getAffineDimExpr(loopOf.size());
    if (computed) { // several loops count the depth
      AffineExpr term = b.getAffineConstantExpr(0);
      for (auto [i, extent] : llvm::enumerate(computed->depth))
        term = term * extent + b.getAffineDimExpr(loopOf.size() - 1 + i);
      loops[loopOf.back()] = term;
    }
    return AffineMap::get(numLoops(), 0,
                          llvm::map_to_vector(indices, [&](AffineExpr index) { return index.replaceDims(loops); }),
                          b.getContext());
  }

  /// Of the contraction.
  unsigned numLoops() const { return loopOf.size() + (computed ? computed->depth.size() - 1 : integers.group > 1); }

  /// The axes of the sum's result in the order of the contraction's.
  SmallVector<int64_t> resultOrder() {
    SmallVector<int64_t> order;
    for (unsigned loop : ArrayRef(loopOf).take_front(plan.outer.size() + 1))
      order.push_back(*sum.out.getResultPosition(b.getAffineDimExpr(loop)));
    return order;
  }

  Value transpose(Value value, ArrayRef<int64_t> order) {
    if (isIdentityPermutation(order))
      return value;
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), value);
    Value empty = tensor::EmptyOp::create(b, applyPermutation(sizes, order), getElementTypeOrSelf(value.getType()));
    return linalg::TransposeOp::create(b, value, empty, order)->getResult(0);
  }

  //===-- The left-hand side ------------------------------------------------------------===//

  std::pair<Value, AffineMap> layLeft() {
    Value value = sum.lhs.value;
    AffineMap map = sum.lhs.map;
    llvm::SmallBitVector window = sum.windowLoops();
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, map.getNumResults()));
    if (window.any() || plan.isLanewise) {
      // Rows, then windows, then groups, then channels.
      auto rank = [&](int64_t axis) {
        auto loop = dyn_cast<AffineDimExpr>(map.getResult(axis));
        if (!loop || window.test(loop.getPosition()))
          return 1;
        unsigned position = loop.getPosition();
        return position == plan.column || sum.isReduction(position) ? 3 : sum.isRow(position) ? 0 : 2;
      };
      llvm::stable_sort(order, [&](int64_t a, int64_t b) { return rank(a) < rank(b); });
    }
    if (integers.group > 1) { // neighbouring terms are neighbours in memory
      auto innermost = llvm::find(order, *map.getResultPosition(b.getAffineDimExpr(plan.depth.back())));
      std::rotate(innermost, std::next(innermost), order.end());
    }
    Value laid = transpose(element.isInteger() ? adapted(value) : extended(value, element, false), order);
    return {filledUpToGroups(laid), renumbered(applyPermutation(map.getResults(), order))};
  }

  Value mapped(Value value, Type to, llvm::function_ref<Value(ImplicitLocOpBuilder &, Value)> body) {
    auto type = cast<RankedTensorType>(value.getType());
    Value empty = tensor::EmptyOp::create(b, tensor::getMixedSizes(b, b.getLoc(), value), to);
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    auto build = [&](OpBuilder &inner, Location loc, ValueRange args) {
      ImplicitLocOpBuilder own(loc, inner);
      linalg::YieldOp::create(inner, loc, body(own, args[0]));
    };
    return linalg::GenericOp::create(b, empty.getType(), value, empty, {identity, identity}, parallel, build)
        .getResult(0);
  }

  Value extended(Value value, Type to, bool isUnsigned) {
    if (getElementTypeOrSelf(value.getType()) == to)
      return value;
    return mapped(value, to, [&](ImplicitLocOpBuilder &inner, Value number) -> Value {
      if (isa<FloatType>(to))
        return arith::ExtFOp::create(inner, to, number);
      if (isUnsigned)
        return arith::ExtUIOp::create(inner, to, number);
      return arith::ExtSIOp::create(inner, to, number);
    });
  }

  //===-- Integers ----------------------------------------------------------------------===//

  void chooseIntegers() {
    std::optional<ConstantView> constant;
    if (!sum.rhs.isUnsigned)
      constant = viewOfConstant(sum.rhs.value);
    unsigned rhsBits = constant ? constant->elements.getElementType().getIntOrFloatBitWidth() : sum.rhs.bits();
    integers = {1, sum.lhs.bits(), rhsBits, sum.lhs.isUnsigned};
    // Terms lie side by side where they are indexed by a loop of their own.
    if ((constant || !sum.rhs.isUnsigned) && !plan.isLanewise && !plan.depth.empty() &&
        sum.lhs.map.getResultPosition(b.getAffineDimExpr(plan.depth.back())))
      integers = target.integerProduct(integers, /*canShift=*/constant.has_value(), attr);
  }

  /// Whether unsigned elements of lhs became signed ones, or the other way round, at the same width.
  bool isShifted() const {
    return element.isInteger() && integers.lhsBits == sum.lhs.bits() && integers.lhsIsUnsigned != sum.lhs.isUnsigned;
  }
  int64_t shift() const { return int64_t(1) << (integers.lhsBits - 1); }

  /// The left-hand side with the elements that the target multiplies.
  Value adapted(Value value) {
    Type to = b.getIntegerType(integers.lhsBits);
    if (!isShifted())
      return extended(value, to, sum.lhs.isUnsigned);
    return mapped(value, to, [&](ImplicitLocOpBuilder &inner, Value number) {
      Value top = arith::ConstantIntOp::create(inner, to, llvm::minIntN(integers.lhsBits));
      return arith::XOrIOp::create(inner, number, top).getResult();
    });
  }

  /// The left-hand side with whole groups of terms.
  Value filledUpToGroups(Value lhs) {
    return filledUp(lhs, {{cast<RankedTensorType>(lhs.getType()).getRank() - 1, integers.group}});
  }

  /// `value`, filled up with zeros to multiples of what axes are paired with.
  Value filledUp(Value value, ArrayRef<std::pair<int64_t, int64_t>> steps) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), value);
    SmallVector<OpFoldResult> low(sizes.size(), b.getIndexAttr(0)), high = low;
    bool isWhole = true;
    for (auto [axis, step] : steps)
      if (type.isDynamicDim(axis) ? step > 1 : type.getDimSize(axis) % step != 0) {
        AffineExpr count = b.getAffineDimExpr(0);
        high[axis] =
            affine::makeComposedFoldedAffineApply(b, b.getLoc(), count.ceilDiv(step) * step - count, {sizes[axis]});
        isWhole = false;
      }
    if (isWhole)
      return value;
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type.getElementType()));
    return tensor::PadOp::create(b, b.getLoc(), Type(), value, low, high, zero);
  }

  /// The sum of what was to be multiplied:  sum of (x + 128) * w  =  sum of x * w  +  128 * sum of w
  Value unshifted(Value shifted) {
    auto type = cast<RankedTensorType>(shifted.getType());
    SmallVector<unsigned> axes = batches(); // of the result that the right-hand side has, too
    axes.push_back(plan.outer.size());
    SmallVector<int64_t> sums = sumsOfConstant(), shape;
    SmallVector<AffineExpr> indices;
    for (unsigned axis : axes) {
      shape.push_back(extents[loopOf[axis]]);
      indices.push_back(b.getAffineDimExpr(axis));
    }
    SmallVector<int32_t> corrections = llvm::map_to_vector(sums, [&](int64_t sum) -> int32_t {
      return static_cast<int32_t>(static_cast<uint32_t>(integers.lhsIsUnsigned ? -sum * shift() : sum * shift()));
    });
    Value correction = arith::ConstantOp::create(
        b, DenseElementsAttr::get(RankedTensorType::get(shape, element), ArrayRef<int32_t>(corrections)));
    Value empty = tensor::EmptyOp::create(b, tensor::getMixedSizes(b, b.getLoc(), shifted), element);
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> parallel(type.getRank(), utils::IteratorType::parallel);
    auto add = [](OpBuilder &inner, Location loc, ValueRange args) {
      linalg::YieldOp::create(inner, loc, arith::AddIOp::create(inner, loc, args[0], args[1]).getResult());
    };
    return linalg::GenericOp::create(b, type, ValueRange{shifted, correction}, empty,
                                     {identity, AffineMap::get(type.getRank(), 0, indices, b.getContext()), identity},
                                     parallel, add)
        .getResult(0);
  }

  /// Of the right-hand side, over the depth, for each batch and column.
  SmallVector<int64_t> sumsOfConstant() {
    ConstantView view = *viewOfConstant(sum.rhs.value);
    SmallVector<int64_t> shape, strides;
    auto add = [&](unsigned loop) {
      shape.push_back(extents[loop]);
      strides.push_back(view.strides[axisOf(loop)]);
    };
    for (unsigned own : batches())
      add(plan.outer[own]);
    add(plan.column);
    int64_t count = ShapedType::getNumElements(shape), depth = 1;
    for (unsigned loop : plan.depth) {
      add(loop);
      depth *= extents[loop];
    }
    SmallVector<int64_t> sums(count, 0);
    if (ShapedType::getNumElements(shape) == 0)
      return sums;
    std::vector<char> storage;
    ArrayRef<char> bytes = onnx::bytesOf(rearranged(view.elements, view.offset, shape, strides), storage);
    auto accumulate = [&]<typename Element>(Element) {
      for (int64_t i = 0; i < count * depth; ++i) {
        Element number;
        std::memcpy(&number, bytes.data() + i * sizeof(Element), sizeof(Element));
        sums[i / depth] += number;
      }
    };
    integers.rhsBits == 8 ? accumulate(int8_t()) : accumulate(int16_t());
    return sums;
  }

  //===-- The right-hand side -----------------------------------------------------------===//

  unsigned axisOf(unsigned loop) { return *sum.rhs.map.getResultPosition(b.getAffineDimExpr(loop)); }

  SmallVector<unsigned> batches() {
    SmallVector<unsigned> loops;
    for (auto [own, loop] : llvm::enumerate(plan.outer))
      if (sum.rhs.map.isFunctionOfDim(loop))
        loops.push_back(own);
    return loops;
  }

  std::pair<Value, AffineMap> layRight() {
    if (computed)
      return {computed->value, mapOfComputed()};
    if (sum.rhs.isUnsigned && sum.rhs.bits() < 32) // contractions have signed numbers there
      sum.rhs = {extended(sum.rhs.value, b.getIntegerType(2 * sum.rhs.bits()), true), sum.rhs.map};
    if (auto view = viewOfConstant(sum.rhs.value))
      return {packConstant(*view), panels()};
    if (integers.group == 1 && isReadInRows())
      return {sum.rhs.value, renumbered(sum.rhs.map.getResults())};
    return {packAtRunTime(), panels()};
  }

  AffineMap mapOfComputed() {
    unsigned last = numLoops() - 1;
    AffineExpr column = b.getAffineDimExpr(plan.outer.size());
    SmallVector<AffineExpr> indices;
    for (unsigned loop = plan.outer.size() + 1; loop < last; ++loop)
      indices.push_back(b.getAffineDimExpr(loop));
    indices.append({column.floorDiv(width()), b.getAffineDimExpr(last), column % width()});
    return AffineMap::get(numLoops(), 0, indices, b.getContext());
  }

  int64_t width() { return target.panelWidth(element, extents[plan.column], attr); }

  SmallVector<int64_t> depthExtents() {
    return llvm::map_to_vector(plan.depth, [&](unsigned loop) { return extents[loop]; });
  }

  AffineMap panels() {
    SmallVector<int64_t> depth = depthExtents();
    if (integers.group > 1 && !ShapedType::isDynamic(depth.back()))
      depth.back() = llvm::divideCeil(depth.back(), integers.group);
    return panelMap(b.getContext(), plan.outer.size(), batches(), depth, width(), integers.group);
  }

  Value packConstant(const ConstantView &view) {
    auto axis = [&](unsigned loop) { return StridedAxis{extents[loop], view.strides[axisOf(loop)]}; };
    PanelLayout layout{{}, {}, axis(plan.column), width(), view.offset, integers.group};
    for (unsigned own : batches())
      layout.batches.push_back(axis(plan.outer[own]));
    for (unsigned loop : plan.depth)
      layout.depth.push_back(axis(loop));
    return constants.pack(b, view.elements, layout);
  }

  /// Whether the columns lie one after the other already, and either are those of one panel or serve too few rows to be
  /// worth moving.
  bool isReadInRows() {
    int64_t columns = extents[plan.column];
    return hasContiguousColumns(sum, plan) &&
           (rowsOf(sum) < rowsWorthPacking || (!ShapedType::isDynamic(columns) && columns <= width()));
  }

  /// An operation that copies the right-hand side into panels, filled up with zeros:
  /// panels[batch..., p, k..., j] = rhs[batch..., p * width + j, k...], or in groups of terms
  /// panels[batch..., p, k..., j, g] = rhs[batch..., p * width + j, k... * group + g]
  Value packAtRunTime() {
    unsigned column = axisOf(plan.column), group = integers.group;
    SmallVector<std::pair<int64_t, int64_t>> steps = {{column, width()}};
    if (group > 1) // which a sum without a depth has not
      steps.emplace_back(axisOf(plan.depth.back()), group);
    Value rhs = filledUp(sum.rhs.value, steps);
    unsigned batchCount = batches().size(), lane = batchCount + 1 + plan.depth.size(), loops = lane + 1 + (group > 1);
    SmallVector<AffineExpr> indices(sum.rhs.map.getNumResults());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), rhs), panelSizes;
    unsigned next = 0;
    // The next loop counts steps along an axis, and `within` goes through one.
    auto add = [&](unsigned axis, int64_t step, AffineExpr within) {
      indices[axis] = b.getAffineDimExpr(next++) * step + within;
      AffineExpr count = b.getAffineDimExpr(0).floorDiv(step);
      panelSizes.push_back(affine::makeComposedFoldedAffineApply(b, b.getLoc(), count, {sizes[axis]}));
    };
    AffineExpr none = b.getAffineConstantExpr(0);
    for (unsigned own : batches())
      add(axisOf(plan.outer[own]), 1, none);
    add(column, width(), b.getAffineDimExpr(lane));
    for (unsigned loop : plan.depth) {
      bool isGrouped = group > 1 && loop == plan.depth.back();
      add(axisOf(loop), isGrouped ? group : 1, isGrouped ? b.getAffineDimExpr(lane + 1) : none);
    }
    panelSizes.push_back(b.getIndexAttr(width()));
    if (group > 1)
      panelSizes.push_back(b.getIndexAttr(group));

    Value empty = tensor::EmptyOp::create(b, panelSizes, getElementTypeOrSelf(rhs.getType()));
    SmallVector<utils::IteratorType> parallel(loops, utils::IteratorType::parallel);
    auto copy = [](OpBuilder &inner, Location loc, ValueRange args) { linalg::YieldOp::create(inner, loc, args[0]); };
    Value packed =
        linalg::GenericOp::create(b, empty.getType(), rhs, empty,
                                  {AffineMap::get(loops, 0, indices, b.getContext()), b.getMultiDimIdentityMap(loops)},
                                  parallel, copy)
            .getResult(0);
    if (plan.depth.size() == 1)
      return packed;
    SmallVector<ReassociationIndices> groups; // of axes: all of the depth are one
    for (unsigned axis = 0; axis < loops; ++axis) {
      if (axis > batchCount + 1 && axis < lane)
        groups.back().push_back(axis);
      else
        groups.push_back({axis});
    }
    return tensor::CollapseShapeOp::create(b, packed, groups);
  }

  ImplicitLocOpBuilder &b;
  SumOfProducts sum;
  Plan plan;
  const Target &target;
  TargetAttr attr;
  ConstantPanels &constants;
  Type element;
  IntegerProduct integers = {1, 0, 0, false};
  std::optional<ComputedPanels> computed;
  SmallVector<int64_t> extents; ///< of the sum's loops
  SmallVector<unsigned> loopOf; ///< the sum's loop of each of the contraction's
};

struct PackOperands : impl::PackOperandsBase<PackOperands> {
  void runOnOperation() override {
    FailureOr<std::pair<const Target *, TargetAttr>> target = targetOf(getOperation()->getParentOfType<ModuleOp>());
    if (failed(target))
      return signalPassFailure();
    ConstantPanels constants;
    SmallVector<linalg::LinalgOp> sums;
    getOperation().walk([&](linalg::LinalgOp op) { sums.push_back(op); });
    for (linalg::LinalgOp op : sums) {
      std::optional<SumOfProducts> sum = matchSum(op);
      auto chosen = sum ? choose(*sum) : std::nullopt;
      if (!chosen)
        continue;
      ImplicitLocOpBuilder b(op.getLoc(), op);
      op->getResult(0).replaceAllUsesWith(
          Packer(b, chosen->first, chosen->second, *target->first, target->second, constants).pack());
      op->erase();
    }
    constants.redirectReads(getOperation());
  }
};

} // namespace
} // namespace mlc

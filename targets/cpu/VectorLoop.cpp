#include "cpu/VectorLoop.h"
#include "cpu/LoopAccess.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace mlc::cpu {

static unsigned bytesOf(Type type) { return type.isIndex() ? 8 : llvm::divideCeil(type.getIntOrFloatBitWidth(), 8); }

static bool isScalarType(Type type) { return type.isIntOrIndexOrFloat(); }

Operation *combinerOf(linalg::LinalgOp op, unsigned output) {
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), output, combiners) || combiners.size() != 1)
    return nullptr;
  Operation *combiner = combiners.front();
  return linalg::getCombinerOpKind(combiner) && arith::getNeutralElement(combiner) ? combiner : nullptr;
}

/// Whether each operation of the body has a form on vectors.
static bool isVectorizable(linalg::LinalgOp op) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (isa<linalg::IndexOp, memref::LoadOp, arith::ConstantOp>(inner))
      continue;
    if (inner.getNumRegions() || !OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
    for (Type type :
         llvm::concat<Type>(llvm::to_vector(inner.getOperandTypes()), llvm::to_vector(inner.getResultTypes())))
      if (!isScalarType(type))
        return false;
  }
  for (OpOperand &operand : op->getOpOperands())
    if (auto type = dyn_cast<MemRefType>(operand.get().getType()); type && !isScalarType(type.getElementType()))
      return false;
  return true;
}

/// Of the loads and stores of one step along `loop`, a contiguous vector counting as one; none if a step along it
/// cannot be a vector.
static std::optional<double> costOfStep(linalg::LinalgOp op, unsigned loop, bool isParallel) {
  double cost = 0.5;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    bool isOutput = op.isDpsInit(&operand);
    AffineMap map = op.getMatchingIndexingMap(&operand);
    switch (movementAlong(map, type, loop)) {
    case Movement::None:
      // Outputs that stay are accumulators, which exist along reductions only.
      if (isOutput && isParallel)
        return std::nullopt;
      cost += 0.1;
      break;
    case Movement::Contiguous:
      cost += 1;
      break;
    case Movement::Strided:
      // Vectors that are loaded whole, and shuffled.
      if (std::optional<int64_t> stride = shortStrideAlong(map, type, loop); stride && !isOutput)
        cost += 2 * *stride;
      else
        cost += isOutput ? 16 : 8;
      break;
    case Movement::Irregular:
      return std::nullopt;
    }
  }
  return cost;
}

/// Whether all loops are parallel, and the body knows nothing of them, so that elements may be computed in any order.
static bool isFree(linalg::LinalgOp op) {
  auto looksAround = [](Operation &inner) { return isa<linalg::IndexOp, memref::LoadOp>(inner); };
  return op.getNumParallelLoops() == op.getNumLoops() && llvm::none_of(*op.getBlock(), looksAround);
}

static int chooseTransposed(linalg::LinalgOp op, const VectorLoop &choice) {
  if (choice.loop < 0 || choice.lanes < 4 || !isFree(op))
    return -1;
  auto movement = [&](OpOperand &operand, unsigned loop) {
    return movementAlong(op.getMatchingIndexingMap(&operand), cast<MemRefType>(operand.get().getType()), loop);
  };
  for (auto [loop, extent] : llvm::enumerate(op.getStaticLoopRanges())) {
    if (choice.loop == (int)loop || (!ShapedType::isDynamic(extent) && extent < choice.lanes))
      continue;
    bool isUseful = false, isPossible = true;
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<MemRefType>(operand.get().getType());
      if (!type || movement(operand, choice.loop) != Movement::Strided ||
          shortStrideAlong(op.getMatchingIndexingMap(&operand), type, choice.loop))
        continue;
      isUseful = true;
      isPossible &= !op.isDpsInit(&operand) && movement(operand, loop) == Movement::Contiguous;
    }
    if (isUseful && isPossible)
      return loop;
  }
  return -1;
}

/// Whether inputs are contiguous, or stay, along `loop`, and one at least is contiguous.
static bool readsContiguously(linalg::LinalgOp op, unsigned loop) {
  bool isContiguous = false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    auto type = dyn_cast<MemRefType>(input->get().getType());
    Movement movement = type ? movementAlong(op.getMatchingIndexingMap(input), type, loop) : Movement::None;
    if (movement != Movement::None && movement != Movement::Contiguous)
      return false;
    isContiguous |= movement == Movement::Contiguous;
  }
  return isContiguous;
}

/// `bytes` are those of the widest element.
static std::optional<VectorLoop> chooseInterleaved(linalg::LinalgOp op, int64_t bytes, unsigned vectorBytes) {
  if (op.getNumDpsInits() != 1 || !isFree(op))
    return std::nullopt;
  OpOperand &output = *op.getDpsInitOperand(0);
  auto type = dyn_cast<MemRefType>(output.get().getType());
  if (!type || op.payloadUsesValueFromOperand(&output))
    return std::nullopt;
  AffineMap map = op.getMatchingIndexingMap(&output);
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (auto [inner, count] : llvm::enumerate(extents)) {
    int64_t lanes = vectorBytes / bytes / std::max<int64_t>(count, 1);
    if ((count != 2 && count != 4 && count != 8) || lanes < 4 ||
        movementAlong(map, type, inner) != Movement::Contiguous)
      continue;
    for (auto [loop, extent] : llvm::enumerate(extents))
      if (loop != inner && !ShapedType::isDynamic(extent) && extent > 0 && extent % lanes == 0 &&
          strideAlong(map, type, loop) == count && readsContiguously(op, loop))
        return VectorLoop{.loop = (int)loop, .lanes = lanes, .interleaved = (int)inner};
  }
  return std::nullopt;
}

VectorLoop chooseVectorLoop(linalg::LinalgOp op, unsigned vectorBytes) {
  VectorLoop choice;
  if (!isVectorizable(op))
    return choice;
  int64_t widest = 1;
  for (OpOperand &operand : op->getOpOperands())
    widest = std::max<int64_t>(widest, bytesOf(getElementTypeOrSelf(operand.get().getType())));
  if (std::optional<VectorLoop> interleaved = chooseInterleaved(op, widest, vectorBytes))
    return *interleaved;
  int64_t fullLanes = std::max<int64_t>(1, vectorBytes / widest);
  bool canReduce = true;
  for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
    canReduce &= combinerOf(op, i) != nullptr;

  double best = 1; // the cost of a scalar, for one element
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (auto [loop, extent] : llvm::enumerate(op.getStaticLoopRanges())) {
    bool isParallel = iterators[loop] == utils::IteratorType::parallel;
    if ((!isParallel && (iterators[loop] != utils::IteratorType::reduction || !canReduce)) || extent == 1)
      continue;
    std::optional<double> cost = costOfStep(op, loop, isParallel);
    if (!cost)
      continue;
    int64_t lanes = fullLanes;
    double used = 1;
    if (!ShapedType::isDynamic(extent)) {
      lanes = std::min<int64_t>(lanes, llvm::PowerOf2Ceil(extent));
      used = (double)extent / llvm::alignTo(extent, lanes);
    }
    // A reduction is summed up at the end; contiguous loops on the inside are kinder to caches.
    double each =
        (*cost / lanes / used) * (isParallel ? 1 : 1.1) / op->getNumOperands() * (1 + 0.01 * (iterators.size() - loop));
    if (lanes < 2 || each >= best)
      continue;
    best = each;
    choice.loop = loop;
    choice.lanes = lanes;
  }
  choice.transposed = chooseTransposed(op, choice);
  return choice;
}

} // namespace mlc::cpu

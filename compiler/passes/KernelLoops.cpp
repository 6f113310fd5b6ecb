#include "passes/KernelLoops.h"
#include "mlc/Contract.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "passes/ComputedPanels.h"

using namespace mlir;

namespace mlc {

using Loops = KernelLoops::Loops;

bool isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::LinalgOp>(op);
  return generic && generic.getNumParallelLoops() == generic.getNumLoops();
}

static unsigned loopCount(Operation *op) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return structured.getNumLoops();
  if (auto tiled = dyn_cast<TilingInterface>(op))
    return tiled.getLoopIteratorTypes().size();
  return 0;
}

static bool isReduction(Operation *op, unsigned loop) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return structured.getIteratorTypesArray()[loop] == utils::IteratorType::reduction;
  return cast<TilingInterface>(op).getLoopIteratorTypes()[loop] == utils::IteratorType::reduction;
}

/// For each axis accessed through a map the loop that runs over it, -1 where it is fixed at 0; none for windows and the
/// like.
static std::optional<Loops> loopsOfAxes(AffineMap map) {
  Loops loops;
  for (AffineExpr access : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(access))
      loops.push_back(dim.getPosition());
    else if (isa<AffineConstantExpr>(access))
      loops.push_back(-1);
    else
      return std::nullopt;
  }
  return loops;
}

/// The loops that run over the axes of a result. Other operations than linalg's have their parallel loops first, one
/// for each axis.
static std::optional<Loops> loopsOfResult(Operation *op, unsigned result) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return loopsOfAxes(structured.getIndexingMapMatchingResult(structured->getResult(result)));
  auto type = dyn_cast<RankedTensorType>(op->getResult(result).getType());
  if (!type || loopCount(op) < type.getRank())
    return std::nullopt;
  return llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
}

static std::optional<Loops> loopsOfOperand(OpOperand &use) {
  if (auto structured = dyn_cast<linalg::LinalgOp>(use.getOwner()))
    return loopsOfAxes(structured.getMatchingIndexingMap(&use));
  auto styled = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
  if (styled && styled.isDpsInit(&use))
    return loopsOfResult(use.getOwner(), styled.getTiedOpResult(&use).getResultNumber());
  return std::nullopt;
}

KernelLoops::KernelLoops(DestinationStyleOpInterface root) {
  members.insert({root, llvm::to_vector(llvm::seq<int64_t>(0, loopCount(root)))});
}

std::optional<Loops> KernelLoops::loopsOfProducer(OpOperand &use) const {
  auto consumer = members.find(use.getOwner());
  auto value = dyn_cast<OpResult>(use.get());
  if (consumer == members.end() || !value)
    return std::nullopt;
  Operation *producer = value.getOwner();
  std::optional<Loops> read = loopsOfOperand(use), written = loopsOfResult(producer, value.getResultNumber());
  if (!read || !written || read->size() != written->size())
    return std::nullopt;
  Loops loops(loopCount(producer), -1);
  for (auto [consumerLoop, producerLoop] : llvm::zip_equal(*read, *written)) {
    if (producerLoop < 0)
      return std::nullopt;
    if (consumerLoop < 0 || isReduction(use.getOwner(), consumerLoop))
      continue;
    loops[producerLoop] = consumer->second[consumerLoop];
  }
  if (auto known = members.find(producer); known != members.end() && known->second != loops)
    return std::nullopt;
  return loops;
}

/// Whether what a tile reads begins where the tile does, and is as long as the tile says: not so backwards, or where an
/// index is divided. Upstream slices all operands of an operation of which one loop is cut.
static bool readsInTiles(Operation *op) {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured)
    return true;
  for (AffineMap map : structured.getIndexingMapsArray())
    for (AffineExpr index : map.getResults()) {
      FailureOr<SmallVector<int64_t>> factors = loopFactors(index, map.getNumDims());
      if (!isa<AffineConstantExpr>(index) &&
          (failed(factors) || llvm::any_of(*factors, [](int64_t factor) { return factor < 0; })))
        return false;
    }
  return true;
}

/// Whether to compute the result again for each tile costs nothing: it reads nothing, and is a value that is filled in
/// or a few numbers, as those by which a pooling divides. What is computed of constants alone is meant to be.
static bool canRepeat(Operation *op) {
  if (isa<linalg::FillOp>(op) || readsOnlyConstants(op))
    return true;
  constexpr int64_t few = 1024;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || !isElementwise(op) || generic.getNumDpsInputs() != 0)
    return false;
  auto type = dyn_cast<RankedTensorType>(generic.getResult(0).getType());
  return type && type.hasStaticShape() && type.getNumElements() <= few;
}

static void restrict(llvm::SmallBitVector &divisible, Operation *op, ArrayRef<int64_t> loops) {
  if (canRepeat(op))
    return;
  llvm::SmallBitVector own(divisible.size());
  for (auto [loop, rootLoop] : llvm::enumerate(loops))
    if (rootLoop >= 0 && !isReduction(op, loop) && readsInTiles(op))
      own.set(rootLoop);
  divisible &= own;
}

llvm::SmallBitVector KernelLoops::divisible(Operation *producer, ArrayRef<int64_t> loops) const {
  llvm::SmallBitVector result(members.begin()->second.size(), true);
  for (const auto &[op, own] : members)
    restrict(result, op, own);
  if (producer)
    restrict(result, producer, loops);
  return result;
}

std::optional<KernelLoops> loopsOfKernel(Block &body) {
  Operation *end = body.getTerminator();
  if (end->getNumOperands() == 0)
    return std::nullopt;
  Value result = end->getOperand(0);
  if (auto insert = result.getDefiningOp<tensor::InsertSliceOp>())
    result = insert.getSource();
  auto root = result.getDefiningOp<DestinationStyleOpInterface>();
  if (!root || loopCount(root) == 0)
    return std::nullopt;
  KernelLoops loops(root);
  // Every member comes before its producers, so one walk over a growing list reaches all.
  for (size_t i = 0; i < loops.size(); ++i) {
    Operation *member = (loops.begin() + i)->first;
    for (OpOperand &use : member->getOpOperands()) {
      Operation *producer = use.get().getDefiningOp();
      if (!producer || loopCount(producer) == 0 || loops.contains(producer))
        continue;
      if (std::optional<Loops> own = loops.loopsOfProducer(use))
        loops.add(producer, std::move(*own));
    }
  }
  return loops;
}

} // namespace mlc

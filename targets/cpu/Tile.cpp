// How a kernel is cut into tiles for threads, and a right-hand side into panels.
//
// A tile is a box of the root's parallel loops. Outer loops are cut first, so that what a tile touches is as contiguous
// as can be. Of a contraction's last two loops, rows and columns, the one is halved whose operand is larger, since each
// cut reads the other operand once more: tiles end up about square, with panels whole. Fixed extents are cut into equal
// parts where they can be: a remainder would need code of its own.
#include "cpu/Cpu.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace mlc::cpu {

/// What an extent that only the run knows is taken for.
static constexpr int64_t usualExtent = 64;

static int64_t usual(int64_t extent) { return ShapedType::isDynamic(extent) ? usualExtent : extent; }

/// The largest multiple of `step` that divides `extent` into equal parts of at most `most`, if it is not much smaller
/// than `most`; else the largest multiple of `step` that is no larger.
static int64_t partOf(int64_t extent, int64_t most, int64_t step) {
  most = std::max(most / step * step, step);
  if (!ShapedType::isDynamic(extent))
    for (int64_t part = most; part > most / 3; part -= step)
      if (extent % part == 0)
        return part;
  return most;
}

namespace {

/// A kernel's loops with the sizes that tiles have so far.
class Cutter {
public:
  explicit Cutter(ArrayRef<int64_t> extents) : extents(extents) {
    for (int64_t extent : extents)
      sizes.push_back(usual(extent));
  }

  /// Elements of a tile.
  double volume() const {
    double product = 1;
    for (int64_t size : sizes)
      product *= size;
    return product;
  }

  /// Makes tiles of at most `most` elements, if cutting this loop can, in steps of `step`.
  void cut(unsigned loop, double most, int64_t step = 1) {
    if (volume() <= most)
      return;
    double others = volume() / std::max<int64_t>(sizes[loop], 1);
    sizes[loop] = std::min(sizes[loop], partOf(extents[loop], (int64_t)std::max(most / others, 1.0), step));
  }

  SmallVector<int64_t> extents, sizes;
};

} // namespace

/// The contraction that a root is, or that it is the epilogue of, and the root's loop for each of its outer loops and
/// columns; null if there is none.
static ContractOp contractionOf(TilingInterface root, SmallVectorImpl<unsigned> &loops) {
  if (auto contract = dyn_cast<ContractOp>(root.getOperation())) {
    for (unsigned loop = 0; loop <= contract.getColumnLoop(); ++loop)
      loops.push_back(loop);
    return contract;
  }
  auto generic = dyn_cast<linalg::LinalgOp>(root.getOperation());
  if (!generic)
    return nullptr;
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    auto contract = operand->get().getDefiningOp<ContractOp>();
    AffineMap map = generic.getMatchingIndexingMap(operand);
    if (!contract || !map.isProjectedPermutation())
      continue;
    for (AffineExpr index : map.getResults())
      loops.push_back(cast<AffineDimExpr>(index).getPosition());
    return contract;
  }
  return nullptr;
}

static SmallVector<int64_t> tileContraction(ContractOp contract, const TileWork &work) {
  SmallVector<int64_t> extents = contract.getStaticLoopExtents();
  unsigned column = contract.getColumnLoop();
  double depth = 1, total = 1;
  for (auto [loop, extent] : llvm::enumerate(extents)) {
    total *= usual(extent);
    depth *= loop > column ? usual(extent) : 1;
  }
  // A product of lanes is bound by what it loads.
  double costOfElement = contract.isLanewise() ? 4 * depth : depth;
  total *= costOfElement / std::max(depth, 1.0);
  double budget = std::clamp<double>(total / work.tiles, work.leastProducts, work.mostProducts);
  double most = std::max(budget / std::max(costOfElement, 1.0), 1.0);

  int64_t panel = contract.getPanelWidth().value_or(64);
  Cutter cutter(ArrayRef(extents).take_front(column + 1));
  if (ShapedType::isDynamic(extents[column]))
    cutter.sizes[column] = 4 * panel;
  SmallVector<unsigned> batches = contract.getBatchLoops();
  unsigned row = column;
  for (unsigned loop = 0; loop < column; ++loop)
    if (!llvm::is_contained(batches, loop))
      row = loop;
  if (row < column && ShapedType::isDynamic(extents[row]))
    cutter.sizes[row] = 2 * work.rowStep;
  for (unsigned loop = 0; loop < column; ++loop)
    if (loop != row)
      cutter.cut(loop, most);
  if (row == column) {
    cutter.cut(column, most, panel);
    return cutter.sizes;
  }
  int64_t rowStep = ShapedType::isDynamic(extents[row]) ? work.rowStep : 1;
  constexpr int64_t fewestRows = 12;
  while (cutter.volume() > most) {
    int64_t &rows = cutter.sizes[row], &columns = cutter.sizes[column];
    bool cutsColumns = columns > panel && (columns >= rows || rows < 2 * fewestRows);
    int64_t before = cutsColumns ? columns : rows;
    if (cutsColumns)
      columns = partOf(extents[column], std::max(columns / 2, panel), panel);
    else if (rows >= 2 * fewestRows)
      rows = partOf(extents[row], rows / 2, rows / 2 >= rowStep ? rowStep : 1);
    if (before == (cutsColumns ? columns : rows))
      break;
  }
  return cutter.sizes;
}

/// What the kernel holds between its operations for each element of the root's result, in bytes.
static int64_t heldBytes(linalg::LinalgOp root) {
  auto result = dyn_cast<RankedTensorType>(root->getResult(0).getType());
  int64_t bytes = 0;
  for (auto producer : root->getBlock()->getOps<linalg::LinalgOp>())
    for (Value value : producer->getResults())
      if (auto type = dyn_cast<RankedTensorType>(value.getType());
          type && producer != root && !isa<linalg::FillOp>(producer) && type.getShape() == result.getShape() &&
          type.getElementType().isIntOrFloat())
        bytes += llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return bytes;
}

static SmallVector<int64_t> tileLoops(linalg::LinalgOp root, const TileWork &work) {
  SmallVector<int64_t> extents = root.getStaticLoopRanges();
  double steps = root->getNumOperands() + root.getBlock()->getOperations().size(), points = 1;
  for (int64_t extent : extents)
    points *= usual(extent);
  double budget = std::clamp<double>(points * steps / work.tiles, work.leastSteps, work.mostSteps);
  double most = budget / steps;
  if (int64_t held = heldBytes(root))
    most = std::min(most, (double)work.mostHeldBytes / held);
  Cutter cutter(extents);
  SmallVector<unsigned> parallel;
  root.getParallelDims(parallel);
  for (unsigned loop : parallel)
    cutter.cut(loop, most, loop == extents.size() - 1 ? 64 : 1);
  return cutter.sizes;
}

int64_t panelWidth(Type element, int64_t columns, TargetAttr target, int64_t vectors) {
  int64_t lanes = target.getVectorBytes() * 8 / element.getIntOrFloatBitWidth(), widest = lanes * vectors;
  // A panel that is mostly filled up would only take memory.
  return ShapedType::isDynamic(columns) ? widest : std::clamp<int64_t>(llvm::alignTo(columns, lanes), lanes, widest);
}

TilingAttr tile(TilingInterface root, const TileWork &work) {
  SmallVector<unsigned> loops;
  SmallVector<int64_t> sizes(root.getLoopIteratorTypes().size(), 0), serial;
  if (ContractOp contract = contractionOf(root, loops)) {
    for (auto [loop, size] : llvm::zip(loops, tileContraction(contract, work)))
      sizes[loop] = size;
    // Panels that are computed in the kernel should still be in a cache when they are read.
    if (std::optional<int64_t> width = contract.getPanelWidth();
        width && contract.getRhs().getDefiningOp<linalg::LinalgOp>()) {
      serial.assign(sizes.size(), 0);
      serial[loops[contract.getColumnLoop()]] = *width;
    }
  } else if (auto structured = dyn_cast<linalg::LinalgOp>(root.getOperation())) {
    sizes = tileLoops(structured, work);
  } else {
    return nullptr;
  }
  // A size that is all of a loop is no cut.
  return TilingAttr::get(root.getContext(), sizes, serial);
}

} // namespace mlc::cpu

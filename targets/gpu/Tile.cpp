// How a kernel is cut into rows for the blocks of a device.
//
// A normalization or a softmax is a chain of reductions and elementwise operations that share loops, of which each point
// is a row of work that needs no other. Cut to single rows, a row is a block of threads, or one thread where it is short
// (FormRows.cpp): one launch, with what lies between the operations in local memory, instead of a launch for each
// operation. Contractions are cut when their blocks are formed, and single operations have no intermediates to keep.
#include "gpu/Gpu.h"
#include "passes/KernelLoops.h"
#include "passes/PlanMemory.h"

using namespace mlir;

namespace mlc::gpu {

/// What the intermediates of a row may take of local memory, of which every device has 32 kB. Bufferization may make one
/// more of each, and reductions need some of their own.
static constexpr int64_t mostRowBytes = 12 << 10;

/// The bytes of an operation's results for one point of the loops that are cut; none if only the run knows them.
static std::optional<int64_t> bytesInRow(linalg::LinalgOp op, const KernelLoops::Loops &loops,
                                         const llvm::SmallBitVector &cut) {
  int64_t bytes = 0;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (Value out : op.getDpsInits()) {
    int64_t own = bytesOfElement(getElementTypeOrSelf(out.getType()));
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      if (kind != utils::IteratorType::parallel || (loops[loop] >= 0 && cut.test(loops[loop])))
        continue;
      if (ShapedType::isDynamic(extents[loop]) || llvm::MulOverflow(own, extents[loop], own))
        return std::nullopt;
    }
    bytes += own;
  }
  return bytes;
}

TilingAttr tileRows(TilingInterface root) {
  std::optional<KernelLoops> loops = loopsOfKernel(*root->getBlock());
  if (!loops || loops->root() != root.getOperation())
    return nullptr;
  llvm::SmallBitVector cut = loops->divisible();
  for (auto [loop, kind] : llvm::enumerate(root.getLoopIteratorTypes()))
    if (kind != utils::IteratorType::parallel)
      cut.reset(loop);
  bool reduces = false;
  int64_t bytes = 0;
  for (const auto &[op, own] : *loops) {
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      return nullptr;
    reduces |= structured.getNumReductionLoops() > 0;
    std::optional<int64_t> inRow = bytesInRow(structured, own, cut);
    if (!inRow)
      return nullptr;
    bytes += op == root ? 0 : *inRow;
  }
  if (!reduces || cut.none() || bytes > mostRowBytes)
    return nullptr;
  SmallVector<int64_t> sizes;
  for (unsigned loop = 0; loop < cut.size(); ++loop)
    sizes.push_back(cut.test(loop));
  return TilingAttr::get(root.getContext(), sizes, {});
}

} // namespace mlc::gpu

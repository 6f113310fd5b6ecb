// How loops are cut for OpenCL: to rows where operations share them, else not before they are blocks of threads.
#include "gpu/Gpu.h"
#include "opencl/OpenCL.h"

using namespace mlir;

namespace mlc {

TilingAttr OpenCLTarget::tile(TilingInterface root, TargetAttr) const { return gpu::tileRows(root); }

int64_t OpenCLTarget::panelWidth(Type, int64_t columns, TargetAttr) const {
  // As wide as the tile that a block stages, which is contiguous then. Also a multiple of the vectors of any host, where
  // a contraction may have to stay.
  constexpr int64_t widest = 64, step = 16;
  return ShapedType::isDynamic(columns) ? widest : std::clamp<int64_t>(llvm::alignTo(columns, step), step, widest);
}

} // namespace mlc

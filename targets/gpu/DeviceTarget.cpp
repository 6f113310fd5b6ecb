#include "gpu/DeviceTarget.h"
#include "gpu/Gpu.h"
#include "gpu/Passes.h"

using namespace mlir;

namespace mlc::gpu {

FailureOr<TargetAttr> DeviceTarget::describeWithHost(MLIRContext *context, StringRef chip, StringRef hostChip,
                                                     StringRef features) const {
  FailureOr<TargetAttr> attr =
      findTarget(hostName())->describe(context, hostChip.empty() ? "x86-64-v3" : hostChip, features);
  if (failed(attr))
    return failure();
  return TargetAttr::get(context, name(), chip.empty() ? attr->getChip() : chip, attr->getFeatures(),
                         attr->getVectorBytes());
}

/// To rows where operations share them; else loops are not cut before they are blocks of threads.
TilingAttr DeviceTarget::tile(TilingInterface root, TargetAttr) const { return tileRows(root); }

int64_t DeviceTarget::panelWidth(Type, int64_t columns, TargetAttr) const {
  // As wide as the tile that a block stages, which is contiguous then. Also a multiple of the vectors of any host, where
  // a contraction may have to stay.
  constexpr int64_t widest = 64, step = 16;
  return ShapedType::isDynamic(columns) ? widest : std::clamp<int64_t>(llvm::alignTo(columns, step), step, widest);
}

std::unique_ptr<TileProduct> DeviceTarget::tileProduct(ContractOp, TargetAttr) const { return nullptr; }

void DeviceTarget::place(OpPassManager &passes, TargetAttr) const { gpu::place(passes); }

void DeviceTarget::lower(OpPassManager &passes, TargetAttr attr) const {
  emitDevice(passes, attr);
  passes.addPass(createCallDevice());
  findTarget(hostName())->lower(passes, attr);
}

FailureOr<Binary> DeviceTarget::emit(ModuleOp module, TargetAttr attr) const {
  return findTarget(hostName())->emit(module, attr);
}

} // namespace mlc::gpu

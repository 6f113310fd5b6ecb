#pragma once
#include "gpu/TileProduct.h"
#include "mlc/Mlc.h"
#include <memory>

namespace mlc::cuda {

/// How warps multiply the tiles of a contraction, of which FindHalves has said what factors are; null where they cannot.
std::unique_ptr<gpu::TileProduct> tensorCores(ContractOp op, bool useTf32);

} // namespace mlc::cuda

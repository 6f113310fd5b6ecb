#pragma once
#include "gpu/TileProduct.h"
#include "hip/Chips.h"
#include "mlc/Mlc.h"
#include <memory>

namespace mlc::hip {

/// How waves multiply the tiles of a contraction, of which FindHalves has said what factors are; null where none of the
/// chips has instructions for it.
std::unique_ptr<gpu::TileProduct> matrixCores(ContractOp op, const Chips &chips);

/// What stands in the functions of a library for several chips, until code is written for one of them.
inline constexpr llvm::StringLiteral isChipPrefix = "llvm.mlc.chip.is.";

} // namespace mlc::hip

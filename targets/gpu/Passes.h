// Passes that devices share; generated from Passes.td.
#pragma once
#include "mlc/Mlc.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
namespace arith {
class ArithDialect;
}
namespace func {
class FuncOp;
}
namespace memref {
class MemRefDialect;
}
namespace scf {
class SCFDialect;
}
} // namespace mlir

namespace mlc::gpu {
#define GEN_PASS_DECL
#include "gpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "gpu/Passes.h.inc"
} // namespace mlc::gpu

// Passes that only CPUs need; generated from Passes.td.
#pragma once
#include "mlc/Mlc.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
namespace arith {
class ArithDialect;
}
namespace func {
class FuncDialect;
class FuncOp;
} // namespace func
namespace memref {
class MemRefDialect;
}
namespace scf {
class SCFDialect;
}
namespace vector {
class VectorDialect;
}
} // namespace mlir

namespace mlc::cpu {
#define GEN_PASS_DECL
#include "cpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "cpu/Passes.h.inc"
} // namespace mlc::cpu

// Passes that only OpenCL needs; generated from Passes.td.
#pragma once
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlc::opencl {
#define GEN_PASS_DECL
#include "opencl/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "opencl/Passes.h.inc"
} // namespace mlc::opencl

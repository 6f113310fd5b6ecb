// Passes that only HIP needs; generated from Passes.td.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlc::hip {
#define GEN_PASS_DECL
#include "hip/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "hip/Passes.h.inc"
} // namespace mlc::hip

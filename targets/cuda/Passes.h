// Passes that only CUDA needs; generated from Passes.td.
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlc::cuda {
#define GEN_PASS_DECL
#include "cuda/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "cuda/Passes.h.inc"
} // namespace mlc::cuda

// Passes that only FPGAs need; generated from Passes.td.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlc::fpga {
#define GEN_PASS_DECL
#include "fpga/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "fpga/Passes.h.inc"
} // namespace mlc::fpga

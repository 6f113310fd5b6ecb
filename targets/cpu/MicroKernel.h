// The code of a register tile: what an mlc.ukernel computes, as a function in the vector dialect.
#pragma once
#include "cpu/Cpu.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlc::cpu {

/// The name of the function of a register tile; tiles whose functions would be equal have equal names.
std::string microKernelName(UkernelOp tile);

/// Adds the function to the module that `b` points into; fails, with an error, where the machine has no instruction for
/// the tile's groups of products.
llvm::FailureOr<mlir::func::FuncOp> buildMicroKernel(mlir::OpBuilder &b, UkernelOp tile, const Multiplication &how);

/// What the function is called with: pointers, then whatever is dynamic.
llvm::SmallVector<mlir::Value> microKernelArguments(mlir::OpBuilder &b, UkernelOp tile);

} // namespace mlc::cpu

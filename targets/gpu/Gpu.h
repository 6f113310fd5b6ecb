// What all devices with blocks of threads share: from kernels over buffers to functions of one thread.
#pragma once
#include "Target.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlc::gpu {

/// The unit attribute of a kernel that runs on the device: its function stays on the host and launches.
inline constexpr llvm::StringLiteral deviceAttrName = "mlc.device";
/// The module of all functions that the device runs.
inline constexpr llvm::StringLiteral deviceModuleName = "device";
/// The table of these functions as the runtime sees it (mlc_device_program in abi.h), which the target's last pass
/// writes.
inline constexpr llvm::StringLiteral programSymbolName = "mlc_program";
/// Threads of a block where nothing asks for another number; every device takes that many.
inline constexpr int64_t threadsOfBlock = 256;

/// Why an operation of a kernel, or what is in it, cannot be written as blocks of threads; empty if it can. Of what is
/// inside of a thread, `Target::hasDeviceForm` decides.
std::string refusal(mlir::Operation *op, const Target &target);

/// Replaces an operation by blocks of threads (FormBlocks.cpp, FormContraction.cpp).
void formLoops(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op);
void formContraction(mlir::RewriterBase &rewriter, ContractOp op);

/// `scf.forall` over blocks, or over the threads of one, with the mapping that says so. Inside, `body` gets one index for
/// each extent.
mlir::scf::ForallOp buildBlocks(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> extents,
                                llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> body);
mlir::scf::ForallOp buildThreads(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<int64_t> extents,
                                 llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> body);
/// The digits of `number` in the mixed radix of `extents`, the last the fastest.
llvm::SmallVector<mlir::Value> splitIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value number,
                                          llvm::ArrayRef<mlir::OpFoldResult> extents);
mlir::OpFoldResult product(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> factors);

/// Splits device and host: the passes of `Target::place`.
void place(mlir::OpPassManager &passes);

} // namespace mlc::gpu

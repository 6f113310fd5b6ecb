// Passes that devices share.
include "mlir/Pass/PassBase.td"

def PlaceKernels : Pass<"mlc-place-kernels", "::mlir::ModuleOp"> {
  let summary = "Decide which kernels run on the device, and say of the others why not";
}

def FindHalves : Pass<"mlc-find-halves", "::mlir::ModuleOp"> {
  let summary = "Find contractions of which all factors are f16, or all bf16, though they lie in memory as f32";
}

def FormBlocks : Pass<"mlc-form-blocks", "::mlir::func::FuncOp"> {
  let summary = "Write what a kernel on the device computes as blocks of threads, phase by phase";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def LoopBlocks : Pass<"mlc-loop-blocks", "::mlir::func::FuncOp"> {
  let summary = "Write blocks and threads as loops of the host, to see what they compute where no device is";
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

def OutlineBlocks : Pass<"mlc-outline-blocks", "::mlir::ModuleOp"> {
  let summary = "Make the code of one thread a function of the device, and launch it where its blocks were";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect"];
}

def CallDevice : Pass<"mlc-call-device", "::mlir::ModuleOp"> {
  let summary = "Write launches, and what the host reads and writes of the device's buffers, as calls of the runtime";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

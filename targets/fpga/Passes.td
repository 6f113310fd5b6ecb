// Passes that only FPGAs need.
include "mlir/Pass/PassBase.td"

def OutlineLayers : Pass<"mlc-outline-layers", "::mlir::ModuleOp"> {
  let summary = "Make each kernel a function of the device, with its structured operations as they are, and launch it";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect"];
}

def FoldLayers : Pass<"mlc-fold-layers", "::mlir::ModuleOp"> {
  let summary = "Decide how far the loops of each layer are unrolled and what lies on the chip, for the fewest cycles in the board's budget";
}

def EmitFpga : Pass<"mlc-emit-fpga", "::mlir::ModuleOp"> {
  let summary = "Write the layers as pipelines in text for the tools of FPGA vendors, and the table by which the runtime knows them";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

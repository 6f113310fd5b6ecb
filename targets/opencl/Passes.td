// Passes that only OpenCL needs.
include "mlir/Pass/PassBase.td"

def EmitOpenCL : Pass<"mlc-emit-opencl", "::mlir::ModuleOp"> {
  let summary = "Write the functions of the device as OpenCL C, and the table by which the runtime knows them";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

// Passes that only CPUs need.
include "mlir/Pass/PassBase.td"

def ConvertCpuToLLVM : Pass<"mlc-convert-cpu-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Write what is left, loops over buffers and vectors, in the LLVM dialect";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

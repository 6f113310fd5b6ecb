// Passes that only HIP needs.
include "mlir/Pass/PassBase.td"

def ConvertGpuToROCDL : Pass<"mlc-convert-gpu-to-rocdl", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Write the functions of the device in the LLVM and ROCDL dialects";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect"];
  let options = [Option<"chip", "chip", "std::string", /*default=*/"\"gfx942\"", "the chip that code is written for">];
}

def EmitHip : Pass<"mlc-emit-hip", "::mlir::ModuleOp"> {
  let summary = "Write the functions of the device as code objects, and the table by which the runtime knows them";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect"];
  let options = [Option<"chips", "chips", "std::string", /*default=*/"\"gfx942\"", "as in mlc compile --chip=">];
}

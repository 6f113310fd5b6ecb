// Passes that only CUDA needs.
include "mlir/Pass/PassBase.td"

def ConvertGpuToNVVM : Pass<"mlc-convert-gpu-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Write the functions of the device in the LLVM and NVVM dialects";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def EmitCuda : Pass<"mlc-emit-cuda", "::mlir::ModuleOp"> {
  let summary = "Write the functions of the device as PTX and cubins, and the table by which the runtime knows them";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
  let options = [Option<"chips", "chips", "std::string", /*default=*/"\"compute_80\"", "as in mlc compile --chip=">];
}

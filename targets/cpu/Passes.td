// Passes that only CPUs need.
include "mlir/Pass/PassBase.td"

def LowerContract : Pass<"mlc-lower-contract", "::mlir::func::FuncOp"> {
  let summary = "Cut mlc.contract on buffers into register tiles";
  let options = [
    Option<"vectorBytes", "vector-bytes", "int64_t", "64", "width of a vector register">,
    ListOption<"rows", "rows", "int64_t", "rows of a register tile of 1, 2, 3... vectors of columns">,
    Option<"depthBlock", "depth-block", "int64_t", "1024", "terms summed in registers before the sum goes to memory">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def BuildMicroKernels : Pass<"mlc-build-micro-kernels", "::mlir::ModuleOp"> {
  let summary = "Replace each mlc.ukernel by a call of a function that is shared by all equal ones";
  let options = [
    Option<"fused", "fused", "bool", "true", "the machine multiplies and adds in one instruction">,
    Option<"byLane", "by-lane", "bool", "false", "the machine multiplies a vector by a lane of another">,
    ListOption<"dots", "dots", "std::string", "intrinsics that sum products of integers; see targets/cpu/DotProduct.cpp">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertCpuToLLVM : Pass<"mlc-convert-cpu-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Write what is left, loops over buffers and vectors, in the LLVM dialect";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def VectorizeLoops : Pass<"mlc-vectorize-loops", "::mlir::func::FuncOp"> {
  let summary = "Write structured operations on buffers as loops whose innermost is over vectors";
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let options = [Option<"vectorBytes", "vector-bytes", "unsigned", /*default=*/"32", "width of a vector register">];
}

// All passes of mlc. A pass is named by verb and object; its file, its test and this record share the words.
include "mlir/Pass/PassBase.td"

//===-- simplify -----------------------------------------------------------------===//

def InferShapes : Pass<"mlc-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Refine every type by the shape rules; refuse what contradicts itself";
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlir::func::FuncDialect"];
}

def SettleBranches : Pass<"mlc-settle-branches", "::mlir::ModuleOp"> {
  let summary = "Say which branch a condition must take, where only one gives what its users can use";
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlir::func::FuncDialect"];
}

def FuseBatchNorm : Pass<"mlc-fuse-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "Merge a batch normalization into the weights of the convolution before it";
  let dependentDialects = ["::mlc::onnx::OnnxDialect"];
}

def FoldConstants : Pass<"mlc-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Compute now what does not depend on the inputs";
  let options = [Option<"keepQuantized", "keep-quantized", "bool", "false", "leave quantized constants as they are">,
                 Option<"keepWeights", "keep-weights", "bool", "false", "leave quantized weights of products of floats as they are">];
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlir::func::FuncDialect"];
}

//===-- quantize -----------------------------------------------------------------===//

def SplitTransposedConv : Pass<"mlc-split-transposed-conv", "::mlir::func::FuncOp"> {
  let summary = "Write transposed convolutions with constant filters as convolutions";
  let dependentDialects = ["::mlc::onnx::OnnxDialect"];
}

def MoveQuantization : Pass<"mlc-move-quantization", "::mlir::func::FuncOp"> {
  let summary = "Move elements as the integers that they are, dequantized behind and quantized before";
  let dependentDialects = ["::mlc::onnx::OnnxDialect"];
}

def FormIntegerOperators : Pass<"mlc-form-integer-operators", "::mlir::func::FuncOp"> {
  let summary = "Turn products of dequantized numbers into operators on integers";
  let dependentDialects = ["::mlc::onnx::OnnxDialect"];
}

//===-- lower --------------------------------------------------------------------===//

def ConvertOnnxToLinalg : Pass<"mlc-convert-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Replace every onnx operation by what its rule says it computes";
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect",
                           "::mlir::bufferization::BufferizationDialect"];
}

//===-- layout -------------------------------------------------------------------===//

def PackOperands : Pass<"mlc-pack-operands", "::mlir::func::FuncOp"> {
  let summary = "Turn sums of products into contractions with packed weights";
  let dependentDialects = ["::mlc::MlcDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def PropagateLayout : Pass<"mlc-propagate-layout", "::mlir::func::FuncOp"> {
  let summary = "Move transpositions to where they meet and vanish";
  let dependentDialects = ["::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

//===-- fuse ---------------------------------------------------------------------===//

def FuseElementwise : Pass<"mlc-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Join elementwise operations with the producers and consumers that make no work double";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
}

def FormKernels : Pass<"mlc-form-kernels", "::mlir::ModuleOp"> {
  let summary = "Outline groups of operations into kernels; equal kernels become one";
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

//===-- tile ---------------------------------------------------------------------===//

def TileKernels : Pass<"mlc-tile-kernels", "::mlir::func::FuncOp"> {
  let summary = "Cut the loops of a kernel as #mlc.tiling says, with producers fused into the tiles";
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect"];
}

//===-- bufferize ----------------------------------------------------------------===//

def BufferizeTensors : Pass<"mlc-bufferize-tensors", "::mlir::ModuleOp"> {
  let summary = "Turn the tensors of the graph function and of kernels into buffers";
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def PlaceTemporaries : Pass<"mlc-place-temporaries", "::mlir::ModuleOp"> {
  let summary = "Put the buffers that kernels need for themselves on the stack, or let their callers bring them";
  let options = [Option<"stackBytes", "stack-bytes", "int64_t", "196608", "what a kernel may put on the stack">];
  let dependentDialects = ["::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def PlanMemory : Pass<"mlc-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every buffer of the graph function its place in one arena, or in the output that it becomes";
  let dependentDialects = ["::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

//===-- target -------------------------------------------------------------------===//

def OutlineParallel : Pass<"mlc-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Make the body of each parallel loop a function that threads can share";
  let dependentDialects = ["::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
}

def PassFrame : Pass<"mlc-pass-frame", "::mlir::ModuleOp"> {
  let summary = "Give the frame of the run to every function that asks the runtime for something";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def EmitEntryPoint : Pass<"mlc-emit-entry-point", "::mlir::ModuleOp"> {
  let summary = "Add what the runtime sees of the model: its description and the function that runs it";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect"];
}

def ExpandMath : Pass<"mlc-expand-math"> {
  let summary = "Write elementary functions of f32 as polynomials";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [Option<"scales", "scales", "bool", /*default=*/"false",
                        "The machine has an instruction that multiplies by any power of two">];
}

def CastExpandShapes : Pass<"mlc-cast-expand-shapes"> {
  let summary = "Make casts of expansions whose extents only the run tells";
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::memref::MemRefDialect"];
}

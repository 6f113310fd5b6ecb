// All passes of mlc. A pass is named by verb and object; its file, its test and this record share the words.
include "mlir/Pass/PassBase.td"

//===-- simplify -----------------------------------------------------------------===//

def InferShapes : Pass<"mlc-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "Refine every type by the shape rules; refuse what contradicts itself";
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlir::func::FuncDialect"];
}

//===-- lower --------------------------------------------------------------------===//

def ConvertOnnxToLinalg : Pass<"mlc-convert-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Replace every onnx operation by what its rule says it computes";
  let dependentDialects = ["::mlc::onnx::OnnxDialect", "::mlc::MlcDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
}


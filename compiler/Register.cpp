// What a context must know before any phase runs.
#include "Compiler.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/TilingInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/TransformOps/SCFTransformOps.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorTilingInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "onnx/Onnx.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {

void registerAllDialects(DialectRegistry &registry) {
  registry.insert<onnx::OnnxDialect, MlcDialect, affine::AffineDialect, arith::ArithDialect,
                  bufferization::BufferizationDialect, cf::ControlFlowDialect, func::FuncDialect, gpu::GPUDialect,
                  linalg::LinalgDialect, LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                  tensor::TensorDialect, ub::UBDialect, vector::VectorDialect>();
  affine::registerValueBoundsOpInterfaceExternalModels(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerValueBoundsOpInterfaceExternalModels(registry);
  mlc::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerTilingInterfaceExternalModels(registry);
  memref::registerValueBoundsOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerValueBoundsOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  tensor::registerTilingInterfaceExternalModels(registry);
  tensor::registerValueBoundsOpInterfaceExternalModels(registry);
}

namespace {
/// What machine the passes of a phase are chosen for: mlc-opt --mlc-target="target=x86 chip=x86-64-v3".
struct PhaseOptions : PassPipelineOptions<PhaseOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("the target, as in mlc compile"),
                             llvm::cl::init(hostTargetName().str())};
  Option<std::string> chip{*this, "chip", llvm::cl::desc("the chip, as in mlc compile"), llvm::cl::init("")};
  Option<std::string> features{*this, "features", llvm::cl::desc("additions to the chip's features"),
                               llvm::cl::init("")};
};
} // namespace

static void addPhase(const PhaseInfo &phase, OpPassManager &passes, const PhaseOptions &options) {
  const Target *target = findTarget(options.target);
  if (!target)
    llvm::report_fatal_error(Twine("unknown target '") + options.target.getValue() + "'", /*gen_crash_diag=*/false);
  // A pipeline is put together before there is a context, and attributes need one.
  static MLIRContext context;
  context.loadDialect<MlcDialect>();
  std::string problem;
  ScopedDiagnosticHandler collector(&context, [&](Diagnostic &diagnostic) {
    problem = diagnostic.str();
    return success();
  });
  FailureOr<TargetAttr> attr = target->describe(&context, options.chip, options.features);
  if (failed(attr))
    llvm::report_fatal_error(Twine(problem), /*gen_crash_diag=*/false);
  phase.build(passes, *target, *attr);
}

void registerAllPasses() {
  registerMlcPasses();
  registerTransformsPasses();
  registerLinalgPasses();
  memref::registerMemRefPasses();
  registerLowerAffinePass();
  registerReconcileUnrealizedCastsPass();
  registerSCFToControlFlowPass();
  for (const PhaseInfo &phase : phases()) {
    if (!phase.build)
      continue;
    // Registered once and for all; the registry keeps them.
    new PassPipelineRegistration<PhaseOptions>(
        ("mlc-" + phase.name).str(), phase.summary,
        [&phase](OpPassManager &passes, const PhaseOptions &options) { addPhase(phase, passes, options); });
  }
}

} // namespace mlc

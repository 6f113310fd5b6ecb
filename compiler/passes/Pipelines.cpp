#include "passes/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {

void buildSimplify(OpPassManager &passes, const Target &, TargetAttr) { passes.addPass(createInferShapes()); }

void buildQuantize(OpPassManager &, const Target &, TargetAttr) {}

void buildLower(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addPass(createConvertOnnxToLinalg());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildLayout(OpPassManager &, const Target &, TargetAttr) {}

void buildFuse(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createFormKernels());
  passes.addPass(createCanonicalizerPass());
}

void buildTile(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addNestedPass<func::FuncOp>(createTileKernels());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildBufferize(OpPassManager &, const Target &, TargetAttr) {}

void buildTarget(OpPassManager &passes, const Target &target, TargetAttr attr) { target.lower(passes, attr); }

} // namespace mlc

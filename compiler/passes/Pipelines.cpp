#include "passes/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {

void buildSimplify(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addPass(createSettleBranches());
  passes.addPass(createInferShapes());
  passes.addNestedPass<func::FuncOp>(createFuseBatchNorm());
  passes.addPass(createFoldConstants({/*keepQuantized=*/true}));
  passes.addNestedPass<func::FuncOp>(createSplitTransposedConv());
  passes.addPass(createFoldConstants({/*keepQuantized=*/true})); // filters of phases are constants again
  passes.addPass(createInferShapes());
  passes.addPass(createCSEPass());
}

void buildQuantize(OpPassManager &passes, const Target &target, TargetAttr) {
  bool isDevice = target.hostName() != target.name();
  passes.addNestedPass<func::FuncOp>(createMoveQuantization());
  passes.addPass(createFoldConstants({/*keepQuantized=*/true})); // weights that were moved are constants again
  passes.addNestedPass<func::FuncOp>(createFormIntegerOperators());
  passes.addPass(createFoldConstants({/*keepQuantized=*/false, /*keepWeights=*/!isDevice}));
  passes.addPass(createInferShapes());
  passes.addPass(createCSEPass());
}

void buildLower(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addPass(createConvertOnnxToLinalg());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildLayout(OpPassManager &passes, const Target &, TargetAttr) {
  passes.addNestedPass<func::FuncOp>(createPackOperands());
  passes.addNestedPass<func::FuncOp>(createPropagateLayout());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

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

void buildBufferize(OpPassManager &passes, const Target &target, TargetAttr) {
  passes.addPass(createBufferizeTensors());
  // Sizes become arithmetic on the extents of arguments, which the plan can follow.
  passes.addPass(memref::createResolveShapedTypeResultDimsPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createPlaceTemporaries({target.stackBytes()}));
  passes.addPass(createPlanMemory());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildTarget(OpPassManager &passes, const Target &target, TargetAttr attr) {
  target.place(passes, attr);
  passes.addPass(createOutlineParallel());
  passes.addPass(createPassFrame());
  passes.addPass(createEmitEntryPoint());
  target.lower(passes, attr);
}

} // namespace mlc

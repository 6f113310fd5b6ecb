#include "cpu/Cpu.h"
#include "cpu/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc::cpu {

void lower(OpPassManager &passes, TargetAttr target, RegisterTiles tiles) {
  LowerContractOptions contract;
  contract.vectorBytes = target.getVectorBytes();
  contract.rows = llvm::to_vector(tiles.rows);
  contract.depthBlock = tiles.depthBlock;
  passes.addNestedPass<func::FuncOp>(createLowerContract(contract));
  BuildMicroKernelsOptions kernels;
  kernels.fused = tiles.multiplication.fused;
  kernels.byLane = tiles.multiplication.byLane;
  for (StringRef dot : tiles.multiplication.dots)
    kernels.dots.push_back(dot.str());
  passes.addPass(createBuildMicroKernels(kernels));
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createVectorizeLoops({target.getVectorBytes()}));
  functions.addPass(createExpandMath({tiles.multiplication.scales}));
  functions.addPass(createCastExpandShapes());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertCpuToLLVM());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

} // namespace mlc::cpu

// Writes blocks and threads as loops of the host, on which kernels compute the same without a device. For tests: of how
// work is cut, indexed and staged, phase by phase, before any device's language plays a part.
//
//   scf.forall (%b) in (%n) {                      =>   %tile = memref.alloca()
//     %tile = memref.alloca() in local memory           scf.for %b = 0 to %n {
//     scf.forall (%t) in (256) { first phase }            scf.for %t = 0 to 256 { first phase }
//     scf.forall (%t) in (256) { second phase }           scf.for %t = 0 to 256 { second phase }
//   }                                                   }
//
// One thread after another: what a thread reads that a later one writes in the same phase, where a device would need a
// barrier between them, comes out wrong.
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_LOOPBLOCKS
#include "gpu/Passes.h.inc"

namespace {

struct LoopBlocks : impl::LoopBlocksBase<LoopBlocks> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr(deviceAttrName))
      return;
    kernel->removeAttr(deviceAttrName);
    Block &entry = kernel.getBody().front();
    kernel.walk([&](memref::AllocaOp alloca) {
      alloca->moveBefore(&entry, entry.begin()); // or each iteration would take more of the stack
      setSpace(alloca, nullptr);
    });
    SmallVector<scf::ForallOp> loops;
    kernel.walk([&](scf::ForallOp loop) { loops.push_back(loop); });
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp loop : loops) {
      rewriter.setInsertionPoint(loop);
      if (failed(scf::forallToForLoop(rewriter, loop)))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace mlc::gpu

// Gives the frame of the run to every function that asks the runtime for something, as its first argument.
//
//   func.func private @k(%x: memref<8xf32>) { mlc.parallel @body count(%n) }
//   =>
//   func.func private @k(%frame: !llvm.ptr, %x: memref<8xf32>) { mlc.parallel @body count(%n) }
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_PASSFRAME
#include "passes/Passes.h.inc"

namespace {

struct PassFrame : impl::PassFrameBase<PassFrame> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    DenseMap<func::FuncOp, SmallVector<func::CallOp>> calls;
    SmallVector<func::FuncOp> needing;
    DenseSet<func::FuncOp> seen;
    auto need = [&](func::FuncOp function) {
      if (seen.insert(function).second)
        needing.push_back(function);
    };
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.getName() == graphFunctionName)
        need(function);
      function.walk([&](Operation *op) {
        if (isa<ArenaOp, OutputOp, AllocateOp, CheckOp, ExternalOp, ParallelOp, gpu::LaunchFuncOp>(op))
          need(function);
        if (auto call = dyn_cast<func::CallOp>(op))
          if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
            calls[callee].push_back(call);
      });
    }
    for (unsigned i = 0; i < needing.size(); ++i)
      for (func::CallOp call : calls[needing[i]])
        need(call->getParentOfType<func::FuncOp>());

    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    for (func::FuncOp function : needing)
      (void)function.insertArgument(0, pointer, DictionaryAttr(), function.getLoc());
    for (func::FuncOp function : needing)
      for (func::CallOp call : calls[function])
        call->insertOperands(0, call->getParentOfType<func::FuncOp>().getArgument(0));
  }
};

} // namespace
} // namespace mlc

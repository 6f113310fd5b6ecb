// Makes each kernel a function of the device, and launches it where its body was.
//
//   func.func private @conv(%x, %w, %y, %sums {mlc.temporary}) attributes {mlc.kernel} {
//     mlc.contract ins(%x, %w) outs(%sums)
//     linalg.generic ins(%sums) outs(%y)
//   }
//   =>
//   func.func private @conv(%x, %w, %y, %sums) attributes {mlc.kernel, mlc.device} {
//     gpu.launch_func @device::@conv blocks in (1, 1, 1) threads in (1, 1, 1) args(%x, %w, %y)
//   }
//   gpu.module @device { gpu.func @conv(%x, %w, %y) kernel {
//     %sums = memref.alloca()                       no memory: a sum is gone with the pixel that it is for
//     mlc.contract ins(%x, %w) outs(%sums)
//     linalg.generic ins(%sums) outs(%y)
//   } }
//
// All kernels must be such layers (Stage.h): a design has no second processor to leave one to.
#include "fpga/Passes.h"
#include "fpga/Stage.h"
#include "gpu/Gpu.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Placement.h"
#include "passes/Ports.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace mlc::fpga {
#define GEN_PASS_DEF_OUTLINELAYERS
#include "fpga/Passes.h.inc"

namespace {

struct OutlineLayers : impl::OutlineLayersBase<OutlineLayers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // In the order in which they run first.
    llvm::SetVector<func::FuncOp> kernels;
    auto add = [&](func::FuncOp kernel) {
      if (kernel && kernel->hasAttr(kernelAttrName) && !kernel.isExternal())
        kernels.insert(kernel);
    };
    if (auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName))
      graph.walk([&](func::CallOp call) { add(module.lookupSymbol<func::FuncOp>(call.getCallee())); });
    for (auto kernel : module.getOps<func::FuncOp>())
      add(kernel);
    if (kernels.empty())
      return;
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    device = mlir::gpu::GPUModuleOp::create(b, module.getLoc(), gpu::deviceModuleName);
    module->setAttr(deviceCodeAttrName, b.getUnitAttr());
    bool isFine = true;
    for (func::FuncOp kernel : kernels) {
      FailureOr<std::vector<Stage>> stages = readStages(kernel.getBody());
      if (failed(stages))
        isFine = false;
      else
        outline(kernel, *stages);
    }
    if (!isFine)
      signalPassFailure();
  }

  void outline(func::FuncOp kernel, ArrayRef<Stage> stages) {
    // What nobody reads or stores need not be there: sums that are taken by an epilogue, and what only has extents.
    llvm::SmallPtrSet<Value, 8> touched;
    for (const Stage &stage : stages)
      stage.forEachAccess([&](const Access &access) { touched.insert(access.buffer); });
    SmallVector<Value> arguments;
    SmallVector<BlockArgument> absent;
    for (BlockArgument argument : kernel.getArguments()) {
      if (argument.use_empty())
        continue;
      if (touched.contains(argument) || !isa<MemRefType>(argument.getType()))
        arguments.push_back(argument);
      else
        absent.push_back(argument);
    }
    for (auto constant : kernel.getBody().getOps<memref::GetGlobalOp>())
      arguments.push_back(constant);

    OpBuilder b = OpBuilder::atBlockEnd(device.getBody());
    Location loc = kernel.getLoc();
    auto function =
        mlir::gpu::GPUFuncOp::create(b, loc, kernel.getName(), b.getFunctionType(ValueRange(arguments).getTypes(), {}));
    function->setAttr(mlir::gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    function.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr({1, 1, 1}));
    Block &entry = function.getBody().front();
    IRMapping map;
    for (auto [inside, argument] : llvm::zip(entry.getArguments(), arguments)) {
      map.map(argument, inside);
      auto outside = dyn_cast<BlockArgument>(argument);
      if (DictionaryAttr attrs = outside ? kernel.getArgAttrDict(outside.getArgNumber()) : DictionaryAttr())
        function.setArgAttrs(inside.getArgNumber(), attrs);
    }
    b.setInsertionPointToStart(&entry);
    for (BlockArgument argument : absent)
      map.map(argument, memref::AllocaOp::create(b, loc, cast<MemRefType>(argument.getType())));
    SmallVector<Operation *> body;
    for (Operation &op : kernel.getBody().front().without_terminator())
      if (!isa<memref::GetGlobalOp>(op)) {
        body.push_back(&op);
        b.clone(op, map);
      }
    mlir::gpu::ReturnOp::create(b, loc);

    OpBuilder host(kernel.getBody().front().getTerminator());
    Value one = arith::ConstantIndexOp::create(host, loc, 1);
    mlir::gpu::KernelDim3 single{one, one, one};
    mlir::gpu::LaunchFuncOp::create(host, loc, function, single, single, /*dynamicSharedMemorySize=*/Value(),
                                    arguments);
    for (Operation *op : llvm::reverse(body))
      op->erase();
    kernel->setAttr(deviceAttrName, b.getUnitAttr());
  }

  mlir::gpu::GPUModuleOp device;
};

} // namespace
} // namespace mlc::fpga

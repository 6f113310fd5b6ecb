// Writes launches as calls of the runtime, and tells it what the host itself reads and writes.
//
//   gpu.launch_func @device::@k blocks in (%n, 1, 1) threads in (256, 1, 1) args(%a, %i)
//   =>
//   llvm.call @mlc_rt_launch(%frame, @mlc_program, 0, [%n, 1, 1], [(address of %a, bytes of %a), (%i, 0)])
//
// The graph function's own loads and stores, and its calls of kernels that stay on the host, stand between
// mlc_rt_host_reads and mlc_rt_host_writes of each buffer that they touch; the runtime copies what is not up to date. So
// no analysis has to know which way the graph will take. What a sequence holds was written by the host.
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/PlanMemory.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_CALLDEVICE
#include "gpu/Passes.h.inc"

namespace {

struct CallDevice : impl::CallDeviceBase<CallDevice> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    pointer = LLVM::LLVMPointerType::get(&getContext());
    SmallVector<mlir::gpu::LaunchFuncOp> launches;
    module.walk([&](mlir::gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName);
    if (graph && !launches.empty())
      tellAccesses(graph);
    for (mlir::gpu::LaunchFuncOp launch : launches)
      call(launch);
    for (auto device : llvm::make_early_inc_range(module.getOps<mlir::gpu::GPUModuleOp>()))
      device.erase();
    module->removeAttr(mlir::gpu::GPUDialect::getContainerModuleAttrName());
  }

  LLVM::LLVMFuncOp declare(ImplicitLocOpBuilder &b, StringRef name, ArrayRef<Type> arguments) {
    ModuleOp module = getOperation();
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    return LLVM::LLVMFuncOp::create(b, name,
                                    LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), arguments));
  }

  /// The address of the first element that a buffer can reach, and the bytes up to the end of the last.
  static std::pair<Value, Value> placeOf(ImplicitLocOpBuilder &b, Value buffer) {
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
      // What has an offset is told as all that it is a part of; what is a piece of the arena is told as such.
      if (isa<memref::ViewOp>(view) || !isa<MemRefType>(view.getViewSource().getType()) ||
          isa<memref::ReinterpretCastOp>(view))
        break;
      buffer = view.getViewSource();
    }
    auto type = cast<MemRefType>(buffer.getType());
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
    Value bytes = arith::ConstantIndexOp::create(b, bytesOfElement(type.getElementType()));
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      bytes = b.createOrFold<arith::MulIOp>(bytes, b.createOrFold<memref::DimOp>(buffer, axis));
    Type i64 = b.getI64Type();
    return {arith::IndexCastOp::create(b, i64, address), arith::IndexCastOp::create(b, i64, bytes)};
  }

  void tell(ImplicitLocOpBuilder &b, StringRef service, Value frame, Value buffer) {
    auto [address, bytes] = placeOf(b, buffer);
    Value place = LLVM::IntToPtrOp::create(b, pointer, address);
    LLVM::CallOp::create(b, declare(b, service, {pointer, pointer, b.getI64Type()}), ValueRange{frame, place, bytes});
  }

  void tellAccesses(func::FuncOp graph) {
    Value frame = graph.getArgument(0);
    SmallVector<Operation *> touching;
    SmallVector<AtOp> items;
    SymbolTable symbols(getOperation());
    graph.walk([&](Operation *op) {
      if (auto call = dyn_cast<func::CallOp>(op)) {
        auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
        if (!callee || !callee->hasAttr(deviceAttrName))
          touching.push_back(op);
      } else if (isa<ParallelOp, linalg::LinalgOp>(op) ||
                 (op->getNumRegions() == 0 && isa<MemoryEffectOpInterface>(op) && !isMemoryEffectFree(op) &&
                  !isa<OutputOp, AllocateOp, CheckOp, memref::AllocaOp>(op)))
        touching.push_back(op);
      else if (auto item = dyn_cast<AtOp>(op))
        items.push_back(item);
    });
    for (AtOp item : items) {
      ImplicitLocOpBuilder b(item.getLoc(), item->getContext());
      b.setInsertionPointAfter(item);
      tell(b, "mlc_rt_host_writes", frame, item.getTensor());
    }
    for (Operation *op : touching) {
      llvm::SetVector<Value> buffers;
      for (Value operand : op->getOperands())
        if (isa<MemRefType>(operand.getType()))
          buffers.insert(operand);
      ImplicitLocOpBuilder b(op->getLoc(), op);
      // What is written may be written in part, so the rest must be there too.
      for (Value buffer : buffers)
        tell(b, "mlc_rt_host_reads", frame, buffer);
      b.setInsertionPointAfter(op);
      for (Value buffer : buffers)
        if (mayWrite(op, buffer, symbols))
          tell(b, "mlc_rt_host_writes", frame, buffer);
    }
  }

  /// A kernel's inputs come before its destinations, of which the attribute of the argument says nothing; so its body
  /// is asked.
  static bool mayWrite(Operation *op, Value buffer, SymbolTable &symbols) {
    auto call = dyn_cast<func::CallOp>(op);
    if (!call) {
      auto effects = dyn_cast<MemoryEffectOpInterface>(op);
      return !effects || effects.getEffectOnValue<MemoryEffects::Write>(buffer).has_value();
    }
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    if (!callee || callee.isExternal())
      return true;
    for (OpOperand &operand : call->getOpOperands())
      if (operand.get() == buffer && isWritten(callee.getArgument(operand.getOperandNumber())))
        return true;
    return false;
  }

  /// Whether something may write to a buffer, or to a view of it.
  static bool isWritten(Value buffer) {
    for (OpOperand &use : buffer.getUses()) {
      Operation *user = use.getOwner();
      if (isa<memref::DimOp, memref::LoadOp>(user))
        continue;
      if (isa<ViewLikeOpInterface>(user)) {
        if (llvm::any_of(user->getResults(), [](Value result) { return isWritten(result); }))
          return true;
        continue;
      }
      auto effects = dyn_cast<MemoryEffectOpInterface>(user);
      if (!effects || effects.getEffectOnValue<MemoryEffects::Write>(buffer))
        return true;
    }
    return false;
  }

  void call(mlir::gpu::LaunchFuncOp launch) {
    auto function = launch->getParentOfType<func::FuncOp>();
    ImplicitLocOpBuilder b(launch.getLoc(), launch);
    Type i64 = b.getI64Type(), i32 = b.getI32Type();
    auto number =
        SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernelAttr())->getAttrOfType<IntegerAttr>("mlc.number");
    SmallVector<Value> grid, arguments;
    mlir::gpu::KernelDim3 blocks = launch.getGridSizeOperandValues();
    for (Value extent : {blocks.x, blocks.y, blocks.z})
      grid.push_back(arith::IndexCastOp::create(b, i64, extent));
    Value none = LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(0));
    for (Value operand : launch.getKernelOperands()) {
      if (isa<MemRefType>(operand.getType())) {
        Value buffer = operand;
        if (auto base = operand.getDefiningOp<memref::ReinterpretCastOp>())
          buffer = base.getSource();
        auto [address, bytes] = placeOf(b, buffer);
        arguments.append({address, bytes});
      } else {
        arguments.append({asInteger(b, operand), none});
      }
    }
    auto slot = [&](ArrayRef<Value> values) -> Value {
      Value memory;
      {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(&function.getBody().front());
        Value one = LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(1));
        memory =
            LLVM::AllocaOp::create(b, pointer, LLVM::LLVMArrayType::get(i64, std::max<size_t>(values.size(), 1)), one);
      }
      for (auto [i, value] : llvm::enumerate(values))
        LLVM::StoreOp::create(b, value,
                              LLVM::GEPOp::create(b, pointer, i64, memory, ArrayRef<LLVM::GEPArg>{(int32_t)i}));
      return memory;
    };
    Value gridPlace = slot(grid), argumentPlace = slot(arguments);
    Value program = LLVM::AddressOfOp::create(b, pointer, programSymbolName);
    Value index = LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(number.getInt()));
    LLVM::CallOp::create(b, declare(b, "mlc_rt_launch", {pointer, pointer, i32, pointer, pointer}),
                         ValueRange{function.getArgument(0), program, index, gridPlace, argumentPlace});
    // The launch is gone before the cast that was there for it.
    SmallVector<Value> operands(launch.getKernelOperands());
    launch.erase();
    for (Value operand : operands)
      if (auto base = operand.getDefiningOp<memref::ReinterpretCastOp>(); base && base->use_empty())
        base.erase();
  }

  /// The bits of a number, as 64.
  static Value asInteger(ImplicitLocOpBuilder &b, Value value) {
    Type i64 = b.getI64Type();
    if (value.getType().isIndex())
      return arith::IndexCastOp::create(b, i64, value);
    if (isa<FloatType>(value.getType()))
      value = arith::BitcastOp::create(b, b.getIntegerType(value.getType().getIntOrFloatBitWidth()), value);
    if (value.getType() == i64)
      return value;
    return arith::ExtUIOp::create(b, i64, value);
  }

  Type pointer;
};

} // namespace
} // namespace mlc::gpu

// Makes the code of one thread a function of the device, and launches it where its blocks were.
//
//   scf.forall (%b) in (%n) {                   =>   gpu.launch_func @device::@k_0 blocks in (%n, 1, 1) threads in (256, 1, 1)
//     scf.forall (%t) in (256) { first phase }         args(%buffer, %n)
//     scf.forall (%t) in (256) { second phase }      gpu.module @device { gpu.func @k_0(%buffer, %n) kernel {
//   }                                                  first phase, gpu.barrier, second phase } }
//
// A function gets contiguous buffers, those of the host function's arguments, and indices. A buffer with extents that
// only the run knows is passed as its address, of rank 0, with its extents beside it. Views are taken again inside.
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_OUTLINEBLOCKS
#include "gpu/Passes.h.inc"

template <typename Attr> static bool isMapped(scf::ForallOp loop) {
  std::optional<ArrayAttr> mapping = loop.getMapping();
  return mapping && !mapping->empty() && llvm::all_of(*mapping, llvm::IsaPred<Attr>);
}
static bool isOverBlocks(scf::ForallOp loop) { return isMapped<mlir::gpu::GPUBlockMappingAttr>(loop); }
static bool isOverThreads(scf::ForallOp loop) { return isMapped<mlir::gpu::GPUThreadMappingAttr>(loop); }

namespace {

struct OutlineBlocks : impl::OutlineBlocksBase<OutlineBlocks> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<scf::ForallOp> loops;
    module.walk([&](scf::ForallOp loop) {
      if (isOverBlocks(loop))
        loops.push_back(loop);
    });
    if (loops.empty())
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    device = mlir::gpu::GPUModuleOp::create(builder, module.getLoc(), deviceModuleName);
    module->setAttr(mlir::gpu::GPUDialect::getContainerModuleAttrName(), builder.getUnitAttr());
    DenseMap<Operation *, unsigned> numbers;
    for (scf::ForallOp loop : loops) {
      auto kernel = loop->getParentOfType<func::FuncOp>();
      if (failed(outline(loop, (kernel.getName() + "_" + Twine(numbers[kernel]++)).str())))
        return signalPassFailure();
    }
  }

  /// What `region` uses from outside, with what is cheaper to compute again inside: constants, views of buffers.
  static void capture(Region &region, llvm::SetVector<Value> &captures, llvm::SetVector<Operation *> &repeated) {
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(region, used);
    std::function<void(Value)> add = [&](Value value) {
      Operation *op = value.getDefiningOp();
      bool isRepeated = op && (op->hasTrait<OpTrait::ConstantLike>() || isa<ViewLikeOpInterface, memref::DimOp>(op));
      if (!isRepeated) {
        captures.insert(value);
        return;
      }
      for (Value operand : op->getOperands())
        add(operand);
      repeated.insert(op);
    };
    for (Value value : used)
      add(value);
  }

  LogicalResult outline(scf::ForallOp blocks, StringRef name) {
    Location loc = blocks.getLoc();
    OpBuilder host(blocks);
    llvm::SetVector<Value> captures;
    llvm::SetVector<Operation *> repeated;
    capture(blocks.getRegion(), captures, repeated);

    SmallVector<Value> arguments;
    for (Value value : captures) {
      auto type = dyn_cast<MemRefType>(value.getType());
      if (!type && !value.getType().isIntOrIndexOrFloat())
        return blocks.emitError("cannot pass a value of type ") << value.getType() << " to the device";
      if (type && !type.getLayout().isIdentity())
        return blocks.emitError("cannot pass a buffer that is not contiguous to the device: ") << type;
      if (!type || type.hasStaticShape()) {
        arguments.push_back(value);
        continue;
      }
      auto base = MemRefType::get({}, type.getElementType());
      arguments.push_back(memref::ReinterpretCastOp::create(host, loc, base, value, /*offset=*/0, ArrayRef<int64_t>(),
                                                            ArrayRef<int64_t>()));
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        if (type.isDynamicDim(axis))
          arguments.push_back(memref::DimOp::create(host, loc, value, axis));
    }

    OpBuilder b = OpBuilder::atBlockEnd(device.getBody());
    SmallVector<Type> types = llvm::map_to_vector(arguments, [](Value value) { return value.getType(); });
    auto function = mlir::gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    function->setAttr(mlir::gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    Block &entry = function.getBody().front();
    b.setInsertionPointToStart(&entry);
    IRMapping map;
    unsigned next = 0;
    for (Value value : captures) {
      Value argument = entry.getArgument(next++);
      auto type = dyn_cast<MemRefType>(value.getType());
      if (type && !type.hasStaticShape()) {
        SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
        for (int64_t axis = 0; axis < type.getRank(); ++axis)
          if (type.isDynamicDim(axis))
            sizes[axis] = entry.getArgument(next++);
        SmallVector<OpFoldResult> strides(sizes.size());
        OpFoldResult stride = b.getIndexAttr(1);
        for (size_t axis = sizes.size(); axis-- > 0;) {
          strides[axis] = stride;
          stride = product(b, loc, {stride, sizes[axis]});
        }
        Value shaped = memref::ReinterpretCastOp::create(b, loc, argument, b.getIndexAttr(0), sizes, strides);
        argument = memref::CastOp::create(b, loc, type, shaped);
      }
      map.map(value, argument);
    }
    for (Operation *op : repeated)
      b.clone(*op, map);

    SmallVector<Value> grid(3, arith::ConstantIndexOp::create(host, loc, 1)), threads(3, grid[0]);
    for (auto [variable, attr, upper] :
         llvm::zip(blocks.getInductionVars(), *blocks.getMapping(), blocks.getMixedUpperBound())) {
      auto id = cast<mlir::gpu::GPUBlockMappingAttr>(attr).getBlock();
      auto dimension = static_cast<mlir::gpu::Dimension>(id);
      map.map(variable, mlir::gpu::BlockIdOp::create(b, loc, dimension));
      grid[static_cast<unsigned>(id)] = getValueOrCreateConstantIndexOp(host, loc, upper);
    }
    for (Operation &op : blocks.getBody()->without_terminator())
      b.clone(op, map);
    mlir::gpu::ReturnOp::create(b, loc);
    SmallVector<int64_t> extents(3, 1);
    if (failed(flattenThreads(function, extents)))
      return failure();
    for (auto [extent, value] : llvm::zip(extents, threads))
      value = arith::ConstantIndexOp::create(host, loc, extent);
    function.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr(SmallVector<int32_t>(extents.begin(), extents.end())));
    function = shareEqual(function);
    mlir::gpu::LaunchFuncOp::create(host, loc, function, mlir::gpu::KernelDim3{grid[0], grid[1], grid[2]},
                                    mlir::gpu::KernelDim3{threads[0], threads[1], threads[2]},
                                    /*dynamicSharedMemorySize=*/Value(), arguments);
    blocks.erase();
    return success();
  }

  /// The function of before that computes the same, if there is one: kernels have fills and copies in common.
  mlir::gpu::GPUFuncOp shareEqual(mlir::gpu::GPUFuncOp function) {
    for (auto known : device.getOps<mlir::gpu::GPUFuncOp>()) {
      if (known == function)
        break;
      if (known.getFunctionType() == function.getFunctionType() &&
          known.getKnownBlockSize() == function.getKnownBlockSize() &&
          OperationEquivalence::isRegionEquivalentTo(&known.getBody(), &function.getBody(),
                                                     OperationEquivalence::IgnoreLocations)) {
        function.erase();
        return known;
      }
    }
    return function;
  }

  /// Writes each phase as the code of one thread, with a barrier to the next.
  static LogicalResult flattenThreads(mlir::gpu::GPUFuncOp function, SmallVectorImpl<int64_t> &extents) {
    SmallVector<scf::ForallOp> phases;
    function.walk([&](scf::ForallOp loop) {
      if (isOverThreads(loop))
        phases.push_back(loop);
    });
    if (phases.empty())
      return function.emitError("expects blocks of threads, got none");
    unsigned rank = phases.front().getRank();
    for (scf::ForallOp phase : phases)
      if (phase.getMixedUpperBound() != phases.front().getMixedUpperBound())
        return phase.emitError("expects as many threads in each phase of a block");
    IRRewriter rewriter(function);
    rewriter.setInsertionPointToStart(&function.getBody().front());
    SmallVector<Value> ids;
    for (auto [attr, upper] : llvm::zip(*phases.front().getMapping(), phases.front().getMixedUpperBound())) {
      auto id = cast<mlir::gpu::GPUThreadMappingAttr>(attr).getThread();
      std::optional<int64_t> extent = getConstantIntValue(upper);
      if (!extent)
        return phases.front().emitError("expects a fixed number of threads");
      extents[static_cast<unsigned>(id)] = *extent;
      ids.push_back(mlir::gpu::ThreadIdOp::create(rewriter, function.getLoc(), static_cast<mlir::gpu::Dimension>(id)));
    }
    for (scf::ForallOp phase : phases) {
      rewriter.setInsertionPointAfter(phase);
      bool isLast = isa<mlir::gpu::ReturnOp>(phase->getNextNode());
      if (!isLast)
        mlir::gpu::BarrierOp::create(rewriter, phase.getLoc());
      rewriter.eraseOp(phase.getBody()->getTerminator());
      rewriter.inlineBlockBefore(phase.getBody(), phase, ids);
      rewriter.eraseOp(phase);
    }
    SmallVector<memref::AllocaOp> allocas;
    function.walk([&](memref::AllocaOp alloca) { allocas.push_back(alloca); });
    auto own = mlir::gpu::AddressSpaceAttr::get(function.getContext(), mlir::gpu::AddressSpace::Private);
    Block &entry = function.getBody().front();
    for (memref::AllocaOp alloca : allocas) {
      // Once in a function, or its memory would be no registers.
      alloca->moveBefore(&entry, entry.begin());
      if (alloca.getType().getMemorySpace())
        keepOwn(rewriter, alloca, rank);
      else
        setSpace(alloca, own); // allocated by a thread
    }
    return success();
  }

  /// Of what has an element for each thread, a thread keeps its own.
  static void keepOwn(IRRewriter &rewriter, memref::AllocaOp alloca, unsigned rank) {
    MemRefType type = alloca.getType();
    auto space = dyn_cast_if_present<mlir::gpu::AddressSpaceAttr>(type.getMemorySpace());
    if (!space || space.getValue() != mlir::gpu::AddressSpace::Private)
      return;
    rewriter.setInsertionPoint(alloca);
    auto own = MemRefType::get(type.getShape().drop_front(rank), type.getElementType(), MemRefLayoutAttrInterface(),
                               type.getMemorySpace());
    Value memory = memref::AllocaOp::create(rewriter, alloca.getLoc(), own);
    for (Operation *user : llvm::make_early_inc_range(alloca->getUsers())) {
      rewriter.setInsertionPoint(user);
      if (auto load = dyn_cast<memref::LoadOp>(user))
        rewriter.replaceOpWithNewOp<memref::LoadOp>(load, memory, load.getIndices().drop_front(rank));
      else if (auto store = dyn_cast<memref::StoreOp>(user))
        rewriter.replaceOpWithNewOp<memref::StoreOp>(store, store.getValue(), memory,
                                                     store.getIndices().drop_front(rank));
    }
    rewriter.eraseOp(alloca);
  }

  mlir::gpu::GPUModuleOp device;
};

} // namespace
} // namespace mlc::gpu

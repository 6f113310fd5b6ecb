// Places the buffers that a kernel needs for itself: no kernel calls an allocator.
//
//   small, of bounded size       memref.alloca at the entry of the function, or of the parallel body that uses it
//   larger, outside of a         one more argument: the caller brings the buffer, and PlanMemory gives it
//   parallel loop                a place in the arena
//   larger, in a parallel body   a part of the thread's scratch memory, asked for once at the body's start
//
// Sizes of one more argument are written at the call from the extents of the other arguments. Where a size depends on
// more than that, the run's allocator is asked (mlc.allocate).
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "passes/Passes.h"
#include "passes/Placement.h"
#include "passes/PlanMemory.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_PLACETEMPORARIES
#include "passes/Passes.h.inc"

namespace {

/// What one buffer may take of the stack. Threads of the runtime have 1 MB and more.
constexpr int64_t stackBytesOfBuffer = 64 << 10, stackBytesOfBody = 192 << 10;

/// An upper bound of the bytes of an allocation, as far as it can be seen.
std::optional<int64_t> boundedBytes(memref::AllocOp alloc) {
  int64_t bytes = bytesOfElement(alloc.getType().getElementType());
  for (OpFoldResult size : alloc.getMixedSizes()) {
    FailureOr<int64_t> bound = getConstantIntValue(size)
                                   ? *getConstantIntValue(size)
                                   : ValueBoundsConstraintSet::computeConstantBound(
                                         presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(size),
                                         /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (failed(bound) || llvm::MulOverflow(bytes, *bound, bytes))
      return std::nullopt;
  }
  return bytes;
}

struct PlaceTemporaries : impl::PlaceTemporariesBase<PlaceTemporaries> {
  using PlaceTemporariesBase::PlaceTemporariesBase;
  void runOnOperation() override {
    DenseMap<func::FuncOp, SmallVector<func::CallOp>> calls;
    SymbolTable symbols(getOperation());
    getOperation().walk([&](func::CallOp call) {
      if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
        calls[callee].push_back(call);
    });
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (kernel->hasAttr(kernelAttrName) && failed(place(kernel, calls[kernel])))
        return signalPassFailure();
  }

  LogicalResult place(func::FuncOp kernel, ArrayRef<func::CallOp> calls) {
    SmallVector<memref::AllocOp> allocs;
    kernel.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    DenseMap<Block *, int64_t> onStack; // by entry block of the function or parallel body
    llvm::MapVector<Block *, SmallVector<memref::AllocOp>> inScratch;
    for (memref::AllocOp alloc : allocs) {
      auto parallel = alloc->getParentOfType<scf::ForallOp>();
      Block *entry = parallel ? parallel.getBody() : &kernel.getBody().front();
      std::optional<int64_t> bytes = boundedBytes(alloc);
      if (bytes && *bytes <= stackBytesOfBuffer &&
          onStack[entry] + *bytes <= (parallel ? stackBytesOfBody : stackBytes)) {
        onStack[entry] += *bytes;
        placeOnStack(alloc, *bytes, entry);
      } else if (parallel)
        inScratch[entry].push_back(alloc);
      else
        placeAtCallers(alloc, kernel, calls);
    }
    for (auto &[entry, allocs] : inScratch)
      if (failed(placeInScratch(allocs, entry)))
        return failure();
    return success();
  }

  static void placeOnStack(memref::AllocOp alloc, int64_t bytes, Block *entry) {
    OpBuilder builder = OpBuilder::atBlockBegin(entry);
    Location loc = alloc.getLoc();
    auto alignment = builder.getI64IntegerAttr(64);
    if (alloc.getType().hasStaticShape())
      return replace(alloc,
                     memref::AllocaOp::create(builder, loc, alloc.getType(), ValueRange(), ValueRange(), alignment));
    auto type = MemRefType::get({std::max<int64_t>(bytes, 1)}, builder.getI8Type());
    Value memory = memref::AllocaOp::create(builder, loc, type, ValueRange(), ValueRange(), alignment);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    replaceByView(alloc, memory, zero);
  }

  /// Whether `value` is pure arithmetic on arguments and their extents, so that callers can compute it.
  static bool isKnownToCallers(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return isa<func::FuncOp>(cast<BlockArgument>(value).getOwner()->getParentOp());
    return op->getNumRegions() == 0 && isPure(op) && llvm::all_of(op->getOperands(), isKnownToCallers);
  }

  static void placeAtCallers(memref::AllocOp alloc, func::FuncOp kernel, ArrayRef<func::CallOp> calls) {
    if (calls.empty() || !llvm::all_of(alloc.getDynamicSizes(), isKnownToCallers)) {
      OpBuilder builder(alloc);
      return replace(alloc, AllocateOp::create(builder, alloc.getLoc(), alloc.getType(), alloc.getDynamicSizes()));
    }
    for (func::CallOp call : calls) {
      OpBuilder builder(call);
      IRMapping atCall;
      atCall.map(kernel.getArguments().take_front(call.getNumOperands()), call.getOperands());
      SmallVector<Value> sizes;
      for (Value size : alloc.getDynamicSizes())
        sizes.push_back(writeAtCall(size, builder, atCall));
      Value buffer =
          memref::AllocOp::create(builder, alloc.getLoc(), alloc.getType(), sizes, builder.getI64IntegerAttr(64));
      call->insertOperands(call->getNumOperands(), buffer);
    }
    OpBuilder builder(kernel.getContext());
    auto attributes = builder.getDictionaryAttr({builder.getNamedAttr("llvm.noalias", builder.getUnitAttr()),
                                                 builder.getNamedAttr(temporaryAttrName, builder.getUnitAttr())});
    unsigned position = kernel.getNumArguments();
    (void)kernel.insertArgument(position, alloc.getType(), attributes, alloc.getLoc());
    alloc.replaceAllUsesWith(kernel.getArgument(position));
    alloc.erase();
  }

  static Value writeAtCall(Value value, OpBuilder &builder, IRMapping &atCall) {
    if (Value known = atCall.lookupOrNull(value))
      return known;
    for (Value operand : value.getDefiningOp()->getOperands())
      writeAtCall(operand, builder, atCall);
    builder.clone(*value.getDefiningOp(), atCall);
    return atCall.lookup(value);
  }

  /// Moves the computation of `value` to the start of a block, before `anchor`, if it is pure.
  static bool hoist(Value value, Operation *anchor) {
    Operation *op = value.getDefiningOp();
    if (!op || !anchor->getBlock()->getParentOp()->isAncestor(op))
      return !op || true;
    if (op->getBlock() == anchor->getBlock() && op->isBeforeInBlock(anchor))
      return true;
    if (op->getNumRegions() || !isPure(op))
      return false;
    for (Value operand : op->getOperands()) {
      auto argument = dyn_cast<BlockArgument>(operand);
      if (argument && argument.getOwner() != anchor->getBlock() &&
          anchor->getBlock()->getParentOp()->isProperAncestor(argument.getOwner()->getParentOp()))
        return false;
      if (!argument && !hoist(operand, anchor))
        return false;
    }
    op->moveBefore(anchor);
    return true;
  }

  static LogicalResult placeInScratch(ArrayRef<memref::AllocOp> allocs, Block *entry) {
    // A marker, before which sizes are computed and after which the memory is there.
    OpBuilder builder = OpBuilder::atBlockBegin(entry);
    Location loc = allocs.front()->getLoc();
    auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value).getResult(); };
    Value start = constant(0);
    Operation *marker = start.getDefiningOp();
    for (memref::AllocOp alloc : allocs)
      for (Value size : alloc.getDynamicSizes())
        if (!hoist(size, marker))
          return alloc.emitError("needs a size that is known at the start of the parallel body");
    builder.setInsertionPointAfter(marker);
    Value total = start;
    SmallVector<Value> offsets;
    for (memref::AllocOp alloc : allocs) {
      offsets.push_back(total);
      Value bytes = constant(bytesOfElement(alloc.getType().getElementType()));
      for (OpFoldResult size : alloc.getMixedSizes())
        bytes = builder.createOrFold<arith::MulIOp>(loc, bytes, getValueOrCreateConstantIndexOp(builder, loc, size));
      Value padded = builder.createOrFold<arith::AndIOp>(
          loc, builder.createOrFold<arith::AddIOp>(loc, bytes, constant(63)), constant(-64));
      total = builder.createOrFold<arith::AddIOp>(loc, total, padded);
    }
    Value memory = ScratchOp::create(builder, loc, MemRefType::get({ShapedType::kDynamic}, builder.getI8Type()), total);
    for (auto [alloc, offset] : llvm::zip(allocs, offsets))
      replaceByView(alloc, memory, offset);
    return success();
  }

  static void replaceByView(memref::AllocOp alloc, Value memory, Value offset) {
    OpBuilder builder(alloc);
    replace(alloc,
            memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(), memory, offset, alloc.getDynamicSizes()));
  }

  static void replace(memref::AllocOp alloc, Value by) {
    alloc.replaceAllUsesWith(by);
    alloc.erase();
  }
};

} // namespace
} // namespace mlc

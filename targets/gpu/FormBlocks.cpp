// Writes what a kernel on the device computes as blocks of threads.
//
//   linalg.generic ins(%a) outs(%b)  =>  scf.forall (%block) in (%blocks) {
//                                          scf.forall (%thread) in (256) {
//                                            %i = %block * 256 + %thread
//                                            scf.if %i < %count { load, compute, store }
//                                          } {mapping = [#gpu.thread<x>]}
//                                        } {mapping = [#gpu.block<x>]}
//
// A forall over blocks holds one forall over threads after another, a phase each; between two phases all threads of a
// block wait for each other. What is allocated between the two lives in the block: in local memory, or, where its first
// axes are the threads, in registers. The same text run as plain loops computes the same, which is how it is tested.
//
// Contractions have blocks of their own (FormContraction.cpp), and so have rows of reductions (FormRows.cpp). Everything
// else gets one thread for each element of its result; neighbours in memory are neighbours among threads. What an element
// sums up is a loop of its thread, where not many threads can share it.
#include "gpu/DeviceTarget.h"
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_FORMBLOCKS
#include "gpu/Passes.h.inc"

//===-- Building blocks -----------------------------------------------------------===//

/// The innermost extent is the first of the device's dimensions, in which neighbours run together.
template <typename Attr> static ArrayAttr mapping(OpBuilder &b, size_t rank) {
  SmallVector<Attribute> attrs;
  for (size_t i = 0; i < rank; ++i)
    attrs.push_back(Attr::get(b.getContext(), static_cast<mlir::gpu::MappingId>(rank - 1 - i)));
  return b.getArrayAttr(attrs);
}

static scf::ForallOp buildForall(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> extents, ArrayAttr mapping,
                                 function_ref<void(OpBuilder &, ValueRange)> body) {
  return scf::ForallOp::create(b, loc, extents, /*outputs=*/ValueRange(), mapping,
                               [&](OpBuilder &b, Location loc, ValueRange indices) {
                                 body(b, indices);
                                 scf::InParallelOp::create(b, loc);
                               });
}

scf::ForallOp buildBlocks(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> extents,
                          function_ref<void(OpBuilder &, ValueRange)> body) {
  return buildForall(b, loc, extents, mapping<mlir::gpu::GPUBlockMappingAttr>(b, extents.size()), body);
}

scf::ForallOp buildThreads(OpBuilder &b, Location loc, ArrayRef<int64_t> extents,
                           function_ref<void(OpBuilder &, ValueRange)> body) {
  return buildForall(b, loc, getAsIndexOpFoldResult(b.getContext(), extents),
                     mapping<mlir::gpu::GPUThreadMappingAttr>(b, extents.size()), body);
}

Value asValue(OpBuilder &b, Location loc, OpFoldResult value) { return getValueOrCreateConstantIndexOp(b, loc, value); }

void setSpace(Value buffer, Attribute space) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || type.getMemorySpace() == space)
    return;
  buffer.setType(MemRefType::Builder(type).setMemorySpace(space));
  for (Operation *user : buffer.getUsers())
    if (isa<ViewLikeOpInterface>(user))
      for (Value view : user->getResults())
        setSpace(view, space);
}

OpFoldResult product(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> factors) {
  OpFoldResult result = b.getIndexAttr(1);
  for (OpFoldResult factor : factors) {
    auto x = getConstantIntValue(result), y = getConstantIntValue(factor);
    if (x && y)
      result = b.getIndexAttr(*x * *y);
    else
      result = b.createOrFold<arith::MulIOp>(loc, asValue(b, loc, result), asValue(b, loc, factor));
  }
  return result;
}

ParallelLoops parallelLoops(linalg::LinalgOp op, ArrayRef<Range> ranges) {
  ParallelLoops parallel;
  op.getParallelDims(parallel.loops);
  for (unsigned loop : parallel.loops)
    parallel.extents.push_back(ranges[loop].size);
  return parallel;
}

SmallVector<Value> splitIndex(OpBuilder &b, Location loc, Value number, ArrayRef<OpFoldResult> extents) {
  SmallVector<Value> digits(extents.size());
  for (size_t i = extents.size(); i-- > 0;) {
    if (i == 0) {
      digits[i] = number;
      break;
    }
    Value extent = asValue(b, loc, extents[i]);
    digits[i] = b.createOrFold<arith::RemUIOp>(loc, number, extent);
    number = b.createOrFold<arith::DivUIOp>(loc, number, extent);
  }
  return digits;
}

void buildPoints(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> extents,
                 function_ref<void(OpBuilder &, ValueRange)> body) {
  OpFoldResult count = product(b, loc, extents), blocks;
  Value size = arith::ConstantIndexOp::create(b, loc, threadsOfBlock);
  if (auto fixed = getConstantIntValue(count))
    blocks = b.getIndexAttr(llvm::divideCeil(*fixed, threadsOfBlock));
  else
    blocks = b.createOrFold<arith::CeilDivUIOp>(loc, cast<Value>(count), size);
  Value limit = asValue(b, loc, count);
  buildBlocks(b, loc, {blocks}, [&](OpBuilder &b, ValueRange block) {
    buildThreads(b, loc, {threadsOfBlock}, [&](OpBuilder &b, ValueRange thread) {
      Value first = arith::MulIOp::create(b, loc, block[0], size);
      Value number = arith::AddIOp::create(b, loc, first, thread[0]);
      Value isInside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, limit);
      scf::IfOp::create(b, loc, isInside, [&](OpBuilder &b, Location loc) {
        body(b, splitIndex(b, loc, number, extents));
        scf::YieldOp::create(b, loc);
      });
    });
  });
}

//===-- Structured operations -----------------------------------------------------===//

SmallVector<Value> indicesAt(OpBuilder &b, Location loc, AffineMap map, ValueRange loops) {
  SmallVector<Value> results;
  for (AffineExpr expr : map.getResults())
    results.push_back(affine::expandAffineExpr(b, loc, expr, loops, ValueRange()));
  return results;
}

SmallVector<Value> inlineBody(OpBuilder &b, linalg::LinalgOp op, ValueRange loops, ValueRange outs, Held held) {
  Location loc = op.getLoc();
  Block *block = op.getBlock();
  IRMapping map;
  for (OpOperand *input : op.getDpsInputOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(input);
    if (argument.use_empty())
      continue; // a window, which is there for its extents
    Value value = input->get();
    if (value == held.buffer)
      value = held.element;
    else if (isa<MemRefType>(value.getType()))
      value = memref::LoadOp::create(b, loc, value, indicesAt(b, loc, op.getMatchingIndexingMap(input), loops));
    map.map(argument, value);
  }
  for (auto [argument, out] : llvm::zip(op.getRegionOutputArgs(), outs))
    if (out)
      map.map(argument, out);
  for (Operation &inner : block->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      map.map(index.getResult(), loops[index.getDim()]);
    else
      b.clone(inner, map);
  }
  return llvm::map_to_vector(block->getTerminator()->getOperands(), [&](Value v) { return map.lookupOrDefault(v); });
}

void storeReduced(OpBuilder &b, linalg::LinalgOp op, SmallVector<Value> loops, Held held) {
  Location loc = op.getLoc();
  SmallVector<unsigned> reduction;
  op.getReductionDims(reduction);
  // Results depend on the parallel loops alone, so what they hold stays with the thread.
  SmallVector<SmallVector<Value>> places;
  SmallVector<Value> before;
  for (OpOperand &out : op.getDpsInitsMutable()) {
    places.push_back(indicesAt(b, loc, op.getMatchingIndexingMap(&out), loops));
    bool isRead = !reduction.empty() || op.payloadUsesValueFromOperand(&out);
    before.push_back(isRead ? memref::LoadOp::create(b, loc, out.get(), places.back()).getResult() : Value());
  }
  SmallVector<Range> ranges;
  Value zero, one;
  if (!reduction.empty()) {
    ranges = op.createLoopRanges(b, loc);
    zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  }
  std::function<SmallVector<Value>(OpBuilder &, size_t, ValueRange)> nest = [&](OpBuilder &b, size_t depth,
                                                                                ValueRange outs) -> SmallVector<Value> {
    if (depth == reduction.size())
      return inlineBody(b, op, loops, outs, held);
    auto loop = scf::ForOp::create(b, loc, zero, asValue(b, loc, ranges[reduction[depth]].size), one, outs);
    OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
    loops[reduction[depth]] = loop.getInductionVar();
    SmallVector<Value> results = nest(inner, depth + 1, loop.getRegionIterArgs());
    scf::YieldOp::create(inner, loc, results);
    return SmallVector<Value>(loop.getResults());
  };
  SmallVector<Value> results = nest(b, 0, before);
  for (auto [result, out, place] : llvm::zip(results, op.getDpsInits(), places))
    memref::StoreOp::create(b, loc, result, out, place);
}

void formLoops(RewriterBase &rewriter, linalg::LinalgOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Range> ranges = op.createLoopRanges(rewriter, loc);
  auto [parallel, extents] = parallelLoops(op, ranges);
  buildPoints(rewriter, loc, extents, [&](OpBuilder &b, ValueRange point) {
    SmallVector<Value> loops(ranges.size());
    for (auto [loop, index] : llvm::zip(parallel, point))
      loops[loop] = index;
    storeReduced(b, op, std::move(loops));
  });
  rewriter.eraseOp(op);
}

static void formCopy(RewriterBase &rewriter, memref::CopyOp op) {
  rewriter.setInsertionPoint(op);
  SmallVector<OpFoldResult> extents = memref::getMixedSizes(rewriter, op.getLoc(), op.getSource());
  buildPoints(rewriter, op.getLoc(), extents, [&](OpBuilder &b, ValueRange point) {
    Value value = memref::LoadOp::create(b, op.getLoc(), op.getSource(), point);
    memref::StoreOp::create(b, op.getLoc(), value, op.getTarget(), point);
  });
  rewriter.eraseOp(op);
}

Iterations::Iterations(OpBuilder &b, scf::ForallOp loop) : loop(loop) {
  lowers = loop.getLowerBound(b), steps = loop.getStep(b);
  for (auto [lower, upper, step] : llvm::zip(lowers, loop.getUpperBound(b), steps)) {
    Value length = b.createOrFold<arith::SubIOp>(loop.getLoc(), upper, lower);
    extents.push_back(getAsOpFoldResult(b.createOrFold<arith::CeilDivSIOp>(loop.getLoc(), length, step)));
  }
}

void Iterations::map(OpBuilder &b, ValueRange point, IRMapping &map) {
  for (auto [index, variable, lower, step] : llvm::zip(point, loop.getInductionVars(), lowers, steps)) {
    Value scaled = b.createOrFold<arith::MulIOp>(loop.getLoc(), index, step);
    map.map(variable, b.createOrFold<arith::AddIOp>(loop.getLoc(), scaled, lower));
  }
}

void formParallel(RewriterBase &rewriter, scf::ForallOp op) {
  rewriter.setInsertionPoint(op);
  Iterations iterations(rewriter, op);
  buildPoints(rewriter, op.getLoc(), iterations.extents, [&](OpBuilder &b, ValueRange point) {
    IRMapping map;
    iterations.map(b, point, map);
    for (Operation &inner : op.getBody()->without_terminator())
      b.clone(inner, map);
  });
  rewriter.eraseOp(op);
}

namespace {

struct FormBlocks : impl::FormBlocksBase<FormBlocks> {
  void getDependentDialects(DialectRegistry &registry) const override {
    FormBlocksBase::getDependentDialects(registry);
    for (const std::unique_ptr<Target> &target : registeredTargets())
      if (const auto *device = dynamic_cast<const DeviceTarget *>(target.get()))
        device->insertDialects(registry);
  }

  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr(deviceAttrName))
      return;
    SmallVector<Operation *> ops;
    DenseMap<Operation *, linalg::LinalgOp> epilogues;
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<linalg::LinalgOp, ContractOp, memref::CopyOp, scf::ForallOp>(op))
        return WalkResult::advance();
      if (auto contract = dyn_cast<ContractOp>(op))
        epilogues[op] = epilogueOf(contract);
      ops.push_back(op);
      return WalkResult::skip();
    });
    for (auto [contract, epilogue] : epilogues)
      llvm::erase(ops, epilogue.getOperation());
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      if (auto contract = dyn_cast<ContractOp>(op))
        formContraction(rewriter, contract, epilogues.lookup(op));
      else if (auto copy = dyn_cast<memref::CopyOp>(op))
        formCopy(rewriter, copy);
      else if (auto loop = dyn_cast<scf::ForallOp>(op))
        isOverRows(loop) ? formRows(rewriter, loop) : formParallel(rewriter, loop);
      else if (auto structured = cast<linalg::LinalgOp>(op); isSharedReduction(structured))
        formSharedReduction(rewriter, structured);
      else
        formLoops(rewriter, structured);
    }
  }
};

} // namespace
} // namespace mlc::gpu

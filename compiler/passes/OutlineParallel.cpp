// Makes the body of each parallel loop a function that threads can share.
//
//   scf.forall (%i) in (%n) { use(%i, %buffer) }
//   =>
//   func.func private @k_parallel_0(%begin: index, %end: index, %buffer: memref<..> {llvm.noalias}) {
//     scf.for %i = %begin to %end { use(%i, %buffer) }
//   }
//   mlc.parallel @k_parallel_0 count(%n) captures(%buffer)
//
// Iterations over several dimensions are counted as one. Loops inside of a parallel body run on its thread. A loop with
// one iteration, or with less work than it costs to wake a second thread, stays where it is; where the work is known
// only at run time, both ways are kept.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "passes/Passes.h.inc"

namespace {

/// The least work, in nanoseconds, that is worth a second thread.
constexpr int64_t worthThreads = 10000;

/// Roughly the nanoseconds of what is under `op`, from the operations that linalg repeats. Unknown extents count as 64.
double estimateWork(Operation *op) {
  double work = 0;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Operation &inner : block) {
        if (auto linalgOp = dyn_cast<linalg::LinalgOp>(inner)) {
          double points = 1;
          for (int64_t extent : linalgOp.getStaticLoopRanges())
            points *= ShapedType::isDynamic(extent) ? 64 : extent;
          work += points * 0.05 * (linalgOp->getNumOperands() + linalgOp.getBlock()->getOperations().size());
        } else if (auto contract = dyn_cast<ContractOp>(inner)) {
          double products = 1;
          for (int64_t extent : contract.getStaticLoopExtents())
            products *= ShapedType::isDynamic(extent) ? 64 : extent;
          work += 100 + products * 0.015;
        } else if (auto loop = dyn_cast<LoopLikeOpInterface>(inner)) {
          double trips = 1;
          if (auto count = loop.getStaticTripCount())
            trips = count->getZExtValue();
          else
            trips = 16;
          work += trips * estimateWork(&inner);
        } else if (inner.getNumRegions()) {
          work += estimateWork(&inner);
        } else if (isa<MlcDialect>(inner.getDialect())) {
          work += 1000; // a tile of registers
        } else {
          work += 0.3;
        }
      }
  return work;
}

struct OutlineParallel : impl::OutlineParallelBase<OutlineParallel> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      SmallVector<scf::ForallOp> outer, inner;
      function.walk<WalkOrder::PreOrder>(
          [&](scf::ForallOp loop) { (loop->getParentOfType<scf::ForallOp>() ? inner : outer).push_back(loop); });
      IRRewriter rewriter(&getContext());
      for (scf::ForallOp loop : llvm::reverse(inner))
        if (failed(scf::forallToForLoop(rewriter, loop)))
          return signalPassFailure();
      unsigned count = 0;
      for (scf::ForallOp loop : outer)
        if (failed(outline(loop, function, count)))
          return signalPassFailure();
    }
  }

  LogicalResult outline(scf::ForallOp loop, func::FuncOp function, unsigned &number) {
    IRRewriter rewriter(loop);
    Location loc = loop.getLoc();
    double workOfOne = estimateWork(loop);
    if (auto given = loop->getAttrOfType<IntegerAttr>(workAttrName))
      workOfOne = given.getInt();
    std::optional<int64_t> fixedCount = 1;
    SmallVector<OpFoldResult> trips;
    for (auto [lower, upper, step] :
         llvm::zip(loop.getMixedLowerBound(), loop.getMixedUpperBound(), loop.getMixedStep())) {
      auto l = getConstantIntValue(lower), u = getConstantIntValue(upper), s = getConstantIntValue(step);
      if (l && u && s) {
        trips.push_back(rewriter.getIndexAttr(std::max<int64_t>(0, llvm::divideCeilSigned(*u - *l, *s))));
      } else {
        Value difference =
            rewriter.createOrFold<arith::SubIOp>(loc, getValueOrCreateConstantIndexOp(rewriter, loc, upper),
                                                 getValueOrCreateConstantIndexOp(rewriter, loc, lower));
        trips.push_back(rewriter.createOrFold<arith::CeilDivSIOp>(
            loc, difference, getValueOrCreateConstantIndexOp(rewriter, loc, step)));
      }
      std::optional<int64_t> trip = getConstantIntValue(trips.back());
      fixedCount = fixedCount && trip ? std::optional(*fixedCount * *trip) : std::nullopt;
    }
    if (fixedCount && (*fixedCount <= 1 || *fixedCount * workOfOne < worthThreads))
      return scf::forallToForLoop(rewriter, loop);

    // What the body uses from outside; constants and globals go with it.
    llvm::SetVector<Value> captures;
    getUsedValuesDefinedAbove(loop.getRegion(), captures);
    for (OpFoldResult value : llvm::concat<OpFoldResult>(trips, loop.getMixedLowerBound(), loop.getMixedStep()))
      if (auto dynamic = dyn_cast<Value>(value))
        captures.insert(dynamic);
    SmallVector<Operation *> cloned;
    captures.remove_if([&](Value value) {
      Operation *op = value.getDefiningOp();
      if (!op || !(op->hasTrait<OpTrait::ConstantLike>() || isa<memref::GetGlobalOp>(op)))
        return false;
      cloned.push_back(op);
      return true;
    });

    // The function.
    auto index = rewriter.getIndexType();
    SmallVector<Type> types = {index, index};
    for (Value value : captures)
      types.push_back(value.getType());
    std::string name = (function.getName() + "_parallel_" + Twine(number++)).str();
    rewriter.setInsertionPointAfter(function);
    auto body = func::FuncOp::create(rewriter, loc, name, rewriter.getFunctionType(types, {}));
    body.setPrivate();
    Block *entry = body.addEntryBlock();
    rewriter.setInsertionPointToStart(entry);
    IRMapping inBody;
    for (Operation *op : cloned)
      rewriter.clone(*op, inBody);
    for (auto [value, argument] : llvm::zip(captures, entry->getArguments().drop_front(2)))
      inBody.map(value, argument);
    auto mapped = [&](OpFoldResult value) {
      if (auto dynamic = dyn_cast<Value>(value))
        return inBody.lookupOrDefault(dynamic);
      return getValueOrCreateConstantIndexOp(rewriter, loc, value);
    };
    SmallVector<Value> tripValues, lowers, steps;
    for (auto [trip, lower, step] : llvm::zip(trips, loop.getMixedLowerBound(), loop.getMixedStep())) {
      tripValues.push_back(mapped(trip));
      lowers.push_back(mapped(lower));
      steps.push_back(mapped(step));
    }
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    auto range = scf::ForOp::create(rewriter, loc, entry->getArgument(0), entry->getArgument(1), one);
    func::ReturnOp::create(rewriter, loc);
    rewriter.setInsertionPointToStart(range.getBody());
    Value rest = range.getInductionVar();
    for (int64_t i = tripValues.size() - 1; i >= 0; --i) {
      Value place = rest;
      if (i > 0) {
        place = arith::RemUIOp::create(rewriter, loc, rest, tripValues[i]);
        rest = arith::DivUIOp::create(rewriter, loc, rest, tripValues[i]);
      }
      Value scaled = rewriter.createOrFold<arith::MulIOp>(loc, place, steps[i]);
      inBody.map(loop.getInductionVars()[i], rewriter.createOrFold<arith::AddIOp>(loc, lowers[i], scaled));
    }
    for (Operation &op : loop.getBody()->without_terminator())
      rewriter.clone(op, inBody);
    // A stack slot belongs to the function, not to its loop.
    for (auto alloca : llvm::make_early_inc_range(range.getBody()->getOps<memref::AllocaOp>()))
      if (alloca->getNumOperands() == 0)
        alloca->moveBefore(range);
    markNoalias(body, captures);

    // The call.
    rewriter.setInsertionPoint(loop);
    Value count;
    for (OpFoldResult trip : trips) {
      Value value = getValueOrCreateConstantIndexOp(rewriter, loc, trip);
      count = count ? rewriter.createOrFold<arith::MulIOp>(loc, count, value) : value;
    }
    SmallVector<Value> operands(captures.begin(), captures.end());
    if (fixedCount) {
      ParallelOp::create(rewriter, loc, count, name, operands);
    } else {
      Value least =
          arith::ConstantIndexOp::create(rewriter, loc, std::max<int64_t>(2, worthThreads / std::max(workOfOne, 1.0)));
      Value worth = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::uge, count, least);
      scf::IfOp::create(
          rewriter, loc, worth,
          [&](OpBuilder &b, Location loc) {
            ParallelOp::create(b, loc, count, name, operands);
            scf::YieldOp::create(b, loc);
          },
          [&](OpBuilder &b, Location loc) {
            SmallVector<Value> all = {arith::ConstantIndexOp::create(b, loc, 0), count};
            all.append(operands);
            func::CallOp::create(b, loc, body, all);
            scf::YieldOp::create(b, loc);
          });
    }
    rewriter.eraseOp(loop);
    return success();
  }

  /// Captured buffers do not overlap where they are arguments of the kernel, or stack slots, of their own.
  static void markNoalias(func::FuncOp body, const llvm::SetVector<Value> &captures) {
    auto baseOf = [](Value value) {
      while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
        value = view.getViewSource();
      return value;
    };
    DenseMap<Value, unsigned> bases;
    for (Value value : captures)
      if (isa<MemRefType>(value.getType()))
        ++bases[baseOf(value)];
    for (auto [i, value] : llvm::enumerate(captures)) {
      if (!isa<MemRefType>(value.getType()))
        continue;
      Value base = baseOf(value);
      bool isOwn = isa<BlockArgument>(base) || isa_and_present<memref::AllocaOp>(base.getDefiningOp());
      if (isOwn && bases[base] == 1)
        body.setArgAttr(2 + i, "llvm.noalias", UnitAttr::get(body.getContext()));
    }
  }
};

} // namespace
} // namespace mlc

// Writes rows of work, and reductions whose terms are many, as blocks whose threads share them.
//
//   scf.forall (%row) in (%n) {            scf.forall (%block) in (%n) {
//     %sum = memref.alloca()                 %sum, %partial = memref.alloca() in local memory
//     linalg.fill outs(%sum)          =>     scf.forall (%t) in (256) { the first thread fills %sum }
//     linalg.generic outs(%sum) { addf }     scf.forall (%t) in (256) { %partial[%t] = every 256th term }
//     linalg.generic { divf }                scf.for { scf.forall (%t) in (256) { half of the threads add two of %partial } }
//   }                                        scf.forall (%t) in (256) { the first thread adds %partial[0] to %sum }
//                                            scf.forall (%t) in (256) { every 256th element of the row }
//                                          }
//
// So rounding differs from that of a sum in order, and is better. Rows that few threads could share are a thread each.
#include "gpu/Gpu.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace mlc::gpu {

/// Fewer terms than this one thread sums up, and fewer points than this in a row one thread computes.
static constexpr int64_t fewestShared = 32;

static std::optional<int64_t> fixedProduct(ArrayRef<int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents)
    if (ShapedType::isDynamic(extent) || llvm::MulOverflow(product, extent, product))
      return std::nullopt;
  return product;
}

static SmallVector<int64_t> extentsOf(linalg::LinalgOp op, utils::IteratorType kind) {
  SmallVector<int64_t> extents;
  for (auto [extent, own] : llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    if (own == kind)
      extents.push_back(extent);
  return extents;
}

namespace {

/// What joins two parts of a reduction, and where it starts.
struct Join {
  Operation *op;
  TypedAttr neutral;

  Value operator()(OpBuilder &b, Value x, Value y) const {
    IRMapping map;
    map.map(op->getOperand(0), x);
    map.map(op->getOperand(1), y);
    return b.clone(*op, map)->getResult(0);
  }
};

} // namespace

/// None if parts of the reduction cannot be joined in any order.
static std::optional<Join> joinOf(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1)
    return std::nullopt;
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), 0, combiners) || combiners.size() != 1)
    return std::nullopt;
  Operation *combiner = combiners.front();
  if (combiner->getNumOperands() != 2 || combiner->getOperand(0) == combiner->getOperand(1))
    return std::nullopt;
  std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner);
  if (!neutral)
    return std::nullopt;
  return Join{combiner, *neutral};
}

/// Whether a block of threads has enough terms to share.
static bool hasManyTerms(linalg::LinalgOp op) {
  std::optional<int64_t> terms = fixedProduct(extentsOf(op, utils::IteratorType::reduction));
  return !terms || *terms >= fewestShared;
}

bool isSharedReduction(linalg::LinalgOp op) {
  if (!joinOf(op) || !hasManyTerms(op))
    return false;
  // Neighbouring threads should read neighbours in memory: terms, or else there are too few results for as many threads.
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.getNumResults() == 0)
      continue;
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (last && op.getIteratorTypesArray()[last.getPosition()] == utils::IteratorType::reduction)
      return true;
  }
  std::optional<int64_t> results = fixedProduct(extentsOf(op, utils::IteratorType::parallel));
  return results && *results <= threadsOfBlock;
}

namespace {

/// Phases of one block, written one after another.
class Phases {
public:
  explicit Phases(int64_t threads) : threads(threads) {}

  /// A phase in which each point of a box is the work of one thread.
  void buildPoints(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> extents,
                   function_ref<void(OpBuilder &, ValueRange)> body) {
    Value count = asValue(b, loc, product(b, loc, extents)), step = constant(b, loc, threads);
    SmallVector<OpFoldResult> box(extents);
    buildThreads(b, loc, {threads}, [&](OpBuilder &b, ValueRange thread) {
      auto loop = scf::ForOp::create(b, loc, thread[0], count, step);
      OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
      body(inner, splitIndex(inner, loc, loop.getInductionVar(), box));
    });
  }

  /// The phases of an operation, with the results of its parallel loops at `point`, or all of them.
  void build(OpBuilder &b, linalg::LinalgOp op, std::optional<SmallVector<Value>> point = std::nullopt) {
    Location loc = op.getLoc();
    SmallVector<Range> ranges = op.createLoopRanges(b, loc);
    auto [parallel, extents] = parallelLoops(op, ranges);
    auto place = [&](ValueRange at) {
      SmallVector<Value> loops(ranges.size());
      for (auto [loop, index] : llvm::zip(parallel, at))
        loops[loop] = index;
      return loops;
    };
    if (point)
      return reduce(b, op, *joinOf(op), place(*point));
    std::optional<int64_t> results = fixedProduct(extentsOf(op, utils::IteratorType::parallel));
    std::optional<Join> join = joinOf(op);
    if (!join || !hasManyTerms(op) || !results || *results >= fewestShared)
      return buildPoints(b, loc, extents, [&](OpBuilder &b, ValueRange at) { storeReduced(b, op, place(at)); });
    // The memory is the block's, not of an iteration.
    partialsOf(b, loc, join->neutral.getType());
    Value zero = constant(b, loc, 0), one = constant(b, loc, 1);
    auto loop = scf::ForOp::create(b, loc, zero, constant(b, loc, *results), one);
    OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
    reduce(inner, op, *join, place(splitIndex(inner, loc, loop.getInductionVar(), extents)));
  }

private:
  static Value constant(OpBuilder &b, Location loc, int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// An element for each thread. Reductions of a type take turns with it.
  Value partialsOf(OpBuilder &b, Location loc, Type element) {
    Value &memory = partials[element];
    if (!memory) {
      auto space = mlir::gpu::AddressSpaceAttr::get(b.getContext(), mlir::gpu::AddressSpace::Workgroup);
      memory = memref::AllocaOp::create(b, loc, MemRefType::get({threads}, element, AffineMap(), space));
    }
    return memory;
  }

  void reduce(OpBuilder &b, linalg::LinalgOp op, const Join &join, SmallVector<Value> loops) {
    Location loc = op.getLoc();
    Value partial = partialsOf(b, loc, join.neutral.getType());
    SmallVector<Range> ranges = op.createLoopRanges(b, loc);
    SmallVector<unsigned> reduction;
    op.getReductionDims(reduction);
    SmallVector<OpFoldResult> extents;
    for (unsigned loop : reduction)
      extents.push_back(ranges[loop].size);
    Value count = asValue(b, loc, product(b, loc, extents)), step = constant(b, loc, threads);
    buildThreads(b, loc, {threads}, [&](OpBuilder &b, ValueRange thread) {
      Value start = arith::ConstantOp::create(b, loc, join.neutral);
      auto terms = scf::ForOp::create(b, loc, thread[0], count, step, start);
      OpBuilder inner = OpBuilder::atBlockBegin(terms.getBody());
      SmallVector<Value> at = loops;
      for (auto [loop, index] : llvm::zip(reduction, splitIndex(inner, loc, terms.getInductionVar(), extents)))
        at[loop] = index;
      scf::YieldOp::create(inner, loc, inlineBody(inner, op, at, terms.getRegionIterArgs()));
      memref::StoreOp::create(b, loc, terms.getResult(0), partial, thread);
    });
    Value zero = constant(b, loc, 0), one = constant(b, loc, 1);
    auto halvings = scf::ForOp::create(b, loc, zero, constant(b, loc, llvm::Log2_64(threads)), one);
    OpBuilder halving = OpBuilder::atBlockBegin(halvings.getBody());
    Value half = arith::ShRUIOp::create(halving, loc, constant(halving, loc, threads / 2), halvings.getInductionVar());
    buildThreads(halving, loc, {threads}, [&](OpBuilder &b, ValueRange thread) {
      Value joins = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, thread[0], half);
      scf::IfOp::create(b, loc, joins, [&](OpBuilder &b, Location) {
        Value other = arith::AddIOp::create(b, loc, thread[0], half);
        Value x = memref::LoadOp::create(b, loc, partial, thread), y = memref::LoadOp::create(b, loc, partial, other);
        memref::StoreOp::create(b, loc, join(b, x, y), partial, thread);
        scf::YieldOp::create(b, loc);
      });
    });
    buildThreads(b, loc, {threads}, [&](OpBuilder &b, ValueRange thread) {
      Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, thread[0], constant(b, loc, 0));
      scf::IfOp::create(b, loc, isFirst, [&](OpBuilder &b, Location) {
        OpOperand &out = op.getDpsInitsMutable()[0];
        SmallVector<Value> place = indicesAt(b, loc, op.getMatchingIndexingMap(&out), loops);
        Value held = memref::LoadOp::create(b, loc, out.get(), place);
        Value sum = memref::LoadOp::create(b, loc, partial, thread);
        memref::StoreOp::create(b, loc, join(b, held, sum), out.get(), place);
        scf::YieldOp::create(b, loc);
      });
    });
  }

  int64_t threads;
  DenseMap<Type, Value> partials;
};

} // namespace

static int64_t threadsFor(std::optional<int64_t> points) {
  return points ? std::clamp<int64_t>(llvm::PowerOf2Ceil(*points), fewestShared, threadsOfBlock) : threadsOfBlock;
}

void formSharedReduction(RewriterBase &rewriter, linalg::LinalgOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  SmallVector<Range> ranges = op.createLoopRanges(rewriter, loc);
  auto [parallel, extents] = parallelLoops(op, ranges);
  Phases phases(threadsFor(fixedProduct(extentsOf(op, utils::IteratorType::reduction))));
  buildBlocks(rewriter, loc, {product(rewriter, loc, extents)},
              [&](OpBuilder &b, ValueRange block) { phases.build(b, op, splitIndex(b, loc, block[0], extents)); });
  rewriter.eraseOp(op);
}

//===-- Rows ----------------------------------------------------------------------===//

bool isOverRows(scf::ForallOp loop) {
  return !loop.getMapping() && llvm::any_of(loop.getBody()->getOperations(), llvm::IsaPred<linalg::LinalgOp>);
}

/// The points of the longest operation in a row; none if only the run knows them.
static std::optional<int64_t> pointsInRow(scf::ForallOp rows) {
  int64_t most = 0;
  for (auto op : rows.getOps<linalg::LinalgOp>()) {
    std::optional<int64_t> points = fixedProduct(op.getStaticLoopRanges());
    if (!points)
      return std::nullopt;
    most = std::max(most, *points);
  }
  return most;
}

/// All of an operation in one thread.
static void buildSerial(OpBuilder &b, linalg::LinalgOp op) {
  Location loc = op.getLoc();
  SmallVector<Range> ranges = op.createLoopRanges(b, loc);
  SmallVector<unsigned> parallel;
  op.getParallelDims(parallel);
  SmallVector<Value> loops(ranges.size());
  OpBuilder inner = b;
  for (unsigned loop : parallel) {
    Value zero = arith::ConstantIndexOp::create(inner, loc, 0), one = arith::ConstantIndexOp::create(inner, loc, 1);
    auto nest = scf::ForOp::create(inner, loc, zero, asValue(inner, loc, ranges[loop].size), one);
    loops[loop] = nest.getInductionVar();
    inner = OpBuilder::atBlockBegin(nest.getBody());
  }
  storeReduced(inner, op, std::move(loops));
}

void formRows(RewriterBase &rewriter, scf::ForallOp rows) {
  OpBuilder::InsertionGuard guard(rewriter);
  // What is copied is an operation as others.
  for (auto copy : llvm::make_early_inc_range(rows.getOps<memref::CopyOp>())) {
    rewriter.setInsertionPoint(copy);
    linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
    rewriter.eraseOp(copy);
  }
  std::optional<int64_t> points = pointsInRow(rows);
  if (points && *points < fewestShared) {
    for (auto op : llvm::make_early_inc_range(rows.getOps<linalg::LinalgOp>())) {
      rewriter.setInsertionPoint(op);
      buildSerial(rewriter, op);
      rewriter.eraseOp(op);
    }
    return formParallel(rewriter, rows);
  }
  rewriter.setInsertionPoint(rows);
  Location loc = rows.getLoc();
  auto local = mlir::gpu::AddressSpaceAttr::get(rewriter.getContext(), mlir::gpu::AddressSpace::Workgroup);
  Phases phases(threadsFor(points));
  Iterations iterations(rewriter, rows);
  buildBlocks(rewriter, loc, {product(rewriter, loc, iterations.extents)}, [&](OpBuilder &b, ValueRange block) {
    IRMapping map;
    iterations.map(b, splitIndex(b, loc, block[0], iterations.extents), map);
    for (Operation &op : rows.getBody()->without_terminator()) {
      Operation *copy = b.clone(op, map);
      if (auto alloca = dyn_cast<memref::AllocaOp>(copy)) {
        setSpace(alloca, local);
      } else if (auto view = dyn_cast<ViewLikeOpInterface>(copy)) {
        if (auto source = dyn_cast<MemRefType>(view.getViewSource().getType()))
          for (Value result : copy->getResults())
            setSpace(result, source.getMemorySpace());
      } else if (auto structured = dyn_cast<linalg::LinalgOp>(copy)) {
        OpBuilder here(copy);
        phases.build(here, structured);
        copy->erase();
      }
    }
  });
  rewriter.eraseOp(rows);
}

} // namespace mlc::gpu

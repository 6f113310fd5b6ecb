// Writes a contraction as blocks that stage tiles of both operands in local memory.
//
//   scf.forall (%batch, %rows, %columns) in (...) {
//     %lhs, %rhs: tiles of 16 terms, in local memory; %sums: a few elements for each thread, in its registers
//     scf.forall (%y, %x) in (16, 16) { %sums = 0 }
//     scf.for %k = 0 to %depth step 16 {
//       scf.forall (%y, %x) in (16, 16) { %lhs, %rhs = this thread's share of the tiles, zero beyond the edges }
//       scf.forall (%y, %x) in (16, 16) { %sums += products of the tiles }
//     }
//     scf.forall (%y, %x) in (16, 16) { %out = %sums, within the edges }
//   }
//
// Rows are all outer loops that the right-hand side does not depend on, counted as one, and depth is all depth loops: so
// a convolution is the same as a matrix product, its window found by arithmetic when a tile is staged. Each element
// that was staged is used by 16 threads, and each that a thread loads from there several times.
//
// A product of lanes has nothing to share between columns: there each element of the result is a thread.
#include "gpu/Gpu.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace mlc::gpu {

/// Threads of a block in both directions, and terms of a staged tile.
static constexpr int64_t side = 16;
/// Elements that a thread computes in a row, and rows of them unless there are few.
static constexpr int64_t columnsOfThread = 4, mostRowsOfThread = 4;

namespace {

class Contraction {
public:
  Contraction(OpBuilder &b, ContractOp op) : op(op), loc(op.getLoc()), extents(op.getLoopExtents(b)) {
    column = op.getColumnLoop();
    batches = op.getBatchLoops();
    for (unsigned loop = 0; loop < column; ++loop)
      if (!llvm::is_contained(batches, loop))
        rows.push_back(loop);
    for (unsigned loop = column + 1; loop < op.getNumLoops(); ++loop)
      depth.push_back(loop);
    element = op.getElementType();
    rowCount = product(b, loc, of(rows));
    depthCount = product(b, loc, of(depth));
    std::optional<int64_t> fixedRows = getConstantIntValue(rowCount);
    rowsOfThread = fixedRows && *fixedRows <= side ? 1 : mostRowsOfThread;
  }

  void form(OpBuilder &b);
  void formLanes(OpBuilder &b);

private:
  SmallVector<OpFoldResult> of(ArrayRef<unsigned> loops) {
    return llvm::map_to_vector(loops, [&](unsigned loop) { return extents[loop]; });
  }
  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value value(OpBuilder &b, OpFoldResult v) { return getValueOrCreateConstantIndexOp(b, loc, v); }
  Value add(OpBuilder &b, Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
  Value mul(OpBuilder &b, Value x, int64_t y) { return b.createOrFold<arith::MulIOp>(loc, x, constant(b, y)); }
  Value isBelow(OpBuilder &b, Value x, OpFoldResult limit) {
    return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ult, x, value(b, limit));
  }
  Value zero(OpBuilder &b) { return arith::ConstantOp::create(b, loc, element, b.getFloatAttr(element, 0.0)); }
  OpFoldResult blocksOf(OpBuilder &b, OpFoldResult extent, int64_t size) {
    if (auto fixed = getConstantIntValue(extent))
      return b.getIndexAttr(llvm::divideCeil(*fixed, size));
    return b.createOrFold<arith::CeilDivUIOp>(loc, value(b, extent), constant(b, size));
  }
  Value allocate(OpBuilder &b, ArrayRef<int64_t> shape, mlir::gpu::AddressSpace space) {
    auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                                mlir::gpu::AddressSpaceAttr::get(b.getContext(), space));
    return memref::AllocaOp::create(b, loc, type);
  }
  /// Puts the digits of `number` where `group` has its loops.
  void spread(OpBuilder &b, Value number, ArrayRef<unsigned> group, SmallVectorImpl<Value> &loops) {
    for (auto [loop, digit] : llvm::zip(group, splitIndex(b, loc, number, of(group))))
      loops[loop] = digit;
  }
  Value load(OpBuilder &b, Value from, AffineMap map, ArrayRef<Value> loops) {
    SmallVector<Value> place;
    for (AffineExpr expr : map.getResults())
      place.push_back(affine::expandAffineExpr(b, loc, expr, loops, ValueRange()));
    Value loaded = memref::LoadOp::create(b, loc, from, place);
    return loaded.getType() == element ? loaded : arith::ExtFOp::create(b, loc, element, loaded).getResult();
  }
  /// `load()` where `isInside` holds, else zero.
  Value loadWithin(OpBuilder &b, Value isInside, function_ref<Value(OpBuilder &)> load) {
    return scf::IfOp::create(
               b, loc, isInside, [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, load(b)); },
               [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, zero(b)); })
        .getResult(0);
  }
  void store(OpBuilder &b, Value sum, ArrayRef<Value> loops) {
    ArrayRef<Value> place = loops.take_front(column + 1);
    if (op.getAccumulate())
      sum = arith::AddFOp::create(b, loc, memref::LoadOp::create(b, loc, op.getInit(), place), sum);
    memref::StoreOp::create(b, loc, sum, op.getInit(), place);
  }

  ContractOp op;
  Location loc;
  SmallVector<OpFoldResult> extents;
  unsigned column;
  SmallVector<unsigned> batches, rows, depth;
  Type element;
  OpFoldResult rowCount, depthCount;
  int64_t rowsOfThread;
};

} // namespace

void Contraction::form(OpBuilder &b) {
  using mlir::gpu::AddressSpace;
  const int64_t tileRows = side * rowsOfThread, tileColumns = side * columnsOfThread;
  SmallVector<OpFoldResult> blocks = {product(b, loc, of(batches)), blocksOf(b, rowCount, tileRows),
                                      blocksOf(b, extents[column], tileColumns)};
  Value start = constant(b, 0), one = constant(b, 1), sideValue = constant(b, side), end = value(b, depthCount);
  buildBlocks(b, loc, blocks, [&](OpBuilder &b, ValueRange block) {
    Value firstRow = mul(b, block[1], tileRows), firstColumn = mul(b, block[2], tileColumns);
    SmallVector<Value> loopsOfBlock(op.getNumLoops(), start);
    spread(b, block[0], batches, loopsOfBlock);
    Value lhs = allocate(b, {side, tileRows}, AddressSpace::Workgroup);
    Value rhs = allocate(b, {side, tileColumns}, AddressSpace::Workgroup);
    Value sums = allocate(b, {side, side, rowsOfThread, columnsOfThread}, AddressSpace::Private);
    auto place = [&](OpBuilder &b, ValueRange thread, int64_t i, int64_t j) {
      return SmallVector<Value>{thread[0], thread[1], constant(b, i), constant(b, j)};
    };

    buildThreads(b, loc, {side, side}, [&](OpBuilder &b, ValueRange thread) {
      for (int64_t i = 0; i < rowsOfThread; ++i)
        for (int64_t j = 0; j < columnsOfThread; ++j)
          memref::StoreOp::create(b, loc, zero(b), sums, place(b, thread, i, j));
    });
    auto steps = scf::ForOp::create(b, loc, start, end, sideValue);
    OpBuilder inner = OpBuilder::atBlockBegin(steps.getBody());
    Value firstTerm = steps.getInductionVar();
    buildThreads(inner, loc, {side, side}, [&](OpBuilder &b, ValueRange thread) {
      Value number = add(b, mul(b, thread[0], side), thread[1]);
      // Neighbours along depth, in which the left-hand side is contiguous...
      Value term = add(b, firstTerm, thread[1]);
      SmallVector<Value> loops = loopsOfBlock;
      spread(b, term, depth, loops);
      Value isTerm = isBelow(b, term, depthCount);
      for (int64_t i = 0; i < rowsOfThread; ++i) {
        Value rowOfTile = add(b, thread[0], constant(b, i * side)), row = add(b, firstRow, rowOfTile);
        Value isInside = arith::AndIOp::create(b, loc, isTerm, isBelow(b, row, rowCount));
        Value loaded = loadWithin(b, isInside, [&](OpBuilder &b) {
          spread(b, row, rows, loops);
          return load(b, op.getLhs(), op.getLhsMap(), loops);
        });
        memref::StoreOp::create(b, loc, loaded, lhs, ValueRange{thread[1], rowOfTile});
      }
      // ...and along columns, in which the right-hand side is.
      Value width = constant(b, tileColumns);
      Value columnOfTile = arith::RemUIOp::create(b, loc, number, width);
      Value firstOfThread = arith::DivUIOp::create(b, loc, number, width);
      loops = loopsOfBlock;
      loops[column] = add(b, firstColumn, columnOfTile);
      Value isColumn = isBelow(b, loops[column], extents[column]);
      const int64_t termsAtOnce = side * side / tileColumns;
      for (int64_t i = 0; i < side; i += termsAtOnce) {
        Value termOfTile = add(b, firstOfThread, constant(b, i)), term = add(b, firstTerm, termOfTile);
        Value isInside = arith::AndIOp::create(b, loc, isColumn, isBelow(b, term, depthCount));
        Value loaded = loadWithin(b, isInside, [&](OpBuilder &b) {
          spread(b, term, depth, loops);
          return load(b, op.getRhs(), op.getRhsMap(), loops);
        });
        memref::StoreOp::create(b, loc, loaded, rhs, ValueRange{termOfTile, columnOfTile});
      }
    });
    buildThreads(inner, loc, {side, side}, [&](OpBuilder &b, ValueRange thread) {
      SmallVector<Value> held;
      for (int64_t i = 0; i < rowsOfThread; ++i)
        for (int64_t j = 0; j < columnsOfThread; ++j)
          held.push_back(memref::LoadOp::create(b, loc, sums, place(b, thread, i, j)));
      auto terms = scf::ForOp::create(b, loc, start, sideValue, one, held);
      OpBuilder each = OpBuilder::atBlockBegin(terms.getBody());
      Value term = terms.getInductionVar();
      SmallVector<Value> left, right, products;
      for (int64_t i = 0; i < rowsOfThread; ++i)
        left.push_back(
            memref::LoadOp::create(each, loc, lhs, ValueRange{term, add(each, thread[0], constant(each, i * side))}));
      for (int64_t j = 0; j < columnsOfThread; ++j)
        right.push_back(
            memref::LoadOp::create(each, loc, rhs, ValueRange{term, add(each, thread[1], constant(each, j * side))}));
      for (auto [i, l] : llvm::enumerate(left))
        for (auto [j, r] : llvm::enumerate(right))
          products.push_back(math::FmaOp::create(each, loc, l, r, terms.getRegionIterArgs()[i * columnsOfThread + j]));
      scf::YieldOp::create(each, loc, products);
      for (int64_t i = 0; i < rowsOfThread; ++i)
        for (int64_t j = 0; j < columnsOfThread; ++j)
          memref::StoreOp::create(b, loc, terms.getResult(i * columnsOfThread + j), sums, place(b, thread, i, j));
    });
    buildThreads(b, loc, {side, side}, [&](OpBuilder &b, ValueRange thread) {
      for (int64_t i = 0; i < rowsOfThread; ++i)
        for (int64_t j = 0; j < columnsOfThread; ++j) {
          Value row = add(b, firstRow, add(b, thread[0], constant(b, i * side)));
          SmallVector<Value> loops = loopsOfBlock;
          loops[column] = add(b, firstColumn, add(b, thread[1], constant(b, j * side)));
          Value isInside =
              arith::AndIOp::create(b, loc, isBelow(b, row, rowCount), isBelow(b, loops[column], extents[column]));
          scf::IfOp::create(b, loc, isInside, [&](OpBuilder &b, Location) {
            spread(b, row, rows, loops);
            store(b, memref::LoadOp::create(b, loc, sums, place(b, thread, i, j)), loops);
            scf::YieldOp::create(b, loc);
          });
        }
    });
  });
}

void Contraction::formLanes(OpBuilder &b) {
  Value start = constant(b, 0), one = constant(b, 1), end = value(b, depthCount);
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq<unsigned>(0, column + 1));
  OpFoldResult count = product(b, loc, of(all));
  buildBlocks(b, loc, {blocksOf(b, count, threadsOfBlock)}, [&](OpBuilder &b, ValueRange block) {
    buildThreads(b, loc, {threadsOfBlock}, [&](OpBuilder &b, ValueRange thread) {
      Value number = add(b, mul(b, block[0], threadsOfBlock), thread[0]);
      scf::IfOp::create(b, loc, isBelow(b, number, count), [&](OpBuilder &b, Location) {
        SmallVector<Value> loops(op.getNumLoops(), start);
        spread(b, number, all, loops);
        auto terms = scf::ForOp::create(b, loc, start, end, one, ValueRange(zero(b)));
        OpBuilder each = OpBuilder::atBlockBegin(terms.getBody());
        SmallVector<Value> inside = loops;
        spread(each, terms.getInductionVar(), depth, inside);
        Value l = load(each, op.getLhs(), op.getLhsMap(), inside), r = load(each, op.getRhs(), op.getRhsMap(), inside);
        Value sum = math::FmaOp::create(each, loc, l, r, terms.getRegionIterArgs()[0]);
        scf::YieldOp::create(each, loc, sum);
        store(b, terms.getResult(0), loops);
        scf::YieldOp::create(b, loc);
      });
    });
  });
}

void formContraction(RewriterBase &rewriter, ContractOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Contraction contraction(rewriter, op);
  if (op.isLanewise())
    contraction.formLanes(rewriter);
  else
    contraction.form(rewriter);
  rewriter.eraseOp(op);
}

} // namespace mlc::gpu

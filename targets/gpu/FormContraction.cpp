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
// An elementwise operation that alone reads the result is computed where it would be stored.
//
// Rows are all outer loops that the right-hand side does not depend on, counted as one, and depth is all depth loops: so
// a convolution is the same as a matrix product, its window found by arithmetic when a tile is staged. Each element
// that was staged is used by 16 threads, and each that a thread loads from there several times. That is how it looks for
// a device of which nothing is known (PlainProduct); one that has instructions for products of tiles shares them among
// threads in its own way (TileProduct.h).
//
// A product of lanes has nothing to share between columns: there each element of the result is a thread.
#include "gpu/DeviceTarget.h"
#include "gpu/Gpu.h"
#include "gpu/TileProduct.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/KernelLoops.h"

using namespace mlir;

namespace mlc::gpu {

/// The buffer that a view is of.
static Value rootOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

/// Whether nobody outside of the kernel sees a buffer.
static bool isTemporary(Value buffer) {
  auto argument = dyn_cast<BlockArgument>(buffer);
  auto kernel = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  return kernel && kernel.getArgAttr(argument.getArgNumber(), temporaryAttrName);
}

static OpOperand *operandOf(linalg::LinalgOp op, Value value) {
  for (OpOperand &operand : op->getOpOperands())
    if (operand.get() == value)
      return &operand;
  return nullptr;
}

linalg::LinalgOp epilogueOf(ContractOp op) {
  Value result = op.getInit();
  linalg::LinalgOp epilogue;
  for (Operation *user : result.getUsers()) {
    if (user == op || isa<memref::DimOp>(user))
      continue;
    auto structured = dyn_cast<linalg::LinalgOp>(user);
    if (!structured || epilogue)
      return nullptr;
    epilogue = structured;
  }
  if (!epilogue || !isTemporary(result) || epilogue->getBlock() != op->getBlock() || !op->isBeforeInBlock(epilogue) ||
      !isElementwise(epilogue) || llvm::count(epilogue->getOperands(), result) != 1)
    return nullptr;
  OpOperand *operand = operandOf(epilogue, result);
  if (!epilogue.isDpsInput(operand))
    return nullptr;
  // Each element is one of the contraction's, and the other way around.
  AffineMap map = epilogue.getMatchingIndexingMap(operand);
  if (!map.isPermutation() || map.getNumDims() != op.getColumnLoop() + 1)
    return nullptr;
  // What another block still reads may not be written.
  for (Value out : epilogue.getDpsInits())
    for (Value input : {op.getLhs(), op.getRhs()})
      if (rootOf(out) == rootOf(input))
        return nullptr;
  // What lies between computes what the epilogue reads, or is in its way.
  for (Operation *between = op->getNextNode(); between != epilogue; between = between->getNextNode())
    if (!isMemoryEffectFree(between))
      return nullptr;
  return epilogue;
}

TileProduct::~TileProduct() = default;

namespace {

Value sumOf(OpBuilder &b, Location loc, Value x, Value y) {
  if (x.getType().isInteger())
    return arith::AddIOp::create(b, loc, x, y);
  return arith::AddFOp::create(b, loc, x, y);
}

Value multiplyAdd(OpBuilder &b, Location loc, Value x, Value y, Value sum) {
  if (x.getType().isInteger())
    return sumOf(b, loc, sum, arith::MulIOp::create(b, loc, x, y));
  return math::FmaOp::create(b, loc, x, y, sum);
}

/// Each thread multiplies and adds on its own.
class PlainProduct : public TileProduct {
public:
  explicit PlainProduct(bool hasFewRows) : rowsOfThread(hasFewRows ? 1 : mostRowsOfThread) {
    threads = {side, side};
    rows = side * rowsOfThread;
    columns = side * columnsOfThread;
    depth = side;
    isTransposed = true;
    sums = rowsOfThread * columnsOfThread;
    sumsOfRow = columnsOfThread;
  }
  static constexpr int64_t side = 16;

  std::pair<Value, Value> placeOf(OpBuilder &b, Location loc, ValueRange thread, int64_t sum) const override {
    return {plus(b, loc, thread[0], sum / columnsOfThread * side),
            plus(b, loc, thread[1], sum % columnsOfThread * side)};
  }

  SmallVector<Value> multiply(OpBuilder &b, Location loc, ValueRange thread, Value lhs, Value rhs,
                              ValueRange sums) const override {
    auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
    auto terms = scf::ForOp::create(b, loc, constant(0), constant(depth), constant(1), sums);
    OpBuilder each = OpBuilder::atBlockBegin(terms.getBody());
    Value term = terms.getInductionVar();
    SmallVector<Value> left, right, products;
    for (int64_t i = 0; i < rowsOfThread; ++i)
      left.push_back(memref::LoadOp::create(each, loc, lhs, ValueRange{term, plus(each, loc, thread[0], i * side)}));
    for (int64_t j = 0; j < columnsOfThread; ++j)
      right.push_back(memref::LoadOp::create(each, loc, rhs, ValueRange{term, plus(each, loc, thread[1], j * side)}));
    for (auto [i, l] : llvm::enumerate(left))
      for (auto [j, r] : llvm::enumerate(right))
        products.push_back(multiplyAdd(each, loc, l, r, terms.getRegionIterArgs()[i * columnsOfThread + j]));
    scf::YieldOp::create(each, loc, products);
    return SmallVector<Value>(terms.getResults());
  }

private:
  /// Elements that a thread computes in a row, and rows of them unless there are few.
  static constexpr int64_t columnsOfThread = 4, mostRowsOfThread = 4;
  static Value plus(OpBuilder &b, Location loc, Value x, int64_t y) {
    return b.createOrFold<arith::AddIOp>(loc, x, arith::ConstantIndexOp::create(b, loc, y));
  }
  int64_t rowsOfThread;
};

/// For LLVM: the tiles of two steps at a time are more than a thread has registers for.
void doNotUnroll(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(context, /*disable=*/BoolAttr::get(context, true), /*count=*/{},
                                          /*runtimeDisable=*/{}, /*full=*/{}, /*followupUnrolled=*/{},
                                          /*followupRemainder=*/{}, /*followupAll=*/{});
  loop->setAttr("loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, /*disableNonforced=*/{}, /*vectorize=*/{}, /*interleave=*/{},
                                              unroll, /*unrollAndJam=*/{}, /*licm=*/{}, /*distribute=*/{},
                                              /*pipeline=*/{}, /*peeled=*/{}, /*unswitch=*/{}, /*mustProgress=*/{},
                                              /*isVectorized=*/{}, /*startLoc=*/{}, /*endLoc=*/{},
                                              /*parallelAccesses=*/{}));
}

class Contraction {
public:
  /// The sums go into `epilogue`, if there is one, instead of memory.
  Contraction(OpBuilder &b, ContractOp op, linalg::LinalgOp epilogue)
      : op(op), epilogue(epilogue), loc(op.getLoc()), extents(op.getLoopExtents(b)) {
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
    if (epilogue)
      for (AffineExpr index : epilogue.getMatchingIndexingMap(operandOf(epilogue, op.getInit())).getResults())
        loopsOfEpilogue.push_back(cast<AffineDimExpr>(index).getPosition());
  }

  bool hasFewRows() const {
    std::optional<int64_t> fixed = getConstantIntValue(rowCount);
    return fixed && *fixed <= PlainProduct::side;
  }
  void form(OpBuilder &b, const TileProduct &tile);
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
  Value zero(OpBuilder &b) { return arith::ConstantOp::create(b, loc, element, b.getZeroAttr(element)); }
  OpFoldResult blocksOf(OpBuilder &b, OpFoldResult extent, int64_t size) {
    if (auto fixed = getConstantIntValue(extent))
      return b.getIndexAttr(llvm::divideCeil(*fixed, size));
    return b.createOrFold<arith::CeilDivUIOp>(loc, value(b, extent), constant(b, size));
  }
  Value allocate(OpBuilder &b, ArrayRef<int64_t> shape, Type element, mlir::gpu::AddressSpace space) {
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
    if (loaded.getType() == element)
      return loaded;
    if (!element.isInteger())
      return arith::ExtFOp::create(b, loc, element, loaded);
    if (from == op.getLhs() && op.getLhsUnsigned())
      return arith::ExtUIOp::create(b, loc, element, loaded);
    return arith::ExtSIOp::create(b, loc, element, loaded);
  }
  /// A loop over `first`, `first + step`... up to `end`.
  void buildSteps(OpBuilder &b, Value first, int64_t end, int64_t step, function_ref<void(OpBuilder &, Value)> body) {
    auto loop = scf::ForOp::create(b, loc, first, constant(b, end), constant(b, step));
    OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
    body(inner, loop.getInductionVar());
  }
  /// `load()` where `isInside` holds, else zero.
  Value loadWithin(OpBuilder &b, Value isInside, function_ref<Value(OpBuilder &)> load) {
    return scf::IfOp::create(
               b, loc, isInside, [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, load(b)); },
               [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, zero(b)); })
        .getResult(0);
  }
  /// Where a term of a row or column is staged.
  SmallVector<Value> placeOfTerm(OpBuilder &b, const TileProduct &tile, Value term, Value other, bool termFirst) {
    SmallVector<Value> split =
        splitIndex(b, loc, term, {b.getIndexAttr(tile.depth / tile.termsOfWord), b.getIndexAttr(tile.termsOfWord)});
    SmallVector<Value> place = {other, tile.termsOfWord > 1 ? split[0] : term};
    if (termFirst)
      std::swap(place[0], place[1]);
    if (tile.termsOfWord > 1)
      place.push_back(split[1]);
    return place;
  }
  void store(OpBuilder &b, Value sum, ArrayRef<Value> loops) {
    ArrayRef<Value> place = loops.take_front(column + 1);
    if (op.getAccumulate())
      sum = sumOf(b, loc, memref::LoadOp::create(b, loc, op.getInit(), place), sum);
    if (!epilogue)
      return (void)memref::StoreOp::create(b, loc, sum, op.getInit(), place);
    SmallVector<Value> at(place.size());
    for (auto [loop, own] : llvm::zip(place, loopsOfEpilogue))
      at[own] = loop;
    storeReduced(b, epilogue, std::move(at), {op.getInit(), sum});
  }

  ContractOp op;
  linalg::LinalgOp epilogue;
  SmallVector<unsigned> loopsOfEpilogue; ///< for each outer loop and column
  Location loc;
  SmallVector<OpFoldResult> extents;
  unsigned column;
  SmallVector<unsigned> batches, rows, depth;
  Type element;
  OpFoldResult rowCount, depthCount;
};

} // namespace

void Contraction::form(OpBuilder &b, const TileProduct &tile) {
  using mlir::gpu::AddressSpace;
  const int64_t threadCount = llvm::product_of(tile.threads);
  SmallVector<OpFoldResult> blocks = {product(b, loc, of(batches)), blocksOf(b, rowCount, tile.rows),
                                      blocksOf(b, extents[column], tile.columns)};
  Value start = constant(b, 0), end = value(b, depthCount);
  // Along one axis, as the others of a device are short. Those of the same rows follow each other.
  buildBlocks(b, loc, {product(b, loc, blocks)}, [&](OpBuilder &b, ValueRange number) {
    SmallVector<Value> block = splitIndex(b, loc, number[0], blocks);
    Value firstRow = mul(b, block[1], tile.rows), firstColumn = mul(b, block[2], tile.columns);
    SmallVector<Value> loopsOfBlock(op.getNumLoops(), start);
    spread(b, block[0], batches, loopsOfBlock);
    const int64_t words = tile.depth / tile.termsOfWord;
    SmallVector<int64_t> lhsShape = {tile.rows, words + tile.lhsPadding},
                         rhsShape = {words, tile.columns + tile.rhsPadding};
    if (tile.isTransposed)
      lhsShape = {words, tile.rows + tile.lhsPadding};
    if (tile.termsOfWord > 1)
      for (auto *shape : {&lhsShape, &rhsShape})
        shape->push_back(tile.termsOfWord);
    Type staged = tile.staged ? tile.staged : element;
    Value lhs = allocate(b, lhsShape, staged, AddressSpace::Workgroup);
    Value rhs = allocate(b, rhsShape, staged, AddressSpace::Workgroup);
    SmallVector<int64_t> sumsShape = tile.threads;
    sumsShape.push_back(tile.sums);
    Value sums = allocate(b, sumsShape, element, AddressSpace::Private);
    auto place = [&](OpBuilder &b, ValueRange thread, int64_t sum) {
      SmallVector<Value> indices(thread);
      indices.push_back(constant(b, sum));
      return indices;
    };

    buildThreads(b, loc, tile.threads, [&](OpBuilder &b, ValueRange thread) {
      for (int64_t sum = 0; sum < tile.sums; ++sum)
        memref::StoreOp::create(b, loc, zero(b), sums, place(b, thread, sum));
    });
    auto steps = scf::ForOp::create(b, loc, start, end, constant(b, tile.depth));
    doNotUnroll(steps);
    OpBuilder inner = OpBuilder::atBlockBegin(steps.getBody());
    Value firstTerm = steps.getInductionVar();
    buildThreads(inner, loc, tile.threads, [&](OpBuilder &b, ValueRange thread) {
      Value number = add(b, mul(b, thread[0], tile.threads[1]), thread[1]);
      // Neighbours along depth, in which the left-hand side is contiguous...
      SmallVector<Value> split =
          splitIndex(b, loc, number, {b.getIndexAttr(threadCount / tile.depth), b.getIndexAttr(tile.depth)});
      Value rowOfThread = split[0], termOfTile = split[1], term = add(b, firstTerm, termOfTile);
      SmallVector<Value> loops = loopsOfBlock;
      spread(b, term, depth, loops);
      Value isTerm = isBelow(b, term, depthCount);
      buildSteps(b, rowOfThread, tile.rows, threadCount / tile.depth, [&](OpBuilder &b, Value rowOfTile) {
        Value row = add(b, firstRow, rowOfTile);
        Value isInside = arith::AndIOp::create(b, loc, isTerm, isBelow(b, row, rowCount));
        Value loaded = loadWithin(b, isInside, [&](OpBuilder &b) {
          SmallVector<Value> at = loops;
          spread(b, row, rows, at);
          return load(b, op.getLhs(), op.getLhsMap(), at);
        });
        memref::StoreOp::create(b, loc, tile.stage(b, loc, loaded), lhs,
                                placeOfTerm(b, tile, termOfTile, rowOfTile, /*termFirst=*/tile.isTransposed));
      });
      // ...and along columns, in which the right-hand side is.
      split = splitIndex(b, loc, number, {b.getIndexAttr(threadCount / tile.columns), b.getIndexAttr(tile.columns)});
      Value termOfThread = split[0], columnOfTile = split[1];
      loops = loopsOfBlock;
      loops[column] = add(b, firstColumn, columnOfTile);
      Value isColumn = isBelow(b, loops[column], extents[column]);
      buildSteps(b, termOfThread, tile.depth, threadCount / tile.columns, [&](OpBuilder &b, Value termOfTile) {
        Value term = add(b, firstTerm, termOfTile);
        Value isInside = arith::AndIOp::create(b, loc, isColumn, isBelow(b, term, depthCount));
        Value loaded = loadWithin(b, isInside, [&](OpBuilder &b) {
          SmallVector<Value> at = loops;
          spread(b, term, depth, at);
          return load(b, op.getRhs(), op.getRhsMap(), at);
        });
        memref::StoreOp::create(b, loc, tile.stage(b, loc, loaded), rhs,
                                placeOfTerm(b, tile, termOfTile, columnOfTile, /*termFirst=*/true));
      });
    });
    buildThreads(inner, loc, tile.threads, [&](OpBuilder &b, ValueRange thread) {
      SmallVector<Value> held;
      for (int64_t sum = 0; sum < tile.sums; ++sum)
        held.push_back(memref::LoadOp::create(b, loc, sums, place(b, thread, sum)));
      for (auto [sum, added] : llvm::enumerate(tile.multiply(b, loc, thread, lhs, rhs, held)))
        memref::StoreOp::create(b, loc, added, sums, place(b, thread, sum));
    });
    buildThreads(b, loc, tile.threads, [&](OpBuilder &b, ValueRange thread) {
      SmallVector<Value> ownRows, ownColumns;
      for (int64_t sum = 0; sum < tile.sums; ++sum) {
        auto [rowOfTile, columnOfTile] = tile.placeOf(b, loc, thread, sum);
        ownRows.push_back(add(b, firstRow, rowOfTile));
        ownColumns.push_back(add(b, firstColumn, columnOfTile));
      }
      for (int64_t first = 0; first < tile.sums; first += tile.sumsOfRow) {
        Value row = ownRows[first];
        scf::IfOp::create(b, loc, isBelow(b, row, rowCount), [&](OpBuilder &b, Location) {
          SmallVector<Value> loops = loopsOfBlock;
          spread(b, row, rows, loops);
          for (int64_t sum = first; sum < first + tile.sumsOfRow; ++sum) {
            loops[column] = ownColumns[sum];
            scf::IfOp::create(b, loc, isBelow(b, loops[column], extents[column]), [&](OpBuilder &b, Location) {
              store(b, memref::LoadOp::create(b, loc, sums, place(b, thread, sum)), loops);
              scf::YieldOp::create(b, loc);
            });
          }
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
        Value sum = multiplyAdd(each, loc, l, r, terms.getRegionIterArgs()[0]);
        scf::YieldOp::create(each, loc, sum);
        store(b, terms.getResult(0), loops);
        scf::YieldOp::create(b, loc);
      });
    });
  });
}

void formContraction(RewriterBase &rewriter, ContractOp op, linalg::LinalgOp epilogue) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(epilogue ? epilogue.getOperation() : op); // behind the views that an epilogue needs
  Contraction contraction(rewriter, op, epilogue);
  if (op.isLanewise()) {
    contraction.formLanes(rewriter);
  } else {
    std::unique_ptr<TileProduct> tile;
    auto attr = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(targetAttrName);
    const auto *target = dynamic_cast<const DeviceTarget *>(attr ? findTarget(attr.getName()) : nullptr);
    if (target && !contraction.hasFewRows())
      tile = target->tileProduct(op, attr);
    if (!tile)
      tile = std::make_unique<PlainProduct>(contraction.hasFewRows());
    contraction.form(rewriter, *tile);
  }
  rewriter.eraseOp(op);
  if (epilogue)
    rewriter.eraseOp(epilogue);
}

} // namespace mlc::gpu

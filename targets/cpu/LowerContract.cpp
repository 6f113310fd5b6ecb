// Cuts mlc.contract on buffers into register tiles.
//
//   mlc.contract ins(%x, %w) outs(%y)   =>   for each batch
//                                              for each panel of columns
//                                                for each block of the depth
//                                                  for each other outer loop
//                                                    for rows in steps of a register tile
//                                                      mlc.ukernel
//
// A panel's block stays in the L2 cache while the rows pass over it. Loops that step evenly through all operands are
// merged, so that a convolution of 1 x 1 is one matrix product, and a window's row one run of memory. The rows that are
// left over after whole tiles get smaller tiles: of equal sizes where the number of rows is fixed, otherwise of powers
// of two.
#include "cpu/Passes.h"
#include "mlc/Contract.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace mlc::cpu {
#define GEN_PASS_DEF_LOWERCONTRACT
#include "cpu/Passes.h.inc"

namespace {

/// An index: fixed, or a value.
using Size = OpFoldResult;

std::optional<int64_t> fixed(Size size) { return getConstantIntValue(size); }

/// Of a loop, or a place: one number for each operand.
struct PerOperand {
  Size lhs, rhs, out;
};

/// A loop of the contraction, and how far one step of it goes in each operand.
struct Loop {
  Size extent;
  PerOperand stride;
};

/// Columns that a register tile computes at once.
struct Strip {
  int64_t columns;           ///< whole vectors
  std::optional<Size> width; ///< those that exist, if not all do
};

class Cutter {
public:
  Cutter(ImplicitLocOpBuilder &b, ContractOp op, int64_t vectorBytes, ArrayRef<int64_t> rowsOfVectors,
         int64_t depthBlock)
      : b(b), op(op), lanes(vectorBytes * 8 / op.getElementType().getIntOrFloatBitWidth()),
        rowsOfVectors(rowsOfVectors), depthBlock(depthBlock), isLanewise(op.isLanewise()) {}

  LogicalResult cut() {
    PerOperand place;
    if (failed(readLoops(place)))
      return failure();
    arrangeDepth();
    runLoops(batches, place, [&](PerOperand place) { runColumns(place); });
    return success();
  }

private:
  //===-- Index arithmetic ------------------------------------------------------------===//

  Size number(int64_t value) { return b.getIndexAttr(value); }
  Value value(Size size) { return getValueOrCreateConstantIndexOp(b, b.getLoc(), size); }

  Size mul(Size x, Size y) {
    std::optional<int64_t> p = fixed(x), q = fixed(y);
    if (p && q)
      return number(*p * *q);
    if (p == 0 || q == 0)
      return number(0);
    if (p == 1)
      return y;
    if (q == 1)
      return x;
    return arith::MulIOp::create(b, value(x), value(y)).getResult();
  }
  Size add(Size x, Size y) {
    std::optional<int64_t> p = fixed(x), q = fixed(y);
    if (p && q)
      return number(*p + *q);
    if (p == 0)
      return y;
    if (q == 0)
      return x;
    return arith::AddIOp::create(b, value(x), value(y)).getResult();
  }
  Size sub(Size x, Size y) {
    std::optional<int64_t> p = fixed(x), q = fixed(y);
    if (p && q)
      return number(*p - *q);
    if (q == 0)
      return x;
    return arith::SubIOp::create(b, value(x), value(y)).getResult();
  }
  Size div(Size x, int64_t y) {
    if (std::optional<int64_t> p = fixed(x))
      return number(*p / y);
    return y == 1 ? x : arith::DivUIOp::create(b, value(x), value(number(y))).getResult();
  }
  Size min(Size x, Size y) {
    std::optional<int64_t> p = fixed(x), q = fixed(y);
    if (p && q)
      return number(std::min(*p, *q));
    return arith::MinUIOp::create(b, value(x), value(y)).getResult();
  }

  /// `place`, moved on by `steps` of a loop.
  PerOperand advance(PerOperand place, PerOperand stride, Size steps) {
    return {add(place.lhs, mul(stride.lhs, steps)), add(place.rhs, mul(stride.rhs, steps)),
            add(place.out, mul(stride.out, steps))};
  }

  //===-- Reading the operation ---------------------------------------------------------===//

  struct Buffer {
    Value base;
    SmallVector<Size> strides;
    Size offset;
  };

  Buffer describe(Value buffer) {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
    return {metadata.getBaseBuffer(), metadata.getConstifiedMixedStrides(), metadata.getConstifiedMixedOffset()};
  }

  /// How far one step of `loop` goes in a buffer that `map` indexes.
  FailureOr<Size> strideOf(unsigned loop, AffineMap map, const Buffer &buffer) {
    Size stride = number(0);
    for (auto [index, step] : llvm::zip(map.getResults(), buffer.strides)) {
      FailureOr<SmallVector<int64_t>> factors = loopFactors(index, map.getNumDims());
      if (failed(factors))
        return failure();
      stride = add(stride, mul(step, number((*factors)[loop])));
    }
    return stride;
  }

  LogicalResult readLoops(PerOperand &start) {
    Buffer lhs = describe(op.getLhs()), rhs = describe(op.getRhs()), out = describe(op.getInit());
    lhsBase = lhs.base, rhsBase = rhs.base, outBase = out.base;
    start = {lhs.offset, rhs.offset, out.offset};
    if (fixed(out.strides.back()) != 1 || fixed(rhs.strides.back()) != 1 ||
        (isLanewise && fixed(lhs.strides.back()) != 1))
      return op.emitOpError("expects buffers whose columns, or groups of terms for each column, are contiguous");

    // The columns of panels are not linear in their loop; everything else is.
    AffineMap lhsMap = op.getLhsMap(), rhsMap = op.getRhsMap();
    unsigned column = op.getColumnLoop();
    columnStride = {number(isLanewise ? 1 : 0), number(1), number(1)};
    if (std::optional<PanelDims> panels = op.getPanels()) {
      panelWidth = panels->width;
      group = panels->group;
      panelStride = rhs.strides[panels->first];
      columnStride.rhs = rhs.strides[panels->first + 2];
      SmallVector<AffineExpr> linear(rhsMap.getResults());
      linear[panels->first] = linear[panels->first + 2] = b.getAffineConstantExpr(0);
      rhsMap = AffineMap::get(rhsMap.getNumDims(), 0, linear, b.getContext());
    }
    // Register tiles take a group at once.
    unsigned loops = op.getNumLoops() - (group > 1);
    if (group > 1 && (fixed(*strideOf(loops, lhsMap, lhs)) != 1 || fixed(columnStride.rhs) != group))
      return op.emitOpError("expects buffers whose groups of terms are contiguous");
    SmallVector<unsigned> batchLoops = op.getBatchLoops();
    SmallVector<Size> extents = op.getLoopExtents(b);
    columns = extents[column];
    for (unsigned loop = 0; loop < loops; ++loop) {
      if (loop == column)
        continue;
      PerOperand stride = {*strideOf(loop, lhsMap, lhs), *strideOf(loop, rhsMap, rhs),
                           loop < column ? out.strides[loop] : number(0)};
      auto &kind = loop > column ? depth : llvm::is_contained(batchLoops, loop) ? batches : rows;
      append(kind, {extents[loop], stride});
    }
    chooseRowLoop();
    return success();
  }

  /// Whether a step of `outer` is as far as all steps of `inner`.
  static bool follows(Size outer, Size inner, Size extent) {
    std::optional<int64_t> o = fixed(outer), i = fixed(inner), e = fixed(extent);
    return o == 0 && i == 0 ? true : o && i && e && *o == *i * *e;
  }

  /// Adds a loop inside of those that are there, merged with the last if it can be.
  void append(SmallVector<Loop> &loops, Loop loop) {
    if (fixed(loop.extent) == 1)
      return;
    if (!loops.empty()) {
      Loop &outer = loops.back();
      bool merges = !isLanewise && follows(outer.stride.lhs, loop.stride.lhs, loop.extent) &&
                    follows(outer.stride.rhs, loop.stride.rhs, loop.extent) &&
                    follows(outer.stride.out, loop.stride.out, loop.extent);
      if (merges) {
        outer = {mul(outer.extent, loop.extent), loop.stride};
        return;
      }
    }
    loops.push_back(loop);
  }

  /// Puts the loop that register tiles take their rows from last.
  void chooseRowLoop() {
    if (rows.empty())
      rows.push_back({number(1), {number(0), number(0), number(0)}});
    std::optional<int64_t> last = fixed(rows.back().extent);
    if (!last || *last >= rowsOfVectors.back() / 2)
      return;
    for (Loop &loop : rows)
      if (fixed(loop.extent).value_or(INT64_MAX) > 2 * *fixed(rows.back().extent))
        std::swap(loop, rows.back());
  }

  /// Puts as many depth loops as fit in a block into register tiles, the others around them.
  void arrangeDepth() {
    if (depth.empty())
      depth.push_back({number(1), {number(0), number(0), number(0)}});
    auto inner = [&]() -> int64_t {
      int64_t terms = 1;
      for (const Loop &loop : ArrayRef(depth).drop_front())
        terms *= fixed(loop.extent).value_or(1);
      return terms;
    };
    // The windows of lanes are small, and their tiles are written out for them: they are not cut.
    while (depth.size() > 3 || (!isLanewise && depth.size() > 1 && inner() >= depthBlock)) {
      outerDepth.push_back(depth.front());
      depth.erase(depth.begin());
    }
    int64_t terms = std::max<int64_t>(inner(), 1), most = std::max<int64_t>(depthBlock / terms, 1);
    depthStep = most;
    if (std::optional<int64_t> extent = fixed(depth.front().extent)) {
      // Blocks of about the same size; not cut at all for a few terms more.
      int64_t blocks = llvm::divideCeil(*extent * terms, depthBlock + depthBlock / 4);
      depthStep = *extent;
      if (blocks > 1)
        depthStep = llvm::alignTo(llvm::divideCeil(*extent, blocks), terms == 1 ? 4 : 1);
    }
  }

  //===-- Loops --------------------------------------------------------------------------===//

  using Body = llvm::function_ref<void(PerOperand)>;

  /// Runs body for every `step`-th index from `from` to `to`; just once without a loop where that is known.
  void runLoop(Size from, Size to, int64_t step, llvm::function_ref<void(Size)> body) {
    std::optional<int64_t> first = fixed(from), end = fixed(to);
    if (first && end && *first >= *end)
      return;
    if (first && end && *first + step >= *end)
      return body(from);
    auto loop = scf::ForOp::create(b, value(from), value(to), value(number(step)));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  void runLoops(ArrayRef<Loop> loops, PerOperand place, Body body) {
    if (loops.empty())
      return body(place);
    runLoop(number(0), loops.front().extent, 1,
            [&](Size index) { runLoops(loops.drop_front(), advance(place, loops.front().stride, index), body); });
  }

  void runColumns(PerOperand place) {
    // Rows of a right-hand side are taken as wide as register tiles are.
    int64_t width = panelWidth.value_or(lanes * rowsOfVectors.size());
    Size panels = div(columns, width), stride = panelWidth ? panelStride : number(width);
    Size whole = mul(panels, number(width));
    auto panel = [&](Size index) {
      PerOperand first = advance(place, columnStride, mul(index, number(width)));
      first.rhs = add(place.rhs, mul(stride, index));
      return first;
    };
    runLoop(number(0), panels, 1, [&](Size index) { runPanel(width, std::nullopt, panel(index)); });

    Size left = sub(columns, whole);
    if (std::optional<int64_t> count = fixed(left)) {
      if (*count > 0)
        runPanel(llvm::alignTo(*count, lanes), *count % lanes ? std::optional(left) : std::nullopt, panel(panels));
      return;
    }
    auto isLeft = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value(left), value(number(0)));
    auto choice = scf::IfOp::create(b, isLeft, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    runPanel(width, left, panel(panels));
  }

  /// Cuts a panel into strips that register tiles can have.
  void runPanel(int64_t width, std::optional<Size> existing, PerOperand place) {
    int64_t most = lanes * (isLanewise ? 1 : (int64_t)rowsOfVectors.size());
    for (int64_t first = 0; first < width; first += most) {
      Strip strip = {std::min(most, width - first), std::nullopt};
      PerOperand begin = advance(place, columnStride, number(first));
      if (!existing) {
        runDepthBlocks(strip, begin);
        continue;
      }
      if (std::optional<int64_t> count = fixed(*existing)) {
        if (*count < first + strip.columns)
          strip.width = number(*count - first);
        runDepthBlocks(strip, begin);
        continue;
      }
      if (width <= most) {
        strip.width = existing;
        runDepthBlocks(strip, begin);
        continue;
      }
      auto reaches = arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, value(*existing), value(number(first)));
      auto choice = scf::IfOp::create(b, reaches, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(choice.thenBlock());
      strip.width = min(sub(*existing, number(first)), number(strip.columns));
      runDepthBlocks(strip, begin);
    }
  }

  void runDepthBlocks(Strip strip, PerOperand place) {
    Value accumulate = arith::ConstantIntOp::create(b, op.getAccumulate(), 1);
    runOuterDepth(outerDepth, place, accumulate, [&](PerOperand place, Value accumulate) {
      if (isLanewise || fixed(depth.front().extent) == depthStep)
        return runRows(strip, depth, place, accumulate);
      // At least one block, so that a sum of nothing is written, too.
      Loop block = depth.front();
      Size end = block.extent;
      if (!fixed(end))
        end = arith::MaxUIOp::create(b, value(end), value(number(1))).getResult();
      runLoop(number(0), end, depthStep, [&](Size first) {
        SmallVector<Loop> loops = depth;
        bool isEven = fixed(block.extent) && *fixed(block.extent) % depthStep == 0;
        loops.front().extent = isEven ? number(depthStep) : min(number(depthStep), sub(block.extent, first));
        runRows(strip, loops, advance(place, block.stride, first), orLater(accumulate, first));
      });
    });
  }

  void runOuterDepth(ArrayRef<Loop> loops, PerOperand place, Value accumulate,
                     llvm::function_ref<void(PerOperand, Value)> body) {
    if (loops.empty())
      return body(place, accumulate);
    runLoop(number(0), loops.front().extent, 1, [&](Size index) {
      runOuterDepth(loops.drop_front(), advance(place, loops.front().stride, index), orLater(accumulate, index), body);
    });
  }

  /// Whether to add: told to, or not at the first step of a depth loop any more.
  Value orLater(Value accumulate, Size index) {
    if (fixed(index) == 0)
      return accumulate;
    Value later = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value(index), value(number(0)));
    return arith::OrIOp::create(b, accumulate, later);
  }

  void runRows(Strip strip, ArrayRef<Loop> depth, PerOperand place, Value accumulate) {
    int64_t most = rowsOfVectors[strip.columns / lanes - 1];
    Loop loop = rows.back();
    runLoops(ArrayRef(rows).drop_back(), place, [&](PerOperand place) {
      auto run = [&](Size from, Size to, int64_t count) {
        runLoop(from, to, count,
                [&](Size first) { emitTile(count, strip, depth, advance(place, loop.stride, first), accumulate); });
      };
      if (std::optional<int64_t> extent = fixed(loop.extent)) {
        int64_t tiles = llvm::divideCeil(*extent, most);
        if (tiles == 0)
          return;
        int64_t size = *extent / tiles, larger = *extent % tiles;
        run(number(0), number(larger * (size + 1)), size + 1);
        run(number(larger * (size + 1)), loop.extent, size);
        return;
      }
      Size from = number(0);
      for (int64_t count = most; count > 0; count = llvm::bit_floor((uint64_t)count - 1)) {
        Size to = add(from, mul(div(sub(loop.extent, from), count), number(count)));
        run(from, to, count);
        from = to;
      }
    });
  }

  void emitTile(int64_t rowCount, Strip strip, ArrayRef<Loop> depth, PerOperand place, Value accumulate) {
    SmallVector<Size> extents, lhsStrides = {rows.back().stride.lhs}, rhsStrides;
    for (const Loop &loop : depth) {
      extents.push_back(loop.extent);
      lhsStrides.push_back(loop.stride.lhs);
      rhsStrides.push_back(loop.stride.rhs);
    }
    // What is fixed here is compiled into the tile's code: for a product of lanes everything, as neighbouring rows
    // share what they load; else only what addresses are made of, so that many contractions share a tile.
    auto share = [&](MutableArrayRef<Size> sizes) {
      if (isLanewise)
        return;
      for (Size &size : sizes)
        size = value(size);
    };
    share(extents);
    Size lastLhs = lhsStrides.back(), lastRhs = rhsStrides.back();
    share(lhsStrides);
    share(rhsStrides);
    if (fixed(lastLhs) == group)
      lhsStrides.back() = lastLhs;
    if (panelWidth)
      rhsStrides.back() = lastRhs;
    auto split = [](ArrayRef<Size> sizes) {
      SmallVector<Value> dynamic;
      SmallVector<int64_t> constant;
      dispatchIndexOpFoldResults(sizes, dynamic, constant);
      return std::pair(dynamic, constant);
    };
    auto [dynamicDepth, staticDepth] = split(extents);
    auto [dynamicLhs, staticLhs] = split(lhsStrides);
    auto [dynamicRhs, staticRhs] = split(rhsStrides);
    auto [dynamicOut, staticOut] = split({Size(value(rows.back().stride.out))});
    auto [dynamicWidth, staticWidth] = split(strip.width ? SmallVector<Size>{*strip.width} : SmallVector<Size>{});
    UkernelOp::create(b, isLanewise ? UkernelForm::Lanes : UkernelForm::Broadcast, rowCount, strip.columns, lanes,
                      group, op.getLhsUnsigned(), dynamicDepth, staticDepth, lhsBase, value(place.lhs), dynamicLhs,
                      staticLhs, rhsBase, value(place.rhs), dynamicRhs, staticRhs, outBase, value(place.out),
                      dynamicOut, staticOut, dynamicWidth, staticWidth, accumulate);
  }

  ImplicitLocOpBuilder &b;
  ContractOp op;
  int64_t lanes;
  ArrayRef<int64_t> rowsOfVectors;
  int64_t depthBlock;
  bool isLanewise;

  Value lhsBase, rhsBase, outBase;
  Size columns, panelStride;
  PerOperand columnStride;
  std::optional<int64_t> panelWidth;
  int64_t group = 1;
  /// Batches choose a right-hand side; the last of rows is the one of register tiles; depth loops are in register
  /// tiles, the first cut into blocks of depthStep, those of outerDepth around them.
  SmallVector<Loop> batches, rows, depth, outerDepth;
  int64_t depthStep = 0;
};

struct LowerContract : impl::LowerContractBase<LowerContract> {
  using LowerContractBase::LowerContractBase;

  void runOnOperation() override {
    static const int64_t avx512Rows[] = {12, 9, 8, 6};
    ArrayRef<int64_t> table = rows.empty() ? ArrayRef<int64_t>(avx512Rows) : ArrayRef<int64_t>(rows);
    SmallVector<ContractOp> contracts;
    getOperation().walk([&](ContractOp op) { contracts.push_back(op); });
    for (ContractOp op : contracts) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      if (failed(Cutter(b, op, vectorBytes, table, depthBlock).cut()))
        return signalPassFailure();
      op.erase();
    }
  }
};

} // namespace
} // namespace mlc::cpu

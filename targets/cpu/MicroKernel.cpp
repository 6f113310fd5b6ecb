// Builds the functions of register tiles.
//
//   func.func private @ukernel_broadcast_6x64_...(%lhs: !llvm.ptr, %rhs: !llvm.ptr, %out: !llvm.ptr, ...) {
//     %sums:24 = scf.for %k = ... iter_args(...) {          // once for each depth loop, the innermost unrolled
//       %b0..3 = llvm.load                                  // a row of the panel
//       %a     = llvm.load, vector.broadcast                // for each of 6 rows
//       vector.fma                                          // 4 for each row
//     }
//     llvm.store                                            // 24 times
//   }
//
// Where a machine multiplies by a lane of a register, a load fetches the terms of a row for all steps that are written
// out, instead of one that is then broadcast.
//
// Integers are extended to the 32 bits of their sums, or, in groups, multiplied and summed by one instruction: a group of
// a row is loaded as a word and broadcast, and the panel holds a group for each lane.
//
// The order of operations is the order in which LLVM's scheduler meets them: a panel row, then one row of lhs after the
// other, so that a broadcast lives for as long as its products. Rows are addressed from a pointer for every three of
// them, as x86 addresses can add a stride once or twice: one pointer each would not fit in the scalar registers.
#include "cpu/MicroKernel.h"
#include "cpu/DotProduct.h"
#include "cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace mlc::cpu {
#define GEN_PASS_DEF_BUILDMICROKERNELS
#include "cpu/Passes.h.inc"

//===-- Names and arguments ----------------------------------------------------------===//

std::string microKernelName(UkernelOp tile) {
  std::string name;
  llvm::raw_string_ostream s(name);
  auto list = [&](StringRef word, ArrayRef<int64_t> values) {
    s << '_' << word;
    llvm::interleave(
        values, s, [&](int64_t value) { ShapedType::isDynamic(value) ? void(s << 'n') : void(s << value); }, "x");
  };
  s << "ukernel_" << stringifyUkernelForm(tile.getForm()) << '_' << tile.getRows() << 'x' << tile.getColumns() << '_'
    << tile.getRhs().getType().getElementType();
  if (tile.getLhs().getType().getElementType() != tile.getRhs().getType().getElementType())
    s << '_' << tile.getLhs().getType().getElementType();
  if (tile.getLhsUnsigned())
    s << "_unsigned";
  if (tile.getGroup() > 1)
    s << "_group" << tile.getGroup();
  list("depth", tile.getStaticDepth());
  list("lhs", tile.getStaticLhsStrides());
  list("rhs", tile.getStaticRhsStrides());
  if (!ShapedType::isDynamic(tile.getStaticOutStride().front()))
    list("out", tile.getStaticOutStride());
  if (!tile.getStaticWidth().empty())
    list("width", tile.getStaticWidth());
  return name;
}

SmallVector<Value> microKernelArguments(OpBuilder &builder, UkernelOp tile) {
  ImplicitLocOpBuilder b(tile.getLoc(), builder);
  Type i64 = b.getI64Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Value> arguments;
  auto integer = [&](Value index) { return arith::IndexCastOp::create(b, i64, index).getResult(); };
  auto addAddress = [&](TypedValue<MemRefType> buffer, Value offset) {
    Value address = integer(memref::ExtractAlignedPointerAsIndexOp::create(b, buffer));
    Value base = LLVM::IntToPtrOp::create(b, pointer, address);
    arguments.push_back(
        LLVM::GEPOp::create(b, pointer, buffer.getType().getElementType(), base, ValueRange{integer(offset)}));
  };
  addAddress(cast<TypedValue<MemRefType>>(tile.getLhs()), tile.getLhsOffset());
  addAddress(cast<TypedValue<MemRefType>>(tile.getRhs()), tile.getRhsOffset());
  addAddress(cast<TypedValue<MemRefType>>(tile.getOut()), tile.getOutOffset());
  for (ValueRange dynamic :
       {tile.getDepth(), tile.getLhsStrides(), tile.getRhsStrides(), tile.getOutStride(), tile.getWidth()})
    for (Value value : dynamic)
      arguments.push_back(integer(value));
  arguments.push_back(tile.getAccumulate());
  return arguments;
}

//===-- The body -----------------------------------------------------------------------===//

namespace {

/// A number of elements: fixed, or an i64 argument of the function.
using Count = OpFoldResult;

/// Steps of the innermost depth loop that are written out. With fewer, LLVM pipelines the loop itself and runs out of
/// registers.
constexpr int64_t unroll = 4;
/// Rows that are addressed from one pointer.
constexpr int64_t rowsPerPointer = 3;
/// Fixed depths up to this are written out whole.
constexpr int64_t unrolledDepth = 32;

class Builder {
public:
  Builder(ImplicitLocOpBuilder &b, UkernelOp tile, Multiplication how)
      : b(b), how(how), rows(tile.getRows()), vectors(tile.getColumns() / tile.getLanes()), lanes(tile.getLanes()),
        group(tile.getGroup()), isLanewise(tile.getForm() == UkernelForm::Lanes), isUnsigned(tile.getLhsUnsigned()),
        element(tile.getOut().getType().getElementType()), lhsElement(tile.getLhs().getType().getElementType()),
        rhsElement(tile.getRhs().getType().getElementType()), vector(VectorType::get({lanes}, element)) {
    for (StringRef name : how.dots) {
      const DotProduct *candidate = findDotProduct(name);
      if (candidate && group > 1 && candidate->group == group && candidate->lanes == lanes &&
          lhsElement.isInteger(candidate->bits) && candidate->lhsIsUnsigned == isUnsigned)
        dot = candidate;
    }
  }

  /// Whether the machine has what the tile is made of.
  bool isPossible() const { return group == 1 || dot; }

  void build(func::FuncOp function, UkernelOp tile) {
    b.setInsertionPointToStart(function.addEntryBlock());
    ArrayRef<BlockArgument> next = function.getArguments();
    auto take = [&] {
      Value value = next.front();
      next = next.drop_front();
      return value;
    };
    Value lhs = take(), rhs = take();
    out = take();
    auto takeList = [&](ArrayRef<int64_t> fixed) {
      return llvm::map_to_vector(fixed, [&](int64_t value) -> Count {
        return ShapedType::isDynamic(value) ? Count(take()) : Count(b.getI64IntegerAttr(value));
      });
    };
    depth = takeList(tile.getStaticDepth());
    SmallVector<Count> strides = takeList(tile.getStaticLhsStrides());
    rowStride = strides.front();
    lhsStrides.assign(strides.begin() + 1, strides.end());
    rhsStrides = takeList(tile.getStaticRhsStrides());
    outStride = takeList(tile.getStaticOutStride()).front();
    if (!tile.getStaticWidth().empty())
      width = takeList(tile.getStaticWidth()).front();
    Value accumulate = take();
    for (int64_t j = 0; j < vectors; ++j)
      masks.push_back(maskOf(j));

    State state = {start(accumulate), lhs, rhs};
    storeSums(runDepth(0, state).sums);
    func::ReturnOp::create(b);
  }

private:
  /// What changes from one step of a depth loop to the next.
  struct State {
    SmallVector<Value> sums; ///< row by row
    Value lhs, rhs;

    SmallVector<Value> values() const {
      SmallVector<Value> all = sums;
      all.append({lhs, rhs});
      return all;
    }
    static State of(ValueRange values) {
      return {llvm::to_vector(values.drop_back(2)), values[values.size() - 2], values[values.size() - 1]};
    }
  };

  //===-- Addresses -----------------------------------------------------------------===//

  Value value(Count count) {
    if (auto dynamic = dyn_cast<Value>(count))
      return dynamic;
    return arith::ConstantIntOp::create(b, b.getI64Type(), cast<IntegerAttr>(cast<Attribute>(count)).getInt());
  }
  static std::optional<int64_t> fixed(Count count) { return getConstantIntValue(count); }

  /// `pointer` moved on by `times` strides.
  Value advance(Value pointer, Type type, Count stride, int64_t times) {
    if (times == 0 || fixed(stride) == 0)
      return pointer;
    if (std::optional<int64_t> constant = fixed(stride))
      return LLVM::GEPOp::create(b, pointer.getType(), type, pointer, LLVM::GEPArg(*constant * times));
    Value offset = value(stride);
    if (times != 1)
      offset = arith::MulIOp::create(b, offset, value(b.getI64IntegerAttr(times)));
    return LLVM::GEPOp::create(b, pointer.getType(), type, pointer, ValueRange{offset});
  }

  Value load(Type type, Value pointer, Type elementType) {
    return LLVM::LoadOp::create(b, type, pointer, elementType.getIntOrFloatBitWidth() / 8);
  }

  //===-- Columns that exist ------------------------------------------------------------===//

  /// The columns of vector `index` that exist: null for all, an empty optional for none.
  std::optional<Value> maskOf(int64_t index) {
    if (!width)
      return Value();
    if (std::optional<int64_t> constant = fixed(*width)) {
      if (*constant >= (index + 1) * lanes)
        return Value();
      if (*constant <= index * lanes)
        return std::nullopt;
    }
    Value left = arith::SubIOp::create(b, value(*width), value(b.getI64IntegerAttr(index * lanes)));
    return vector::CreateMaskOp::create(b, VectorType::get({lanes}, b.getI1Type()),
                                        arith::IndexCastOp::create(b, b.getIndexType(), left).getResult());
  }

  Value zero(VectorType type) { return arith::ConstantOp::create(b, type, b.getZeroAttr(type)); }

  /// Vector `index` of the columns that begin at `begin`.
  Value loadColumns(Value begin, Type type, int64_t index) {
    auto loaded = VectorType::get({lanes}, type);
    std::optional<Value> mask = masks[index];
    if (!mask)
      return zero(loaded);
    Value place = advance(begin, type, b.getI64IntegerAttr(lanes), index);
    if (!*mask)
      return load(loaded, place, type);
    return LLVM::MaskedLoadOp::create(b, loaded, place, *mask, zero(loaded), type.getIntOrFloatBitWidth() / 8);
  }

  void storeColumns(Value sum, Value begin, int64_t index) {
    std::optional<Value> mask = masks[index];
    if (!mask)
      return;
    Value place = advance(begin, element, b.getI64IntegerAttr(lanes), index);
    unsigned alignment = element.getIntOrFloatBitWidth() / 8;
    if (*mask)
      LLVM::MaskedStoreOp::create(b, sum, place, *mask, alignment);
    else
      LLVM::StoreOp::create(b, sum, place, alignment);
  }

  //===-- Sums in memory ---------------------------------------------------------------===//

  SmallVector<Value> start(Value accumulate) {
    SmallVector<Type> types(rows * vectors, vector);
    auto choice = scf::IfOp::create(b, types, accumulate, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    SmallVector<Value> sums;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < vectors; ++j)
        sums.push_back(loadColumns(advance(out, element, outStride, i), element, j));
    scf::YieldOp::create(b, sums);
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, SmallVector<Value>(rows * vectors, zero(vector)));
    return SmallVector<Value>(choice.getResults());
  }

  void storeSums(ArrayRef<Value> sums) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < vectors; ++j)
        storeColumns(sums[i * vectors + j], advance(out, element, outStride, i), j);
  }

  //===-- Depth --------------------------------------------------------------------------===//

  State loop(Value from, Value to, int64_t step, State state, llvm::function_ref<State(State)> body) {
    auto loop = scf::ForOp::create(b, from, to, value(b.getI64IntegerAttr(step)), state.values());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, body(State::of(loop.getRegionIterArgs())).values());
    return State::of(loop.getResults());
  }

  /// All steps of the depth loops from `level` inwards.
  State runDepth(size_t level, State state) {
    if (level + 1 == depth.size())
      return runInnermost(state);
    auto step = [&](State state) {
      State after = runDepth(level + 1, state);
      after.lhs = advance(state.lhs, lhsElement, lhsStrides[level], 1);
      after.rhs = advance(state.rhs, rhsElement, rhsStrides[level], 1);
      return after;
    };
    std::optional<int64_t> steps = fixed(depth[level]);
    int64_t inner = 1;
    for (Count count : ArrayRef(depth).drop_front(level + 1))
      inner = fixed(count) ? inner * *fixed(count) : unrolledDepth + 1;
    if (steps && *steps * inner <= unrolledDepth) {
      for (int64_t i = 0; i < *steps; ++i)
        state = step(state);
      return state;
    }
    return loop(value(b.getI64IntegerAttr(0)), value(depth[level]), 1, state, step);
  }

  State runInnermost(State state) {
    Count extent = depth.back();
    std::optional<int64_t> steps = fixed(extent);
    if (steps && *steps <= unrolledDepth)
      return takeSteps(*steps, state);
    Value zero = value(b.getI64IntegerAttr(0)), end = value(extent);
    if (steps) {
      end = value(b.getI64IntegerAttr(*steps - *steps % unroll));
      return takeSteps(*steps % unroll, loop(zero, end, unroll, state, [&](State s) { return takeSteps(unroll, s); }));
    }
    Value rest = arith::RemUIOp::create(b, end, value(b.getI64IntegerAttr(unroll)));
    Value whole = arith::SubIOp::create(b, end, rest);
    state = loop(zero, whole, unroll, state, [&](State s) { return takeSteps(unroll, s); });
    return loop(whole, end, 1, state, [&](State s) { return takeSteps(1, s); });
  }

  /// `count` steps of the innermost depth loop, written out.
  State takeSteps(int64_t count, State state) {
    Count lhsStride = lhsStrides.back(), rhsStride = rhsStrides.back();
    SmallVector<Value> rowGroups;
    for (int64_t i = 0; i < rows; i += rowsPerPointer)
      rowGroups.push_back(advance(state.lhs, lhsElement, rowStride, i));
    auto rowAt = [&](int64_t i) {
      return advance(rowGroups[i / rowsPerPointer], lhsElement, rowStride, i % rowsPerPointer);
    };
    Type term = dot ? element : lhsElement; // a group is a word
    SmallVector<Value> runs;                // of terms of each row, where one load fetches those of all steps
    if (how.byLane && !isLanewise && count == unroll && count <= lanes && fixed(lhsStride) == group)
      for (int64_t i = 0; i < rows; ++i)
        runs.push_back(load(VectorType::get({count}, term), rowAt(i), lhsElement));
    for (int64_t step = 0; step < count; ++step) {
      Value panelRow = advance(state.rhs, rhsElement, rhsStride, step);
      SmallVector<Value> right;
      for (int64_t j = 0; j < vectors; ++j)
        right.push_back(loadRight(panelRow, j));
      for (int64_t i = 0; i < rows; ++i) {
        Value place = advance(rowAt(i), lhsElement, lhsStride, step), left;
        if (!runs.empty())
          left = broadcast(vector::ExtractOp::create(b, runs[i], step));
        else if (!isLanewise)
          left = broadcast(load(term, place, lhsElement));
        for (int64_t j = 0; j < vectors; ++j) {
          Value factor = left ? left : extend(loadColumns(place, lhsElement, j), element, isUnsigned);
          Value &sum = state.sums[i * vectors + j];
          sum = multiplyAdd(factor, right[j], sum);
        }
      }
    }
    state.lhs = advance(state.lhs, lhsElement, lhsStride, count);
    state.rhs = advance(state.rhs, rhsElement, rhsStride, count);
    return state;
  }

  Value multiplyAdd(Value x, Value y, Value sum) {
    if (dot) {
      x = LLVM::BitcastOp::create(b, VectorType::get({lanes * group}, lhsElement), x);
      auto call = [&](ValueRange operands) {
        return LLVM::CallIntrinsicOp::create(b, vector, b.getStringAttr(dot->intrinsic), operands).getResult(0);
      };
      return dot->accumulates ? call({sum, x, y}) : arith::AddIOp::create(b, sum, call({x, y})).getResult();
    }
    if (element.isInteger())
      return arith::AddIOp::create(b, sum, arith::MulIOp::create(b, x, y).getResult());
    if (how.fused)
      return vector::FMAOp::create(b, x, y, sum);
    return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, y).getResult());
  }

  /// A term of a row, for all columns.
  Value broadcast(Value scalar) { return vector::BroadcastOp::create(b, vector, extend(scalar, element, isUnsigned)); }

  /// Vector `index` of a row of the panel.
  Value loadRight(Value panelRow, int64_t index) {
    if (!dot)
      return extend(loadColumns(panelRow, rhsElement, index), element, /*isUnsigned=*/false);
    // Panels are whole: columns that do not exist are zeros there.
    auto loaded = VectorType::get({lanes * group}, rhsElement);
    Value place = advance(panelRow, rhsElement, b.getI64IntegerAttr(lanes * group), index);
    return extend(load(loaded, place, rhsElement), lhsElement, /*isUnsigned=*/false);
  }

  /// A number or a vector, extended to elements of type `to`.
  Value extend(Value value, Type to, bool isUnsigned) {
    if (getElementTypeOrSelf(value.getType()) == to)
      return value;
    Type type = to;
    if (auto own = dyn_cast<VectorType>(value.getType()))
      type = own.clone(to);
    if (isa<FloatType>(to))
      return arith::ExtFOp::create(b, type, value);
    if (isUnsigned)
      return arith::ExtUIOp::create(b, type, value);
    return arith::ExtSIOp::create(b, type, value);
  }

  ImplicitLocOpBuilder &b;
  Multiplication how;
  int64_t rows, vectors, lanes, group;
  bool isLanewise, isUnsigned;
  Type element, lhsElement, rhsElement;
  const DotProduct *dot = nullptr; ///< of groups
  VectorType vector;
  Value out;
  Count rowStride, outStride;
  std::optional<Count> width;
  SmallVector<std::optional<Value>> masks; ///< of each vector of columns
  SmallVector<Count> depth, lhsStrides, rhsStrides;
};

} // namespace

FailureOr<func::FuncOp> buildMicroKernel(OpBuilder &builder, UkernelOp tile, const Multiplication &how) {
  ImplicitLocOpBuilder b(UnknownLoc::get(tile.getContext()), builder);
  Type i64 = b.getI64Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Type> types(3, pointer);
  size_t dynamics = tile.getDepth().size() + tile.getLhsStrides().size() + tile.getRhsStrides().size() +
                    tile.getOutStride().size() + tile.getWidth().size();
  types.append(dynamics, i64);
  types.push_back(b.getI1Type());
  Builder body(b, tile, how);
  if (!body.isPossible())
    return tile.emitOpError("expects groups of products that the machine has an instruction for, got groups of ")
           << tile.getGroup() << " of " << tile.getLhs().getType().getElementType();
  auto function = func::FuncOp::create(b, microKernelName(tile), b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  body.build(function, tile);
  return function;
}

//===-- The pass -------------------------------------------------------------------------===//

namespace {
struct BuildMicroKernels : impl::BuildMicroKernelsBase<BuildMicroKernels> {
  using BuildMicroKernelsBase::BuildMicroKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    Multiplication how{fused, byLane, {}};
    for (StringRef dot : dots)
      how.dots.push_back(dot);
    WalkResult result = module.walk([&](UkernelOp tile) {
      auto function = symbols.lookup<func::FuncOp>(microKernelName(tile));
      OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
      if (!function) {
        FailureOr<func::FuncOp> built = buildMicroKernel(b, tile, how);
        if (failed(built))
          return WalkResult::interrupt();
        symbols.insert(function = *built);
      }
      b.setInsertionPoint(tile);
      func::CallOp::create(b, tile.getLoc(), function, microKernelArguments(b, tile));
      tile.erase();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
} // namespace mlc::cpu

// Gives every buffer of the graph function its place.
//
//   %a = memref.alloc() : memref<16x8xf32>          %arena = mlc.arena : memref<?xi8>
//   %b = memref.alloc(%n) : memref<?x8xf32>    =>   %a = memref.view %arena[%c0][] : memref<?xi8> to memref<16x8xf32>
//   call @k(%a, %b)                                 %b = mlc.output 0 extents(%n, %c8) sizes(%n) : memref<?x8xf32>
//   return %b                                       call @k(%a, %b)
//                                                   return
//
// A buffer that becomes an output is the output's memory from the start, so that its kernel writes it there. All others
// lie in one arena, where buffers share memory if they are never alive at once:
//   - those of fixed size at fixed offsets, first the largest, each in the smallest gap that holds it;
//   - those whose size is arithmetic on the inputs' extents behind them, in slots whose sizes are the largest of their
//     buffers. The function `@model_arena(symbols) -> (bytes, offsets...)` computes them; the graph calls it at its
//     start, and the runtime before, to know how much to provide. It returns -1 bytes when the sizes do not fit 64 bits;
//   - those whose size depends on data are taken from the runtime when the run gets there (`mlc.allocate`).
// Two buffers are never alive at once if the numbers of their first and last uses, in the order of the text, do not
// overlap; where a buffer lives across an iteration of a loop its uses in the loop count to the loop's end.
#include "passes/PlanMemory.h"
#include "mlc/mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/Passes.h"
#include "passes/Ports.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

static constexpr int64_t alignment = 64;
static int64_t aligned(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

int64_t bytesOfElement(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * bytesOfElement(complex.getElementType());
  if (type.isIndex())
    return 8;
  if (isa<StringType>(type))
    return sizeof(mlc_string);
  return (type.getIntOrFloatBitWidth() + 7) / 8;
}

std::optional<int64_t> fixedBytes(MemRefType type) {
  if (!type.hasStaticShape())
    return std::nullopt;
  int64_t bytes = bytesOfElement(type.getElementType());
  for (int64_t extent : type.getShape())
    if (llvm::MulOverflow(bytes, extent, bytes))
      return std::nullopt;
  return bytes;
}

SmallVector<int64_t> packLifetimes(ArrayRef<Lifetime> buffers, int64_t &total) {
  SmallVector<unsigned> order(llvm::to_vector(llvm::seq<unsigned>(0, buffers.size())));
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return buffers[a].bytes > buffers[b].bytes; });
  SmallVector<int64_t> offsets(buffers.size(), 0);
  SmallVector<unsigned> placed; // by offset
  total = 0;
  for (unsigned index : order) {
    const Lifetime &buffer = buffers[index];
    int64_t bytes = aligned(buffer.bytes), end = 0, best = -1, bestGap = INT64_MAX;
    for (unsigned other : placed) {
      if (!buffers[other].overlaps(buffer))
        continue;
      int64_t gap = offsets[other] - end;
      if (gap >= bytes && gap < bestGap)
        best = end, bestGap = gap;
      end = std::max(end, offsets[other] + aligned(buffers[other].bytes));
    }
    offsets[index] = best >= 0 ? best : end;
    total = std::max(total, offsets[index] + bytes);
    placed.insert(llvm::upper_bound(placed, index, [&](unsigned a, unsigned b) { return offsets[a] < offsets[b]; }),
                  index);
  }
  return offsets;
}

//===-- Outputs ------------------------------------------------------------------===//

/// The same elements in another shape, all of them.
static Value sourceOfReshape(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(op))
    return nullptr;
  return op->getOperand(0);
}

/// Moves the computation of `value` before `anchor`, in the same block, if it is pure.
static bool hoist(Value value, Operation *anchor) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return true; // an argument of this block or of one around it
  if (op->getBlock() != anchor->getBlock())
    return op->getBlock()->findAncestorOpInBlock(*anchor) != nullptr;
  if (op->isBeforeInBlock(anchor))
    return true;
  if (op->getNumRegions() || !isPure(op))
    return false;
  for (Value operand : op->getOperands())
    if (!hoist(operand, anchor))
      return false;
  op->moveBefore(anchor);
  return true;
}

/// The extents of `value`, a reshape of an allocation, from values that can stand before `anchor`.
static FailureOr<SmallVector<OpFoldResult>> extentsBefore(Value value, Operation *anchor, OpBuilder &builder) {
  auto type = cast<MemRefType>(value.getType());
  SmallVector<OpFoldResult> extents;
  if (auto alloc = value.getDefiningOp<memref::AllocOp>())
    extents = alloc.getMixedSizes();
  else if (auto expand = value.getDefiningOp<memref::ExpandShapeOp>())
    extents = expand.getMixedOutputShape();
  else {
    FailureOr<SmallVector<OpFoldResult>> inner = extentsBefore(sourceOfReshape(value), anchor, builder);
    if (failed(inner))
      return failure();
    if (auto collapse = value.getDefiningOp<memref::CollapseShapeOp>()) {
      for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
        Value product;
        for (int64_t axis : group) {
          Value factor = getValueOrCreateConstantIndexOp(builder, value.getLoc(), (*inner)[axis]);
          product = product ? builder.createOrFold<arith::MulIOp>(value.getLoc(), product, factor) : factor;
        }
        if (!product)
          product = arith::ConstantIndexOp::create(builder, value.getLoc(), 1);
        extents.push_back(product);
      }
    } else
      extents = *inner;
  }
  for (auto [extent, fixed] : llvm::zip(extents, type.getShape())) {
    if (!ShapedType::isDynamic(fixed))
      extent = builder.getIndexAttr(fixed);
    else if (auto dynamic = dyn_cast<Value>(extent); dynamic && !hoist(dynamic, anchor))
      return failure();
  }
  return extents;
}

/// Makes the allocation behind a returned buffer the output's memory. False if it can not be.
static bool writeInPlace(Value returned, unsigned index, func::FuncOp graph) {
  Value root = returned;
  while (Value source = sourceOfReshape(root))
    root = source;
  auto alloc = root.getDefiningOp<memref::AllocOp>();
  if (!alloc || alloc->getBlock() != &graph.getBody().front() || !alloc.getType().getLayout().isIdentity())
    return false;
  // As late as possible: by then more of the extents is known.
  Operation *first = nullptr;
  for (Operation *user : alloc->getUsers()) {
    Operation *inBlock = alloc->getBlock()->findAncestorOpInBlock(*user);
    if (!first || inBlock->isBeforeInBlock(first))
      first = inBlock;
  }
  alloc->moveBefore(first);
  OpBuilder builder(alloc);
  FailureOr<SmallVector<OpFoldResult>> extents = extentsBefore(returned, alloc, builder);
  if (failed(extents))
    return false;
  auto output =
      OutputOp::create(builder, returned.getLoc(), alloc.getType(), index,
                       getValueOrCreateConstantIndexOp(builder, returned.getLoc(), *extents), alloc.getDynamicSizes());
  alloc.replaceAllUsesWith(output.getResult());
  alloc.erase();
  return true;
}

static void placeOutputs(func::FuncOp graph) {
  Operation *end = graph.getBody().front().getTerminator();
  SmallVector<Attribute> outputs;
  for (OpOperand &operand : end->getOpOperands()) {
    Value returned = operand.get();
    unsigned index = operand.getOperandNumber();
    NamedAttrList attributes(graph.getResultAttrDict(index));
    attributes.set("mlc.type", TypeAttr::get(returned.getType()));
    outputs.push_back(attributes.getDictionary(graph.getContext()));
    auto type = dyn_cast<MemRefType>(returned.getType());
    if (!type) {
      OpBuilder builder(end);
      Value number = arith::ConstantIntOp::create(builder, end->getLoc(), index, 64);
      ServiceOp::create(builder, end->getLoc(), TypeRange(), "output_sequence", ValueRange{number, returned});
      continue;
    }
    if (writeInPlace(returned, index, graph))
      continue;
    OpBuilder builder(end);
    Location loc = end->getLoc();
    SmallVector<OpFoldResult> mixed = memref::getMixedSizes(builder, loc, returned);
    SmallVector<Value> extents = getValueOrCreateConstantIndexOp(builder, loc, mixed), sizes;
    for (OpFoldResult size : mixed)
      if (auto dynamic = dyn_cast<Value>(size))
        sizes.push_back(dynamic);
    auto target = MemRefType::get(type.getShape(), type.getElementType());
    Value output = OutputOp::create(builder, loc, target, index, extents, sizes);
    memref::CopyOp::create(builder, loc, returned, output);
  }
  end->setOperands({});
  graph->setAttr(outputsAttrName, ArrayAttr::get(graph.getContext(), outputs));
  graph.removeResAttrsAttr();
  graph.setType(FunctionType::get(graph.getContext(), graph.getArgumentTypes(), {}));
}

//===-- Lifetimes ----------------------------------------------------------------===//

namespace {
class Liveness {
public:
  explicit Liveness(func::FuncOp graph) {
    graph.walk<WalkOrder::PreOrder>([&](Operation *op) { begin[op] = count++; });
    graph.walk<WalkOrder::PostOrder>([&](Operation *op) {
      unsigned last = begin[op];
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (!block.empty())
            last = std::max(last, end[&block.back()]);
      end[op] = last;
    });
  }

  /// From the first to the last use; none if the buffer outlives the iteration of a loop that made it.
  std::optional<Lifetime> of(memref::AllocOp alloc) const {
    Lifetime life{0, UINT_MAX, 0};
    SmallVector<Value> aliases = {alloc.getResult()};
    DenseSet<Value> seen = {alloc.getResult()};
    auto follow = [&](Value value) {
      if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
        aliases.push_back(value);
    };
    while (!aliases.empty()) {
      Value alias = aliases.pop_back_val();
      for (OpOperand &use : alias.getUses()) {
        Operation *user = use.getOwner();
        life.first = std::min(life.first, firstOf(user, alloc));
        life.last = std::max(life.last, lastOf(user, alloc));
        if (isa<LoopLikeOpInterface>(user)) { // carried by the loop from its start
          for (Region &region : user->getRegions())
            for (Value argument : region.getArguments())
              follow(argument);
          for (Value result : user->getResults())
            follow(result);
          life.last = std::max(life.last, end.at(user));
        } else if (user->hasTrait<OpTrait::IsTerminator>()) {
          Operation *parent = user->getParentOp();
          if (isa<LoopLikeOpInterface>(parent)) {
            if (parent->isAncestor(alloc))
              return std::nullopt;
            for (Region &region : parent->getRegions())
              for (Value argument : region.getArguments())
                follow(argument);
          }
          for (Value result : parent->getResults())
            follow(result);
          life.last = std::max(life.last, end.at(parent));
        } else {
          for (Value result : user->getResults())
            follow(result); // views, casts, selections
        }
      }
    }
    if (life.first == UINT_MAX)
      life.first = life.last = begin.at(alloc);
    return life;
  }

private:
  /// The outermost loop around `user` that does not hold `alloc`; null if there is none.
  static Operation *loopBetween(Operation *user, Operation *alloc) {
    Operation *loop = nullptr;
    for (Operation *parent = user->getParentOp(); parent && !parent->isAncestor(alloc); parent = parent->getParentOp())
      if (isa<LoopLikeOpInterface>(parent))
        loop = parent;
    return loop;
  }
  unsigned firstOf(Operation *user, Operation *alloc) const {
    Operation *loop = loopBetween(user, alloc);
    return begin.at(loop ? loop : user);
  }
  unsigned lastOf(Operation *user, Operation *alloc) const {
    Operation *loop = loopBetween(user, alloc);
    return loop ? end.at(loop) : begin.at(user);
  }

  DenseMap<Operation *, unsigned> begin, end;
  unsigned count = 0;
};

//===-- Sizes by formula ---------------------------------------------------------===//

/// Arithmetic on the extents of the graph's inputs, as a function of the symbols, with 64-bit overflow caught.
class SizeFormulas {
public:
  SizeFormulas(func::FuncOp graph, const Ports &ports) : graph(graph), ports(ports) {}

  bool isFormula(Value value) {
    if (auto known = formulas.find(value); known != formulas.end())
      return known->second;
    bool result = [&] {
      Operation *op = value.getDefiningOp();
      if (!op || !value.getType().isIntOrIndex())
        return false;
      if (symbolOf(value))
        return true;
      return isa<arith::ArithDialect>(op->getDialect()) && isPure(op) &&
             llvm::all_of(op->getOperands(), [&](Value v) { return isFormula(v); });
    }();
    return formulas[value] = result;
  }

  /// The value for `hint` in place of each symbol: to compare sizes.
  int64_t estimate(Value value, int64_t hint) {
    auto [known, isNew] = estimates.try_emplace(value, hint);
    if (!isNew || symbolOf(value))
      return known->second;
    Operation *op = value.getDefiningOp();
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands())
      operands.push_back(IntegerAttr::get(operand.getType(), estimate(operand, hint)));
    SmallVector<OpFoldResult> folded;
    int64_t result = hint;
    if (succeeded(op->fold(operands, folded)) && folded.size() == 1)
      if (auto attribute = dyn_cast<Attribute>(folded[0]))
        if (auto integer = dyn_cast<IntegerAttr>(attribute))
          result = integer.getValue().getSExtValue();
    return estimates[value] = result;
  }

  /// Writes the computation of `value` into `builder`, over `symbols`.
  Value write(Value value, OpBuilder &builder, ValueRange symbols) {
    if (auto symbol = symbolOf(value))
      return symbols[*symbol];
    if (Value known = written.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      written.map(operand, write(operand, builder, symbols));
    auto arithmetic = [&]<typename Intrinsic>() {
      return checked<Intrinsic>(written.lookup(op->getOperand(0)), written.lookup(op->getOperand(1)), builder,
                                op->getLoc());
    };
    bool is64Bit = value.getType().isIndex() || value.getType().isInteger(64);
    Value result;
    if (is64Bit && isa<arith::AddIOp>(op))
      result = arithmetic.operator()<LLVM::SAddWithOverflowOp>();
    else if (is64Bit && isa<arith::SubIOp>(op))
      result = arithmetic.operator()<LLVM::SSubWithOverflowOp>();
    else if (is64Bit && isa<arith::MulIOp>(op))
      result = arithmetic.operator()<LLVM::SMulWithOverflowOp>();
    else
      result = builder.clone(*op, written)->getResult(0);
    written.map(value, result);
    return result;
  }

  template <typename Intrinsic> Value checked(Value a, Value b, OpBuilder &builder, Location loc) {
    Type type = a.getType(), i64 = builder.getI64Type();
    auto wide = [&](Value v) {
      return v.getType().isIndex() ? arith::IndexCastOp::create(builder, loc, i64, v).getResult() : v;
    };
    Type pair = LLVM::LLVMStructType::getLiteral(builder.getContext(), {i64, builder.getI1Type()});
    Value both = Intrinsic::create(builder, loc, pair, wide(a), wide(b));
    Value result = LLVM::ExtractValueOp::create(builder, loc, both, 0);
    Value flag = LLVM::ExtractValueOp::create(builder, loc, both, 1);
    overflow = overflow ? arith::OrIOp::create(builder, loc, overflow, flag).getResult() : flag;
    return type.isIndex() ? arith::IndexCastOp::create(builder, loc, type, result).getResult() : result;
  }

  Value overflow; ///< i1, of all that was written; null if nothing can overflow

private:
  /// The symbol behind `memref.dim %input, axis`.
  std::optional<unsigned> symbolOf(Value value) {
    auto dim = value.getDefiningOp<memref::DimOp>();
    if (!dim)
      return std::nullopt;
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    std::optional<int64_t> axis = dim.getConstantIndex();
    if (!argument || argument.getOwner() != &graph.getBody().front() || !axis)
      return std::nullopt;
    return ports.inputs[argument.getArgNumber()].dimensions[*axis].symbol;
  }

  func::FuncOp graph;
  const Ports &ports;
  DenseMap<Value, bool> formulas;
  DenseMap<Value, int64_t> estimates;
  IRMapping written;
};

//===-- The plan -----------------------------------------------------------------===//

struct Buffer {
  memref::AllocOp alloc;
  Lifetime life;
};

/// Buffers of sizes by formula that share memory, the largest first.
struct Slot {
  SmallVector<Buffer> buffers;
};

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>(graphFunctionName);
    if (!graph || graph.isExternal())
      return;
    placeOutputs(graph);
    Ports ports = portsOf(graph);
    Liveness liveness(graph);
    SizeFormulas formulas(graph, ports);

    SmallVector<Buffer> fixed, formula;
    SmallVector<memref::AllocOp> others;
    SmallVector<memref::AllocOp> allocs;
    graph.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    for (memref::AllocOp alloc : allocs) {
      std::optional<Lifetime> life = liveness.of(alloc);
      std::optional<int64_t> bytes = fixedBytes(alloc.getType());
      if (alloc.getType().hasStaticShape() && !bytes) {
        alloc.emitError("needs more memory than 64 bits can address: ") << alloc.getType();
        return signalPassFailure();
      }
      if (!life)
        others.push_back(alloc);
      else if (bytes) {
        life->bytes = *bytes;
        fixed.push_back({alloc, *life});
      } else if (llvm::all_of(alloc.getDynamicSizes(), [&](Value v) { return formulas.isFormula(v); })) {
        life->bytes = estimateBytes(alloc, formulas);
        formula.push_back({alloc, *life});
      } else
        others.push_back(alloc);
    }

    int64_t fixedTotal = 0;
    SmallVector<Lifetime> lives = llvm::map_to_vector(fixed, [](const Buffer &buffer) { return buffer.life; });
    SmallVector<int64_t> offsets = packLifetimes(lives, fixedTotal);
    SmallVector<Slot> slots = assignSlots(formula);
    writeExtentsFunction(graph, ports);
    func::FuncOp arena = writeArenaFunction(graph, ports, formulas, fixedTotal, slots);

    OpBuilder builder = OpBuilder::atBlockBegin(&graph.getBody().front());
    Location loc = graph.getLoc();
    Value memory;
    if (!fixed.empty() || !slots.empty())
      memory = ArenaOp::create(builder, loc, MemRefType::get({ShapedType::kDynamic}, builder.getI8Type()));
    SmallVector<std::pair<memref::AllocOp, Value>> places;
    for (auto [buffer, offset] : llvm::zip(fixed, offsets))
      places.emplace_back(buffer.alloc, arith::ConstantIndexOp::create(builder, loc, offset));
    if (!slots.empty()) {
      auto call = func::CallOp::create(builder, loc, arena, symbolValues(graph, ports, builder));
      for (auto [i, slot] : llvm::enumerate(slots))
        for (Buffer &buffer : slot.buffers)
          places.emplace_back(buffer.alloc, call.getResult(1 + i));
    }
    for (auto [alloc, offset] : places)
      replaceByView(alloc, memory, offset);
    for (memref::AllocOp alloc : others) {
      OpBuilder here(alloc);
      alloc.replaceAllUsesWith(
          AllocateOp::create(here, alloc.getLoc(), alloc.getType(), alloc.getDynamicSizes()).getResult());
      alloc.erase();
    }
  }

  static int64_t estimateBytes(memref::AllocOp alloc, SizeFormulas &formulas) {
    double bytes = bytesOfElement(alloc.getType().getElementType());
    for (OpFoldResult size : alloc.getMixedSizes()) {
      auto dynamic = dyn_cast<Value>(size);
      bytes *= dynamic ? formulas.estimate(dynamic, 128) : cast<IntegerAttr>(cast<Attribute>(size)).getInt();
    }
    return std::clamp(bytes, 0.0, 1e18);
  }

  static SmallVector<Slot> assignSlots(SmallVector<Buffer> buffers) {
    llvm::stable_sort(buffers, [](const Buffer &a, const Buffer &b) { return a.life.bytes > b.life.bytes; });
    SmallVector<Slot> slots;
    for (Buffer &buffer : buffers) {
      // Slots come in order of falling size; the last that is free wastes least.
      auto isFree = [&](const Slot &slot) {
        return llvm::none_of(slot.buffers, [&](const Buffer &other) { return other.life.overlaps(buffer.life); });
      };
      auto slot = llvm::find_if(llvm::reverse(slots), isFree);
      if (slot == slots.rend())
        slots.push_back({{buffer}});
      else
        slot->buffers.push_back(buffer);
    }
    return slots;
  }

  static func::FuncOp writeArenaFunction(func::FuncOp graph, const Ports &ports, SizeFormulas &formulas,
                                         int64_t fixedTotal, ArrayRef<Slot> slots) {
    OpBuilder builder(graph);
    Location loc = graph.getLoc();
    SmallVector<Type> symbols(ports.symbols.size(), builder.getIndexType()),
        results(1 + slots.size(), builder.getIndexType());
    auto arena = func::FuncOp::create(builder, loc, arenaFunctionName, builder.getFunctionType(symbols, results));
    arena.setPrivate();
    Block *body = arena.addEntryBlock();
    builder.setInsertionPointToStart(body);
    auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value).getResult(); };
    auto mul = [&](Value a, Value b) { return formulas.checked<LLVM::SMulWithOverflowOp>(a, b, builder, loc); };
    auto add = [&](Value a, Value b) { return formulas.checked<LLVM::SAddWithOverflowOp>(a, b, builder, loc); };
    Value total = constant(fixedTotal);
    SmallVector<Value> offsets;
    for (const Slot &slot : slots) {
      Value largest;
      DenseSet<Value> distinct;
      for (const Buffer &buffer : slot.buffers) {
        memref::AllocOp alloc = buffer.alloc;
        Value bytes = constant(bytesOfElement(alloc.getType().getElementType()));
        for (OpFoldResult size : alloc.getMixedSizes()) {
          auto dynamic = dyn_cast<Value>(size);
          Value factor = dynamic ? formulas.write(dynamic, builder, body->getArguments())
                                 : constant(cast<IntegerAttr>(cast<Attribute>(size)).getInt());
          // A negative extent is caught where it arises; here it must not disturb the others.
          if (dynamic)
            factor = arith::MaxSIOp::create(builder, loc, factor, constant(0));
          bytes = mul(bytes, factor);
        }
        largest = largest ? arith::MaxSIOp::create(builder, loc, largest, bytes).getResult() : bytes;
      }
      offsets.push_back(total);
      Value padded = arith::AndIOp::create(builder, loc, add(largest, constant(alignment - 1)), constant(-alignment));
      total = add(total, padded);
    }
    if (formulas.overflow)
      total = arith::SelectOp::create(builder, loc, formulas.overflow, constant(-1), total);
    offsets.insert(offsets.begin(), total);
    func::ReturnOp::create(builder, loc, offsets);
    return arena;
  }

  /// What the ports do not say of outputs' extents: those that are arithmetic on symbols.
  static void writeExtentsFunction(func::FuncOp graph, const Ports &ports) {
    auto isOpen = [](const Port &port) {
      return llvm::any_of(port.dimensions, [](const Dimension &d) { return !d.fixed && !d.symbol; });
    };
    if (!llvm::any_of(ports.outputs, isOpen))
      return;
    SizeFormulas formulas(graph, ports);
    SmallVector<SmallVector<Value>> extents(ports.outputs.size());
    graph.walk([&](OutputOp output) { extents[output.getIndex()] = llvm::to_vector(output.getExtents()); });
    OpBuilder builder(graph);
    Location loc = graph.getLoc();
    size_t count = 0;
    for (const Port &port : ports.outputs)
      count += port.dimensions.size();
    SmallVector<Type> symbols(ports.symbols.size(), builder.getIndexType()), types(count, builder.getIndexType());
    auto function =
        func::FuncOp::create(builder, loc, outputExtentsFunctionName, builder.getFunctionType(symbols, types));
    function.setPrivate();
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    SmallVector<Value> results;
    for (ArrayRef<Value> output : extents)
      for (Value extent : output)
        results.push_back(
            formulas.isFormula(extent)
                ? formulas.write(extent, builder, body->getArguments())
                : arith::ConstantIndexOp::create(builder, loc, std::numeric_limits<int64_t>::min()).getResult());
    func::ReturnOp::create(builder, loc, results);
  }

  /// The value of each symbol, from the first input dimension that has it.
  static SmallVector<Value> symbolValues(func::FuncOp graph, const Ports &ports, OpBuilder &builder) {
    SmallVector<Value> values(ports.symbols.size());
    for (auto [input, argument] : llvm::zip(ports.inputs, graph.getArguments()))
      for (auto [axis, dimension] : llvm::enumerate(input.dimensions))
        if (dimension.symbol && !values[*dimension.symbol])
          values[*dimension.symbol] = memref::DimOp::create(builder, graph.getLoc(), argument, axis);
    return values;
  }

  static void replaceByView(memref::AllocOp alloc, Value memory, Value offset) {
    OpBuilder builder(alloc);
    alloc.replaceAllUsesWith(
        memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(), memory, offset, alloc.getDynamicSizes())
            .getResult());
    alloc.erase();
  }
};

} // namespace
} // namespace mlc

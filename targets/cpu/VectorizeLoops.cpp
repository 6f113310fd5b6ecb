// Writes structured operations on buffers as loops whose innermost is over vectors.
//
//   linalg.generic ins(%x : memref<?x20xf32>) outs(%y : memref<?x20xf32>) { exp }
//   =>
//   scf.for %i = 0 to %n {
//     %v = vector.load %x[%i, 0] : vector<16xf32>;  %e = math.exp %v;  vector.store %e, %y[%i, 0]
//     %t = vector.maskedload %x[%i, 16], [1, 1, 1, 1, 0, ...];  ...
//   }
//
// LLVM's own vectorizer would do much of this, but not dependably: it looks for proofs that are obvious here, keeps a
// scalar loop for each remainder, and does not reorder loops. What is decided here, for each operation:
//   - dimensions that lie contiguously in all operands become one;
//   - one loop becomes that of vectors: the one along which most operands are contiguous, so that reductions over the
//     rows of a matrix run along its columns; operands that are strided along it are gathered, or picked out of all that
//     lies between where the stride is short, and those that do not move are broadcast;
//   - accumulators stay in registers while reduction loops run: along a parallel vector loop several vectors side by
//     side, along a reduction several partial sums, which are added up at the end. That is the one place where the
//     order of additions changes;
//   - an operand that is contiguous along another loop is loaded along that one, in squares that are transposed in
//     registers;
//   - where a short loop's results lie side by side in the output, vectors along a longer one are interleaved in
//     registers, as where terms are packed in groups of four;
//   - what remains of a loop after whole vectors is one masked step.
// An operation whose body has no vector form becomes plain loops.
#include "cpu/LaneAccess.h"
#include "cpu/LoopAccess.h"
#include "cpu/Passes.h"
#include "cpu/VectorLoop.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace mlc::cpu {
#define GEN_PASS_DEF_VECTORIZELOOPS
#include "cpu/Passes.h.inc"

namespace {

class LoopNest : LaneAccess {
public:
  LoopNest(linalg::LinalgOp op, unsigned vectorBytes) : LoopNest(op, vectorBytes, chooseVectorLoop(op, vectorBytes)) {}

  void write() {
    SmallVector<unsigned> parallel, reduction;
    for (unsigned loop = 0; loop < iterators.size(); ++loop) {
      if (vectorLoop == (int)loop)
        continue;
      (isParallel(loop) ? parallel : reduction).push_back(loop);
    }
    bool reduces =
        llvm::any_of(iterators, [](utils::IteratorType type) { return type == utils::IteratorType::reduction; });
    for (int inner : {transposeLoop, interleaveLoop})
      if (inner >= 0)
        llvm::erase(parallel, (unsigned)inner);
    writeLoops(parallel, {}, [&](ValueRange) -> SmallVector<Value> {
      if (vectorLoop < 0) {
        if (reduces)
          accumulate(reduction, {Step()}, {zero()});
        else
          compute(Step(), zero());
      } else if (!isParallel(vectorLoop))
        accumulateAlong(reduction);
      else if (reduces)
        accumulateAcross(reduction);
      else if (transposeLoop >= 0)
        transposeTiles(transposeLoop);
      else if (interleaveLoop >= 0)
        interleaveSteps(interleaveLoop);
      else
        computeSteps(zero());
      return {};
    });
  }

private:
  LoopNest(linalg::LinalgOp op, unsigned vectorBytes, const VectorLoop &choice)
      : LaneAccess(op, vectorBytes, choice.loop), fixed(op.getStaticLoopRanges()),
        iterators(op.getIteratorTypesArray()), fullStepLanes(choice.lanes), transposeLoop(choice.transposed),
        interleaveLoop(choice.interleaved) {
    for (Range range : op.createLoopRanges(b, op.getLoc()))
      extents.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  }

  bool isParallel(unsigned loop) const { return iterators[loop] == utils::IteratorType::parallel; }

  //===-- Loops ------------------------------------------------------------------===//

  using Body = llvm::function_ref<SmallVector<Value>(ValueRange)>;

  /// Nested loops over `loops`, from the outermost; `body` gets what the iterations carry and returns what is carried
  /// on.
  SmallVector<Value> writeLoops(ArrayRef<unsigned> loops, ValueRange carried, Body body) {
    if (loops.empty())
      return body(carried);
    unsigned loop = loops.front();
    if (fixed[loop] == 1) {
      positions[loop] = zero();
      return writeLoops(loops.drop_front(), carried, body);
    }
    auto forOp = scf::ForOp::create(b, zero(), extents[loop], index(1), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    positions[loop] = forOp.getInductionVar();
    SmallVector<Value> results = writeLoops(loops.drop_front(), forOp.getRegionIterArgs(), body);
    if (forOp.getBody()->empty() || !forOp.getBody()->back().hasTrait<OpTrait::IsTerminator>()) {
      b.setInsertionPointToEnd(forOp.getBody());
      scf::YieldOp::create(b, results);
    }
    return SmallVector<Value>(forOp.getResults());
  }

  Step vectorStep() { return {fullStepLanes, true, {}, {}}; }
  /// Of `count` elements, fewer than all lanes.
  Step lastStep(Value count) { return {fullStepLanes, true, maskBelow(count, fullStepLanes), count}; }

  /// Steps along a parallel vector loop: `side` vectors at once as long as there are so many, then one at a time, then
  /// what remains.
  void writeSteps(int64_t side, Value from, llvm::function_ref<void(ArrayRef<Step>, ArrayRef<Value>)> body) {
    int64_t lanes = fullStepLanes;
    Value extent = extents[vectorLoop], done = from;
    int64_t known = fixed[vectorLoop];
    bool isKnown = !ShapedType::isDynamic(known);
    auto steps = [&](int64_t count, Value from, Value to) {
      auto one = [&](Value position) {
        SmallVector<Value> places;
        for (int64_t i = 0; i < count; ++i)
          places.push_back(i ? b.createOrFold<arith::AddIOp>(position, index(i * lanes)) : position);
        body(SmallVector<Step>(count, vectorStep()), places);
      };
      if (getConstantIntValue(from) && getConstantIntValue(to) &&
          *getConstantIntValue(to) - *getConstantIntValue(from) == count * lanes)
        return one(from);
      auto loop = scf::ForOp::create(b, from, to, index(count * lanes));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      one(loop.getInductionVar());
    };
    auto wholeBelow = [&](int64_t size) -> Value {
      if (isKnown)
        return index(known / size * size);
      return arith::SubIOp::create(b, extent, arith::RemUIOp::create(b, extent, index(size)));
    };
    if (side > 1 && (!isKnown || known >= side * lanes)) {
      Value end = wholeBelow(side * lanes);
      steps(side, done, end);
      done = end;
    }
    Value end = wholeBelow(lanes);
    if (!isKnown || getConstantIntValue(done) != getConstantIntValue(end))
      steps(1, done, end);
    if (isKnown && known % lanes == 0)
      return;
    Value rest = b.createOrFold<arith::SubIOp>(extent, end);
    auto last = [&] { body(lastStep(rest), end); };
    if (isKnown)
      return last();
    Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rest, zero());
    auto ifOp = scf::IfOp::create(b, any, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    last();
  }

  void computeSteps(Value from) {
    writeSteps(1, from, [&](ArrayRef<Step> steps, ArrayRef<Value> places) { compute(steps.front(), places.front()); });
  }

  /// `value` rounded down to whole vectors.
  Value wholeVectors(unsigned loop) {
    if (!ShapedType::isDynamic(fixed[loop]))
      return index(fixed[loop] / fullStepLanes * fullStepLanes);
    return arith::SubIOp::create(b, extents[loop], arith::RemUIOp::create(b, extents[loop], index(fullStepLanes)));
  }

  void forEach(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body) {
    auto forOp = scf::ForOp::create(b, from, to, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    body(forOp.getInductionVar());
  }

  /// Square tiles of the vector loop and of `loop`: what is strided is loaded along `loop` and transposed. Edges are
  /// done in the usual way.
  void transposeTiles(unsigned loop) {
    int64_t lanes = fullStepLanes;
    Value loopEnd = wholeVectors(loop), vectorEnd = wholeVectors(vectorLoop);
    forEach(zero(), loopEnd, lanes, [&](Value row) {
      forEach(zero(), vectorEnd, lanes, [&](Value column) {
        llvm::MapVector<OpOperand *, SmallVector<Value>> tiles;
        for (OpOperand *input : op.getDpsInputOperands()) {
          auto type = dyn_cast<MemRefType>(input->get().getType());
          AffineMap map = op.getMatchingIndexingMap(input);
          if (!type || movementAlong(map, type, vectorLoop) != Movement::Strided)
            continue;
          SmallVector<Value> rows;
          positions[loop] = row;
          for (int64_t i = 0; i < lanes; ++i) {
            moveTo(i ? b.createOrFold<arith::AddIOp>(column, index(i)) : column);
            Place place = placeOf(input->get(), indicesOf(map));
            rows.push_back(vector::LoadOp::create(b, VectorType::get({lanes}, type.getElementType()), place.memory,
                                                  place.indices));
          }
          tiles[input] = transpose(rows);
        }
        for (int64_t i = 0; i < lanes; ++i) {
          positions[loop] = i ? b.createOrFold<arith::AddIOp>(row, index(i)) : row;
          for (auto &[input, columns] : tiles)
            loaded[input] = columns[i];
          compute(vectorStep(), column);
        }
        loaded.clear();
      });
    });
    forEach(zero(), loopEnd, 1, [&](Value position) {
      positions[loop] = position;
      computeSteps(vectorEnd);
    });
    forEach(loopEnd, extents[loop], 1, [&](Value position) {
      positions[loop] = position;
      computeSteps(zero());
    });
  }

  /// Rows of a square -> its columns, by interleaving halves, log2(rows) times.
  SmallVector<Value> transpose(SmallVector<Value> rows) {
    int64_t size = rows.size();
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < size / 2; ++i) {
      low.append({i, i + size});
      high.append({i + size / 2, i + size + size / 2});
    }
    for (int64_t round = 1; round < size; round *= 2) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < size / 2; ++i) {
        next.push_back(vector::ShuffleOp::create(b, rows[i], rows[i + size / 2], low));
        next.push_back(vector::ShuffleOp::create(b, rows[i], rows[i + size / 2], high));
      }
      rows = next;
    }
    return rows;
  }

  /// The results at all positions of `loop`, which lie side by side in the output.
  void interleaveSteps(unsigned loop) {
    OpOperand &output = *op.getDpsInitOperand(0);
    forEach(zero(), extents[vectorLoop], fullStepLanes, [&](Value place) {
      moveTo(place);
      SmallVector<Value> parts;
      for (int64_t i = 0; i < fixed[loop]; ++i) {
        positions[loop] = index(i);
        parts.push_back(evaluate(vectorStep(), Value()).front());
      }
      positions[loop] = zero();
      Place first = placeOf(output.get(), indicesOf(op.getMatchingIndexingMap(&output)));
      vector::StoreOp::create(b, interleave(parts), first.memory, first.indices);
    });
  }

  /// The first elements of all vectors, a power of two of them, then the second ones, and so on.
  Value interleave(ArrayRef<Value> vectors) {
    if (vectors.size() == 1)
      return vectors.front();
    SmallVector<Value> even, odd;
    for (auto [i, vector] : llvm::enumerate(vectors))
      (i % 2 ? odd : even).push_back(vector);
    return vector::InterleaveOp::create(b, interleave(even), interleave(odd));
  }

  //===-- Reductions -------------------------------------------------------------===//

  /// Reductions along other loops, for vectors side by side.
  void accumulateAcross(ArrayRef<unsigned> reduction) {
    int64_t side = op.getBlock()->getOperations().size() > 12 ? 1 : 4;
    if (int64_t known = fixed[vectorLoop]; !ShapedType::isDynamic(known))
      side = std::clamp<int64_t>(known / fullStepLanes, 1, side);
    writeSteps(side, zero(),
               [&](ArrayRef<Step> steps, ArrayRef<Value> places) { accumulate(reduction, steps, places); });
  }

  void accumulate(ArrayRef<unsigned> reduction, ArrayRef<Step> steps, ArrayRef<Value> places) {
    unsigned outputs = op.getNumDpsInits();
    SmallVector<Value> carried;
    for (auto [step, place] : llvm::zip(steps, places)) {
      moveTo(place);
      for (unsigned i = 0; i < outputs; ++i)
        carried.push_back(load(*op.getDpsInitOperand(i), step));
    }
    SmallVector<Value> results = writeLoops(reduction, carried, [&](ValueRange accumulators) {
      SmallVector<Value> next;
      for (auto [i, step] : llvm::enumerate(steps)) {
        moveTo(places[i]);
        llvm::append_range(next, evaluate(step, accumulators.slice(i * outputs, outputs)));
      }
      return next;
    });
    for (auto [s, step] : llvm::enumerate(steps)) {
      moveTo(places[s]);
      for (unsigned i = 0; i < outputs; ++i)
        store(*op.getDpsInitOperand(i), results[s * outputs + i], step);
    }
  }

  /// A reduction along the vector loop: partial results in each lane of several vectors, combined at the end.
  void accumulateAlong(ArrayRef<unsigned> reduction) {
    int64_t lanes = fullStepLanes, known = fixed[vectorLoop], side = 4;
    bool isKnown = !ShapedType::isDynamic(known);
    if (isKnown)
      side = std::clamp<int64_t>(known / lanes, 1, side);
    unsigned outputs = op.getNumDpsInits();
    SmallVector<Operation *> combiners;
    SmallVector<Value> carried;
    for (unsigned i = 0; i < outputs; ++i)
      combiners.push_back(combinerOf(op, i));
    for (int64_t s = 0; s < side; ++s)
      for (Operation *combiner : combiners) {
        TypedAttr neutral = *arith::getNeutralElement(combiner);
        carried.push_back(broadcast(arith::ConstantOp::create(b, neutral), lanes));
      }
    auto wholeBelow = [&](int64_t size) -> Value {
      if (isKnown)
        return index(known / size * size);
      return arith::SubIOp::create(b, extents[vectorLoop], arith::RemUIOp::create(b, extents[vectorLoop], index(size)));
    };
    Value manyEnd = wholeBelow(side * lanes), end = wholeBelow(lanes);
    SmallVector<Value> results = writeLoops(reduction, carried, [&](ValueRange outer) {
      SmallVector<Value> current(outer);
      auto loop = [&](Value from, Value to, int64_t count) {
        if (auto f = getConstantIntValue(from), t = getConstantIntValue(to); f && t && *f == *t)
          return;
        SmallVector<Value> part(current.begin(), current.begin() + count * outputs);
        auto forOp = scf::ForOp::create(b, from, to, index(count * lanes), part);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(forOp.getBody());
        SmallVector<Value> next;
        for (int64_t s = 0; s < count; ++s) {
          moveTo(s ? b.createOrFold<arith::AddIOp>(forOp.getInductionVar(), index(s * lanes))
                   : forOp.getInductionVar());
          llvm::append_range(next, evaluate(vectorStep(), forOp.getRegionIterArgs().slice(s * outputs, outputs)));
        }
        scf::YieldOp::create(b, next);
        llvm::copy(forOp.getResults(), current.begin());
      };
      loop(zero(), manyEnd, side);
      if (side > 1)
        loop(manyEnd, end, 1);
      if (!isKnown || known % lanes != 0) {
        // Lanes without an element keep what they had.
        Step step = lastStep(b.createOrFold<arith::SubIOp>(extents[vectorLoop], end));
        moveTo(end);
        SmallVector<Value> last = evaluate(step, ValueRange(current).take_front(outputs));
        for (unsigned i = 0; i < outputs; ++i)
          current[i] = arith::SelectOp::create(b, step.mask, last[i], current[i]);
      }
      return current;
    });
    moveTo(zero());
    for (unsigned i = 0; i < outputs; ++i) {
      SmallVector<Value> parts;
      for (int64_t s = 0; s < side; ++s)
        parts.push_back(results[s * outputs + i]);
      while (parts.size() > 1) {
        SmallVector<Value> halves;
        for (size_t p = 0; p + 1 < parts.size(); p += 2)
          halves.push_back(combine(combiners[i], parts[p], parts[p + 1]));
        if (parts.size() % 2)
          halves.push_back(parts.back());
        parts = halves;
      }
      // Only this addition may be done in any order.
      Value total = parts.front();
      vector::CombiningKind kind = *linalg::getCombinerOpKind(combiners[i]);
      auto flags = isa<FloatType>(getElementTypeOrSelf(total.getType())) ? arith::FastMathFlags::reassoc
                                                                         : arith::FastMathFlags::none;
      Value scalar = vector::ReductionOp::create(b, kind, total, flags);
      OpOperand &output = *op.getDpsInitOperand(i);
      store(output, combine(combiners[i], load(output, Step()), scalar), Step());
    }
  }

  Value combine(Operation *combiner, Value x, Value y) {
    OperationState state(b.getLoc(), combiner->getName(), {x, y}, {x.getType()}, combiner->getAttrs());
    return b.create(state)->getResult(0);
  }

  //===-- One step ---------------------------------------------------------------===//

  /// All of an operation that does not reduce.
  void compute(Step step, Value place) {
    moveTo(place);
    SmallVector<Value> outputs;
    for (unsigned i = 0; i < op.getNumDpsInits(); ++i) {
      OpOperand &output = *op.getDpsInitOperand(i);
      outputs.push_back(op.payloadUsesValueFromOperand(&output) ? load(output, step) : Value());
    }
    for (auto [i, value] : llvm::enumerate(evaluate(step, outputs)))
      store(*op.getDpsInitOperand(i), value, step);
  }

  /// The body at the present position, with `outputs` for what the outputs hold. What is the same in all lanes is computed
  /// once, as a scalar.
  SmallVector<Value> evaluate(Step step, ValueRange outputs) {
    IRMapping values;
    Block *body = op.getBlock();
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      if (argument.use_empty())
        continue;
      if (Value known = loaded.lookup(input))
        values.map(argument, known);
      else
        values.map(argument, isa<MemRefType>(input->get().getType()) ? read(*input, step) : input->get());
    }
    for (auto [argument, value] : llvm::zip(op.getRegionOutputArgs(), outputs))
      if (value)
        values.map(argument, value);
    for (Operation &inner : body->without_terminator()) {
      if (auto indexOp = dyn_cast<linalg::IndexOp>(inner))
        values.map(indexOp.getResult(), indexAt(indexOp.getDim(), step));
      else if (!step.isVector)
        b.clone(inner, values);
      else if (auto read = dyn_cast<memref::LoadOp>(inner))
        values.map(read.getResult(), gather(read, values, step));
      else {
        SmallVector<Value> operands;
        for (Value operand : inner.getOperands())
          operands.push_back(values.lookupOrDefault(operand));
        if (llvm::none_of(operands, isVector)) {
          b.clone(inner, values);
          continue;
        }
        for (Value &operand : operands)
          operand = broadcast(operand, step);
        SmallVector<Type> types;
        for (Type type : inner.getResultTypes())
          types.push_back(VectorType::get({step.lanes}, type));
        OperationState state(b.getLoc(), inner.getName(), operands, types, inner.getAttrs());
        values.map(inner.getResults(), b.create(state)->getResults());
      }
    }
    SmallVector<Value> results;
    for (Value result : body->getTerminator()->getOperands())
      results.push_back(broadcast(values.lookupOrDefault(result), step));
    return results;
  }

  SmallVector<int64_t> fixed; ///< extents of the loops, as far as they are known
  SmallVector<Value> extents;
  SmallVector<utils::IteratorType> iterators;
  int64_t fullStepLanes;
  int transposeLoop, interleaveLoop;   ///< see VectorLoop
  DenseMap<OpOperand *, Value> loaded; ///< inputs that are in registers already, at the present position
};

//===-- The pass -----------------------------------------------------------------===//

struct VectorizeLoops : impl::VectorizeLoopsBase<VectorizeLoops> {
  using VectorizeLoopsBase::VectorizeLoopsBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](memref::CopyOp copy) {
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
    });
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op.emitOpError("expects buffers here");
        return signalPassFailure();
      }
      linalg::LinalgOp collapsed = collapseLoops(op, rewriter);
      LoopNest(collapsed, vectorBytes).write();
      rewriter.eraseOp(collapsed);
    }
  }
};

} // namespace
} // namespace mlc::cpu

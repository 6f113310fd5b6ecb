// NonMaxSuppression: of boxes that overlap, only the one with the best score stays.
//
//   %selected = onnx.NonMaxSuppression(%boxes, %scores, %most, %iou, %score)
//   =>
//   corners and areas of all boxes, as linalg.generic
//   for each batch and class:
//     candidates = the boxes with scores above %score, sorted by a heap
//     while there are candidates, and fewer than %most are selected:
//       overlaps = linalg.generic: is this candidate's intersection over union with any selected box above %iou?
//       unless it overlaps, the candidate is selected
//   the rows that are filled of a table with room for all
//
// The test of one candidate against all selected boxes, where the time goes, is one reduction over contiguous
// coordinates.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Heap.h"
#include "onnx/ops/Indices.h"
#include <array>

using namespace mlir;

namespace mlc::onnx {

static FailureOr<Extents> shapeOfSuppression(NonMaxSuppressionOp op, Known &known) {
  for (auto [name, value] : {std::pair("boxes", op.getBoxes()), {"scores", op.getScores()}})
    if (known.rank(value) != 3)
      return op.emitOpError("expects ") << name << " of rank 3, got " << value.getType();
  ArrayRef<Extent> boxes = known.extents(op.getBoxes()), scores = known.extents(op.getScores());
  ExtentMath &math = known.math;
  if (!math.mayBeEqual(boxes[2], math.constant(4)))
    return op.emitOpError("expects boxes of 4 coordinates, got ") << op.getBoxes().getType();
  if (!math.mayBeEqual(boxes[0], scores[0]) || !math.mayBeEqual(boxes[1], scores[2]))
    return op.emitOpError("expects scores of as many batches and boxes as boxes has, got ")
           << op.getScores().getType() << " for " << op.getBoxes().getType();
  if (op.getCenterPointBox() != 0 && op.getCenterPointBox() != 1)
    return op.emitOpError("expects center_point_box 0 or 1, got ") << op.getCenterPointBox();
  for (auto [name, value] : {std::pair("max_output_boxes_per_class", op.getMaxOutputBoxesPerClass()),
                             {"iou_threshold", op.getIouThreshold()},
                             {"score_threshold", op.getScoreThreshold()}})
    if (value && !math.mayBeEqual(math.product(known.extents(value)), math.constant(1)))
      return op.emitOpError("expects one ") << name << ", got " << value.getType();
  return Extents{nullptr, math.constant(3)};
}

namespace {
/// Of a box, or of all boxes: the smaller and the larger coordinate along either axis, and the area.
using Box = std::array<Value, 5>;
enum { Low0, Low1, High0, High1, Area, Parts };
} // namespace

/// Tensors of extents batches x boxes.
static Box cornersOf(NonMaxSuppressionOp op, Lowering &l) {
  Type f32 = l.b.getF32Type();
  SmallVector<OpFoldResult> extents = l.extents(op.getBoxes()), sizes = extents, steps(3, l.b.getIndexAttr(1));
  extents.pop_back();
  sizes.back() = l.b.getIndexAttr(1);
  auto coordinate = [&](int64_t i) {
    SmallVector<OpFoldResult> offsets = {l.b.getIndexAttr(0), l.b.getIndexAttr(0), l.b.getIndexAttr(i)};
    return l.reshape(l.slice(l(op.getBoxes()), offsets, sizes, steps), extents);
  };
  auto of = [&](ArrayRef<Value> operands, llvm::function_ref<Real(ArrayRef<Real>)> body) {
    return l.elementwise(extents, f32, operands, SmallVector<Type>(operands.size(), f32),
                         [&](Scalars &s, ValueRange args) -> Value {
                           return body(llvm::map_to_vector(args, [&](Value arg) { return Real(s, arg); }));
                         });
  };
  bool isCentered = op.getCenterPointBox();
  Box result;
  for (int64_t axis = 0; axis < 2; ++axis) {
    Value first = coordinate(axis), second = coordinate(axis + 2);
    result[Low0 + axis] =
        of({first, second}, [&](ArrayRef<Real> x) { return isCentered ? x[0] - x[1] / 2 : min(x[0], x[1]); });
    result[High0 + axis] =
        of({first, second}, [&](ArrayRef<Real> x) { return isCentered ? x[0] + x[1] / 2 : max(x[0], x[1]); });
  }
  result[Area] = of(ArrayRef(result).take_front(Area),
                    [](ArrayRef<Real> x) { return (x[High0] - x[Low0]) * (x[High1] - x[Low1]); });
  return result;
}

/// Whether a box overlaps by more than `threshold` with any of the first `count` of `selected`, a tensor of `Parts`
/// rows. Boxes without area overlap with none.
static Truth overlapsAny(Lowering &l, const Box &box, Value selected, Index count, Value threshold) {
  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  Value boxes = l.slice(selected, {zero, zero}, {l.b.getIndexAttr(Parts), OpFoldResult(count)}, {one, one});
  SmallVector<Value> rows(Parts, boxes);
  SmallVector<AffineMap> maps;
  for (int64_t part = 0; part < Parts; ++part)
    maps.push_back(AffineMap::get(1, 0, {l.b.getAffineConstantExpr(part), l.b.getAffineDimExpr(0)}, l.b.getContext()));
  maps.push_back(AffineMap::get(1, 0, l.b.getContext()));
  Type i32 = l.b.getI32Type();
  Value found = l.generic(l.filled({}, l.scalar(0, i32)), rows, maps, utils::IteratorType::reduction,
                          [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                            Scalars s{b, loc, b.getF32Type()};
                            auto mine = [&](int part) { return Real(s, box[part]); };
                            auto other = [&](int part) { return Real(s, args[part]); };
                            Real side0 = min(mine(High0), other(High0)) - max(mine(Low0), other(Low0));
                            Real side1 = min(mine(High1), other(High1)) - max(mine(Low1), other(Low1));
                            Real common = side0 * side1, whole = mine(Area) + other(Area) - common;
                            Value overlaps = common / whole > Real(s, threshold);
                            for (Real positive : {side0, side1, common, whole, mine(Area), other(Area)})
                              overlaps = s.make<arith::AndIOp>(overlaps, positive > 0);
                            return s.make<arith::MaxUIOp>(args[Parts], s.make<arith::ExtUIOp>(i32, overlaps));
                          });
  return {l, arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::ne,
                                   tensor::ExtractOp::create(l.b, l.loc(), found, ValueRange{}), l.scalar(0, i32))
                 .getResult()};
}

namespace {
/// What the loops over classes fill: `selected` has a row of batch, class and box for each box that stays, `count` says
/// how many. The others are memory that every class uses anew.
struct Carried {
  Value selected, count, candidates, boxes;

  static Carried of(ValueRange values) { return {values[0], values[1], values[2], values[3]}; }
  SmallVector<Value> values() const { return {selected, count, candidates, boxes}; }
};

class Suppression {
public:
  Suppression(NonMaxSuppressionOp op, Lowering &l)
      : op(op), l(l), f32(l.b.getF32Type()), scores(l(op.getScores())), corners(cornersOf(op, l)),
        boxes(l, l.known.extents(op.getBoxes())[1]),
        most(op.getMaxOutputBoxesPerClass() ? max(Index(l, l.elementAsIndex(op.getMaxOutputBoxesPerClass(), 0)), 0)
                                            : Index(l, int64_t(0))),
        threshold(op.getIouThreshold() ? l.onlyElement(op.getIouThreshold()) : l.scalar(0, f32)) {}

  Value run() {
    Extents extents(l.known.extents(op.getScores()));
    Index batches(l, extents[0]), classes(l, extents[1]), room = min(most, boxes);
    Type i64 = l.b.getI64Type();
    Carried begin{l.empty({OpFoldResult(batches * classes * room), l.b.getIndexAttr(3)}, i64), l.index(int64_t(0)),
                  l.empty(OpFoldResult(boxes), i64), l.empty({l.b.getIndexAttr(Parts), OpFoldResult(room)}, f32)};
    OpFoldResult all[] = {batches, classes};
    Carried end = Carried::of(loopNest(l, all, begin.values(), [&](ValueRange at, ValueRange values) {
      return selectFrom(Index(l, at[0]), Index(l, at[1]), Carried::of(values)).values();
    }));
    OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
    return l.slice(end.selected, {zero, zero}, {getAsOpFoldResult(end.count), l.b.getIndexAttr(3)}, {one, one});
  }

private:
  NonMaxSuppressionOp op;
  Lowering &l;
  Type f32;
  Value scores;
  Box corners;
  Index boxes, most;
  Value threshold;

  Index read(Value list, Index at) {
    Value stored = tensor::ExtractOp::create(l.b, l.loc(), list, Value(at));
    return {l, arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), stored).getResult()};
  }
  Value write(Value table, ValueRange at, Index number) {
    Value stored = arith::IndexCastOp::create(l.b, l.loc(), l.b.getI64Type(), number);
    return tensor::InsertOp::create(l.b, l.loc(), stored, table, at);
  }

  Carried selectFrom(Index batch, Index category, Carried carried) {
    Index count = findCandidates(batch, category, carried);
    auto place = [](Value position) { return SmallVector<Value>{position}; };
    auto before = [&](Index a, Index b) {
      Scalars s{l.b, l.loc(), f32};
      Value x = scoreOf(batch, category, a), y = scoreOf(batch, category, b);
      return Truth(l, isLess(s, y, x)) || (!Truth(l, isLess(s, x, y)) && a < b);
    };
    carried.candidates = Heap(l, place, before).sort(carried.candidates, count);
    return suppress(batch, category, count, carried);
  }

  Value scoreOf(Index batch, Index category, Index box) {
    return tensor::ExtractOp::create(l.b, l.loc(), scores, ValueRange{batch, category, box});
  }

  /// Lists the boxes with scores above the threshold; gives how many they are.
  Index findCandidates(Index batch, Index category, Carried &carried) {
    Value least = op.getScoreThreshold() ? l.onlyElement(op.getScoreThreshold()) : Value();
    SmallVector<Value> found = loopNest(l, OpFoldResult(boxes), {carried.candidates, l.index(int64_t(0))},
                                        [&](ValueRange at, ValueRange values) -> SmallVector<Value> {
                                          Index box(l, at[0]), count(l, values[1]), next = count + 1;
                                          if (least) {
                                            Scalars s{l.b, l.loc(), f32};
                                            Real score(s, scoreOf(batch, category, box));
                                            next = select(Truth(l, score > Real(s, least)), next, count);
                                          }
                                          // What is no candidate is overwritten by the next.
                                          return {write(values[0], Value(count), box), next};
                                        });
    carried.candidates = found[0];
    return {l, found[1]};
  }

  Carried suppress(Index batch, Index category, Index candidates, Carried carried) {
    OpBuilder &b = l.b;
    Type index = b.getIndexType();
    // Carried: the candidate, how many of this class are selected, and of all; the tables.
    SmallVector<Value> start = {l.index(int64_t(0)), l.index(int64_t(0)), carried.count, carried.selected,
                                carried.boxes};
    SmallVector<Type> types = {index, index, index, carried.selected.getType(), carried.boxes.getType()};
    SmallVector<Location> locations(types.size(), l.loc());
    auto loop = scf::WhileOp::create(b, l.loc(), types, start);
    OpBuilder::InsertionGuard guard(b);
    Block *head = b.createBlock(&loop.getBefore(), {}, types, locations);
    Truth goesOn = Index(l, Value(head->getArgument(0))) < candidates && Index(l, Value(head->getArgument(1))) < most;
    scf::ConditionOp::create(b, l.loc(), goesOn, head->getArguments());

    Block *body = b.createBlock(&loop.getAfter(), {}, types, locations);
    Index candidate(l, Value(body->getArgument(0))), own(l, Value(body->getArgument(1))),
        all(l, Value(body->getArgument(2)));
    Value selected = body->getArgument(3), kept = body->getArgument(4);
    Index box = read(carried.candidates, candidate);
    Box parts;
    for (int64_t part = 0; part < Parts; ++part)
      parts[part] = tensor::ExtractOp::create(b, l.loc(), corners[part], ValueRange{batch, box});
    Truth overlaps = overlapsAny(l, parts, kept, own, threshold);
    auto choice = scf::IfOp::create(
        b, l.loc(), overlaps,
        [&](OpBuilder &, Location loc) { scf::YieldOp::create(b, loc, ValueRange{own, all, selected, kept}); },
        [&](OpBuilder &, Location loc) {
          Value rows = selected, coordinates = kept;
          const Index row[] = {batch, category, box};
          for (auto [column, number] : llvm::enumerate(row))
            rows = write(rows, ValueRange{all, l.index(column)}, number);
          for (int64_t part = 0; part < Parts; ++part)
            coordinates = tensor::InsertOp::create(b, loc, parts[part], coordinates, ValueRange{l.index(part), own});
          scf::YieldOp::create(b, loc, ValueRange{own + 1, all + 1, rows, coordinates});
        });
    SmallVector<Value> next = {candidate + 1};
    llvm::append_range(next, choice.getResults());
    scf::YieldOp::create(b, l.loc(), next);
    carried.count = loop.getResult(2);
    carried.selected = loop.getResult(3);
    carried.boxes = loop.getResult(4);
    return carried;
  }
};
} // namespace

static FailureOr<Value> lowerSuppression(NonMaxSuppressionOp op, Lowering &l) {
  ArrayRef<Extent> boxes = l.known.extents(op.getBoxes()), scores = l.known.extents(op.getScores());
  l.expectExtent(boxes[2], l.known.math.constant(4), "coordinates of boxes");
  l.expectExtent(scores[0], boxes[0], "batches of scores");
  l.expectExtent(scores[2], boxes[1], "boxes of scores");
  for (Value number : {op.getMaxOutputBoxesPerClass(), op.getIouThreshold(), op.getScoreThreshold()})
    if (number && l.rank(number) > 0)
      l.expectExtent(l.known.math.product(l.known.extents(number)), l.known.math.constant(1), "limits");
  if (op.getIouThreshold()) {
    Scalars s{l.b, l.loc(), l.b.getF32Type()};
    Real threshold(s, l.onlyElement(op.getIouThreshold()));
    l.check(Truth(l, threshold.same(0) <= threshold) && Truth(l, threshold <= threshold.same(1)),
            "expects iou_threshold in [0, 1]", {});
  }
  return Suppression(op, l).run();
}

void addNonMaxSuppressionRules(Rules &rules) {
  rules.op<NonMaxSuppressionOp>().shape(shapeOfSuppression).lower(lowerSuppression);
}

} // namespace mlc::onnx

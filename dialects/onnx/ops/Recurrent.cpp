// Recurrent layers: LSTM, GRU and RNN.
//
//   %p = X * W^T + bias                        one product for all steps
//   scf.for %t iter_args(%h, ...)
//     %q = %h * R^T                            one for each
//     %h = cell(%p[%t], %q, %h)                elementwise
//     %y[%t] = %h
//
// The operators differ in their cells only. Each direction is a loop of its own. With sequence lengths, a step behind
// the end of a sequence leaves its state as it is and gives zeros, and a backward direction sees each sequence reversed
// within its length. Floats narrower than f32 are computed in f32 from end to end.
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Activations ------------------------------------------------------------------===//

using ActivationBody = Value (*)(Scalars &, Value x, double alpha, double beta);

struct ActivationKind {
  StringLiteral name;
  std::optional<double> alpha, beta; ///< their defaults, for functions that have them
  ActivationBody body;
};

/// alpha * x + beta
static Value affine(Scalars &s, Value x, double alpha, double beta) {
  return s.make<arith::AddFOp>(s.make<arith::MulFOp>(x, s.constant(alpha)), s.constant(beta));
}

static Value select(Scalars &s, arith::CmpFPredicate predicate, Value x, double bound, Value then, Value otherwise) {
  return s.make<arith::SelectOp>(s.make<arith::CmpFOp>(predicate, x, s.constant(bound)), then, otherwise);
}

static Value clamp(Scalars &s, Value x, double low, double high) {
  return smaller(s, {larger(s, {x, s.constant(low)}), s.constant(high)});
}

static Value softplus(Scalars &s, Value x) {
  Value decay = s.make<math::ExpOp>(s.make<arith::NegFOp>(s.make<math::AbsFOp>(x)));
  return s.make<arith::AddFOp>(larger(s, {x, s.constant(0)}), s.make<math::Log1pOp>(decay));
}

static const ActivationKind activationKinds[] = {
    {"affine", 1.0, 0.0, affine},
    {"elu",
     1.0,
     {},
     [](Scalars &s, Value x, double alpha, double) {
       Value below = s.make<arith::MulFOp>(s.make<math::ExpM1Op>(x), s.constant(alpha));
       return select(s, arith::CmpFPredicate::OLT, x, 0, below, x);
     }},
    {"hardsigmoid", 0.2, 0.5,
     [](Scalars &s, Value x, double alpha, double beta) { return clamp(s, affine(s, x, alpha, beta), 0, 1); }},
    {"leakyrelu",
     0.01,
     {},
     [](Scalars &s, Value x, double alpha, double) {
       return select(s, arith::CmpFPredicate::OLT, x, 0, s.make<arith::MulFOp>(x, s.constant(alpha)), x);
     }},
    {"relu", {}, {}, [](Scalars &s, Value x, double, double) { return larger(s, {x, s.constant(0)}); }},
    {"scaledtanh", 1.0, 1.0,
     [](Scalars &s, Value x, double alpha, double beta) -> Value {
       Value inner = s.make<math::TanhOp>(s.make<arith::MulFOp>(x, s.constant(beta)));
       return s.make<arith::MulFOp>(inner, s.constant(alpha));
     }},
    {"sigmoid", {}, {}, [](Scalars &s, Value x, double, double) { return sigmoid(s, x); }},
    {"softplus", {}, {}, [](Scalars &s, Value x, double, double) { return softplus(s, x); }},
    {"softsign",
     {},
     {},
     [](Scalars &s, Value x, double, double) -> Value {
       return s.make<arith::DivFOp>(x, s.make<arith::AddFOp>(s.make<math::AbsFOp>(x), s.constant(1)));
     }},
    {"tanh", {}, {}, [](Scalars &s, Value x, double, double) -> Value { return s.make<math::TanhOp>(x); }},
    {"thresholdedrelu",
     1.0,
     {},
     [](Scalars &s, Value x, double alpha, double) {
       return select(s, arith::CmpFPredicate::OGT, x, alpha, x, s.constant(0));
     }},
};

/// A function with its parameters, behind the clip of its argument.
struct Activation {
  ActivationBody body;
  double alpha = 0, beta = 0;
  std::optional<double> clip;

  Value operator()(Scalars &s, Value x) const { return body(s, clip ? clamp(s, x, -*clip, *clip) : x, alpha, beta); }
};

//===-- What the operators have in common ----------------------------------------------===//

struct Step;
using State = SmallVector<Value>; ///< h, and c of an LSTM: [batch, hidden]

/// An operator, whichever of the three it is; null for what is absent.
struct Layer {
  Operation *op;
  int64_t gates;
  SmallVector<StringRef> defaultActivations; ///< of one direction
  State (*cell)(Step &, const State &);
  bool resetsProduct = false; ///< the reset gate applies behind the product with R, and its bias belongs to that
  bool couplesInputAndForget = false;
  Value x, w, r, bias, lengths, initialH, initialC, peepholes;
  Value y, lastH, lastC;
  StringRef direction;
  bool batchFirst;
  std::optional<double> clip;
  std::optional<SmallVector<StringRef>> activations;
  ArrayRef<float> alpha, beta;

  int64_t directions() const { return direction == "bidirectional" ? 2 : 1; }
  bool isBackward(int64_t index) const { return direction == "reverse" || index == 1; }
  int64_t stateCount() const { return isa<LSTMOp>(op) ? 2 : 1; }
};

template <typename Op> static Layer commonPart(Op op) {
  Layer layer;
  layer.op = op;
  layer.x = op.getX(), layer.w = op.getW(), layer.r = op.getR(), layer.bias = op.getB();
  layer.lengths = op.getSequenceLens(), layer.initialH = op.getInitialH();
  layer.y = op.getY(), layer.lastH = op.getYH();
  layer.direction = op.getDirection();
  layer.batchFirst = op.getLayout();
  if (std::optional<APFloat> clip = op.getClip(); clip && clip->isNonZero())
    layer.clip = clip->convertToDouble();
  if (auto names = op->template getAttrOfType<ArrayAttr>("activations"))
    layer.activations = llvm::map_to_vector(names, [](Attribute name) { return cast<StringAttr>(name).getValue(); });
  layer.alpha = op.getActivationAlpha().value_or(ArrayRef<float>());
  layer.beta = op.getActivationBeta().value_or(ArrayRef<float>());
  return layer;
}

/// The functions of all directions, one direction after the other.
static FailureOr<SmallVector<Activation>> activationsOf(const Layer &layer) {
  SmallVector<StringRef> names;
  for (int64_t i = 0; i < layer.directions(); ++i)
    llvm::append_range(names, layer.defaultActivations);
  if (layer.activations) {
    if (layer.activations->size() < names.size())
      return layer.op->emitOpError("expects ") << names.size() << " activations, got " << layer.activations->size();
    names = SmallVector<StringRef>(ArrayRef<StringRef>(*layer.activations).take_front(names.size()));
  }
  ArrayRef<float> alphas = layer.alpha, betas = layer.beta;
  // Parameters are given in order to those functions that have them, as far as they go.
  auto next = [](std::optional<double> otherwise, ArrayRef<float> &given) {
    if (!otherwise || given.empty())
      return otherwise.value_or(0);
    double value = given.front();
    given = given.drop_front();
    return value;
  };
  SmallVector<Activation> result;
  for (StringRef name : names) {
    auto kind = llvm::find_if(activationKinds, [&](const auto &kind) { return name.equals_insensitive(kind.name); });
    if (kind == std::end(activationKinds))
      return layer.op->emitOpError("expects the name of an activation, got '") << name << "'";
    result.push_back({kind->body, next(kind->alpha, alphas), next(kind->beta, betas), layer.clip});
  }
  return result;
}

//===-- Shape ------------------------------------------------------------------------===//

struct LayerExtents {
  Extent steps, batch, input, hidden, directions;
};

static LayerExtents extentsOf(const Layer &layer, Known &known) {
  ArrayRef<Extent> x = known.extents(layer.x);
  return {x[layer.batchFirst ? 1 : 0], x[layer.batchFirst ? 0 : 1], x[2], known.extents(layer.r)[2],
          known.math.constant(layer.directions())};
}

/// The extents of a state of all directions, as operands and results have it.
static Extents stateExtents(const Layer &layer, const LayerExtents &e) {
  return layer.batchFirst ? Extents{e.batch, e.directions, e.hidden} : Extents{e.directions, e.batch, e.hidden};
}

struct Expected {
  StringLiteral name;
  Value operand;
  Extents extents;
};

static SmallVector<Expected> expectedOperands(const Layer &layer, const LayerExtents &e, ExtentMath &math) {
  Extent columns = math.mul(e.hidden, math.constant(layer.gates));
  SmallVector<Expected> all = {
      {"W", layer.w, {e.directions, columns, e.input}},
      {"R", layer.r, {e.directions, columns, e.hidden}},
      {"B", layer.bias, {e.directions, math.mul(columns, math.constant(2))}},
      {"sequence_lens", layer.lengths, {e.batch}},
      {"initial_h", layer.initialH, stateExtents(layer, e)},
      {"initial_c", layer.initialC, stateExtents(layer, e)},
      {"P", layer.peepholes, {e.directions, math.mul(e.hidden, math.constant(3))}},
  };
  llvm::erase_if(all, [](const Expected &expected) { return !expected.operand; });
  return all;
}

static FailureOr<SmallVector<Facts>> shapeOfLayer(const Layer &layer, Known &known) {
  if (!llvm::is_contained({"forward", "reverse", "bidirectional"}, layer.direction))
    return layer.op->emitOpError("expects direction forward, reverse or bidirectional, got '")
           << layer.direction << "'";
  if (failed(activationsOf(layer)))
    return failure();
  for (auto [operand, name] : {std::pair(layer.x, "X"), std::pair(layer.r, "R")})
    if (known.rank(operand) != 3)
      return layer.op->emitOpError("expects ") << name << " of rank 3, got " << operand.getType();
  LayerExtents e = extentsOf(layer, known);
  if (auto size = layer.op->getAttrOfType<IntegerAttr>("hidden_size");
      size && !known.math.mayBeEqual(e.hidden, known.math.constant(size.getInt())))
    return layer.op->emitOpError("expects R with the hidden_size, ")
           << size.getInt() << ", on axis 2, got " << known.math.print(e.hidden);
  for (const Expected &expected : expectedOperands(layer, e, known.math)) {
    ArrayRef<Extent> own = known.extents(expected.operand);
    if (own.size() != expected.extents.size())
      return layer.op->emitOpError("expects ")
             << expected.name << " of rank " << expected.extents.size() << ", got " << expected.operand.getType();
    for (auto [axis, extents] : llvm::enumerate(llvm::zip_equal(own, expected.extents)))
      if (auto [got, wanted] = extents; !known.math.mayBeEqual(got, wanted))
        return layer.op->emitOpError("expects ") << expected.name << " with extent " << known.math.print(wanted)
                                                 << " on axis " << axis << ", got " << known.math.print(got);
  }
  SmallVector<Facts> results;
  if (layer.y)
    results.push_back(layer.batchFirst ? Extents{e.batch, e.steps, e.directions, e.hidden}
                                       : Extents{e.steps, e.directions, e.batch, e.hidden});
  for (Value last : {layer.lastH, layer.lastC})
    if (last)
      results.push_back(stateExtents(layer, e));
  return results;
}

//===-- One direction -------------------------------------------------------------------===//

/// What is the same in all steps of a direction. All tensors hold `type`.
struct Direction {
  Lowering &l;
  const Layer &layer;
  Type type;
  ArrayRef<Activation> activations;
  OpFoldResult steps, batch, hidden;
  Value projected = nullptr;      ///< X * W^T + bias: [steps * batch, gates * hidden]
  Value recurrence = nullptr;     ///< R: [gates * hidden, hidden]
  Value recurrenceBias = nullptr; ///< [gates * hidden], where it is not in `projected`
  Value peepholes = nullptr;      ///< [3 * hidden], or null
  Value lengths = nullptr;        ///< [batch], or null
};

/// A part of a tensor with `rank` axes: leading ones of extent 1 are left out.
static Value part(Lowering &l, Value whole, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                  int64_t rank) {
  auto from = cast<RankedTensorType>(whole.getType());
  SmallVector<OpFoldResult> own = tensor::getMixedSizes(l.b, l.loc(), whole);
  if (llvm::equal(own, sizes, [](auto a, auto b) { return isEqualConstantIntOrValue(a, b); }))
    return l.reshape(whole, sizes.take_back(rank)); // a constant stays one that can be seen through
  SmallVector<OpFoldResult> strides(offsets.size(), l.b.getIndexAttr(1));
  auto type = cast<RankedTensorType>(tensor::ExtractSliceOp::inferCanonicalRankReducedResultType(rank, from, sizes));
  return tensor::ExtractSliceOp::create(l.b, l.loc(), type, whole, offsets, sizes, strides);
}

/// rows * columns^T: [m, n] from [m, k] and [n, k].
static Value product(Lowering &l, Value rows, Value columns) {
  AffineExpr m = l.b.getAffineDimExpr(0), n = l.b.getAffineDimExpr(1), k = l.b.getAffineDimExpr(2);
  auto map = [&](AffineExpr x, AffineExpr y) { return AffineMap::get(3, 0, {x, y}, l.b.getContext()); };
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), rows, 0),
                                       tensor::getMixedSize(l.b, l.loc(), columns, 0)};
  utils::IteratorType parallel = utils::IteratorType::parallel, reduction = utils::IteratorType::reduction;
  return l.sumOfProducts(extents, rows, columns, {map(m, k), map(n, k), map(m, n)}, {parallel, parallel, reduction});
}

/// matrix[m, n] + vector[n]
static Value addToRows(Lowering &l, Value matrix, Value vector, Type type) {
  return l.elementwise(tensor::getMixedSizes(l.b, l.loc(), matrix), type,
                       {Along{matrix, type, {0, 1}}, Along{vector, type, {1}}}, add);
}

/// One step of a direction, and the elementwise computations in it.
struct Step {
  const Direction &d;
  Index time; ///< the row of `projected` and of Y
  Value now;  ///< `time` as an element of `lengths`; null without lengths

  Lowering &l() const { return d.l; }

  /// The columns of one gate, of a matrix [batch, n * hidden].
  Value gate(Value matrix, int64_t index) const {
    OpFoldResult zero = l().b.getIndexAttr(0);
    return part(l(), matrix, {zero, l().mul(l().b.getIndexAttr(index), d.hidden)}, {d.batch, d.hidden}, 2);
  }
  Value projected(int64_t index) const {
    Index row = time * Index(l(), d.batch);
    return part(l(), d.projected, {OpFoldResult(row), l().mul(l().b.getIndexAttr(index), d.hidden)},
                {d.batch, d.hidden}, 2);
  }
  Value peephole(int64_t index) const {
    return part(l(), d.peepholes, l().mul(l().b.getIndexAttr(index), d.hidden), d.hidden, 1);
  }
  /// h * R^T for `count` gates from `first` on.
  Value recur(Value h, int64_t first, int64_t count) const {
    auto rows = [&](int64_t gates) { return l().mul(l().b.getIndexAttr(gates), d.hidden); };
    OpFoldResult zero = l().b.getIndexAttr(0);
    Value q = product(l(), h, part(l(), d.recurrence, {rows(first), zero}, {rows(count), d.hidden}, 2));
    if (!d.recurrenceBias)
      return q;
    return addToRows(l(), q, part(l(), d.recurrenceBias, rows(first), rows(count), 1), d.type);
  }
};

/// The operands of one elementwise computation, by number.
class Operands {
public:
  explicit Operands(const Step &step) : step(step) {}

  unsigned matrix(Value value) { return push({value, step.d.type, {0, 1}}); }
  unsigned vector(Value value) { return push({value, step.d.type, {1}}); }

  /// What goes into the activation of a gate: its projection, its part of `recurrent` (index `part`), and with a
  /// peephole a state.
  struct Gate {
    unsigned projected, recurrent;
    std::optional<unsigned> peephole;
  };
  Gate gate(int64_t index, Value recurrent, int64_t part, std::optional<int64_t> peephole = {}) {
    Gate gate{matrix(step.projected(index)), matrix(step.gate(recurrent, part)), {}};
    if (peephole && step.d.peepholes)
      gate.peephole = vector(step.peephole(*peephole));
    return gate;
  }
  static Value sum(Scalars &s, ValueRange args, const Gate &gate, Value state = nullptr) {
    Value result = add(s, {args[gate.projected], args[gate.recurrent]});
    return gate.peephole ? add(s, {result, multiply(s, {args[*gate.peephole], state})}) : result;
  }

  Value compute(ScalarBody body) {
    return step.l().elementwise({step.d.batch, step.d.hidden}, step.d.type, list, body);
  }
  /// The same for a state: sequences that have ended keep the one `before`.
  Value computeState(unsigned before, ScalarBody body) {
    std::optional<unsigned> lengths = pushLengths();
    return compute([&](Scalars &s, ValueRange args) {
      Value next = body(s, args);
      return lengths ? whileRunning(s, args[*lengths], next, args[before]) : next;
    });
  }
  /// A state, or zero for sequences that have ended.
  Value computeOutput(Value state) {
    unsigned value = matrix(state);
    std::optional<unsigned> lengths = pushLengths();
    return compute(
        [&](Scalars &s, ValueRange args) { return whileRunning(s, args[*lengths], args[value], s.constant(0)); });
  }

private:
  unsigned push(Along along) {
    list.push_back(along);
    return list.size() - 1;
  }
  std::optional<unsigned> pushLengths() {
    if (!step.d.lengths)
      return std::nullopt;
    return push({step.d.lengths, step.now.getType(), {0}});
  }
  Value whileRunning(Scalars &s, Value length, Value running, Value ended) {
    return s.make<arith::SelectOp>(s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, step.now, length), running, ended);
  }

  const Step &step;
  SmallVector<Along> list;
};

//===-- Cells ---------------------------------------------------------------------------===//

/// i = f(.. + Pi c), f = f(.. + Pf c), c' = f c + i g(..), o = f(.. + Po c'), h' = o h(c'); gates in the order i o f c.
static State lstmCell(Step &step, const State &state) {
  enum { I, O, F, C };
  ArrayRef<Activation> act = step.d.activations;
  bool couples = step.d.layer.couplesInputAndForget;
  Value q = step.recur(state[0], 0, 4);

  Operands ofCell(step);
  Operands::Gate input = ofCell.gate(I, q, I, 0), cell = ofCell.gate(C, q, C), forget{};
  if (!couples)
    forget = ofCell.gate(F, q, F, 2);
  unsigned before = ofCell.matrix(state[1]);
  Value c = ofCell.computeState(before, [&](Scalars &s, ValueRange args) {
    Value old = args[before], i = act[0](s, Operands::sum(s, args, input, old));
    Value f = couples ? subtract(s, {s.constant(1), i}) : act[0](s, Operands::sum(s, args, forget, old));
    Value fresh = multiply(s, {i, act[1](s, Operands::sum(s, args, cell))});
    return add(s, {multiply(s, {f, old}), fresh});
  });

  Operands ofOutput(step);
  Operands::Gate output = ofOutput.gate(O, q, O, 1);
  unsigned next = ofOutput.matrix(c), last = step.d.lengths ? ofOutput.matrix(state[0]) : 0;
  Value h = ofOutput.computeState(last, [&](Scalars &s, ValueRange args) {
    return multiply(s, {act[0](s, Operands::sum(s, args, output, args[next])), act[2](s, args[next])});
  });
  return {h, c};
}

/// z = f(..), r = f(..), h' = (1 - z) g(Wh x + Rh (r h)) + z h; or with the reset behind the product,
/// g(Wh x + r (Rh h + b)). Gates in the order z r h.
static State gruCell(Step &step, const State &state) {
  enum { Z, R, H };
  ArrayRef<Activation> act = step.d.activations;
  bool resetsProduct = step.d.layer.resetsProduct;
  Value h = state[0], q = step.recur(h, 0, resetsProduct ? 3 : 2), ofHidden;
  if (!resetsProduct) {
    Operands reset(step);
    Operands::Gate r = reset.gate(R, q, R);
    unsigned old = reset.matrix(h);
    Value kept = reset.compute(
        [&](Scalars &s, ValueRange args) { return multiply(s, {act[0](s, Operands::sum(s, args, r)), args[old]}); });
    ofHidden = step.recur(kept, H, 1);
  }
  Operands in(step);
  Operands::Gate z = in.gate(Z, q, Z), r{}, hidden = resetsProduct ? in.gate(H, q, H) : in.gate(H, ofHidden, 0);
  if (resetsProduct)
    r = in.gate(R, q, R);
  unsigned old = in.matrix(h);
  return {in.computeState(old, [&](Scalars &s, ValueRange args) {
    Value recurrent = args[hidden.recurrent];
    if (resetsProduct)
      recurrent = multiply(s, {act[0](s, Operands::sum(s, args, r)), recurrent});
    Value fresh = act[1](s, add(s, {args[hidden.projected], recurrent}));
    Value update = act[0](s, Operands::sum(s, args, z));
    return add(s, {multiply(s, {subtract(s, {s.constant(1), update}), fresh}), multiply(s, {update, args[old]})});
  })};
}

/// h' = f(..)
static State rnnCell(Step &step, const State &state) {
  Operands in(step);
  Operands::Gate all = in.gate(0, step.recur(state[0], 0, 1), 0);
  unsigned old = step.d.lengths ? in.matrix(state[0]) : 0;
  return {in.computeState(
      old, [&](Scalars &s, ValueRange args) { return step.d.activations[0](s, Operands::sum(s, args, all)); })};
}

//===-- All steps ------------------------------------------------------------------------===//

/// Each sequence of a tensor [steps, batch, n] reversed within its length.
static Value reverseSequences(Lowering &l, Value tensor, Value lengths) {
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), tensor);
  return l.generate(extents, cast<RankedTensorType>(tensor.getType()).getElementType(),
                    [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
                      OpBuilder::InsertionGuard guard(l.b);
                      l.b.restoreInsertionPoint(b.saveInsertionPoint());
                      Value stored = tensor::ExtractOp::create(b, loc, lengths, at[1]);
                      Index time(l, at[0]),
                          told(l, Value(arith::IndexCastOp::create(b, loc, b.getIndexType(), stored)));
                      Index length = min(told, Index(l, extents[0]));
                      Index source = select(time < length, length - 1 - time, time);
                      return tensor::ExtractOp::create(b, loc, tensor, ValueRange{source, at[1], at[2]});
                    });
}

/// Runs a direction from its initial state. Gives Y ([steps, batch, hidden]; null if it is not wanted) and puts the
/// last state in place of the first.
static Value runDirection(const Direction &d, bool isBackward, State &state) {
  Lowering &l = d.l;
  OpBuilder &b = l.b;
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  unsigned states = state.size();
  SmallVector<Value> carried(state);
  if (d.layer.y)
    carried.push_back(l.empty({d.steps, d.batch, d.hidden}, d.type));
  auto loop = scf::ForOp::create(b, l.loc(), l.index(zero), l.index(d.steps), l.index(one), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    Index time(l, Value(loop.getInductionVar()));
    if (isBackward && !d.lengths)
      time = Index(l, d.steps) - 1 - time;
    Step step{d, time, d.lengths ? l.number(OpFoldResult(time), b.getI32Type()) : Value()};
    State before(loop.getRegionIterArgs().take_front(states)), after = d.layer.cell(step, before);
    SmallVector<Value> yields;
    // The state stays in one place, whatever the batch.
    for (auto [next, place] : llvm::zip_equal(after, before))
      yields.push_back(bufferization::MaterializeInDestinationOp::create(b, l.loc(), next, place).getResult());
    if (d.layer.y) {
      Value output = d.lengths ? Operands(step).computeOutput(after[0]) : after[0];
      yields.push_back(tensor::InsertSliceOp::create(
          b, l.loc(), output, loop.getRegionIterArgs().back(), ArrayRef<OpFoldResult>{OpFoldResult(time), zero, zero},
          ArrayRef<OpFoldResult>{one, d.batch, d.hidden}, ArrayRef<OpFoldResult>{one, one, one}));
    }
    scf::YieldOp::create(b, l.loc(), yields);
  }
  state.assign(loop.getResults().begin(), loop.getResults().begin() + states);
  return d.layer.y ? loop.getResults().back() : Value();
}

/// The tensors of all directions, joined by a new axis `axis`.
static Value stack(Lowering &l, ArrayRef<Value> parts, int64_t axis) {
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), parts.front());
  extents.insert(extents.begin() + axis, l.b.getIndexAttr(parts.size()));
  if (parts.size() == 1)
    return l.reshape(parts.front(), extents);
  Value all = l.empty(extents, cast<RankedTensorType>(parts.front().getType()).getElementType());
  SmallVector<OpFoldResult> offsets(extents.size(), l.b.getIndexAttr(0)), strides(extents.size(), l.b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = extents;
  sizes[axis] = l.b.getIndexAttr(1);
  for (auto [i, part] : llvm::enumerate(parts)) {
    offsets[axis] = l.b.getIndexAttr(i);
    all = tensor::InsertSliceOp::create(l.b, l.loc(), part, all, offsets, sizes, strides);
  }
  return all;
}

static FailureOr<SmallVector<Value>> lowerLayer(const Layer &layer, Lowering &l) {
  LayerExtents e = extentsOf(layer, l.known);
  for (const Expected &expected : expectedOperands(layer, e, l.known.math))
    for (auto [axis, extent] : llvm::enumerate(expected.extents))
      l.expectExtent(l.known.extents(expected.operand)[axis], extent,
                     "axis " + Twine(axis) + " of " + StringRef(expected.name));
  FailureOr<SmallVector<Activation>> activations = activationsOf(layer);
  if (failed(activations))
    return failure();

  Type element = Lowering::element(layer.x), type = accumulatorElement(element);
  auto operand = [&](Value value) { return value ? l.cast(l(value), element, type) : Value(); };
  Value x = operand(layer.x), w = operand(layer.w), r = operand(layer.r), bias = operand(layer.bias),
        peepholes = operand(layer.peepholes), lengths = l(layer.lengths);
  SmallVector<Value> initial = {operand(layer.initialH)};
  if (layer.stateCount() == 2)
    initial.push_back(operand(layer.initialC));
  if (layer.batchFirst) {
    x = l.transpose(x, {1, 0, 2});
    for (Value &state : initial)
      state = state ? l.transpose(state, {1, 0, 2}) : state;
  }

  OpFoldResult steps = l.materialize(e.steps), batch = l.materialize(e.batch), input = l.materialize(e.input),
               hidden = l.materialize(e.hidden), columns = l.mul(l.b.getIndexAttr(layer.gates), hidden),
               rows = l.materialize(l.known.math.mul(e.steps, e.batch)), zero = l.b.getIndexAttr(0),
               one = l.b.getIndexAttr(1);
  SmallVector<Value> outputs;
  SmallVector<SmallVector<Value>> last(layer.stateCount());
  for (int64_t index = 0; index < layer.directions(); ++index) {
    OpFoldResult at = l.b.getIndexAttr(index);
    bool isBackward = layer.isBackward(index);
    auto ofDirection = [&](Value all, ArrayRef<OpFoldResult> sizes) {
      SmallVector<OpFoldResult> offsets(sizes.size() + 1, zero), whole = {one};
      offsets[0] = at;
      llvm::append_range(whole, sizes);
      return part(l, all, offsets, whole, sizes.size());
    };
    Direction d{l,     layer, type,  ArrayRef<Activation>(*activations).slice(index * layer.defaultActivations.size()),
                steps, batch, hidden};
    d.lengths = lengths;
    d.recurrence = ofDirection(r, {columns, hidden});
    if (peepholes)
      d.peepholes = ofDirection(peepholes, l.mul(l.b.getIndexAttr(3), hidden));
    Value sequence = isBackward && lengths ? reverseSequences(l, x, lengths) : x;
    d.projected = product(l, l.reshape(sequence, {rows, input}), ofDirection(w, {columns, input}));
    if (bias) {
      auto half = [&](OpFoldResult offset) { return part(l, bias, {at, offset}, {one, columns}, 1); };
      d.projected = addToRows(l, d.projected, half(zero), type);
      if (layer.resetsProduct)
        d.recurrenceBias = half(columns);
      else
        d.projected = addToRows(l, d.projected, half(columns), type);
    }
    State state = llvm::map_to_vector(initial, [&](Value all) {
      return all ? ofDirection(all, {batch, hidden}) : l.filled({batch, hidden}, l.scalar(0, type));
    });
    Value y = runDirection(d, isBackward, state);
    if (y)
      outputs.push_back(isBackward && lengths ? reverseSequences(l, y, lengths) : y);
    for (auto [all, own] : llvm::zip_equal(last, state))
      all.push_back(own);
  }

  SmallVector<Value> results;
  auto result = [&](ArrayRef<Value> parts, int64_t axis, ArrayRef<int64_t> batchFirst) {
    Value all = stack(l, parts, axis);
    results.push_back(l.cast(layer.batchFirst ? l.transpose(all, batchFirst) : all, type, element));
  };
  if (layer.y)
    result(outputs, 1, {2, 0, 1, 3});
  if (layer.lastH)
    result(last[0], 0, {1, 0, 2});
  if (layer.lastC)
    result(last[1], 0, {1, 0, 2});
  return results;
}

//===-- The operators ----------------------------------------------------------------------===//

static Layer layerOf(LSTMOp op) {
  Layer layer = commonPart(op);
  layer.gates = 4, layer.cell = lstmCell;
  layer.defaultActivations = {"Sigmoid", "Tanh", "Tanh"};
  layer.initialC = op.getInitialC(), layer.peepholes = op.getP(), layer.lastC = op.getYC();
  layer.couplesInputAndForget = op.getInputForget();
  return layer;
}

static Layer layerOf(GRUOp op) {
  Layer layer = commonPart(op);
  layer.gates = 3, layer.cell = gruCell;
  layer.defaultActivations = {"Sigmoid", "Tanh"};
  layer.resetsProduct = op.getLinearBeforeReset();
  return layer;
}

static Layer layerOf(RNNOp op) {
  Layer layer = commonPart(op);
  layer.gates = 1, layer.cell = rnnCell;
  layer.defaultActivations = {"Tanh"};
  return layer;
}

template <typename Op> static void addLayer(Rules &rules) {
  rules.op<Op>()
      .shape([](Op op, Known &known) { return shapeOfLayer(layerOf(op), known); })
      .lower([](Op op, Lowering &l) { return lowerLayer(layerOf(op), l); });
}

void addRecurrentRules(Rules &rules) {
  addLayer<LSTMOp>(rules);
  addLayer<GRUOp>(rules);
  addLayer<RNNOp>(rules);
}

} // namespace mlc::onnx

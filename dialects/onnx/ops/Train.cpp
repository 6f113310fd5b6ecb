// Steps of optimizers: Adam, Adagrad, Momentum.
//
//   %x2, %v2, %h2 = onnx.training.Adam(%r, %t, %x, %g, %v, %h)   =>   three linalg.generic for each tensor that is trained
//
// Operands and results come in groups: of n tensors to be trained all of these, then their n gradients, then the n of each
// state. What depends on the rate and the number of the step alone is computed once, in double.
#include "onnx/IndexMath.h"
#include "onnx/RealMath.h"

using namespace mlir;

namespace mlc::onnx {

/// How many tensors are trained, where each comes with its gradient and `states` states.
static int64_t countOf(Operation *op, int64_t states) { return op->getNumResults() / (1 + states); }

template <typename Op, int64_t states> static FailureOr<SmallVector<Facts>> shapeOfStep(Op op, Known &known) {
  int64_t count = countOf(op, states), tensors = op.getInputs().size();
  if (count == 0 || tensors != count * (2 + states) || (int64_t)op->getNumResults() != count * (1 + states))
    return op.emitOpError("expects ") << 2 + states << " inputs and " << 1 + states
                                      << " outputs for each tensor that it trains, got " << tensors << " and "
                                      << op->getNumResults();
  for (auto [name, value] : {std::pair("R", op.getR()), {"T", op.getT()}})
    if (!known.math.mayBeEqual(known.math.product(known.extents(value)), known.math.constant(1)))
      return op.emitOpError("expects one number as ") << name << ", got " << value.getType();
  SmallVector<Facts> results;
  for (int64_t i = 0; i < count * (1 + states); ++i)
    results.push_back(Facts(Extents(known.extents(op.getInputs()[i % count]))));
  for (int64_t i = count; i < tensors; ++i) {
    Value own = op.getInputs()[i], trained = op.getInputs()[i % count];
    if (own.getType() == trained.getType())
      continue;
    bool fits = known.rank(own) == known.rank(trained) &&
                llvm::all_of(llvm::zip_equal(known.extents(own), known.extents(trained)),
                             [&](auto pair) { return known.math.mayBeEqual(std::get<0>(pair), std::get<1>(pair)); });
    if (!fits || Lowering::element(own) != Lowering::element(trained))
      return op.emitOpError("expects input ")
             << i << " to be of type " << trained.getType() << ", got " << own.getType();
  }
  return results;
}

namespace {
/// One tensor on its way, and what its step is made of.
struct Step {
  Lowering &l;
  Type element;
  SmallVector<OpFoldResult> extents;
  Value x, gradient;
  SmallVector<Value> states;
  Real rate, step; ///< f64, outside of all bodies

  using Body = llvm::function_ref<Real(const Scalars &, ArrayRef<Real>)>;
  /// body(operands...) for each element.
  Value of(ValueRange operands, Body body) const {
    return l.elementwise(extents, element, operands, SmallVector<Type>(operands.size(), element),
                         [&](Scalars &s, ValueRange args) -> Value {
                           return body(s, llvm::map_to_vector(args, [&](Value arg) { return Real(s, arg); }));
                         });
  }
  /// A number that was computed in double, in the type of the elements.
  Value number(Value wide) const {
    return castScalar({l.b, l.loc(), l.b.getF64Type()}, wide, l.b.getF64Type(), element);
  }
  Real isFirst(Real first, Real later) const { return select(step > 0, later, first); }
};

/// The new tensor, and its new states.
template <typename Op> using Advance = SmallVector<Value> (*)(Op, const Step &);
} // namespace

/// The gradient with that of 0.5 * coefficient * |x|^2.
static Real regularized(Real x, Real gradient, double coefficient) {
  return coefficient == 0 ? gradient : coefficient * x + gradient;
}

static Real root(const Scalars &s, Real x) { return {s, s.make<math::SqrtOp>(Value(x))}; }

static double numberOf(const APFloat &attribute) { return attribute.convertToFloat(); }

template <typename Op, int64_t states>
static FailureOr<SmallVector<Value>> lowerStep(Op op, Lowering &l, Advance<Op> advance) {
  int64_t count = countOf(op, states);
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    for (auto [axis, own, expected] :
         llvm::enumerate(l.known.extents(input), l.known.extents(op.getInputs()[i % count])))
      l.expectExtent(own, expected, "axis " + Twine(axis) + " of input " + Twine(i));
  Scalars s{l.b, l.loc(), l.b.getF64Type()};
  Type f64 = l.b.getF64Type();
  Real rate(s, castScalar(s, l.onlyElement(op.getR()), Lowering::element(op.getR()), f64)),
      number(s, castScalar(s, l.onlyElement(op.getT()), Lowering::element(op.getT()), f64));
  SmallVector<Value> results(op->getNumResults());
  for (int64_t i = 0; i < count; ++i) {
    auto group = [&](int64_t which) { return l(op.getInputs()[which * count + i]); };
    Value x = op.getInputs()[i];
    Step step{l, Lowering::element(x), l.extents(x), group(0), group(1), {}, rate, number};
    for (int64_t state = 0; state < states; ++state)
      step.states.push_back(group(2 + state));
    for (auto [which, value] : llvm::enumerate(advance(op, step)))
      results[which * count + i] = value;
  }
  return results;
}

//===-- The optimizers ---------------------------------------------------------------===//

static SmallVector<Value> advance(TrainingAdamOp op, const Step &step) {
  double alpha = numberOf(op.getAlpha()), beta = numberOf(op.getBeta()), epsilon = numberOf(op.getEpsilon()),
         coefficient = numberOf(op.getNormCoefficient()), after = numberOf(op.getNormCoefficientPost());
  Scalars outside{step.l.b, step.l.loc(), step.l.b.getF64Type()};
  auto decayed = [&](double factor) {
    return 1 - Real(outside, outside.make<math::PowFOp>(outside.constant(factor), Value(step.step)));
  };
  Value rate = step.number(step.isFirst(step.rate, step.rate * root(outside, decayed(beta)) / decayed(alpha)));
  Value mean = step.of({step.states[0], step.x, step.gradient}, [&](const Scalars &, ArrayRef<Real> a) {
    return alpha * a[0] + (1 - alpha) * regularized(a[1], a[2], coefficient);
  });
  Value square = step.of({step.states[1], step.x, step.gradient}, [&](const Scalars &, ArrayRef<Real> a) {
    Real gradient = regularized(a[1], a[2], coefficient);
    return beta * a[0] + (1 - beta) * gradient * gradient;
  });
  Value x = step.of({step.x, mean, square}, [&](const Scalars &s, ArrayRef<Real> a) {
    Real next = a[0] - Real(s, rate) * a[1] / (root(s, a[2]) + epsilon);
    return after == 0 ? next : (1 - after) * next;
  });
  return {x, mean, square};
}

static SmallVector<Value> advance(TrainingAdagradOp op, const Step &step) {
  double epsilon = numberOf(op.getEpsilon()), coefficient = numberOf(op.getNormCoefficient());
  Value rate = step.number(step.rate / (1 + step.step * numberOf(op.getDecayFactor())));
  Value square = step.of({step.states[0], step.x, step.gradient}, [&](const Scalars &, ArrayRef<Real> a) {
    Real gradient = regularized(a[1], a[2], coefficient);
    return a[0] + gradient * gradient;
  });
  Value x = step.of({step.x, step.gradient, square}, [&](const Scalars &s, ArrayRef<Real> a) {
    return a[0] - Real(s, rate) * regularized(a[0], a[1], coefficient) / (root(s, a[2]) + epsilon);
  });
  return {x, square};
}

static SmallVector<Value> advance(TrainingMomentumOp op, const Step &step) {
  double alpha = numberOf(op.getAlpha()), coefficient = numberOf(op.getNormCoefficient());
  bool looksAhead = op.getMode() == "nesterov";
  Value rate = step.number(step.rate);
  Value beta = step.number(step.isFirst(step.rate.same(1), step.rate.same(numberOf(op.getBeta()))));
  Value momentum = step.of({step.states[0], step.x, step.gradient}, [&](const Scalars &s, ArrayRef<Real> a) {
    return alpha * a[0] + Real(s, beta) * regularized(a[1], a[2], coefficient);
  });
  Value x = step.of({step.x, step.gradient, momentum}, [&](const Scalars &s, ArrayRef<Real> a) {
    Real change = looksAhead ? regularized(a[0], a[1], coefficient) + alpha * a[2] : a[2];
    return a[0] - Real(s, rate) * change;
  });
  return {x, momentum};
}

static LogicalResult verifyMode(TrainingMomentumOp op) {
  if (op.getMode() == "standard" || op.getMode() == "nesterov")
    return success();
  return op.emitOpError("expects mode standard or nesterov, got '") << op.getMode() << "'";
}

/// `states` of each tensor beside its gradient.
template <typename Op, int64_t states> static void optimizer(Rules &rules) {
  rules.op<Op>().shape(shapeOfStep<Op, states>).lower([](Op op, Lowering &l) -> FailureOr<SmallVector<Value>> {
    if constexpr (std::is_same_v<Op, TrainingMomentumOp>)
      if (failed(verifyMode(op)))
        return failure();
    return lowerStep<Op, states>(op, l, advance);
  });
}

void addTrainRules(Rules &rules) {
  optimizer<TrainingAdamOp, 2>(rules);
  optimizer<TrainingAdagradOp, 1>(rules);
  optimizer<TrainingMomentumOp, 1>(rules);
}

} // namespace mlc::onnx

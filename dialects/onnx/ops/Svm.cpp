// Support vector machines: SVMRegressor, SVMClassifier.
//
//   %k = kernel(X * vectors^T)    [rows, vectors]
//   %s = %k * weights + rho       [rows, 1], or [rows, pairs of classes]
//
// All is computed in f64, as libsvm does, whose models these are: kernels of large distances and sums of thousands of
// small terms leave nothing to spare.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/IndexMath.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Labels.h"
#include "onnx/ops/Reduce.h"
#include "onnx/ops/Scores.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Kernels ----------------------------------------------------------------------===//

namespace {
struct Kernel {
  enum { Linear, Poly, Rbf, Sigmoid } kind = Linear;
  double gamma = 0, coef0 = 0, degree = 0;
};
} // namespace

static FailureOr<Kernel> kernelOf(Operation *op, StringRef name, ArrayRef<float> parameters) {
  Kernel kernel;
  if (name == "POLY")
    kernel.kind = Kernel::Poly;
  else if (name == "RBF")
    kernel.kind = Kernel::Rbf;
  else if (name == "SIGMOID")
    kernel.kind = Kernel::Sigmoid;
  else if (name != "LINEAR")
    return op->emitOpError("expects kernel_type LINEAR, POLY, RBF or SIGMOID, got '") << name << "'";
  if (!parameters.empty() && parameters.size() != 3)
    return op->emitOpError("expects kernel_params gamma, coef0 and degree, got ") << parameters.size() << " numbers";
  if (!parameters.empty()) {
    kernel.gamma = parameters[0];
    kernel.coef0 = parameters[1];
    kernel.degree = parameters[2];
  }
  return kernel;
}

/// lhs * rhs^T of f64 matrices: [rows, columns].
static Value product(Lowering &l, Value lhs, Value rhs) {
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), lhs, 0),
                                       tensor::getMixedSize(l.b, l.loc(), rhs, 0)};
  MLIRContext *context = l.b.getContext();
  AffineExpr row = l.b.getAffineDimExpr(0), column = l.b.getAffineDimExpr(1), depth = l.b.getAffineDimExpr(2);
  using utils::IteratorType;
  return l.sumOfProducts(extents, lhs, rhs,
                         {AffineMap::get(3, 0, {row, depth}, context), AffineMap::get(3, 0, {column, depth}, context),
                          AffineMap::get(3, 0, {row, column}, context)},
                         {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction});
}

/// The kernel of each row of X and each vector: [rows, vectors].
static FailureOr<Value> kernels(Lowering &l, Value x, const Kernel &kernel, ArrayRef<float> vectors, int64_t count) {
  if (count < 1 || vectors.empty() || vectors.size() % count != 0)
    return l.op->emitOpError("expects features of each of ") << count << " vectors, got " << vectors.size();
  int64_t features = vectors.size() / count;
  l.expectExtent(rowsAndFeatures(l.op, x, l.known)->second, l.known.math.constant(features), "the features of X");
  Type f64 = l.b.getF64Type();
  Value rows = rowsOf(l, x, f64);
  Value products = product(l, rows, tableOf(l, {count, features}, SmallVector<double>(vectors), f64));
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), products);
  if (kernel.kind == Kernel::Linear)
    return products;
  Along each{products, f64, {0, 1}};
  if (kernel.kind != Kernel::Rbf)
    return l.elementwise(extents, f64, each, [&](Scalars &s, ValueRange args) -> Value {
      Value scaled = s.make<arith::MulFOp>(args[0], s.constant(kernel.gamma));
      Value moved = s.make<arith::AddFOp>(scaled, s.constant(kernel.coef0));
      return kernel.kind == Kernel::Sigmoid ? s.make<math::TanhOp>(moved)
                                            : s.make<math::PowFOp>(moved, s.constant((int64_t)kernel.degree));
    });
  // exp(-gamma * |x - v|^2), of which |x|^2 - 2 x v + |v|^2 is a product of matrices.
  Value lengths = sumAlong(
      l, rows, f64, 1, [](Scalars &s, ValueRange args) -> Value { return s.make<arith::MulFOp>(args[0], args[0]); });
  SmallVector<double> own(count, 0.0);
  for (auto [i, value] : llvm::enumerate(vectors))
    own[i / features] += (double)value * value;
  Along ofRow{lengths, f64, {0}}, ofVector{tableOf(l, count, own, f64), f64, {1}};
  return l.elementwise(extents, f64, {each, ofRow, ofVector}, [&](Scalars &s, ValueRange args) -> Value {
    Value twice = s.make<arith::MulFOp>(args[0], s.constant(-2));
    Value distance = s.make<arith::AddFOp>(s.make<arith::AddFOp>(args[1], args[2]), twice);
    distance = s.make<arith::MaximumFOp>(distance, s.constant(0));
    Value infinity = s.constant(std::numeric_limits<double>::infinity());
    Value isFar = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, args[1], infinity); // less infinity: not a number
    distance = s.make<arith::SelectOp>(isFar, infinity, distance);
    return s.make<math::ExpOp>(s.make<arith::MulFOp>(distance, s.constant(-kernel.gamma)));
  });
}

/// matrix + numbers, one for each column.
static Value plusColumns(Lowering &l, Value matrix, ArrayRef<float> numbers) {
  Type f64 = l.b.getF64Type();
  Along each{matrix, f64, {0, 1}},
      column{tableOf(l, (int64_t)numbers.size(), SmallVector<double>(numbers), f64), f64, {1}};
  return l.elementwise(tensor::getMixedSizes(l.b, l.loc(), matrix), f64, {each, column},
                       [](Scalars &s, ValueRange args) { return scalar<arith::AddFOp>(s, args); });
}

//===-- Regressor ----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfSvmRegressor(MlSVMRegressorOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  if (failed(rows))
    return failure();
  return Extents{rows->first, known.math.constant(1)};
}

static FailureOr<Value> lowerSvmRegressor(MlSVMRegressorOp op, Lowering &l) {
  ArrayRef<float> coefficients = orNone(op.getCoefficients()), rho = orNone(op.getRho());
  if (rho.empty() || coefficients.empty())
    return op.emitOpError("expects coefficients and rho");
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  FailureOr<Kernel> kernel = kernelOf(op, op.getKernelType(), orNone(op.getKernelParams()));
  if (failed(transform) || failed(kernel))
    return failure();
  Type f64 = l.b.getF64Type(), f32 = l.b.getF32Type();
  int64_t count = op.getNSupports();
  FailureOr<Value> sums;
  if (count > 0) {
    if ((int64_t)coefficients.size() != count)
      return op.emitOpError("expects coefficients of ") << count << " vectors, got " << coefficients.size();
    FailureOr<Value> matrix = kernels(l, op.getX(), *kernel, orNone(op.getSupportVectors()), count);
    if (failed(matrix))
      return failure();
    sums = product(l, *matrix, tableOf(l, {1, count}, SmallVector<double>(coefficients), f64));
  } else {
    sums = kernels(l, op.getX(), Kernel(), coefficients, 1);
    if (failed(sums))
      return failure();
  }
  Value scores = plusColumns(l, *sums, rho.take_front());
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), scores);
  Value result = l.elementwise(extents, f32, {scores}, {f64}, [&](Scalars &s, ValueRange args) -> Value {
    if (!op.getOneClass())
      return castScalar(s, args[0], f64, f32);
    Value isInside = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, args[0], s.constant(0));
    return s.make<arith::SelectOp>(isInside, s.constant(1, f32), s.constant(-1, f32));
  });
  return transformScores(l, result, *transform);
}

//===-- Classifier ---------------------------------------------------------------------===//

namespace {
/// What the attributes of a classifier say.
struct Classifier {
  int64_t classes = 1, vectors = 0, scores = 0; ///< scores: of pairs, or of classes where there are no vectors
  bool hasProbabilities = false;
  /// Columns of the result.
  int64_t columns() const { return hasProbabilities ? classes : isPair() ? 2 : scores; }
  /// Whether there is one score for two classes.
  bool isPair() const { return vectors && !hasProbabilities && classes == 2; }
};
} // namespace

static DenseElementsAttr labelsOf(MlSVMClassifierOp op) {
  return labelsOf(op.getContext(), op.getClasslabelsStrings(), op.getClasslabelsInts());
}

static FailureOr<Classifier> readClassifier(MlSVMClassifierOp op) {
  Classifier found;
  found.classes = labelsOf(op).size();
  if (found.classes == 0)
    return op.emitOpError("expects classlabels_ints or classlabels_strings");
  ArrayRef<int64_t> counts = orNone(op.getVectorsPerClass());
  for (int64_t count : counts) {
    if (count < 0 || count > (1 << 28))
      return op.emitOpError("expects numbers of vectors in vectors_per_class, got ") << count;
    found.vectors += count;
  }
  int64_t pairs = found.classes * (found.classes - 1) / 2;
  found.scores = found.vectors ? pairs : found.classes;
  found.hasProbabilities = found.vectors && !orNone(op.getProbA()).empty();
  ArrayRef<float> coefficients = orNone(op.getCoefficients());
  if (coefficients.empty())
    return op.emitOpError("expects coefficients");
  if (!found.vectors)
    return found;
  if ((int64_t)counts.size() != found.classes || found.classes < 2)
    return op.emitOpError("expects vectors_per_class for each of ")
           << found.classes << " classes, got " << counts.size();
  if ((int64_t)coefficients.size() != found.vectors * (found.classes - 1))
    return op.emitOpError("expects ") << found.classes - 1 << " coefficients for each of " << found.vectors
                                      << " vectors, got " << coefficients.size();
  if ((int64_t)orNone(op.getRho()).size() != pairs)
    return op.emitOpError("expects rho for each of ")
           << pairs << " pairs of classes, got " << orNone(op.getRho()).size();
  if (found.hasProbabilities &&
      ((int64_t)op.getProbA()->size() != pairs || (int64_t)orNone(op.getProbB()).size() != pairs))
    return op.emitOpError("expects prob_a and prob_b for each of ") << pairs << " pairs of classes";
  return found;
}

static FailureOr<SmallVector<Facts>> shapeOfSvmClassifier(MlSVMClassifierOp op, Known &known) {
  auto rows = rowsAndFeatures(op, op.getX(), known);
  FailureOr<Classifier> found = failed(rows) ? FailureOr<Classifier>() : readClassifier(op);
  if (failed(found))
    return failure();
  return SmallVector<Facts>{Extents{rows->first}, Extents{rows->first, known.math.constant(found->columns())}};
}

/// The weights of each pair's classifier, [pairs, vectors]: a vector of class i counts against each other class by a
/// coefficient of its own.
static SmallVector<double> pairWeights(MlSVMClassifierOp op, const Classifier &classifier) {
  ArrayRef<float> coefficients = *op.getCoefficients();
  SmallVector<int64_t> first(classifier.classes + 1, 0);
  for (auto [i, count] : llvm::enumerate(*op.getVectorsPerClass()))
    first[i + 1] = first[i] + count;
  SmallVector<double> weights(classifier.scores * classifier.vectors, 0.0);
  int64_t pair = 0;
  for (int64_t i = 0; i < classifier.classes; ++i)
    for (int64_t j = i + 1; j < classifier.classes; ++j, ++pair) {
      auto take = [&](int64_t of, int64_t row) {
        for (int64_t v = first[of]; v < first[of + 1]; ++v)
          weights[pair * classifier.vectors + v] = coefficients[row * classifier.vectors + v];
      };
      take(i, j - 1);
      take(j, i);
    }
  return weights;
}

/// How many pairs each class has won: f64 [rows, classes].
static Value votesOf(Lowering &l, Value scores, const Classifier &classifier) {
  Type f64 = l.b.getF64Type(), i64 = l.b.getI64Type();
  SmallVector<double> winners, losers;
  for (int64_t i = 0; i < classifier.classes; ++i)
    for (int64_t j = i + 1; j < classifier.classes; ++j) {
      winners.push_back(i);
      losers.push_back(j);
    }
  Value winner = tableOf(l, classifier.scores, winners, i64), loser = tableOf(l, classifier.scores, losers, i64);
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(l.b, l.loc(), scores, 0),
                                       l.b.getIndexAttr(classifier.classes)};
  MLIRContext *context = l.b.getContext();
  AffineExpr row = l.b.getAffineDimExpr(0), target = l.b.getAffineDimExpr(1), pair = l.b.getAffineDimExpr(2);
  AffineMap ofPair = AffineMap::get(3, 0, {pair}, context);
  using utils::IteratorType;
  return l.generic(
      l.filled(extents, l.scalar(0, f64)), {scores, winner, loser},
      {AffineMap::get(3, 0, {row, pair}, context), ofPair, ofPair, AffineMap::get(3, 0, {row, target}, context)},
      {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction},
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc, f64};
        Value here = s.make<arith::IndexCastOp>(i64, s.make<linalg::IndexOp>(1));
        Value isWon = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, args[0], s.constant(0));
        Value taker = s.make<arith::SelectOp>(isWon, args[1], args[2]);
        Value isOwn = s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, taker, here);
        Value vote = s.make<arith::SelectOp>(isOwn, s.constant(1), s.constant(0));
        return s.make<arith::AddFOp>(args[3], vote);
      });
}

//===-- Probabilities ------------------------------------------------------------------===//

namespace {
/// Probabilities of classes from those of pairs, by the second method of Wu, Lin and Weng, "Probability Estimates for
/// Multi-class Classification by Pairwise Coupling" (2004), with the steps and the end of libsvm.
class Coupling {
public:
  Coupling(Lowering &l, int64_t classes) : l(l), s{l.b, l.loc(), l.b.getF64Type()}, classes(classes) {}

  /// Of one row: `r` is [classes, classes], r[i, j] the probability of i against j. Gives [classes].
  Value solve(Value r) {
    Value q = quadratic(r);
    Value start = fill({classes}, 1.0 / classes);
    int64_t most = std::max<int64_t>(100, classes);
    double accuracy = 0.005 / classes;
    auto loop = scf::WhileOp::create(
        l.b, l.loc(), TypeRange{l.b.getIndexType(), start.getType()}, ValueRange{l.index(int64_t(0)), start},
        [&](OpBuilder &, Location, ValueRange carried) {
          Gradient g = gradient(q, carried[1]);
          auto [error] = loopOver<1>({s.constant(0)}, [&](Index t, ValueRange inner) -> SmallVector<Value> {
            Value off = s.make<math::AbsFOp>(sub(at(g.qp, {t}), g.pqp));
            return {s.make<arith::MaximumFOp>(inner[0], off)};
          });
          Value isFar = s.make<arith::CmpFOp>(arith::CmpFPredicate::OGE, error, s.constant(accuracy));
          Truth goesOn = Truth(l, isFar) && Index(l, carried[0]) < most;
          scf::ConditionOp::create(l.b, l.loc(), goesOn, carried);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          Value p = step(q, carried[1]);
          scf::YieldOp::create(l.b, l.loc(), ValueRange{Index(l, carried[0]) + 1, p});
        });
    return loop.getResult(1);
  }

private:
  struct Gradient {
    Value qp, pqp;
  };

  Value add(Value a, Value b) { return s.make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return s.make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return s.make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return s.make<arith::DivFOp>(a, b); }
  Value at(Value tensor, ValueRange place) { return s.make<tensor::ExtractOp>(tensor, place); }
  Value with(Value tensor, ValueRange place, Value element) { return s.make<tensor::InsertOp>(element, tensor, place); }
  Value fill(ArrayRef<int64_t> shape, double number) {
    SmallVector<Attribute> numbers(1, l.b.getF64FloatAttr(number));
    auto type = RankedTensorType::get(shape, l.b.getF64Type());
    return s.make<arith::ConstantOp>(DenseElementsAttr::get(type, numbers));
  }

  template <unsigned n>
  std::array<Value, n> loopOver(ArrayRef<Value> carried,
                                llvm::function_ref<SmallVector<Value>(Index, ValueRange)> body) {
    SmallVector<Value> results =
        loopNest(l, {l.b.getIndexAttr(classes)}, carried,
                 [&](ValueRange index, ValueRange inner) { return body(Index(l, index[0]), inner); });
    std::array<Value, n> all;
    llvm::copy(results, all.begin());
    return all;
  }

  /// Q[t, t] = sum over j != t of r[j, t]^2; Q[t, j] = -r[j, t] * r[t, j].
  Value quadratic(Value r) {
    auto [q] = loopOver<1>({fill({classes, classes}, 0)}, [&](Index t, ValueRange outer) -> SmallVector<Value> {
      auto [filled, sum] = loopOver<2>({outer[0], s.constant(0)}, [&](Index j, ValueRange inner) -> SmallVector<Value> {
        Value down = at(r, {j, t}), across = at(r, {t, j});
        Value square = s.make<arith::SelectOp>(j == t, s.constant(0), mul(down, down));
        return {with(inner[0], {t, j}, s.make<arith::NegFOp>(mul(down, across))), add(inner[1], square)};
      });
      return {with(filled, {t, t}, sum)};
    });
    return q;
  }

  /// Q p, and p Q p.
  Gradient gradient(Value q, Value p) {
    auto [qp, pqp] =
        loopOver<2>({fill({classes}, 0), s.constant(0)}, [&](Index t, ValueRange outer) -> SmallVector<Value> {
          auto [sum] = loopOver<1>({s.constant(0)}, [&](Index j, ValueRange inner) -> SmallVector<Value> {
            return {add(inner[0], mul(at(q, {t, j}), at(p, {j})))};
          });
          return {with(outer[0], {t}, sum), add(outer[1], mul(at(p, {t}), sum))};
        });
    return {qp, pqp};
  }

  /// Each class in turn moves to the best place for it, and all are made to add up to 1 again.
  Value step(Value q, Value start) {
    Gradient g = gradient(q, start);
    auto [p, qp, pqp] = loopOver<3>({start, g.qp, g.pqp}, [&](Index t, ValueRange outer) -> SmallVector<Value> {
      Value one = s.constant(1), own = at(q, {t, t}), slope = at(outer[1], {t});
      Value change = div(sub(outer[2], slope), own), whole = add(one, change);
      Value moved = with(outer[0], {t}, add(at(outer[0], {t}), change));
      Value grown = add(outer[2], mul(change, add(mul(change, own), mul(s.constant(2), slope))));
      auto [scaled, next] = loopOver<2>({moved, outer[1]}, [&](Index j, ValueRange inner) -> SmallVector<Value> {
        Value gradient = add(at(inner[1], {j}), mul(change, at(q, {t, j})));
        return {with(inner[0], {j}, div(at(inner[0], {j}), whole)), with(inner[1], {j}, div(gradient, whole))};
      });
      return {scaled, next, div(grown, mul(whole, whole))};
    });
    return p;
  }

  Lowering &l;
  Scalars s;
  int64_t classes;
};
} // namespace

/// Scores of pairs [rows, pairs] -> probabilities [rows, classes], both f64: Platt's sigmoid for each pair, then
/// coupled.
static Value probabilities(Lowering &l, Value scores, const Classifier &classifier, ArrayRef<float> a,
                           ArrayRef<float> b) {
  Type f64 = l.b.getF64Type();
  SmallVector<double> as(a), bs(b);
  int64_t pairs = classifier.scores, classes = classifier.classes;
  Along score{scores, f64, {0, 1}}, factor{tableOf(l, pairs, as, f64), f64, {1}},
      summand{tableOf(l, pairs, bs, f64), f64, {1}};
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), scores);
  Value sure = l.elementwise(extents, f64, {score, factor, summand}, [&](Scalars &s, ValueRange args) -> Value {
    // 1 / (1 + exp(a * score + b)), away from 0 and 1
    Value power = s.make<math::ExpOp>(s.make<arith::AddFOp>(s.make<arith::MulFOp>(args[0], args[1]), args[2]));
    Value chance = s.make<arith::DivFOp>(s.constant(1), s.make<arith::AddFOp>(s.constant(1), power));
    return s.make<arith::MinimumFOp>(s.make<arith::MaximumFOp>(chance, s.constant(1e-7)), s.constant(1 - 1e-7));
  });
  // Row by row.
  Value result = l.empty({extents[0], l.b.getIndexAttr(classes)}, f64);
  OpFoldResult one = l.b.getIndexAttr(1), zero = l.b.getIndexAttr(0);
  return loopNest(l, {extents[0]}, result,
                  [&](ValueRange index, ValueRange carried) -> SmallVector<Value> {
                    Scalars s{l.b, l.loc(), f64};
                    auto square = RankedTensorType::get({classes, classes}, f64);
                    Value r = s.make<arith::ConstantOp>(DenseElementsAttr::get(square, 0.0));
                    int64_t pair = 0;
                    for (int64_t i = 0; i < classes; ++i)
                      for (int64_t j = i + 1; j < classes; ++j, ++pair) {
                        Value chance = s.make<tensor::ExtractOp>(sure, ValueRange{index[0], l.index(pair)});
                        Value rest = s.make<arith::SubFOp>(s.constant(1), chance);
                        r = s.make<tensor::InsertOp>(chance, r, ValueRange{l.index(i), l.index(j)});
                        r = s.make<tensor::InsertOp>(rest, r, ValueRange{l.index(j), l.index(i)});
                      }
                    Value p = Coupling(l, classes).solve(r);
                    Value row = l.reshape(p, {one, l.b.getIndexAttr(classes)});
                    return {l.insert(row, carried[0], {index[0], zero}, {one, l.b.getIndexAttr(classes)})};
                  })
      .front();
}

/// Of two linear machines, ONNX Runtime takes the second class already if one score is positive, or, where no coefficient
/// is negative, at least 1/2.
static Value secondIfPositive(Lowering &l, Value best, Value largest, bool areProbabilities) {
  Type f64 = l.b.getF64Type(), i64 = l.b.getI64Type();
  SmallVector<OpFoldResult> rows = {tensor::getMixedSize(l.b, l.loc(), best, 0)};
  return l.elementwise(rows, i64, {best, largest}, {i64, f64}, [&](Scalars &s, ValueRange args) -> Value {
    auto predicate = areProbabilities ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OGT;
    Value limit = s.constant(areProbabilities ? 0.5 : 0, f64);
    Value isSecond = s.make<arith::CmpFOp>(predicate, args[1], limit);
    return s.make<arith::SelectOp>(isSecond, s.make<arith::ConstantIntOp>(i64, 1), args[0]);
  });
}

static FailureOr<SmallVector<Value>> lowerSvmClassifier(MlSVMClassifierOp op, Lowering &l) {
  FailureOr<Classifier> classifier = readClassifier(op);
  FailureOr<PostTransform> transform = postTransformOf(op, op.getPostTransform());
  FailureOr<Kernel> kernel = kernelOf(op, op.getKernelType(), orNone(op.getKernelParams()));
  if (failed(classifier) || failed(transform) || failed(kernel))
    return failure();
  DenseElementsAttr labels = labelsOf(op);
  ArrayRef<float> coefficients = *op.getCoefficients(), rho = orNone(op.getRho());
  Type f64 = l.b.getF64Type(), f32 = l.b.getF32Type();

  Value scores, chances; // what the label is chosen by
  if (classifier->vectors) {
    FailureOr<Value> matrix = kernels(l, op.getX(), *kernel, orNone(op.getSupportVectors()), classifier->vectors);
    if (failed(matrix))
      return failure();
    Value weights = tableOf(l, {classifier->scores, classifier->vectors}, pairWeights(op, *classifier), f64);
    scores = plusColumns(l, product(l, *matrix, weights), rho);
    chances = votesOf(l, scores, *classifier);
    if (classifier->hasProbabilities)
      scores = probabilities(l, scores, *classifier, *op.getProbA(), *op.getProbB());
  } else {
    if (rho.empty())
      return op.emitOpError("expects rho");
    FailureOr<Value> products = kernels(l, op.getX(), Kernel(), coefficients, classifier->classes);
    if (failed(products))
      return failure();
    scores = plusColumns(l, *products, SmallVector<float>(classifier->classes, rho.front()));
    chances = scores;
  }
  SmallVector<OpFoldResult> rows = {tensor::getMixedSize(l.b, l.loc(), scores, 0)};
  Value best = extremeAlong(l, chances, f64, 1, /*largest=*/true, /*last=*/false);
  if (!classifier->vectors && classifier->classes == 2)
    best = secondIfPositive(l, best, maximumAlong(l, chances, f64, 1),
                            llvm::all_of(coefficients, [](float c) { return c >= 0; }));
  Value y = labelsAt(l, best, labels);

  Value narrow = l.cast(scores, f64, f32);
  if (classifier->isPair())
    narrow = scoresOfBoth(l, l.reshape(narrow, rows), 0);
  return SmallVector<Value>{y, transformScores(l, narrow, *transform)};
}

void addSvmRules(Rules &rules) {
  rules.op<MlSVMRegressorOp>().shape(shapeOfSvmRegressor).lower(lowerSvmRegressor);
  rules.op<MlSVMClassifierOp>().shape(shapeOfSvmClassifier).lower(lowerSvmClassifier);
}

} // namespace mlc::onnx

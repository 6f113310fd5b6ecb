// RandomUniform, RandomNormal, those that are like another tensor, and Multinomial. Bernoulli is a function of them.
//
//   %y = onnx.RandomUniform() {shape = [2, 3]}
//   =>
//   %f = linalg.generic: f[i] = low + (high - low) * (Philox(seed, i) as a number of [0, 1))
//   %y = tensor.expand_shape %f
//
// Multinomial sums the probabilities of the classes up, and takes the class in whose part of the sum a uniform number
// falls.
#include "onnx/ops/Random.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/Indices.h"
#include "onnx/ops/Reduce.h"
#include "llvm/Support/xxhash.h"
#include <array>

using namespace mlir;

namespace mlc::onnx {

//===-- Philox -----------------------------------------------------------------------===//

namespace {
using Key = std::array<uint32_t, 2>;
using Bits = std::array<Value, 4>; ///< i32
} // namespace

static Key keyOf(Lowering &l, std::optional<APFloat> seed) {
  if (seed)
    return {(uint32_t)seed->bitcastToAPInt().getZExtValue(), 0};
  StringRef name;
  if (auto named = l.loc()->findInstanceOf<NameLoc>())
    name = named.getName().getValue();
  uint64_t hash = llvm::xxh3_64bits(name);
  return {(uint32_t)hash, (uint32_t)(hash >> 32) | 1}; // no seed's
}

static Value integer(const Scalars &s, uint64_t value, unsigned width) {
  return s.make<arith::ConstantOp>(s.b.getIntegerAttr(s.b.getIntegerType(width), APInt(width, value)));
}
static Value high(const Scalars &s, Value wide) {
  return s.make<arith::TruncIOp>(s.b.getI32Type(), s.make<arith::ShRUIOp>(wide, integer(s, 32, 64)));
}
static Value low(const Scalars &s, Value wide) { return s.make<arith::TruncIOp>(s.b.getI32Type(), wide); }

/// The number of this iteration of each loop around the place where the builder is, innermost first: index values.
static SmallVector<Value> iterationsAround(Lowering &l) {
  SmallVector<Value> iterations;
  Block *block = l.b.getInsertionBlock();
  while (Operation *parent = block ? block->getParentOp() : nullptr) {
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      iterations.push_back(loop.getInductionVar());
    if (isa<scf::WhileOp>(parent)) // which carries the number first
      iterations.push_back(block->getArgument(0));
    block = parent->getBlock();
  }
  return iterations;
}

/// The upper half of a counter, the words that an element's place leaves: the innermost loop's iteration, and those of
/// the others. So a node draws other numbers in every iteration.
static std::array<Value, 2> wordsOf(Lowering &l, ArrayRef<Value> iterations) {
  Scalars s{l.b, l.loc(), l.b.getI32Type()};
  std::array<Value, 2> words = {integer(s, 0, 32), integer(s, 0, 32)};
  for (auto [depth, iteration] : llvm::enumerate(iterations)) {
    Value number = s.make<arith::IndexCastOp>(l.b.getI32Type(), iteration);
    Value &word = words[depth == 0 ? 0 : 1];
    word = s.make<arith::AddIOp>(s.make<arith::MulIOp>(word, integer(s, 0x9E3779B1, 32)), number);
  }
  return words;
}

static Bits philox(const Scalars &s, Value counter, const std::array<Value, 2> &upper, Key key) {
  static constexpr uint32_t multipliers[] = {0xD2511F53, 0xCD9E8D57}, increments[] = {0x9E3779B9, 0xBB67AE85};
  static constexpr int rounds = 10;
  Bits bits = {low(s, counter), high(s, counter), upper[0], upper[1]};
  auto product = [&](Value factor, uint32_t multiplier) {
    return s.make<arith::MulIOp>(s.make<arith::ExtUIOp>(s.b.getI64Type(), factor), integer(s, multiplier, 64));
  };
  auto mixed = [&](Value a, Value b, uint32_t part) {
    return s.make<arith::XOrIOp>(s.make<arith::XOrIOp>(a, b), integer(s, part, 32));
  };
  for (int round = 0; round < rounds; ++round) {
    Value first = product(bits[0], multipliers[0]), second = product(bits[2], multipliers[1]);
    bits = {mixed(high(s, second), bits[1], key[0]), low(s, second), mixed(high(s, first), bits[3], key[1]),
            low(s, first)};
    for (int part = 0; part < 2; ++part)
      key[part] += increments[part];
  }
  return bits;
}

/// A number of [0, 1) that `element` holds without rounding, from two words.
static Real unit(const Scalars &s, Value first, Value second, Type element) {
  Type compute = computeType(element);
  unsigned precision = APFloat::semanticsPrecision(cast<FloatType>(element).getFloatSemantics());
  Value bits;
  if (precision > 32) {
    Type i64 = s.b.getI64Type();
    Value wide = s.make<arith::OrIOp>(s.make<arith::ShLIOp>(s.make<arith::ExtUIOp>(i64, first), integer(s, 32, 64)),
                                      s.make<arith::ExtUIOp>(i64, second));
    bits = s.make<arith::ShRUIOp>(wide, integer(s, 64 - precision, 64));
  } else {
    bits = s.make<arith::ShRUIOp>(first, integer(s, 32 - precision, 32));
  }
  // Without a sign bit: the conversion of signed integers is the one that machines have.
  return Real(s, s.make<arith::SIToFPOp>(compute, bits)) * std::ldexp(1.0, -(int)precision);
}

static Value draw(Lowering &l, ArrayRef<OpFoldResult> extents, Type element, std::optional<APFloat> seed,
                  llvm::function_ref<Value(Scalars &, const Bits &)> body) {
  Key key = keyOf(l, seed);
  std::array<Value, 2> upper = wordsOf(l, iterationsAround(l));
  Index count(l, 1);
  for (OpFoldResult extent : extents)
    count = count * Index(l, extent);
  Value flat = l.generate(OpFoldResult(count), storageType(element), [&](OpBuilder &b, Location loc, ValueRange index) {
    Scalars s{b, loc, element};
    Bits bits = philox(s, s.make<arith::IndexCastOp>(b.getI64Type(), index[0]), upper, key);
    return storeScalar(b, loc, body(s, bits), element);
  });
  return l.reshape(flat, extents);
}

Value drawUniform(Lowering &l, ArrayRef<OpFoldResult> extents, Type element, std::optional<APFloat> seed,
                  ScalarBody body) {
  return draw(l, extents, element, seed,
              [&](Scalars &s, const Bits &bits) { return body(s, Value(unit(s, bits[0], bits[1], element))); });
}

/// By the method of Box and Muller (A Note on the Generation of Random Normal Deviates, 1958).
Value drawNormal(Lowering &l, ArrayRef<OpFoldResult> extents, Type element, std::optional<APFloat> seed,
                 ScalarBody body) {
  return draw(l, extents, element, seed, [&](Scalars &s, const Bits &bits) {
    Type compute = computeType(element);
    Real distance = 1 - unit(s, bits[0], bits[1], compute), angle = unit(s, bits[2], bits[3], compute) * (2 * M_PI);
    Real radius(s, s.make<math::SqrtOp>(Value(-2 * Real(s, s.make<math::LogOp>(Value(distance))))));
    return body(s, Value(radius * Real(s, s.make<math::CosOp>(Value(angle)))));
  });
}

//===-- Tensors of random numbers --------------------------------------------------------===//

template <typename Op> static FailureOr<Extents> shapeOfRandom(Op op, Known &known) {
  if constexpr (requires { op.getShape(); })
    return known.math.constants(op.getShape());
  else
    return Extents(known.extents(op.getInput()));
}

template <typename Op> static FailureOr<Value> lowerUniform(Op op, Lowering &l) {
  double low = op.getLow().convertToFloat(), range = op.getHigh().convertToFloat() - low;
  Value result = op.getOutput();
  return drawUniform(l, l.extents(result), Lowering::element(result), op.getSeed(),
                     [&](Scalars &s, ValueRange args) -> Value { return range * Real(s, args[0]) + low; });
}

template <typename Op> static FailureOr<Value> lowerNormal(Op op, Lowering &l) {
  double mean = op.getMean().convertToFloat(), scale = op.getScale().convertToFloat();
  Value result = op.getOutput();
  return drawNormal(l, l.extents(result), Lowering::element(result), op.getSeed(),
                    [&](Scalars &s, ValueRange args) -> Value { return scale * Real(s, args[0]) + mean; });
}

//===-- Multinomial ------------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfMultinomial(MultinomialOp op, Known &known) {
  if (known.rank(op.getInput()) != 2)
    return op.emitOpError("expects input of rank 2, got ") << op.getInput().getType();
  if (op.getSampleSize() < 1)
    return op.emitOpError("expects a positive sample_size, got ") << op.getSampleSize();
  if (ExtentMath::isConstant(known.extents(op.getInput())[1], 0))
    return op.emitOpError("expects at least one class, got ") << op.getInput().getType();
  return Extents{known.extents(op.getInput())[0], known.math.constant(op.getSampleSize())};
}

/// For each row the sums of exp(logit) up to each class, in double.
static Value cumulated(MultinomialOp op, Lowering &l) {
  Type f64 = l.b.getF64Type(), element = Lowering::element(op.getInput()), compute = computeType(element);
  SmallVector<OpFoldResult> extents = l.extents(op.getInput());
  Along logits{l(op.getInput()), element, {0, 1}}, most{maximumAlong(l, l(op.getInput()), element, 1), compute, {0}};
  Value weights = l.elementwise(extents, f64, {logits, most}, [&](Scalars &s, ValueRange args) {
    // The greatest is subtracted, so that no exponential overflows.
    Value relative = castScalar(s, Real(s, args[0]) - Real(s, args[1]), compute, f64);
    return s.make<math::ExpOp>(relative);
  });
  return loopNest(l, extents[0], weights,
                  [&](ValueRange row, ValueRange outer) {
                    SmallVector<Value> start = {outer[0], l.scalar(0, f64)};
                    return SmallVector<Value>{loopNest(l, extents[1], start, [&](ValueRange at, ValueRange values) {
                                                Value place[] = {row[0], at[0]};
                                                Value next = tensor::ExtractOp::create(l.b, l.loc(), values[0], place);
                                                Value sum = arith::AddFOp::create(l.b, l.loc(), values[1], next);
                                                Value sums =
                                                    tensor::InsertOp::create(l.b, l.loc(), sum, values[0], place);
                                                return SmallVector<Value>{sums, sum};
                                              }).front()};
                  })
      .front();
}

static FailureOr<Value> lowerMultinomial(MultinomialOp op, Lowering &l) {
  Type f64 = l.b.getF64Type(), result = Lowering::element(op.getOutput());
  Index classes(l, l.known.extents(op.getInput())[1]);
  if (!ExtentMath::asConstant(l.known.extents(op.getInput())[1]))
    l.check(classes >= 1, "expects at least one class, got %0", {classes});
  SmallVector<OpFoldResult> extents = l.extents(op.getOutput());
  Value sums = cumulated(op, l);
  Value uniform = drawUniform(l, extents, f64, op.getSeed(), [](Scalars &, ValueRange args) { return args[0]; });

  // How many classes end before the number: loops are row, sample, class. The last class has no end.
  AffineExpr row, sample, category;
  bindDims(l.b.getContext(), row, sample, category);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(3, 0, exprs, l.b.getContext()); };
  Index last = classes - 1;
  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  Value total = l.slice(sums, {zero, last}, {extents[0], one}, {one, one});
  Value ends = l.slice(sums, {zero, zero}, {extents[0], last}, {one, one});
  total = l.reshape(total, extents[0]);
  Type storage = storageType(result);
  utils::IteratorType parallel = utils::IteratorType::parallel, reduction = utils::IteratorType::reduction;
  return l.generic(l.filled(extents, l.scalar(0, storage)), {ends, total, uniform},
                   {map({row, category}), map({row}), map({row, sample}), map({row, sample})},
                   {parallel, parallel, reduction}, [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Scalars s{b, loc, f64};
                     Value isBefore = Real(s, args[0]) <= Real(s, args[2]) * Real(s, args[1]);
                     return s.make<arith::AddIOp>(args[3], s.make<arith::ExtUIOp>(storage, isBefore));
                   });
}

void addRandomRules(Rules &rules) {
  rules.op<RandomUniformOp>().shape(shapeOfRandom<RandomUniformOp>).lower(lowerUniform<RandomUniformOp>);
  rules.op<RandomUniformLikeOp>().shape(shapeOfRandom<RandomUniformLikeOp>).lower(lowerUniform<RandomUniformLikeOp>);
  rules.op<RandomNormalOp>().shape(shapeOfRandom<RandomNormalOp>).lower(lowerNormal<RandomNormalOp>);
  rules.op<RandomNormalLikeOp>().shape(shapeOfRandom<RandomNormalLikeOp>).lower(lowerNormal<RandomNormalLikeOp>);
  rules.op<MultinomialOp>().shape(shapeOfMultinomial).lower(lowerMultinomial);
}

} // namespace mlc::onnx

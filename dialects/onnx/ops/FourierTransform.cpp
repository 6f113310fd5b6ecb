// A length that is a product of small numbers is transformed in one stage for each of its factors: the self-sorting
// algorithm of Stockham (Cochran et al.: What is the fast Fourier transform? Proceedings of the IEEE 55, 1967), for any
// radix. With s the product of the radices before, a stage reads x as radix x rest x s and writes
//
//   y[p, k, q] = sum over j of x[j, p, q] * w^(k * (p + rest * j) * s),   w = exp(-2 pi i / length)
//
// which is a linalg.generic whose innermost loop, q, runs over all signals. Other lengths become a convolution with a
// chirp (Bluestein: A linear filtering approach to the computation of discrete Fourier transform, 1970), and that by
// transforms whose length is a power of two.
//
// A length that is known is factored here; otherwise the run does the same.
#include "onnx/ops/FourierTransform.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace mlc::onnx {

/// Radices up to this are cheaper than a chirp.
static constexpr int64_t largestRadix = 64;

static std::optional<int64_t> fixed(Index index) { return getConstantIntValue(OpFoldResult(index)); }

//===-- Complex tensors --------------------------------------------------------------===//

namespace {
/// A complex number in a body.
struct Number {
  Real re, im;
  friend Number operator*(Number a, Number b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
  friend Number operator+(Number a, Number b) { return {a.re + b.re, a.im + b.im}; }
};
using NumberBody = llvm::function_ref<Number(const Scalars &, ValueRange)>;
} // namespace

/// A linalg.generic with two results; `maps` are those of the inputs, then that of either result.
static Complex generic(Lowering &l, Complex init, ValueRange inputs, ArrayRef<AffineMap> maps,
                       ArrayRef<utils::IteratorType> iterators, NumberBody body) {
  SmallVector<AffineMap> all(maps);
  all.push_back(maps.back());
  auto op = linalg::GenericOp::create(l.b, l.loc(), TypeRange{init.re.getType(), init.im.getType()}, inputs,
                                      ValueRange{init.re, init.im}, all, iterators,
                                      [&](OpBuilder &b, Location loc, ValueRange args) {
                                        Number result = body({b, loc, b.getF64Type()}, args);
                                        linalg::YieldOp::create(b, loc, ValueRange{result.re, result.im});
                                      });
  return {op.getResult(0), op.getResult(1)};
}

static Complex empty(Lowering &l, ArrayRef<OpFoldResult> extents) {
  Type f64 = l.b.getF64Type();
  return {l.empty(extents, f64), l.empty(extents, f64)};
}

static Complex reshaped(Lowering &l, Complex x, ArrayRef<OpFoldResult> extents) {
  return {l.reshape(x.re, extents), l.reshape(x.im, extents)};
}

/// x[t, lane] * factors[t] * scale
static Complex scaled(Lowering &l, Complex x, Complex factors, ArrayRef<OpFoldResult> extents, Value scale) {
  AffineMap both = l.b.getMultiDimIdentityMap(2), first = l.consecutive(2, 0, 1);
  return generic(l, empty(l, extents), {x.re, x.im, factors.re, factors.im}, {both, both, first, first, both},
                 SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
                 [&](const Scalars &s, ValueRange args) -> Number {
                   Number product = Number{{s, args[0]}, {s, args[1]}} * Number{{s, args[2]}, {s, args[3]}};
                   return {product.re * Real(s, scale), product.im * Real(s, scale)};
                 });
}

static Value asInteger(const Scalars &s, Value index) { return s.make<arith::IndexCastOp>(s.b.getI64Type(), index); }

/// exp(-2 pi i number(k) / period) for k below `count`, where number(k) is in [0, period). Quarter turns are counted in
/// integers, so that the angle that is left, and its error, are small.
static Complex rootsOfUnity(Lowering &l, Index count, Index period,
                            llvm::function_ref<Value(const Scalars &, Value)> number) {
  Type i64 = l.b.getI64Type();
  Value whole = l.number(OpFoldResult(period), i64);
  return generic(l, empty(l, OpFoldResult(count)), {}, l.b.getMultiDimIdentityMap(1), utils::IteratorType::parallel,
                 [&](const Scalars &s, ValueRange) -> Number {
                   Value k = asInteger(s, s.make<linalg::IndexOp>(0));
                   Value quarters = s.make<arith::MulIOp>(number(s, k), s.constant(4, i64));
                   Value quarter = s.make<arith::DivSIOp>(quarters, whole),
                         rest = s.make<arith::RemSIOp>(quarters, whole);
                   Real angle = Real::of(s, rest, s.element) / Real::of(s, whole, s.element) * M_PI_2;
                   Real cosine(s, s.make<math::CosOp>(Value(angle))), sine(s, s.make<math::SinOp>(Value(angle)));
                   auto is = [&](int64_t other) -> Value {
                     return s.make<arith::CmpIOp>(arith::CmpIPredicate::eq, quarter, s.constant(other, i64));
                   };
                   Value turns = s.make<arith::OrIOp>(is(1), is(3)), isBehind = s.make<arith::OrIOp>(is(2), is(3)),
                         isLeft = s.make<arith::OrIOp>(is(1), is(2));
                   Real x = select(turns, sine, cosine), y = select(turns, cosine, sine);
                   return {select(isLeft, 0 - x, x), select(isBehind, y, 0 - y)};
                 });
}

//===-- Lengths that are products of small numbers -------------------------------------------===//

/// One stage; `x` is flat, and so is the result.
static Complex stage(Lowering &l, Complex x, Complex roots, Index length, Index radix, Index before, Index lanes) {
  Index rest = length / (radix * before), inner = before * lanes;
  Complex factors;
  SmallVector<OpFoldResult> square = asFoldResults({rest, radix, radix});
  for (auto [part, table] : {std::pair(&factors.re, roots.re), {&factors.im, roots.im}})
    *part = l.generate(square, l.b.getF64Type(), [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      Index p(l, at[0]), k(l, at[1]), j(l, at[2]);
      return tensor::ExtractOp::create(b, loc, table, Value(k * (p + rest * j) * before % length));
    });
  x = reshaped(l, x, asFoldResults({radix, rest, inner}));

  // Loops: p, k, q, and j unless it is written out.
  static constexpr int64_t mostWrittenOut = 8;
  std::optional<int64_t> terms = fixed(radix);
  bool isWrittenOut = terms && *terms <= mostWrittenOut;
  int64_t loops = isWrittenOut ? 3 : 4;
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, l.b.getContext()); };
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (int64_t term = 0; term < (isWrittenOut ? *terms : 1); ++term) {
    AffineExpr j = isWrittenOut ? l.b.getAffineConstantExpr(term) : loop(3);
    inputs.append({x.re, x.im, factors.re, factors.im});
    maps.append(2, map({j, loop(0), loop(2)}));
    maps.append(2, map({loop(0), loop(1), j}));
  }
  maps.push_back(map({loop(0), loop(1), loop(2)}));
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  SmallVector<OpFoldResult> extents = asFoldResults({rest, radix, inner});
  Complex init = empty(l, extents);
  if (!isWrittenOut) {
    iterators.push_back(utils::IteratorType::reduction);
    Value zero = l.scalar(0, l.b.getF64Type());
    init = {l.filled(extents, zero), l.filled(extents, zero)};
  }
  Complex y = generic(l, init, inputs, maps, iterators, [&](const Scalars &s, ValueRange args) -> Number {
    auto number = [&](int64_t i) { return Number{{s, args[i]}, {s, args[i + 1]}}; };
    Number sum = number(0) * number(2);
    if (!isWrittenOut)
      return number(4) + sum;
    for (int64_t term = 1; term < *terms; ++term)
      sum = sum + number(4 * term) * number(4 * term + 2);
    return sum;
  });
  return reshaped(l, y, OpFoldResult(length * lanes));
}

static int64_t radixOf(int64_t rest) {
  if (rest % 4 == 0)
    return 4;
  int64_t radix = 2;
  while (rest % radix != 0)
    ++radix;
  return radix;
}

/// Counts an index up or on, from `start`, while a condition holds.
static Index advance(Lowering &l, Index start, llvm::function_ref<Truth(Index)> goesOn,
                     llvm::function_ref<Index(Index)> next) {
  Type index = l.b.getIndexType();
  auto loop = scf::WhileOp::create(l.b, l.loc(), index, Value(start));
  OpBuilder::InsertionGuard guard(l.b);
  Value now = l.b.createBlock(&loop.getBefore(), {}, index, l.loc())->getArgument(0);
  scf::ConditionOp::create(l.b, l.loc(), goesOn(Index(l, now)), now);
  Value last = l.b.createBlock(&loop.getAfter(), {}, index, l.loc())->getArgument(0);
  scf::YieldOp::create(l.b, l.loc(), Value(next(Index(l, last))));
  return {l, loop.getResult(0)};
}

static Index radixOf(Lowering &l, Index rest) {
  Index divisor = advance(l, Index(l, 2), [&](Index i) { return rest % i != 0; }, [](Index i) { return i + 1; });
  return select(rest % 4 == 0, Index(l, 4), divisor);
}

/// The transform of flat signals, by stages.
static Complex byStages(Lowering &l, Complex x, Index length, Index lanes) {
  Complex roots = rootsOfUnity(l, length, length, [](const Scalars &, Value k) { return k; });
  if (std::optional<int64_t> all = fixed(length)) {
    for (int64_t before = 1, radix; before < *all; before *= radix) {
      radix = radixOf(*all / before);
      x = stage(l, x, roots, length, Index(l, radix), Index(l, before), lanes);
    }
    return x;
  }
  OpBuilder &b = l.b;
  SmallVector<Type> types = {b.getIndexType(), x.re.getType(), x.im.getType()};
  SmallVector<Location> locations(types.size(), l.loc());
  auto loop = scf::WhileOp::create(b, l.loc(), types, ValueRange{l.index(1), x.re, x.im});
  OpBuilder::InsertionGuard guard(b);
  Block *head = b.createBlock(&loop.getBefore(), {}, types, locations);
  scf::ConditionOp::create(b, l.loc(), Index(l, Value(head->getArgument(0))) < length, head->getArguments());
  Block *body = b.createBlock(&loop.getAfter(), {}, types, locations);
  Index before(l, Value(body->getArgument(0))), radix = radixOf(l, length / before);
  Complex old{body->getArgument(1), body->getArgument(2)};
  Complex next = stage(l, old, roots, length, radix, before, lanes);
  // Every stage leaves its result where the next one looks for it.
  auto moved = [&](Value value, Value place) -> Value {
    return bufferization::MaterializeInDestinationOp::create(b, l.loc(), value, place).getResult();
  };
  scf::YieldOp::create(b, l.loc(), ValueRange{before * radix, moved(next.re, old.re), moved(next.im, old.im)});
  return {loop.getResult(1), loop.getResult(2)};
}

//===-- All other lengths --------------------------------------------------------------------===//

/// The least power of two that is not below `least`.
static Index powerOfTwo(Lowering &l, Index least) {
  if (std::optional<int64_t> bound = fixed(least))
    return {l, (int64_t)llvm::PowerOf2Ceil(*bound)};
  return advance(l, Index(l, 1), [&](Index power) { return power < least; }, [](Index power) { return power * 2; });
}

/// With k t = (k^2 + t^2 - (k - t)^2) / 2, the transform is a convolution of x[t] chirp[t] with the conjugate chirp, times
/// chirp[k], where chirp[t] = exp(-pi i t^2 / length).
static Complex byChirp(Lowering &l, Complex x, Index length, Index lanes) {
  Type f64 = l.b.getF64Type();
  Value one = l.scalar(1, f64), zero = l.scalar(0, f64);
  Index wide = powerOfTwo(l, length * 2 - 1);
  SmallVector<OpFoldResult> narrowExtents = asFoldResults({length, lanes}), wideExtents = asFoldResults({wide, lanes});
  Value period = l.number(OpFoldResult(length * 2), l.b.getI64Type());
  Complex chirp = rootsOfUnity(l, length, length * 2, [&](const Scalars &s, Value k) -> Value {
    return s.make<arith::RemSIOp>(s.make<arith::MulIOp>(k, k), period);
  });

  x = scaled(l, reshaped(l, x, narrowExtents), chirp, narrowExtents, one);
  OpFoldResult none = l.b.getIndexAttr(0), more = wide - length;
  for (Value *part : {&x.re, &x.im})
    *part = l.pad(*part, {none, none}, {more, none}, zero);
  x = byStages(l, reshaped(l, x, OpFoldResult(wide * lanes)), wide, lanes);

  // The conjugate chirp around 0, where negative places are at the end.
  Complex filter = generic(l, empty(l, OpFoldResult(wide)), {}, l.b.getMultiDimIdentityMap(1),
                           utils::IteratorType::parallel, [&](const Scalars &s, ValueRange) -> Number {
                             Index at(l, s.make<linalg::IndexOp>(0)), distance = min(at, wide - at);
                             Value place = min(distance, length - 1);
                             Real re(s, s.make<tensor::ExtractOp>(chirp.re, place)),
                                 im(s, s.make<tensor::ExtractOp>(chirp.im, place));
                             Truth isInside = distance < length;
                             return {select(isInside, re, re.same(0)), select(isInside, 0 - im, im.same(0))};
                           });
  filter = byStages(l, filter, wide, Index(l, 1));

  Complex product = scaled(l, reshaped(l, x, wideExtents), filter, wideExtents, one).swapped();
  product = byStages(l, reshaped(l, product, OpFoldResult(wide * lanes)), wide, lanes).swapped();
  product = reshaped(l, product, wideExtents);
  SmallVector<OpFoldResult> begin(2, none), steps(2, l.b.getIndexAttr(1));
  for (Value *part : {&product.re, &product.im})
    *part = l.slice(*part, begin, narrowExtents, steps);
  Real scale = 1 / Real({l.b, l.loc(), f64}, l.number(OpFoldResult(wide), f64));
  return reshaped(l, scaled(l, product, chirp, narrowExtents, scale), OpFoldResult(length * lanes));
}

static bool hasSmallFactors(int64_t length) {
  for (int64_t factor = 2; factor <= largestRadix && length > 1; ++factor)
    while (length % factor == 0)
      length /= factor;
  return length == 1;
}

static Truth hasSmallFactors(Lowering &l, Index length) {
  // Divides every factor out, one after the other.
  SmallVector<Value> start = {length, l.index(2)};
  SmallVector<Type> types(2, l.b.getIndexType());
  SmallVector<Location> locations(2, l.loc());
  auto loop = scf::WhileOp::create(l.b, l.loc(), types, start);
  OpBuilder::InsertionGuard guard(l.b);
  Block *head = l.b.createBlock(&loop.getBefore(), {}, types, locations);
  Truth goesOn = Index(l, Value(head->getArgument(0))) > 1 && Index(l, Value(head->getArgument(1))) <= largestRadix;
  scf::ConditionOp::create(l.b, l.loc(), goesOn, head->getArguments());
  Block *body = l.b.createBlock(&loop.getAfter(), {}, types, locations);
  Index now(l, Value(body->getArgument(0))), factor(l, Value(body->getArgument(1)));
  Truth divides = now % factor == 0;
  scf::YieldOp::create(l.b, l.loc(),
                       ValueRange{select(divides, now / factor, now), select(divides, factor, factor + 1)});
  l.b.setInsertionPointAfter(loop);
  return Index(l, loop.getResult(0)) == 1;
}

Complex fourierTransform(Lowering &l, Complex x, Index length, Index lanes) {
  SmallVector<OpFoldResult> extents = asFoldResults({length, lanes});
  x = reshaped(l, x, OpFoldResult(length * lanes));
  if (std::optional<int64_t> known = fixed(length))
    return reshaped(l, hasSmallFactors(*known) ? byStages(l, x, length, lanes) : byChirp(l, x, length, lanes), extents);
  auto choice = scf::IfOp::create(l.b, l.loc(), TypeRange{x.re.getType(), x.im.getType()}, hasSmallFactors(l, length),
                                  /*withElseRegion=*/true);
  using Transform = Complex (*)(Lowering &, Complex, Index, Index);
  for (auto [region, transform] : {std::pair<Region *, Transform>(&choice.getThenRegion(), byStages),
                                   std::pair<Region *, Transform>(&choice.getElseRegion(), byChirp)}) {
    OpBuilder::InsertionGuard guard(l.b);
    l.b.setInsertionPointToEnd(&region->front());
    Complex result = transform(l, x, length, lanes);
    scf::YieldOp::create(l.b, l.loc(), ValueRange{result.re, result.im});
  }
  return reshaped(l, {choice.getResult(0), choice.getResult(1)}, extents);
}

} // namespace mlc::onnx

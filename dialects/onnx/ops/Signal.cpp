// Operators on signals: DFT, STFT, MelWeightMatrix. Windows (Hann, Hamming, Blackman) are functions of other operators.
//
//   %y = onnx.DFT(%x, %length, %axis)
//   =>
//   %x re, %x im = the components of %x in f64, the axis first, all other axes as one, cut or filled up to the length
//   %y re, %y im = the transform (FourierTransform.h)
//   %y = both side by side in the last axis, with the axis where it was
//
// The axis may be known to the run only: the operand is seen as outer x axis x inner x components.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/RealMath.h"
#include "onnx/ops/FourierTransform.h"

using namespace mlir;

namespace mlc::onnx {

/// Elements of the spectrum that are not told by the others, if the signal is real.
static Extent binsOf(Extent length, ExtentMath &math) {
  return math.add(math.floorDiv(length, math.constant(2)), math.constant(1));
}

/// The only element of an operand that holds a number; null if it cannot be followed.
static Extent numberOf(Value operand, Known &known) {
  std::optional<Extents> told = known.elementsOrSymbols(operand);
  return told && told->size() == 1 ? told->front() : Extent();
}

static LogicalResult verifyNumber(Operation *op, Known &known, StringRef name, Value operand) {
  if (!operand || known.math.mayBeEqual(known.math.product(known.extents(operand)), known.math.constant(1)))
    return success();
  return op->emitOpError("expects one number as ") << name << ", got " << operand.getType();
}

/// A last axis that holds real numbers, or real and imaginary parts.
static LogicalResult verifyComponents(Operation *op, Value signal, Extent components) {
  std::optional<int64_t> fixed = ExtentMath::asConstant(components);
  if (!fixed || *fixed == 1 || *fixed == 2)
    return success();
  return op->emitOpError("expects a last axis of 1 or 2 components, got ") << signal.getType();
}

//===-- Components ---------------------------------------------------------------------===//

/// A tensor of rank 4, outer x axis x inner x components, and its extents.
namespace {
struct Parts {
  Value value;
  Type element;
  Index outer, axis, inner, components;
};
} // namespace

/// The first `kept` elements along the axis of one component, as f64 of extents kept x (outer * inner).
static Value component(Lowering &l, const Parts &x, Index which, Index kept) {
  Index zero(l, int64_t(0)), one(l, 1);
  Value part = l.slice(x.value, asFoldResults({zero, zero, zero, which}), asFoldResults({x.outer, kept, x.inner, one}),
                       SmallVector<OpFoldResult>(4, l.b.getIndexAttr(1)));
  part = l.reshape(part, asFoldResults({x.outer, kept, x.inner}));
  part = l.transpose(l.cast(part, x.element, l.b.getF64Type()), {1, 0, 2});
  return l.reshape(part, asFoldResults({kept, x.outer * x.inner}));
}

/// Real and imaginary parts of the first elements along the axis, filled up with zeros to `length` of them.
static Complex components(Lowering &l, const Parts &x, Index length) {
  Type f64 = l.b.getF64Type();
  Index kept = min(x.axis, length), lanes = x.outer * x.inner;
  Value zero = l.scalar(0, f64);
  OpFoldResult none = l.b.getIndexAttr(0), missing = length - kept;
  auto filled = [&](Value part) { return l.pad(part, {none, none}, {missing, none}, zero); };
  Complex result;
  result.re = filled(component(l, x, Index(l, int64_t(0)), kept));
  std::optional<int64_t> count = getConstantIntValue(OpFoldResult(x.components));
  if (count == 1) {
    result.im = l.filled(asFoldResults({length, lanes}), zero);
    return result;
  }
  Value im = component(l, x, max(x.components - 1, 0), kept);
  if (!count) {
    Truth isThere = x.components == 2;
    SmallVector<OpFoldResult> extents = asFoldResults({kept, lanes});
    im = l.elementwise(extents, f64, im, f64, [&](Scalars &s, ValueRange args) {
      return s.make<arith::SelectOp>(isThere, args[0], s.constant(0));
    });
  }
  result.im = filled(im);
  return result;
}

/// The spectrum of a real signal from its first half: the others are the conjugates of these.
static Complex completed(Lowering &l, Complex half, Index length, Index lanes) {
  auto part = [&](Value from, bool isImaginary) {
    return l.generate(asFoldResults({length, lanes}), l.b.getF64Type(),
                      [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
                        Index k(l, at[0]), mirrored = min(k, length - k);
                        Scalars s{b, loc, b.getF64Type()};
                        Real value(s, tensor::ExtractOp::create(b, loc, from, ValueRange{mirrored, at[1]}));
                        return isImaginary ? select(mirrored < k, 0 - value, value) : value;
                      });
  };
  return {part(half.re, false), part(half.im, true)};
}

/// Transformed signals of extents rows x (outer * inner) as outer x rows x inner x components; only the first `rows`.
static Value assembled(Lowering &l, Complex y, Index rows, const Parts &x, int64_t count, Real scale) {
  Index lanes = x.outer * x.inner;
  OpFoldResult zero = l.b.getIndexAttr(0), one = l.b.getIndexAttr(1);
  auto part = [&](Value from) {
    Value kept = l.slice(from, {zero, zero}, asFoldResults({rows, lanes}), {one, one});
    return l.reshape(kept, asFoldResults({rows, x.outer, x.inner}));
  };
  SmallVector<OpFoldResult> extents = asFoldResults({x.outer, rows, x.inner});
  extents.push_back(l.b.getIndexAttr(count));
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  AffineMap source = AffineMap::get(4, 0, {loop(1), loop(0), loop(2)}, l.b.getContext());
  return l.generic(l.empty(extents, storageType(x.element)), {part(y.re), part(y.im)},
                   {source, source, l.b.getMultiDimIdentityMap(4)},
                   SmallVector<utils::IteratorType>(4, utils::IteratorType::parallel),
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     Type f64 = b.getF64Type();
                     Scalars s{b, loc, f64};
                     Value isReal = Index(l, s.make<linalg::IndexOp>(3)) == 0;
                     Real value = select(isReal, Real(s, args[0]), Real(s, args[1])) * scale;
                     return storeScalar(b, loc, castScalar(s, value, f64, x.element), x.element);
                   });
}

/// Squares of a length must be integers of 64 bits.
static constexpr int64_t longest = int64_t(1) << 31;

static void checkLength(Lowering &l, Index length) {
  std::optional<int64_t> fixed = getConstantIntValue(OpFoldResult(length));
  if (!fixed)
    l.check(length >= 1, "expects a length of at least 1, got %0", {length});
  if (!fixed || *fixed > longest)
    l.check(length <= longest, "expects a length of at most " + Twine(longest) + ", got %0", {length});
}

//===-- DFT --------------------------------------------------------------------------------===//

/// The axis, if it is known; rank - 1, the components, is none. Error at op if it is wrong.
static FailureOr<std::optional<int64_t>> axisOf(DFTOp op, Known &known) {
  int64_t rank = known.rank(op.getInput()), axis = -2;
  if (op.getAxis()) {
    std::optional<SmallVector<int64_t>> told = known.constants(op.getAxis());
    if (!told || told->size() != 1)
      return std::optional<int64_t>();
    axis = told->front();
  }
  std::optional<int64_t> normal = normalizedAxis(axis, rank);
  if (!normal || *normal == rank - 1)
    return op.emitOpError("expects an axis of the signal, in [")
           << -rank << ", -1) or [0, " << rank - 1 << "), got " << axis;
  return normal;
}

/// From the extent of the operand along the axis.
static Extent lengthOf(DFTOp op, Known &known, Extent extent) {
  if (op.getDftLength())
    return numberOf(op.getDftLength(), known);
  ExtentMath &math = known.math;
  if (op.getInverse() && op.getOnesided())
    return math.mul(math.sub(extent, math.constant(1)), math.constant(2));
  return extent;
}

static FailureOr<Extents> shapeOfDFT(DFTOp op, Known &known) {
  Extents extents(known.extents(op.getInput()));
  int64_t rank = extents.size();
  if (rank < 2)
    return op.emitOpError("expects a signal of rank 2 or more, got ") << op.getInput().getType();
  if (failed(verifyComponents(op, op.getInput(), extents.back())) ||
      failed(verifyNumber(op, known, "dft_length", op.getDftLength())) ||
      failed(verifyNumber(op, known, "axis", op.getAxis())))
    return failure();
  FailureOr<std::optional<int64_t>> axis = axisOf(op, known);
  if (failed(axis))
    return failure();
  bool isReal = op.getInverse() && op.getOnesided();
  if (!*axis) {
    extents.assign(rank, nullptr);
  } else {
    Extent length = lengthOf(op, known, extents[**axis]);
    if (std::optional<int64_t> fixed = length ? ExtentMath::asConstant(length) : std::nullopt; fixed && *fixed < 1)
      return op.emitOpError("expects a length of at least 1, got ") << *fixed;
    extents[**axis] = length && op.getOnesided() && !op.getInverse() ? binsOf(length, known.math) : length;
  }
  extents.back() = known.math.constant(isReal ? 1 : 2);
  return extents;
}

static FailureOr<Value> lowerDFT(DFTOp op, Lowering &l) {
  FailureOr<std::optional<int64_t>> known = axisOf(op, l.known);
  if (failed(known))
    return failure();
  Extents own(l.known.extents(op.getInput()));
  SmallVector<Index> extents = llvm::map_to_vector(own, [&](Extent extent) { return Index(l, extent); });
  int64_t rank = own.size();
  Index axis = *known ? Index(l, **known) : Index(l, l.elementAsIndex(op.getAxis(), 0));
  if (!*known) {
    Index told = axis;
    axis = select(axis < 0, axis + rank, axis);
    l.check(axis >= 0 && axis < rank - 1,
            "expects an axis of the signal, in [-" + Twine(rank) + ", -1) or [0, " + Twine(rank - 1) + "), got %0",
            {told});
  }
  Index one(l, 1), zero(l, int64_t(0));
  Parts x{l(op.getInput()), Lowering::element(op.getInput()), one, zero, one, extents.back()};
  for (int64_t i = 0; i < rank - 1; ++i) {
    Index at(l, i);
    x.outer = x.outer * select(at < axis, extents[i], one);
    x.axis = x.axis + select(at == axis, extents[i], zero);
    x.inner = x.inner * select(axis < at, extents[i], one);
  }
  bool isInverse = op.getInverse(), isOnesided = op.getOnesided(), isReal = isInverse && isOnesided;
  Index length = op.getDftLength() ? Index(l, l.elementAsIndex(op.getDftLength(), 0))
                 : isReal          ? (x.axis - 1) * 2
                                   : x.axis;
  checkLength(l, length);
  if (!ExtentMath::asConstant(own.back()))
    l.check(x.components == 1 || x.components == 2, "expects a last axis of 1 or 2 components, got %0", {x.components});

  x.value = l.reshape(x.value, asFoldResults({x.outer, x.axis, x.inner, x.components}));
  Index bins = length / 2 + 1, lanes = x.outer * x.inner;
  Complex signal = components(l, x, isReal ? bins : length);
  if (isReal)
    signal = completed(l, signal, length, lanes);
  Complex spectrum = isInverse ? fourierTransform(l, signal.swapped(), length, lanes).swapped()
                               : fourierTransform(l, signal, length, lanes);
  Scalars s{l.b, l.loc(), l.b.getF64Type()};
  Real scale(s, l.number(OpFoldResult(length), s.element));
  Index rows = isOnesided && !isInverse ? bins : length;
  Value y = assembled(l, spectrum, rows, x, isReal ? 1 : 2, isInverse ? 1 / scale : scale.same(1));
  SmallVector<OpFoldResult> result;
  for (int64_t i = 0; i < rank - 1; ++i)
    result.push_back(select(Index(l, i) == axis, rows, extents[i]));
  result.push_back(l.b.getIndexAttr(isReal ? 1 : 2));
  return l.reshape(y, result);
}

/// Opset 17 has the axis as an attribute.
static LogicalResult upgradeDFT(Node &node) {
  node.setOperand(2, node.scalar(node.builder.getI64IntegerAttr(node.integer("axis", 1)), node.builder.getI64Type()));
  node.attributes.erase("axis");
  return success();
}

//===-- STFT -------------------------------------------------------------------------------===//

/// The extent of a frame.
static Extent frameOf(STFTOp op, Known &known) {
  if (op.getFrameLength())
    return numberOf(op.getFrameLength(), known);
  return known.extents(op.getWindow() ? op.getWindow() : op.getSignal())[op.getWindow() ? 0 : 1];
}

static FailureOr<Extents> shapeOfSTFT(STFTOp op, Known &known) {
  ArrayRef<Extent> signal = known.extents(op.getSignal());
  if (signal.size() != 2 && signal.size() != 3)
    return op.emitOpError("expects a signal of rank 2 or 3, got ") << op.getSignal().getType();
  if ((signal.size() == 3 && failed(verifyComponents(op, op.getSignal(), signal[2]))) ||
      failed(verifyNumber(op, known, "frame_step", op.getFrameStep())) ||
      failed(verifyNumber(op, known, "frame_length", op.getFrameLength())))
    return failure();
  if (op.getWindow() && known.rank(op.getWindow()) != 1)
    return op.emitOpError("expects a window of rank 1, got ") << op.getWindow().getType();
  ExtentMath &math = known.math;
  Extent frame = frameOf(op, known), step = numberOf(op.getFrameStep(), known), frames;
  for (auto [name, value] : {std::pair("frame_step", step), {"frame_length", frame}})
    if (std::optional<int64_t> fixed = value ? ExtentMath::asConstant(value) : std::nullopt; fixed && *fixed < 1)
      return op.emitOpError("expects a ") << name << " of at least 1, got " << *fixed;
  if (frame && op.getWindow() && !math.mayBeEqual(frame, known.extents(op.getWindow())[0]))
    return op.emitOpError("expects a window of the length of a frame, got ") << op.getWindow().getType();
  if (frame && step)
    frames = math.add(math.floorDiv(math.sub(signal[1], frame), step), math.constant(1));
  if (std::optional<int64_t> fixed = frames ? ExtentMath::asConstant(frames) : std::nullopt; fixed && *fixed < 1)
    return op.emitOpError("expects a signal that holds at least one frame, got ") << op.getSignal().getType();
  Extent bins = frame && op.getOnesided() ? binsOf(frame, math) : frame;
  return Extents{signal[0], frames, bins, math.constant(2)};
}

static FailureOr<Value> lowerSTFT(STFTOp op, Lowering &l) {
  Extents own(l.known.extents(op.getSignal()));
  Type element = Lowering::element(op.getSignal()), f64 = l.b.getF64Type();
  Index batches(l, own[0]), extent(l, own[1]), one(l, 1), step(l, l.elementAsIndex(op.getFrameStep(), 0));
  Index frame =
      op.getFrameLength() ? Index(l, l.elementAsIndex(op.getFrameLength(), 0)) : Index(l, frameOf(op, l.known));
  for (auto [name, number] : {std::pair("frame_step", step), {"frame_length", frame}})
    if (!getConstantIntValue(OpFoldResult(number)))
      l.check(number >= 1, "expects a " + Twine(name) + " of at least 1, got %0", {number});
  l.check(frame <= extent, "expects a signal that holds at least one frame of %0 elements, got %1", {frame, extent});
  if (op.getWindow()) {
    Index window(l, l.known.extents(op.getWindow())[0]);
    l.check(window == frame, "expects a window of the length %0 of a frame, got %1", {frame, window});
  }
  Parts x{l(op.getSignal()), element, batches, extent, one, own.size() == 3 ? Index(l, own[2]) : one};
  if (!getConstantIntValue(OpFoldResult(x.components)))
    l.check(x.components == 1 || x.components == 2, "expects a last axis of 1 or 2 components, got %0", {x.components});
  x.value = l.reshape(x.value, asFoldResults({x.outer, x.axis, x.inner, x.components}));
  Complex signal = components(l, x, extent);

  // Every frame of every batch is a lane: loops are element, batch, frame.
  Index frames = (extent - frame) / step + 1;
  Value window = op.getWindow() ? l.cast(l(op.getWindow()), element, f64) : Value();
  auto framed = [&](Value from) {
    Value all = l.generate(asFoldResults({frame, batches, frames}), f64,
                           [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
                             Index t(l, at[0]), number(l, at[2]);
                             Scalars s{b, loc, f64};
                             Real value(s, s.make<tensor::ExtractOp>(from, ValueRange{number * step + t, at[1]}));
                             return window ? value * Real(s, s.make<tensor::ExtractOp>(window, at[0])) : value;
                           });
    return l.reshape(all, asFoldResults({frame, batches * frames}));
  };
  Complex spectrum = fourierTransform(l, {framed(signal.re), framed(signal.im)}, frame, batches * frames);
  x.outer = batches * frames;
  Index bins = op.getOnesided() ? frame / 2 + 1 : frame;
  Real none({l.b, l.loc(), f64}, l.scalar(1, f64));
  Value y = assembled(l, spectrum, bins, x, 2, none);
  SmallVector<OpFoldResult> result = asFoldResults({batches, frames, bins});
  result.push_back(l.b.getIndexAttr(2));
  return l.reshape(y, result);
}

//===-- MelWeightMatrix ----------------------------------------------------------------------===//

static FailureOr<Extents> shapeOfMelWeights(MelWeightMatrixOp op, Known &known) {
  for (auto [name, operand] : {std::pair("num_mel_bins", op.getNumMelBins()),
                               {"dft_length", op.getDftLength()},
                               {"sample_rate", op.getSampleRate()},
                               {"lower_edge_hertz", op.getLowerEdgeHertz()},
                               {"upper_edge_hertz", op.getUpperEdgeHertz()}})
    if (failed(verifyNumber(op, known, name, operand)))
      return failure();
  Extent length = numberOf(op.getDftLength(), known);
  return Extents{length ? binsOf(length, known.math) : Extent(), numberOf(op.getNumMelBins(), known)};
}

/// Triangles whose corners are equally far from each other on the mel scale: mel = 2595 log10(1 + hertz / 700).
static FailureOr<Value> lowerMelWeights(MelWeightMatrixOp op, Lowering &l) {
  Type f64 = l.b.getF64Type(), i64 = l.b.getI64Type(), result = Lowering::element(op.getOutput());
  Index bands(l, l.elementAsIndex(op.getNumMelBins(), 0)), length(l, l.elementAsIndex(op.getDftLength(), 0)),
      rate(l, l.elementAsIndex(op.getSampleRate(), 0));
  l.check(rate >= 1, "expects a sample_rate of at least 1, got %0", {rate});
  SmallVector<OpFoldResult> extents = asFoldResults({length / 2 + 1, bands});
  l.checkExtents(extents);
  Scalars outside{l.b, l.loc(), f64};
  static constexpr double perDecade = 2595, corner = 700;
  auto mel = [&](Value hertz) {
    Real x(outside, castScalar(outside, l.onlyElement(hertz), Lowering::element(hertz), f64));
    return Real(outside, outside.make<math::Log1pOp>(Value(x / corner))) * (perDecade / M_LN10);
  };
  Real low = mel(op.getLowerEdgeHertz()), high = mel(op.getUpperEdgeHertz());
  Real points(outside, l.number(OpFoldResult(bands + 2), f64)), step = (high - low) / points;
  Real bins(outside, l.number(OpFoldResult(length + 1), f64)), hertz(outside, l.number(OpFoldResult(rate), f64));
  // The bin of the spectrum that each corner is in.
  Value corners = l.generate(OpFoldResult(bands + 2), i64, [&](OpBuilder &b, Location loc, ValueRange at) {
    Scalars s{b, loc, f64};
    Real place = Real::of(s, at[0], f64) * step + low;
    Real x(s, s.make<math::ExpM1Op>(Value(place * (M_LN10 / perDecade))));
    return castScalar(s, floor(bins * (corner * x) / hertz), f64, i64);
  });
  return l.generate(extents, storageType(result), [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
    Scalars s{b, loc, f64};
    Index bin(l, at[0]), band(l, at[1]);
    auto cornerAt = [&](int64_t offset) {
      Value stored = s.make<tensor::ExtractOp>(corners, Value(band + offset));
      return Index(l, s.make<arith::IndexCastOp>(b.getIndexType(), stored));
    };
    Index begin = cornerAt(0), peak = cornerAt(1), end = cornerAt(2);
    auto real = [&](Index x) { return Real::of(s, x, f64); };
    Real rising = select(begin == peak, real(peak).same(1), real(bin - begin) / real(peak - begin));
    Real falling = real(end - bin) / real(end - peak);
    Real zero = rising.same(0);
    Real weight = select(peak <= bin && bin < end, falling, select(begin <= bin && bin <= peak, rising, zero));
    return storeScalar(b, loc, castScalar(s, weight, f64, result), result);
  });
}

void addSignalRules(Rules &rules) {
  rules.op<DFTOp>().upgrade(20, upgradeDFT).shape(shapeOfDFT).lower(lowerDFT);
  rules.op<STFTOp>().shape(shapeOfSTFT).lower(lowerSTFT);
  rules.op<MelWeightMatrixOp>().shape(shapeOfMelWeights).lower(lowerMelWeights);
}

} // namespace mlc::onnx

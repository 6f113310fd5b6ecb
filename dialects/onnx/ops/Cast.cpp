// Conversion between element types: Cast, CastLike, BitCast.
//
// Text is written and read by the runtime (runtime/ops/Format.cpp); what is no number ends the run.
//
// What a conversion does to numbers that the new type cannot hold is described at castScalar and Narrowing
// (onnx/Scalars.h).
#include "onnx/ops/Cast.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "onnx/NodeText.h"
#include "onnx/ops/Elementwise.h"

using namespace mlir;

namespace mlc::onnx {

/// Elements of shapes stay what they are in integers that hold every extent; truth values of known ones are known.
static std::optional<Extents> castElements(Known &known, Value operand, Type to) {
  std::optional<ArrayRef<Extent>> elements = known.elements(operand);
  if (!elements || isFloat(Lowering::element(operand)) || !to.isInteger())
    return std::nullopt;
  if (to.getIntOrFloatBitWidth() >= 32)
    return Extents(*elements);
  if (!to.isInteger(1))
    return std::nullopt;
  Extents result;
  for (Extent element : *elements) {
    bool isNotZero = known.math.isNonNegative(known.math.sub(element, known.math.constant(1)));
    if (!isNotZero && !ExtentMath::asConstant(element))
      return std::nullopt;
    result.push_back(known.math.constant(!ExtentMath::isConstant(element, 0)));
  }
  return result;
}

static FailureOr<Facts> shapeOfCast(Operation *op, Known &known) {
  Value operand = op->getOperand(0);
  return Facts(Extents(known.extents(operand)), castElements(known, operand, Lowering::element(op->getResult(0))));
}

/// A number as text. What numpy writes: "True", "-12", "0.1", "1e-05", "inf", "nan".
static Value format(Scalars &s, Value value, Type from) {
  OpBuilder &b = s.b;
  Type string = mlc::StringType::get(b.getContext());
  auto service = [&](StringRef name, ValueRange operands) {
    return ServiceOp::create(b, s.loc, TypeRange(string), name, operands).getResult();
  };
  auto number = [&](int64_t value) { return arith::ConstantIntOp::create(b, s.loc, value, 64).getResult(); };
  if (from.isInteger(1)) {
    Value yes = TextOp::create(b, s.loc, "True"), no = TextOp::create(b, s.loc, "False");
    return s.make<arith::SelectOp>(value, yes, no);
  }
  if (isFloat(from))
    return service("format_float", {castScalar(s, value, from, b.getF64Type()), number(elementTypeNumber(from))});
  return service("format_integer", {castScalar(s, value, from, b.getI64Type()), number(isUnsigned(from))});
}

/// A number that is written as text.
static Value parse(Scalars &s, Value text, Type to, Value node) {
  OpBuilder &b = s.b;
  auto number = [&](int64_t value) { return arith::ConstantIntOp::create(b, s.loc, value, 64).getResult(); };
  bool isReal = isFloat(to), isUnsigned64 = to.isUnsignedInteger(64);
  Type wide = isReal ? Type(b.getF64Type()) : Type(b.getI64Type());
  Value parsed = ServiceOp::create(b, s.loc, TypeRange(wide), isReal ? "parse_float" : "parse_integer",
                                   ValueRange{text, node, number(isReal ? elementTypeNumber(to) : isUnsigned64)})
                     .getResult();
  return castScalar({b, s.loc, wide}, parsed, wide, to);
}

Value convertElements(Lowering &l, Value operand, Type from, Type to, Narrowing narrowing) {
  if (from == to || (!isa<StringType>(from) && !isa<StringType>(to)))
    return l.cast(operand, from, to, narrowing);
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(l.b, l.loc(), operand);
  if (isa<StringType>(to))
    return l.elementwise(extents, to, operand, from,
                         [&](Scalars &s, ValueRange args) { return format(s, args[0], from); });
  Value node = TextOp::create(l.b, l.loc(), nodeText(l.op));
  return l.elementwise(extents, to, operand, from,
                       [&](Scalars &s, ValueRange args) { return parse(s, args[0], to, node); });
}

static FailureOr<Value> lowerCast(Operation *op, Lowering &l, bool saturate, StringRef roundMode) {
  Value operand = op->getOperand(0);
  Type from = Lowering::element(operand), to = Lowering::element(op->getResult(0));
  Narrowing narrowing;
  narrowing.saturate = saturate;
  narrowing.round = llvm::StringSwitch<decltype(Narrowing::round)>(roundMode)
                        .Case("down", Narrowing::Down)
                        .Case("nearest", Narrowing::Nearest)
                        .Default(Narrowing::Up);
  return convertElements(l, l(operand), from, to, narrowing);
}

/// The same bits read as another type of the same width.
static FailureOr<Value> lowerBitCast(BitCastOp op, Lowering &l) {
  Type from = Lowering::element(op.getInput()), to = Lowering::element(op.getOutput());
  if (from == to)
    return l(op.getInput());
  if (isa<StringType>(from) || isa<StringType>(to))
    return op.emitOpError("expects numbers, got ") << op->getOperandTypes();
  auto width = [](Type element) { return element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth(); };
  if (width(from) != width(to))
    return op.emitOpError("expects types of equal width, got ") << from << " and " << to;
  Type storage = storageType(to);
  Value operand = l(op.getInput());
  if (storage == storageType(from) && storage.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth())
    return operand;
  SmallVector<OpFoldResult> extents = l.extents(op.getOutput());
  AffineMap identity = l.b.getMultiDimIdentityMap(extents.size());
  SmallVector<utils::IteratorType> parallel(extents.size(), utils::IteratorType::parallel);
  return l.generic(l.empty(extents, storage), operand, {identity, identity}, parallel,
                   [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                     // Integers of fewer than 8 bits lie extended by their sign, or by zeros.
                     unsigned width = to.getIntOrFloatBitWidth();
                     if (width >= 8)
                       return arith::BitcastOp::create(b, loc, storage, args[0]);
                     Value bits = arith::TruncIOp::create(b, loc, b.getIntegerType(width), args[0]);
                     bool isSigned = to.isInteger() && !isUnsigned(to);
                     return isSigned ? Value(arith::ExtSIOp::create(b, loc, storage, bits))
                                     : Value(arith::ExtUIOp::create(b, loc, storage, bits));
                   });
}

void addCastRules(Rules &rules) {
  rules.op<CastOp>()
      .shape([](CastOp op, Known &known) { return shapeOfCast(op, known); })
      .lower([](CastOp op, Lowering &l) { return lowerCast(op, l, op.getSaturate(), op.getRoundMode()); });
  rules.op<CastLikeOp>()
      .shape([](CastLikeOp op, Known &known) { return shapeOfCast(op, known); })
      .lower([](CastLikeOp op, Lowering &l) { return lowerCast(op, l, op.getSaturate(), op.getRoundMode()); });
  rules.op<BitCastOp>().shape([](BitCastOp op, Known &known) { return shapeOfFirst(op, known); }).lower(lowerBitCast);
}

} // namespace mlc::onnx

// Conversion between element types: Cast, CastLike, BitCast.
//
// What a conversion does to numbers that the new type cannot hold is described at castScalar and Narrowing
// (onnx/Scalars.h).
#include "mlir/Dialect/Arith/IR/Arith.h"
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

static FailureOr<Value> lowerCast(Operation *op, Lowering &l, bool saturate, StringRef roundMode) {
  Value operand = op->getOperand(0);
  Type from = Lowering::element(operand), to = Lowering::element(op->getResult(0));
  if (from != to && (isa<StringType>(from) || isa<StringType>(to)))
    return l.unsupported("conversion between strings and numbers");
  Narrowing narrowing;
  narrowing.saturate = saturate;
  narrowing.round = llvm::StringSwitch<decltype(Narrowing::round)>(roundMode)
                        .Case("down", Narrowing::Down)
                        .Case("nearest", Narrowing::Nearest)
                        .Default(Narrowing::Up);
  return l.cast(l(operand), from, to, narrowing);
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

#include "onnx/Extents.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace mlc::onnx {

//===-- Constants and symbols ------------------------------------------------===//

Extent ExtentMath::constant(int64_t value) const { return getAffineConstantExpr(value, context); }

Extents ExtentMath::constants(ArrayRef<int64_t> values) const {
  return llvm::map_to_vector(values, [&](int64_t value) { return constant(value); });
}

Extent ExtentMath::symbol(Symbol s) {
  table.push_back(std::move(s));
  return getAffineSymbolExpr(table.size() - 1, context);
}

Extent ExtentMath::extentOf(Value value, unsigned index, StringRef name) {
  auto [entry, isNew] = extentSymbols.try_emplace({value, index});
  if (!isNew)
    return entry->second;
  // Dimensions that the model gives one name are one dimension; the runtime checks it on every run.
  if (!name.empty())
    for (auto [position, s] : llvm::enumerate(table))
      if (s.kind == Symbol::ExtentOf && s.name == name)
        return entry->second = getAffineSymbolExpr(position, context);
  return entry->second = symbol({Symbol::ExtentOf, value, index, {}, {}, name.str()});
}

Extent ExtentMath::elementOf(Value value, unsigned index) {
  auto [entry, isNew] = elementSymbols.try_emplace({value, index});
  if (isNew)
    entry->second = symbol({Symbol::ElementOf, value, index, {}, {}, ""});
  return entry->second;
}

/// Two derived symbols with the same operation and operands are one.
Extent ExtentMath::derived(Symbol::Kind kind, Extent a, Extent b) {
  for (auto [position, s] : llvm::enumerate(table))
    if (s.kind == kind && s.lhs == a && s.rhs == b)
      return getAffineSymbolExpr(position, context);
  return symbol({kind, nullptr, 0, a, b, ""});
}

std::optional<int64_t> ExtentMath::asConstant(Extent e) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return constant.getValue();
  return std::nullopt;
}

std::optional<SmallVector<int64_t>> ExtentMath::asConstants(ArrayRef<Extent> list) {
  SmallVector<int64_t> values;
  for (Extent e : list) {
    std::optional<int64_t> value = asConstant(e);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

bool ExtentMath::isNonNegative(Extent e) const {
  if (std::optional<int64_t> value = asConstant(e))
    return *value >= 0;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(e)) {
    const Symbol &s = table[symbol.getPosition()];
    switch (s.kind) {
    case Symbol::ExtentOf:
    case Symbol::Broadcast:
      return true;
    case Symbol::ElementOf:
    case Symbol::Overflow:
      return false;
    case Symbol::Max:
      return isNonNegative(s.lhs) || isNonNegative(s.rhs);
    case Symbol::Min:
    case Symbol::FloorDiv:
      return isNonNegative(s.lhs) && isNonNegative(s.rhs);
    case Symbol::Mod:
      return isNonNegative(s.rhs);
    }
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary)
    return false;
  if (binary.getKind() == AffineExprKind::Mod)
    return isNonNegative(binary.getRHS());
  return isNonNegative(binary.getLHS()) && isNonNegative(binary.getRHS());
}

//===-- Arithmetic -----------------------------------------------------------===//

/// The largest absolute value that any sum of coefficients of `e`, multiplied out, can have; saturates.
static uint64_t magnitudeOf(Extent e) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return llvm::AbsoluteValue(constant.getValue());
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary)
    return 1;
  uint64_t lhs = magnitudeOf(binary.getLHS()), rhs = magnitudeOf(binary.getRHS());
  return binary.getKind() == AffineExprKind::Mul ? llvm::SaturatingMultiply(lhs, rhs) : llvm::SaturatingAdd(lhs, rhs);
}

/// Upstream adds and multiplies coefficients without a check.
static bool fits(uint64_t magnitude) { return magnitude <= (uint64_t)std::numeric_limits<int64_t>::max(); }
static bool sumFits(Extent a, Extent b) { return fits(llvm::SaturatingAdd(magnitudeOf(a), magnitudeOf(b))); }
static bool productFits(Extent a, Extent b) { return fits(llvm::SaturatingMultiply(magnitudeOf(a), magnitudeOf(b))); }

Extent ExtentMath::simplified(Extent e) const { return simplifyAffineExpr(e, 0, table.size()); }

/// Each one is another number.
Extent ExtentMath::overflow() { return symbol({Symbol::Overflow, nullptr, 0, {}, {}, ""}); }

bool ExtentMath::isAtLeast(Extent a, Extent b) const { return sumFits(a, b) && isNonNegative(simplified(a - b)); }

bool ExtentMath::overflows(Extent e) const {
  bool found = false;
  e.walk([&](AffineExpr part) {
    auto position = dyn_cast<AffineSymbolExpr>(part);
    if (!position || found)
      return;
    const Symbol &s = table[position.getPosition()];
    found = s.kind == Symbol::Overflow || (s.lhs && overflows(s.lhs)) || (s.rhs && overflows(s.rhs));
  });
  return found;
}

/// Two constants are computed by themselves; INT64_MIN and INT64_MAX stand for "all" in places, and are no overflow.
static std::optional<int64_t> onConstants(Extent a, Extent b, bool (*overflowing)(int64_t, int64_t, int64_t &)) {
  std::optional<int64_t> x = ExtentMath::asConstant(a), y = ExtentMath::asConstant(b);
  int64_t result;
  return x && y && !overflowing(*x, *y, result) ? std::optional(result) : std::nullopt;
}
static bool addTo(int64_t a, int64_t b, int64_t &sum) { return llvm::AddOverflow(a, b, sum); }
static bool subTo(int64_t a, int64_t b, int64_t &difference) { return llvm::SubOverflow(a, b, difference); }
static bool mulTo(int64_t a, int64_t b, int64_t &product) { return llvm::MulOverflow(a, b, product); }

Extent ExtentMath::add(Extent a, Extent b) {
  std::optional<int64_t> sum = onConstants(a, b, addTo);
  if (sum)
    return constant(*sum);
  return sumFits(a, b) ? simplified(a + b) : overflow();
}

Extent ExtentMath::sub(Extent a, Extent b) {
  std::optional<int64_t> difference = onConstants(a, b, subTo);
  if (difference)
    return constant(*difference);
  return sumFits(a, b) ? simplified(a - b) : overflow();
}

Extent ExtentMath::mul(Extent a, Extent b) {
  if (std::optional<int64_t> product = onConstants(a, b, mulTo))
    return constant(*product);
  if (isConstant(a, 1))
    return b;
  if (isConstant(b, 1))
    return a;
  if (isConstant(a, 0) || isConstant(b, 0))
    return constant(0);
  return productFits(a, b) ? simplified(a * b) : overflow();
}

/// The factors of a product, and the constant among them.
static int64_t collectFactors(Extent e, SmallVectorImpl<Extent> &factors) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return constant.getValue();
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(e); binary && binary.getKind() == AffineExprKind::Mul)
    return collectFactors(binary.getLHS(), factors) * collectFactors(binary.getRHS(), factors);
  factors.push_back(e);
  return 1;
}

Extent ExtentMath::floorDiv(Extent a, Extent b) {
  if (isConstant(b, 1) || isConstant(a, 0))
    return a;
  if (a == b && isNonNegative(a))
    return constant(1); // an extent of 0 divided by itself is an error elsewhere
  if (std::optional<int64_t> divisor = asConstant(b)) {
    if (*divisor > 0)
      return simplified(a.floorDiv(*divisor));
    if (std::optional<int64_t> dividend = asConstant(a); dividend && *divisor != 0)
      return constant(llvm::divideFloorSigned(*dividend, *divisor));
    return derived(Symbol::FloorDiv, a, b);
  }
  // Cancel common factors: (batch * 12 * seq) / (batch * seq) is 12.
  SmallVector<Extent> above, below;
  int64_t aboveConstant = collectFactors(a, above), belowConstant = collectFactors(b, below);
  bool cancelled = false;
  SmallVector<Extent> candidates(below);
  for (Extent factor : candidates)
    if (auto *found = llvm::find(above, factor); found != above.end()) {
      above.erase(found);
      below.erase(llvm::find(below, factor));
      cancelled = true;
    }
  if (cancelled) { // the constants are what is left of expressions that did not overflow
    Extent numerator = mul(constant(aboveConstant), product(above));
    Extent denominator = mul(constant(belowConstant), product(below));
    return floorDiv(numerator, denominator);
  }
  return derived(Symbol::FloorDiv, a, b);
}

Extent ExtentMath::ceilDiv(Extent a, Extent b) { return sub(constant(0), floorDiv(sub(constant(0), a), b)); }

Extent ExtentMath::truncDiv(Extent a, Extent b) {
  std::optional<int64_t> dividend = asConstant(a), divisor = asConstant(b);
  if (dividend && divisor && *divisor != 0)
    return constant(*dividend / *divisor);
  if (isNonNegative(a) && isNonNegative(b))
    return floorDiv(a, b);
  // sign(a*b) * (|a| / |b|)
  Extent magnitudeA = max(a, sub(constant(0), a)), magnitudeB = max(b, sub(constant(0), b));
  Extent quotient = floorDiv(magnitudeA, magnitudeB);
  Extent sign = min(max(mul(a, b), constant(-1)), constant(1));
  return mul(sign, quotient);
}

Extent ExtentMath::mod(Extent a, Extent b) {
  std::optional<int64_t> divisor = asConstant(b), dividend = asConstant(a);
  if (divisor && *divisor > 0)
    return simplified(a % *divisor);
  if (divisor && dividend && *divisor != 0) {
    int64_t rest = *dividend % *divisor;
    return constant(rest != 0 && (rest < 0) != (*divisor < 0) ? rest + *divisor : rest);
  }
  return derived(Symbol::Mod, a, b);
}

Extent ExtentMath::min(Extent a, Extent b) {
  if (a == b)
    return a;
  if (std::optional<int64_t> x = asConstant(a), y = asConstant(b); x && y)
    return constant(std::min(*x, *y));
  if (isAtLeast(a, b))
    return b;
  if (isAtLeast(b, a))
    return a;
  return derived(Symbol::Min, a, b);
}

Extent ExtentMath::max(Extent a, Extent b) {
  if (a == b)
    return a;
  if (std::optional<int64_t> x = asConstant(a), y = asConstant(b); x && y)
    return constant(std::max(*x, *y));
  if (isAtLeast(a, b))
    return a;
  if (isAtLeast(b, a))
    return b;
  return derived(Symbol::Max, a, b);
}

Extent ExtentMath::product(ArrayRef<Extent> factors) {
  Extent result = constant(1);
  for (Extent factor : factors)
    result = mul(result, factor);
  return result;
}

std::optional<Extent> ExtentMath::broadcast(Extent a, Extent b) {
  if (a == b || isConstant(b, 1))
    return a;
  if (isConstant(a, 1))
    return b;
  std::optional<int64_t> fixedA = asConstant(a), fixedB = asConstant(b);
  if (fixedA && fixedB)
    return std::nullopt;
  if (fixedA)
    return a; // b is 1 or the same
  if (fixedB)
    return b;
  if (isEqual(a, b))
    return a;
  return derived(Symbol::Broadcast, a, b);
}

std::optional<Extents> ExtentMath::broadcast(ArrayRef<Extent> a, ArrayRef<Extent> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Extents result(a);
  for (size_t i = 0; i < b.size(); ++i) {
    Extent &target = result[result.size() - 1 - i];
    std::optional<Extent> common = broadcast(target, b[b.size() - 1 - i]);
    if (!common)
      return std::nullopt;
    target = *common;
  }
  return result;
}

//===-- Reading the expressions ----------------------------------------------===//

std::string ExtentMath::print(Extent e) const {
  // Symbols print as s0, s1...; give them back the names that the model's author knows.
  if (auto symbol = dyn_cast<AffineSymbolExpr>(e)) {
    const Symbol &s = table[symbol.getPosition()];
    auto call = [&](StringRef name) { return (name + "(" + print(s.lhs) + ", " + print(s.rhs) + ")").str(); };
    switch (s.kind) {
    case Symbol::ExtentOf:
      return s.name.empty() ? "?" : s.name;
    case Symbol::ElementOf:
      return "?";
    case Symbol::Min:
      return call("min");
    case Symbol::Max:
      return call("max");
    case Symbol::FloorDiv:
      return "(" + print(s.lhs) + " / " + print(s.rhs) + ")";
    case Symbol::Mod:
      return "(" + print(s.lhs) + " mod " + print(s.rhs) + ")";
    case Symbol::Broadcast:
      return call("broadcast");
    case Symbol::Overflow:
      return "more than 64 bits hold";
    }
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return std::to_string(constant.getValue());
  auto binary = cast<AffineBinaryOpExpr>(e);
  StringRef name;
  switch (e.getKind()) {
  case AffineExprKind::Add:
    name = " + ";
    break;
  case AffineExprKind::Mul:
    name = " * ";
    break;
  case AffineExprKind::Mod:
    name = " mod ";
    break;
  case AffineExprKind::FloorDiv:
    name = " / ";
    break;
  default:
    name = " ceildiv ";
    break;
  }
  return ("(" + print(binary.getLHS()) + name + print(binary.getRHS()) + ")").str();
}

OpFoldResult ExtentMath::materialize(Extent e, OpBuilder &b, Location loc,
                                     llvm::function_ref<Value(Value)> source) const {
  if (std::optional<int64_t> value = asConstant(e))
    return b.getIndexAttr(*value);
  auto asValue = [&](Extent part) {
    return getValueOrCreateConstantIndexOp(b, loc, materialize(part, b, loc, source));
  };
  if (auto position = dyn_cast<AffineSymbolExpr>(e)) {
    const Symbol &s = table[position.getPosition()];
    switch (s.kind) {
    case Symbol::ExtentOf:
      return tensor::getMixedSize(b, loc, source(s.value), s.index);
    case Symbol::ElementOf: {
      Value tensor = source(s.value);
      SmallVector<Value> indices;
      int64_t position = s.index;
      for (int64_t extent : llvm::reverse(cast<RankedTensorType>(tensor.getType()).getShape())) {
        indices.insert(indices.begin(), arith::ConstantIndexOp::create(b, loc, position % extent));
        position /= extent;
      }
      Value element = tensor::ExtractOp::create(b, loc, tensor, indices);
      Type onnxElement = cast<TensorType>(s.value.getType()).getElementType();
      bool isUnsigned = onnxElement.isUnsignedInteger() || onnxElement.isInteger(1);
      Type index = b.getIndexType();
      return isUnsigned ? Value(arith::IndexCastUIOp::create(b, loc, index, element))
                        : Value(arith::IndexCastOp::create(b, loc, index, element));
    }
    case Symbol::Min:
      return Value(arith::MinSIOp::create(b, loc, asValue(s.lhs), asValue(s.rhs)));
    case Symbol::Max:
      return Value(arith::MaxSIOp::create(b, loc, asValue(s.lhs), asValue(s.rhs)));
    case Symbol::FloorDiv:
      return Value(arith::FloorDivSIOp::create(b, loc, asValue(s.lhs), asValue(s.rhs)));
    case Symbol::Mod: {
      // The sign of the divisor: ((a rem b) + b) rem b.
      Value lhs = asValue(s.lhs), rhs = asValue(s.rhs);
      Value rest = arith::RemSIOp::create(b, loc, lhs, rhs);
      return Value(arith::RemSIOp::create(b, loc, arith::AddIOp::create(b, loc, rest, rhs), rhs));
    }
    case Symbol::Broadcast: {
      Value lhs = asValue(s.lhs), rhs = asValue(s.rhs);
      Value one = arith::ConstantIndexOp::create(b, loc, 1);
      Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lhs, one);
      return Value(arith::SelectOp::create(b, loc, isOne, rhs, lhs));
    }
    case Symbol::Overflow:
      emitError(loc) << "computes with an extent that is beyond 64 bits";
      return b.getIndexAttr(0);
    }
  }
  auto binary = cast<AffineBinaryOpExpr>(e);
  Value lhs = asValue(binary.getLHS()), rhs = asValue(binary.getRHS());
  switch (e.getKind()) {
  case AffineExprKind::Add:
    return Value(arith::AddIOp::create(b, loc, lhs, rhs));
  case AffineExprKind::Mul:
    return Value(arith::MulIOp::create(b, loc, lhs, rhs));
  case AffineExprKind::FloorDiv:
    return Value(arith::FloorDivSIOp::create(b, loc, lhs, rhs));
  case AffineExprKind::CeilDiv:
    return Value(arith::CeilDivSIOp::create(b, loc, lhs, rhs));
  default: { // Mod, by a positive constant
    Value rest = arith::RemSIOp::create(b, loc, lhs, rhs);
    return Value(arith::RemSIOp::create(b, loc, arith::AddIOp::create(b, loc, rest, rhs), rhs));
  }
  }
}

SmallVector<StringRef> dimensionNames(BlockArgument argument) {
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function || !argument.getOwner()->isEntryBlock())
    return {};
  auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "onnx.dims");
  if (!names)
    return {};
  return llvm::map_to_vector(names, [](Attribute name) { return cast<StringAttr>(name).getValue(); });
}

} // namespace mlc::onnx

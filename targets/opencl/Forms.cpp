// How values and operations look in OpenCL C 1.2: a table. What is not in it has no form on the device.
//
// Halves are their bits, as ushort, and only converted: arithmetic in half is an extension that few drivers have. Signed
// integers wrap around in IR and must not in C, so sums and products are those of unsigned ones.
#include "gpu/Forms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "opencl/OpenCL.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mlc::opencl {

const StringLiteral prologue = R"(#pragma OPENCL FP_CONTRACT OFF
#if __OPENCL_VERSION__ < 120 || defined(cl_khr_fp64)
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
float mlc_from_half(ushort bits) { return vload_half(0, (const __private half *)&bits); }
ushort mlc_to_half(float value) {
  ushort bits;
  vstore_half_rte(value, 0, (__private half *)&bits);
  return bits;
}
float mlc_from_bfloat(ushort bits) { return as_float((uint)bits << 16); }
ushort mlc_to_bfloat(float value) {
  uint bits = as_uint(value);
  if (value != value)
    return (ushort)(bits >> 16 | 64);
  return (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
)";

StringRef typeName(Type type) {
  if (type.isIndex())
    return "long";
  if (type.isF32())
    return "float";
  if (type.isF64())
    return "double";
  if (type.isF16() || type.isBF16())
    return "ushort";
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || !integer.isSignless())
    return "";
  switch (integer.getWidth()) {
  case 1:
    return "bool";
  case 8:
    return "char";
  case 16:
    return "short";
  case 32:
    return "int";
  case 64:
    return "long";
  default:
    return "";
  }
}

StringRef unsignedTypeName(Type type) {
  return llvm::StringSwitch<StringRef>(typeName(type))
      .Case("char", "uchar")
      .Case("short", "ushort")
      .Case("int", "uint")
      .Case("long", "ulong")
      .Default(typeName(type));
}

static bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

//===-- The table -----------------------------------------------------------------===//

/// The form of an operation, for floats of 32 and 64 bits and integers.
static StringRef formOf(StringRef name) {
  static const llvm::StringMap<StringRef> forms = {
      {"arith.addf", "$0 + $1"},
      {"arith.subf", "$0 - $1"},
      {"arith.mulf", "$0 * $1"},
      {"arith.divf", "$0 / $1"},
      {"arith.remf", "fmod($0, $1)"},
      {"arith.negf", "-$0"},
      {"arith.maximumf", "$0 != $0 ? $0 : $1 != $1 ? $1 : fmax($0, $1)"},
      {"arith.minimumf", "$0 != $0 ? $0 : $1 != $1 ? $1 : fmin($0, $1)"},
      {"arith.maxnumf", "fmax($0, $1)"},
      {"arith.minnumf", "fmin($0, $1)"},
      {"arith.addi", "($t)(($u)$0 + ($u)$1)"},
      {"arith.subi", "($t)(($u)$0 - ($u)$1)"},
      {"arith.muli", "($t)(($u)$0 * ($u)$1)"},
      {"arith.divsi", "($t)($0 / $1)"},
      {"arith.divui", "($t)(($u)$0 / ($u)$1)"},
      {"arith.remsi", "($t)($0 % $1)"},
      {"arith.remui", "($t)(($u)$0 % ($u)$1)"},
      {"arith.ceildivui", "($t)(($u)$0 == 0 ? 0 : (($u)$0 - 1) / ($u)$1 + 1)"},
      {"arith.ceildivsi", "($t)($0 / $1 + ($0 % $1 != 0 && ($0 < 0) == ($1 < 0)))"},
      {"arith.floordivsi", "($t)($0 / $1 - ($0 % $1 != 0 && ($0 < 0) != ($1 < 0)))"},
      {"arith.andi", "($t)($0 & $1)"},
      {"arith.ori", "($t)($0 | $1)"},
      {"arith.xori", "($t)($0 ^ $1)"},
      {"arith.shli", "($t)(($u)$0 << ($u)$1)"},
      {"arith.shrsi", "($t)($0 >> ($u)$1)"},
      {"arith.shrui", "($t)(($u)$0 >> ($u)$1)"},
      {"arith.maxsi", "$0 > $1 ? $0 : $1"},
      {"arith.minsi", "$0 < $1 ? $0 : $1"},
      {"arith.maxui", "($u)$0 > ($u)$1 ? $0 : $1"},
      {"arith.minui", "($u)$0 < ($u)$1 ? $0 : $1"},
      {"arith.extui", "($t)($s)$0"},
      {"arith.fptosi", "($t)$0"},
      {"arith.fptoui", "($t)($u)$0"},
      {"arith.uitofp", "($t)($s)$0"},
      {"arith.index_cast", "($t)$0"},
      {"arith.index_castui", "($t)($s)$0"},
      {"arith.select", "$0 ? $1 : $2"},
      {"math.absf", "fabs($0)"},
      {"math.absi", "($t)($0 < 0 ? ($u)0 - ($u)$0 : ($u)$0)"},
      {"math.acos", "acos($0)"},
      {"math.acosh", "acosh($0)"},
      {"math.asin", "asin($0)"},
      {"math.asinh", "asinh($0)"},
      {"math.atan", "atan($0)"},
      {"math.atan2", "atan2($0, $1)"},
      {"math.atanh", "atanh($0)"},
      {"math.cbrt", "cbrt($0)"},
      {"math.ceil", "ceil($0)"},
      {"math.copysign", "copysign($0, $1)"},
      {"math.cos", "cos($0)"},
      {"math.cosh", "cosh($0)"},
      {"math.ctlz", "($t)clz(($u)$0)"},
      {"math.ctpop", "($t)popcount(($u)$0)"},
      {"math.erf", "erf($0)"},
      {"math.erfc", "erfc($0)"},
      {"math.exp", "exp($0)"},
      {"math.exp2", "exp2($0)"},
      {"math.expm1", "expm1($0)"},
      {"math.floor", "floor($0)"},
      {"math.fma", "mad($0, $1, $2)"},
      {"math.isfinite", "isfinite($0)"},
      {"math.isinf", "isinf($0)"},
      {"math.isnan", "isnan($0)"},
      {"math.log", "log($0)"},
      {"math.log10", "log10($0)"},
      {"math.log1p", "log1p($0)"},
      {"math.log2", "log2($0)"},
      {"math.powf", "pow($0, $1)"},
      {"math.round", "round($0)"},
      {"math.roundeven", "rint($0)"},
      {"math.rsqrt", "1 / sqrt($0)"},
      {"math.sin", "sin($0)"},
      {"math.sinh", "sinh($0)"},
      {"math.sqrt", "sqrt($0)"},
      {"math.tan", "tan($0)"},
      {"math.tanh", "tanh($0)"},
      {"math.trunc", "trunc($0)"},
      {"ub.poison", "0"},
  };
  return forms.lookup(name);
}

static StringRef formOf(arith::CmpIPredicate predicate) {
  switch (predicate) {
    using enum arith::CmpIPredicate;
  case eq:
    return "$0 == $1";
  case ne:
    return "$0 != $1";
  case slt:
    return "$0 < $1";
  case sle:
    return "$0 <= $1";
  case sgt:
    return "$0 > $1";
  case sge:
    return "$0 >= $1";
  case ult:
    return "($s)$0 < ($s)$1";
  case ule:
    return "($s)$0 <= ($s)$1";
  case ugt:
    return "($s)$0 > ($s)$1";
  case uge:
    return "($s)$0 >= ($s)$1";
  }
  return "";
}

static StringRef formOf(arith::CmpFPredicate predicate) {
  switch (predicate) {
    using enum arith::CmpFPredicate;
  case AlwaysFalse:
    return "false";
  case OEQ:
    return "$0 == $1";
  case OGT:
    return "$0 > $1";
  case OGE:
    return "$0 >= $1";
  case OLT:
    return "$0 < $1";
  case OLE:
    return "$0 <= $1";
  case ONE:
    return "$0 < $1 || $0 > $1";
  case ORD:
    return "$0 == $0 && $1 == $1";
  case UEQ:
    return "!($0 < $1 || $0 > $1)";
  case UGT:
    return "!($0 <= $1)";
  case UGE:
    return "!($0 < $1)";
  case ULT:
    return "!($0 >= $1)";
  case ULE:
    return "!($0 > $1)";
  case UNE:
    return "$0 != $1";
  case UNO:
    return "$0 != $0 || $1 != $1";
  case AlwaysTrue:
    return "true";
  }
  return "";
}

static std::string formOfConversion(Operation *op) {
  Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  if (isa<arith::ExtFOp>(op)) {
    std::string form = from.isF16() ? "mlc_from_half($0)" : from.isBF16() ? "mlc_from_bfloat($0)" : "$0";
    return isHalf(to) ? "" : "($t)" + form;
  }
  // A double would be rounded twice on its way to a half.
  if (isa<arith::TruncFOp>(op))
    return isHalf(from) || (from.isF64() && isHalf(to)) ? ""
           : to.isF16()                                 ? "mlc_to_half($0)"
           : to.isBF16()                                ? "mlc_to_bfloat($0)"
                                                        : "($t)$0";
  if (isa<arith::ExtSIOp, arith::SIToFPOp>(op)) {
    // What a half can hold of integers is exact as a float on the way.
    if (isHalf(to))
      return from.isInteger(1) || to.isBF16() ? "" : "mlc_to_half((float)$0)";
    return from.isInteger(1) ? "-($t)$0" : "($t)$0";
  }
  if (isa<arith::TruncIOp>(op))
    return to.isInteger(1) ? "($0 & 1) != 0" : "($t)$0";
  return from.isInteger(1) ? "" : ("as_" + typeName(to) + "($0)").str(); // arith.bitcast
}

std::string expressionForm(Operation *op) {
  if (op->getNumRegions() || op->getNumResults() != 1)
    return "";
  auto isKnown = [](Type type) { return !typeName(type).empty(); };
  if (!llvm::all_of(op->getOperandTypes(), isKnown) || !isKnown(op->getResult(0).getType()))
    return "";
  if (isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::SIToFPOp, arith::TruncIOp, arith::BitcastOp>(op))
    return formOfConversion(op);
  // Halves are only moved.
  auto moves = isa<arith::SelectOp>(op) || op->getNumOperands() == 0;
  if (!moves && (llvm::any_of(op->getOperandTypes(), isHalf) || isHalf(op->getResult(0).getType())))
    return "";
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return formOf(compare.getPredicate()).str();
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return formOf(compare.getPredicate()).str();
  // A number is no NaN.
  FloatAttr number;
  if (isa<arith::MaximumFOp, arith::MinimumFOp>(op) && matchPattern(op->getOperand(1), m_Constant(&number)) &&
      !number.getValue().isNaN())
    return isa<arith::MaximumFOp>(op) ? "$0 != $0 ? $0 : fmax($0, $1)" : "$0 != $0 ? $0 : fmin($0, $1)";
  if (isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op) && op->getResult(0).getType().isInteger(1))
    return "";
  return formOf(op->getName().getStringRef()).str();
}

std::string expression(Operation *op, llvm::function_ref<std::string(Value)> name) {
  std::string form = expressionForm(op), text;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '$') {
      text += form[i];
      continue;
    }
    char what = form[++i];
    text += what == 't'   ? typeName(op->getResult(0).getType()).str()
            : what == 'u' ? unsignedTypeName(op->getResult(0).getType()).str()
            : what == 's' ? unsignedTypeName(op->getOperand(0).getType()).str()
                          : name(op->getOperand(what - '0'));
  }
  return text;
}

std::string literal(TypedAttr value) {
  if (auto integer = dyn_cast<IntegerAttr>(value)) {
    if (integer.getType().isInteger(1))
      return integer.getValue().isZero() ? "false" : "true";
    int64_t number = integer.getValue().getSExtValue();
    if (number == std::numeric_limits<int64_t>::min())
      return "(-9223372036854775807L - 1)";
    bool isLong = integer.getType().isIndex() || integer.getType().isInteger(64);
    bool isWide = number > std::numeric_limits<int32_t>::max() || number <= std::numeric_limits<int32_t>::min();
    std::string text = std::to_string(number) + (isLong || isWide ? "L" : "");
    return number < 0 ? "(" + text + ")" : text;
  }
  llvm::APFloat number = cast<FloatAttr>(value).getValue();
  uint64_t bits = number.bitcastToAPInt().getZExtValue();
  Type type = value.getType();
  if (type.isF16() || type.isBF16())
    return "(ushort)" + std::to_string(bits);
  if (!number.isFinite())
    return (type.isF64() ? "as_double(0x" : "as_float(0x") + llvm::utohexstr(bits) + (type.isF64() ? "UL)" : "U)");
  char text[40];
  snprintf(text, sizeof text, type.isF64() ? "%.17g" : "%.9g",
           type.isF64() ? number.convertToDouble() : number.convertToFloat());
  std::string result = text;
  if (result.find_first_of(".e") == std::string::npos)
    result += ".0";
  if (type.isF32())
    result += "f";
  return result[0] == '-' ? "(" + result + ")" : result;
}

bool hasForm(Operation *op) {
  auto isElement = [](Type type) { return !typeName(type).empty(); };
  if (std::optional<bool> isFine = gpu::hasStructuralForm(op, isElement))
    return *isFine;
  return !expressionForm(op).empty();
}

} // namespace mlc::opencl

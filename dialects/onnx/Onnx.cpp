#include "onnx/Onnx.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

#include "onnx/OnnxDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "onnx/OnnxTypes.cpp.inc"

namespace mlc::onnx {

void OnnxDialect::initialize() {
  registerTypes();
  registerOnnxDialectOperations(this);
}

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "onnx/OnnxTypes.cpp.inc"
      >();
}

//===-- Types ------------------------------------------------------------------===//

Type withoutShape(Type type) {
  if (auto tensor = dyn_cast<TensorType>(type))
    return UnrankedTensorType::get(tensor.getElementType());
  if (auto sequence = dyn_cast<SequenceType>(type))
    return SequenceType::get(type.getContext(), withoutShape(sequence.getElement()));
  if (auto optional = dyn_cast<OptionalType>(type))
    return OptionalType::get(type.getContext(), withoutShape(optional.getElement()));
  return type;
}

std::optional<int64_t> elementCount(ArrayRef<int64_t> shape) {
  constexpr int64_t widest = 16; // bytes of a complex128
  int64_t count = 1, nonZero = widest;
  for (int64_t extent : shape) {
    if (ShapedType::isDynamic(extent))
      continue;
    if (extent < 0 || llvm::MulOverflow(nonZero, std::max<int64_t>(extent, 1), nonZero))
      return std::nullopt;
    count *= extent;
  }
  return count;
}

bool haveOneType(std::initializer_list<ValueRange> ports) {
  Type first;
  for (ValueRange values : ports)
    for (Type type : values.getTypes()) {
      type = withoutShape(type);
      if (!first)
        first = type;
      if (first != type)
        return false;
    }
  return true;
}

/// The element types in the order of their numbers, from 1 on.
static SmallVector<Type> numberedTypes(MLIRContext *context) {
  Builder b(context);
  auto uint = [&](unsigned width) { return b.getIntegerType(width, /*isSigned=*/false); };
  auto int_ = [&](unsigned width) { return b.getIntegerType(width); };
  return {b.getF32Type(),
          uint(8),
          int_(8),
          uint(16),
          int_(16),
          int_(32),
          int_(64),
          StringType::get(context),
          int_(1),
          b.getF16Type(),
          b.getF64Type(),
          uint(32),
          uint(64),
          ComplexType::get(b.getF32Type()),
          ComplexType::get(b.getF64Type()),
          b.getBF16Type(),
          Float8E4M3FNType::get(context),
          Float8E4M3FNUZType::get(context),
          Float8E5M2Type::get(context),
          Float8E5M2FNUZType::get(context),
          uint(4),
          int_(4),
          Float4E2M1FNType::get(context),
          Float8E8M0FNUType::get(context),
          uint(2),
          int_(2),
          Float6E2M3FNType::get(context),
          Float6E3M2FNType::get(context)};
}

Type elementType(int64_t number, MLIRContext *context) {
  SmallVector<Type> types = numberedTypes(context);
  return number >= 1 && number <= (int64_t)types.size() ? types[number - 1] : Type();
}

int64_t elementTypeNumber(Type element) {
  SmallVector<Type> types = numberedTypes(element.getContext());
  const auto *found = llvm::find(types, element);
  return found == types.end() ? 0 : found - types.begin() + 1;
}

//===-- Constants ----------------------------------------------------------------===//

Value createConstant(OpBuilder &builder, Location loc, ElementsAttr value) {
  return ConstantOp::create(builder, loc, TypeRange(value.getType()), ValueRange(),
                            builder.getNamedAttr("value", value));
}

} // namespace mlc::onnx

#include "onnx/Custom.h"
#include "onnx/Onnx.h"

using namespace mlir;

namespace mlc::onnx {

StringRef Custom::operatorName() const { return cast<CustomOp>(op).getOperatorName(); }
DictionaryAttr Custom::attributes() const { return cast<CustomOp>(op).getAttributeValues(); }

static ArrayRef<int64_t> absentOf(Operation *op) {
  return cast<CustomOp>(op).getAbsent().value_or(ArrayRef<int64_t>());
}

unsigned Custom::operandCount() const { return op->getNumOperands() + absentOf(op).size(); }

Value Custom::operand(unsigned index) const {
  ArrayRef<int64_t> absent = absentOf(op);
  if (index >= operandCount() || llvm::is_contained(absent, index))
    return nullptr;
  return op->getOperand(index - llvm::count_if(absent, [&](int64_t place) { return place < index; }));
}

Value Custom::result(unsigned index) const { return op->getResult(index); }

// What a plug-in asks for and has not declared is its own error, which its user cannot help.
template <typename Attr> static Attr attributeOf(const Custom &custom, StringRef name) {
  if (auto value = custom.attributes().getAs<Attr>(name))
    return value;
  llvm::report_fatal_error(Twine("the rules of '") + custom.operatorName() + "' read attribute '" + name +
                               "', which is not declared, or of another kind",
                           /*gen_crash_diag=*/false);
}

double Custom::number(StringRef name) const { return attributeOf<FloatAttr>(*this, name).getValueAsDouble(); }
int64_t Custom::integer(StringRef name) const { return attributeOf<IntegerAttr>(*this, name).getInt(); }
StringRef Custom::text(StringRef name) const { return attributeOf<StringAttr>(*this, name).getValue(); }
ArrayRef<float> Custom::numbers(StringRef name) const { return attributeOf<DenseF32ArrayAttr>(*this, name); }
ArrayRef<int64_t> Custom::integers(StringRef name) const { return attributeOf<DenseI64ArrayAttr>(*this, name); }

StringRef operatorName(Operation *op) {
  if (auto custom = dyn_cast<CustomOp>(op))
    return custom.getOperatorName();
  return op->getName().stripDialect();
}

} // namespace mlc::onnx

// Writes a call of a user's function in the LLVM dialect: what the function is told is built on the stack.
//
//   mlc.external "my_swish" node "n" types [1, 1] attributes {alpha = 1.0 : f32} ins(%x : ...) outs(%y : ...)
//   =>
//   %call = [an mlc_call of one input, one output, one attribute]
//   llvm.call @mlc_rt_call_function(%frame, @my_swish, "my_swish", "n", %call)
//
// The function is a weak symbol: a library without it loads, and a run that needs it ends with an error. Layouts are
// those of runtime/include/mlc/function.h.
#include "mlc/function.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "passes/ConvertMlcToLLVM.h"
#include "passes/PlanMemory.h"
#include "passes/RuntimePattern.h"

using namespace mlir;

namespace mlc {
namespace {

static_assert(sizeof(mlc_tensor) == 32 && sizeof(mlc_result) == 32 && sizeof(mlc_attribute) == 32 &&
              sizeof(mlc_call) == 40);

struct ExternalPattern : RuntimePattern<ExternalOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(ExternalOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    for (Value buffer : op->getOperands())
      if (auto type = dyn_cast<MemRefType>(buffer.getType()); !type || !type.getLayout().isIdentity())
        return rewriter.notifyMatchFailure(op, "buffers are not contiguous");
    FailureOr<Value> function = declare(op, rewriter);
    if (failed(function))
      return failure();

    ArrayRef<int32_t> types = op.getTypes();
    SmallVector<Value> inputs, outputs, attributes;
    unsigned next = 0;
    for (int32_t type : types.drop_back(op.getInits().size())) {
      inputs.push_back(type ? tensor(op, rewriter, op.getInputs()[next], adaptor.getInputs()[next], type)
                            : absent(op, rewriter));
      next += type != 0;
    }
    for (auto [buffer, lowered, type] :
         llvm::zip_equal(op.getInits(), adaptor.getInits(), types.take_back(op.getInits().size())))
      outputs.push_back(tensor(op, rewriter, buffer, lowered, type));
    for (NamedAttribute named : op.getAttributeValues())
      attributes.push_back(attribute(op, rewriter, named));

    Location loc = op.getLoc();
    Type p = pointer(rewriter), i32 = rewriter.getI32Type();
    auto list = [&](ArrayRef<Value> values, Type element) { return slot(op, rewriter, element, values); };
    auto count = [&](ArrayRef<Value> values) { return integer(rewriter, loc, i32, values.size()); };
    Type callType = LLVM::LLVMStructType::getLiteral(op.getContext(), {p, p, p, i32, i32, i32, i32});
    Value call = structure(op, rewriter, callType,
                           {list(inputs, tensorType(rewriter)), list(outputs, tensorType(rewriter)),
                            list(attributes, attributeType(rewriter)), count(inputs), count(outputs), count(attributes),
                            integer(rewriter, loc, i32, MLC_FUNCTION_VERSION)});
    RuntimePattern::call(op, rewriter, "mlc_rt_call_function", none(rewriter),
                         {frameOf(op, rewriter), *function, text(op, rewriter, op.getFunction()),
                          text(op, rewriter, op.getNode()), slot(op, rewriter, callType, call)});
    rewriter.eraseOp(op);
    return success();
  }

  static FailureOr<Value> declare(ExternalOp op, Rewriter &rewriter) {
    auto module = op->getParentOfType<ModuleOp>();
    Operation *known = module.lookupSymbol(op.getFunction());
    auto function = dyn_cast_or_null<LLVM::LLVMFuncOp>(known);
    if (known && !(function && function.isExternal()))
      return op.emitError("cannot call the function '") << op.getFunction()
                                                        << "': the compiled model has another one "
                                                           "of that name";
    if (!function) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToEnd(module.getBody());
      function = LLVM::LLVMFuncOp::create(rewriter, module.getLoc(), op.getFunction(),
                                          LLVM::LLVMFunctionType::get(pointer(rewriter), {pointer(rewriter)}),
                                          LLVM::Linkage::ExternWeak);
    }
    return Value(LLVM::AddressOfOp::create(rewriter, op.getLoc(), function));
  }

  static Type tensorType(Rewriter &rewriter) {
    Type p = pointer(rewriter), i64 = rewriter.getI64Type(), i32 = rewriter.getI32Type();
    return LLVM::LLVMStructType::getLiteral(rewriter.getContext(), {p, i64, p, i32, i32});
  }
  static Type attributeType(Rewriter &rewriter) {
    Type p = pointer(rewriter), i64 = rewriter.getI64Type(), i32 = rewriter.getI32Type();
    return LLVM::LLVMStructType::getLiteral(rewriter.getContext(), {p, p, i64, i32, i32});
  }

  static Value structure(ExternalOp op, Rewriter &rewriter, Type type, ArrayRef<Value> fields) {
    Value all = LLVM::PoisonOp::create(rewriter, op.getLoc(), type);
    for (auto [i, field] : llvm::enumerate(fields))
      all = LLVM::InsertValueOp::create(rewriter, op.getLoc(), all, field, int64_t(i));
    return all;
  }

  static Value tensor(ExternalOp op, Rewriter &rewriter, Value buffer, Value lowered, int32_t type) {
    Location loc = op.getLoc();
    Type i64 = rewriter.getI64Type(), i32 = rewriter.getI32Type();
    auto bufferType = cast<MemRefType>(buffer.getType());
    MemRefDescriptor descriptor(lowered);
    Value bytes = integer(rewriter, loc, i64, bytesOfElement(bufferType.getElementType()));
    SmallVector<Value> extents;
    for (int64_t axis = 0; axis < bufferType.getRank(); ++axis) {
      extents.push_back(descriptor.size(rewriter, loc, axis));
      bytes = LLVM::MulOp::create(rewriter, loc, bytes, extents.back());
    }
    return structure(op, rewriter, tensorType(rewriter),
                     {descriptor.alignedPtr(rewriter, loc), bytes, slot(op, rewriter, i64, extents),
                      integer(rewriter, loc, i32, bufferType.getRank()), integer(rewriter, loc, i32, type)});
  }

  static Value absent(ExternalOp op, Rewriter &rewriter) {
    Location loc = op.getLoc();
    Value null = LLVM::ZeroOp::create(rewriter, loc, pointer(rewriter));
    Type i32 = rewriter.getI32Type();
    return structure(op, rewriter, tensorType(rewriter),
                     {null, integer(rewriter, loc, rewriter.getI64Type(), 0), null,
                      integer(rewriter, loc, i32, MLC_ABSENT), integer(rewriter, loc, i32, MLC_UNDEFINED)});
  }

  /// A constant of the library; equal ones are one.
  static Value constant(ExternalOp op, Rewriter &rewriter, Type type, Attribute value) {
    auto module = op->getParentOfType<ModuleOp>();
    for (unsigned i = 0;; ++i) {
      std::string name = "mlc.function." + std::to_string(i);
      Operation *known = module.lookupSymbol(name);
      auto global = dyn_cast_or_null<LLVM::GlobalOp>(known);
      if (known && !(global && global.getType() == type && global.getValueOrNull() == value))
        continue;
      if (!global) {
        OpBuilder::InsertionGuard guard(rewriter);
        rewriter.setInsertionPointToStart(module.getBody());
        global = LLVM::GlobalOp::create(rewriter, module.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                        name, value, /*alignment=*/8);
      }
      return LLVM::AddressOfOp::create(rewriter, op.getLoc(), global);
    }
  }

  static Value text(ExternalOp op, Rewriter &rewriter, StringRef text) {
    std::string ended = text.str() + '\0';
    return constant(op, rewriter, LLVM::LLVMArrayType::get(rewriter.getI8Type(), ended.size()),
                    rewriter.getStringAttr(ended));
  }

  template <typename Number> static Value numbers(ExternalOp op, Rewriter &rewriter, ArrayRef<Number> list, Type type) {
    Type array = LLVM::LLVMArrayType::get(type, list.size());
    if (list.empty())
      return LLVM::ZeroOp::create(rewriter, op.getLoc(), pointer(rewriter));
    return constant(op, rewriter, array,
                    DenseElementsAttr::get(RankedTensorType::get((int64_t)list.size(), type), list));
  }

  static Value attribute(ExternalOp op, Rewriter &rewriter, NamedAttribute named) {
    Value place;
    int64_t count = 1;
    int32_t kind;
    if (auto value = dyn_cast<StringAttr>(named.getValue())) {
      place = text(op, rewriter, value);
      count = value.size();
      kind = MLC_ATTRIBUTE_TEXT;
    } else if (isa<IntegerAttr, DenseI64ArrayAttr>(named.getValue())) {
      auto list = dyn_cast<DenseI64ArrayAttr>(named.getValue());
      int64_t single = list ? 0 : cast<IntegerAttr>(named.getValue()).getInt();
      ArrayRef<int64_t> all = list ? list.asArrayRef() : ArrayRef(single);
      place = numbers(op, rewriter, all, rewriter.getI64Type());
      count = all.size();
      kind = list ? MLC_ATTRIBUTE_INTEGERS : MLC_ATTRIBUTE_INTEGER;
    } else {
      auto list = dyn_cast<DenseF32ArrayAttr>(named.getValue());
      float single = list ? 0 : (float)cast<FloatAttr>(named.getValue()).getValueAsDouble();
      ArrayRef<float> all = list ? list.asArrayRef() : ArrayRef(single);
      place = numbers(op, rewriter, all, rewriter.getF32Type());
      count = all.size();
      kind = list ? MLC_ATTRIBUTE_FLOATS : MLC_ATTRIBUTE_FLOAT;
    }
    Location loc = op.getLoc();
    Type i32 = rewriter.getI32Type();
    return structure(op, rewriter, attributeType(rewriter),
                     {text(op, rewriter, named.getName()), place, integer(rewriter, loc, rewriter.getI64Type(), count),
                      integer(rewriter, loc, i32, kind), integer(rewriter, loc, i32, 0)});
  }
};

} // namespace

void populateExternalPattern(const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ExternalPattern>(converter);
}

} // namespace mlc

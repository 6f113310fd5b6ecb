// Writes strings and sequences, and what the runtime does with them, in the LLVM dialect.
//
//   %r = mlc.service "string_concat"(%a, %b) : (!mlc.string, !mlc.string) -> !mlc.string
//   =>
//   %r = llvm.call @mlc_rt_string_concat(%a[0], %a[1], %b[0], %b[1]) : (!llvm.ptr, i64, !llvm.ptr, i64) -> !llvm.struct<(ptr, i64)>
//
// A structure of two words is passed and returned in two registers by the C of every machine that mlc compiles for, so
// that its parts can be passed one by one, and the runtime's functions return `mlc_string`.
#include "passes/ConvertMlcToLLVM.h"
#include "passes/RuntimePattern.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace mlc {

void addValueConversions(LLVMTypeConverter &converter) {
  converter.addConversion([](StringType type) -> Type {
    MLIRContext *context = type.getContext();
    return LLVM::LLVMStructType::getLiteral(context,
                                            {LLVM::LLVMPointerType::get(context), IntegerType::get(context, 64)});
  });
  converter.addConversion([](SequenceType type) -> Type { return LLVM::LLVMPointerType::get(type.getContext()); });
}

namespace {

/// Equal texts are one, by the hash of their bytes.
struct TextPattern : RuntimePattern<TextOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(TextOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto module = op->getParentOfType<ModuleOp>();
    StringRef text = op.getText();
    auto digest = llvm::xxh3_128bits(ArrayRef(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
    std::string name = "mlc.text." + llvm::utohexstr(digest.high64) + llvm::utohexstr(digest.low64);
    if (!module.lookupSymbol<LLVM::GlobalOp>(name)) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(module.getBody());
      auto type = LLVM::LLVMArrayType::get(rewriter.getI8Type(), text.size());
      LLVM::GlobalOp::create(rewriter, module.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                             rewriter.getStringAttr(text), /*alignment=*/8);
    }
    Value string = LLVM::PoisonOp::create(rewriter, loc, getTypeConverter()->convertType(op.getType()));
    Value address = LLVM::AddressOfOp::create(rewriter, loc, pointer(rewriter), name);
    string = LLVM::InsertValueOp::create(rewriter, loc, string, address, int64_t(0));
    Value size = integer(rewriter, loc, rewriter.getI64Type(), text.size());
    rewriter.replaceOpWithNewOp<LLVM::InsertValueOp>(op, string, size, 1);
    return success();
  }
};

struct SubstringPattern : RuntimePattern<SubstringOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(SubstringOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value start = LLVM::ExtractValueOp::create(rewriter, loc, adaptor.getString(), 0);
    Value place =
        LLVM::GEPOp::create(rewriter, loc, pointer(rewriter), rewriter.getI8Type(), start, adaptor.getOffset());
    Value string = LLVM::InsertValueOp::create(rewriter, loc, adaptor.getString(), place, int64_t(0));
    rewriter.replaceOpWithNewOp<LLVM::InsertValueOp>(op, string, adaptor.getSize(), 1);
    return success();
  }
};

struct ServicePattern : RuntimePattern<ServiceOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(ServiceOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> words;
    for (Value operand : adaptor.getOperands()) {
      if (!isa<LLVM::LLVMStructType>(operand.getType())) {
        words.push_back(operand);
        continue;
      }
      for (int64_t part : {0, 1})
        words.push_back(LLVM::ExtractValueOp::create(rewriter, op.getLoc(), operand, part));
    }
    Type result = op.getResult() ? getTypeConverter()->convertType(op.getResult().getType()) : none(rewriter);
    LLVM::CallOp called = call(op, rewriter, ("mlc_rt_" + op.getName()).str(), result, words);
    rewriter.replaceOp(op, called);
    return success();
  }
};

struct InsertPattern : RuntimePattern<InsertOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(InsertOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getTensor().getType());
    if (!type.getLayout().isIdentity())
      return rewriter.notifyMatchFailure(op, "tensor is not contiguous");
    Type i64 = rewriter.getI64Type();
    MemRefDescriptor buffer(adaptor.getTensor());
    SmallVector<Value> extents;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      extents.push_back(buffer.size(rewriter, loc, axis));
    Value place = slot(op, rewriter, i64, extents);
    rewriter.replaceOp(op,
                       call(op, rewriter, "mlc_rt_sequence_insert", pointer(rewriter),
                            {adaptor.getSequence(), adaptor.getPosition(), buffer.alignedPtr(rewriter, loc), place,
                             integer(rewriter, loc, i64, type.getRank()), integer(rewriter, loc, i64, op.getType())}));
    return success();
  }
};

struct AtPattern : RuntimePattern<AtOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(AtOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value data =
        call(op, rewriter, "mlc_rt_sequence_data", pointer(rewriter), {adaptor.getSequence(), adaptor.getPosition()})
            .getResult();
    rewriter.replaceOp(
        op, describe(rewriter, op.getLoc(), cast<MemRefType>(op.getTensor().getType()), data, adaptor.getSizes()));
    return success();
  }
};

} // namespace

void populateValuePatterns(const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<TextPattern, SubstringPattern, ServicePattern, InsertPattern, AtPattern>(converter);
}

} // namespace mlc

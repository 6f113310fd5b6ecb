// Writes the operations that ask the runtime for something as calls of its services (runtime/include/mlc/abi.h).
//
//   %b = mlc.output 0 extents(%n, %c8) sizes(%n) : memref<?x8xf32>
//   =>
//   store %n, 8 to a stack slot; %p = llvm.call @mlc_rt_output(%frame, 0, %slot); a descriptor around %p
//
// The frame is the first argument of the function (mlc-pass-frame).
#include "passes/ConvertMlcToLLVM.h"
#include "mlc/Mlc.h"
#include "mlc/abi.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "passes/PlanMemory.h"
#include "passes/RuntimePattern.h"

using namespace mlir;

namespace mlc {
namespace {

struct ArenaPattern : RuntimePattern<ArenaOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(ArenaOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value place = LLVM::GEPOp::create(rewriter, loc, pointer(rewriter), pointer(rewriter), frameOf(op, rewriter),
                                      ArrayRef<LLVM::GEPArg>{(int32_t)(offsetof(mlc_frame, arena) / sizeof(void *))});
    Value data = LLVM::LoadOp::create(rewriter, loc, pointer(rewriter), place);
    MemRefType type = op.getType();
    SmallVector<Value> sizes;
    if (!type.hasStaticShape())
      sizes.push_back(integer(rewriter, loc, rewriter.getI64Type(), std::numeric_limits<int64_t>::max()));
    rewriter.replaceOp(op, describe(rewriter, loc, type, data, sizes));
    return success();
  }
};

struct OutputPattern : RuntimePattern<OutputOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(OutputOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value extents = slot(op, rewriter, rewriter.getI64Type(), adaptor.getExtents());
    Value data = call(op, rewriter, "mlc_rt_output", pointer(rewriter),
                      {frameOf(op, rewriter), integer(rewriter, loc, rewriter.getI32Type(), op.getIndex()), extents})
                     .getResult();
    rewriter.replaceOp(op, describe(rewriter, loc, cast<MemRefType>(op.getType()), data, adaptor.getSizes()));
    return success();
  }
};

struct AllocatePattern : RuntimePattern<AllocateOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(AllocateOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getType());
    Type i64 = rewriter.getI64Type();
    Type pair = LLVM::LLVMStructType::getLiteral(op.getContext(), {i64, rewriter.getI1Type()});
    // -1 bytes, which the runtime refuses, where 64 bits do not hold the size.
    Value bytes = integer(rewriter, loc, i64, bytesOfElement(type.getElementType()));
    Value overflow = integer(rewriter, loc, rewriter.getI1Type(), 0);
    unsigned next = 0;
    for (int64_t extent : type.getShape()) {
      Value factor = ShapedType::isDynamic(extent) ? adaptor.getSizes()[next++] : integer(rewriter, loc, i64, extent);
      Value both = LLVM::SMulWithOverflowOp::create(rewriter, loc, pair, bytes, factor);
      bytes = LLVM::ExtractValueOp::create(rewriter, loc, both, 0);
      overflow = LLVM::OrOp::create(rewriter, loc, overflow, LLVM::ExtractValueOp::create(rewriter, loc, both, 1));
    }
    bytes = LLVM::SelectOp::create(rewriter, loc, overflow, integer(rewriter, loc, i64, -1), bytes);
    Value data = call(op, rewriter, "mlc_rt_allocate", pointer(rewriter), {frameOf(op, rewriter), bytes}).getResult();
    rewriter.replaceOp(op, describe(rewriter, loc, type, data, adaptor.getSizes()));
    return success();
  }
};

struct ScratchPattern : RuntimePattern<ScratchOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(ScratchOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value data = call(op, rewriter, "mlc_rt_scratch", pointer(rewriter), adaptor.getBytes()).getResult();
    SmallVector<Value> sizes;
    if (!op.getType().hasStaticShape())
      sizes.push_back(adaptor.getBytes());
    rewriter.replaceOp(op, describe(rewriter, op.getLoc(), op.getType(), data, sizes));
    return success();
  }
};

struct CheckPattern : RuntimePattern<CheckOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(CheckOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value values = slot(op, rewriter, rewriter.getI64Type(), adaptor.getValues());
    Block *before = op->getBlock();
    Block *after = rewriter.splitBlock(before, op->getIterator());
    Block *fail = rewriter.createBlock(before->getParent(), before->getParent()->end());
    rewriter.setInsertionPointToEnd(fail);
    std::string text = op.getMessage().str() + '\0';
    Value format = LLVM::createGlobalString(loc, rewriter, uniqueName(op), text, LLVM::Linkage::Internal);
    call(op, rewriter, "mlc_rt_fail", none(rewriter),
         {frameOf(op, rewriter), format, values,
          integer(rewriter, loc, rewriter.getI32Type(), adaptor.getValues().size())});
    LLVM::UnreachableOp::create(rewriter, loc);
    rewriter.setInsertionPointToEnd(before);
    LLVM::CondBrOp::create(rewriter, loc, adaptor.getCondition(), after, ValueRange(), fail, ValueRange(),
                           std::pair<uint32_t, uint32_t>(2000, 1));
    rewriter.eraseOp(op);
    return success();
  }
  static std::string uniqueName(CheckOp op) {
    auto module = op->getParentOfType<ModuleOp>();
    for (unsigned i = 0;; ++i) {
      std::string name = "mlc.check." + std::to_string(i);
      if (!module.lookupSymbol(name))
        return name;
    }
  }
};

/// The captures go into a structure on the stack; a function of the runtime's signature takes them out again.
struct ParallelPattern : RuntimePattern<ParallelOp> {
  using RuntimePattern::RuntimePattern;
  LogicalResult matchAndRewrite(ParallelOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    // Buffers are passed field by field, as functions take them.
    SmallVector<Value> fields;
    for (auto [original, converted] : llvm::zip(op.getCaptures(), adaptor.getCaptures())) {
      if (auto type = dyn_cast<MemRefType>(original.getType()))
        MemRefDescriptor::unpack(rewriter, loc, converted.front(), type, fields);
      else
        llvm::append_range(fields, converted);
    }
    SmallVector<Type> types;
    for (Value field : fields)
      types.push_back(field.getType());
    Type closureType = LLVM::LLVMStructType::getLiteral(op.getContext(), types);
    Value closure;
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(&functionOf(op).getFunctionBody().front());
      closure = LLVM::AllocaOp::create(rewriter, loc, pointer(rewriter), closureType,
                                       integer(rewriter, loc, rewriter.getI64Type(), 1));
    }
    for (auto [i, field] : llvm::enumerate(fields)) {
      Value place = LLVM::GEPOp::create(rewriter, loc, pointer(rewriter), closureType, closure,
                                        ArrayRef<LLVM::GEPArg>{0, (int32_t)i});
      LLVM::StoreOp::create(rewriter, loc, field, place);
    }
    std::string entry = writeEntry(op, closureType, types, rewriter);
    Value function = LLVM::AddressOfOp::create(rewriter, loc, pointer(rewriter), entry);
    call(op, rewriter, "mlc_rt_parallel", none(rewriter),
         {frameOf(op, rewriter), adaptor.getCount().front(), function, closure});
    rewriter.eraseOp(op);
    return success();
  }

  static std::string writeEntry(ParallelOp op, Type closureType, ArrayRef<Type> types,
                                ConversionPatternRewriter &rewriter) {
    OpBuilder::InsertionGuard guard(rewriter);
    Location loc = op.getLoc();
    auto module = op->getParentOfType<ModuleOp>();
    std::string name = (op.getBody() + "_entry").str();
    if (module.lookupSymbol(name))
      return name;
    Type i64 = rewriter.getI64Type(), p = pointer(rewriter);
    rewriter.setInsertionPointToEnd(module.getBody());
    auto function =
        LLVM::LLVMFuncOp::create(rewriter, loc, name, LLVM::LLVMFunctionType::get(none(rewriter), {p, i64, i64}));
    function.setSymVisibility("private");
    Block *entry = function.addEntryBlock(rewriter);
    rewriter.setInsertionPointToStart(entry);
    SmallVector<Value> operands = {entry->getArgument(1), entry->getArgument(2)};
    for (auto [i, type] : llvm::enumerate(types)) {
      Value place = LLVM::GEPOp::create(rewriter, loc, p, closureType, entry->getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{0, (int32_t)i});
      operands.push_back(LLVM::LoadOp::create(rewriter, loc, type, place));
    }
    LLVM::CallOp::create(rewriter, loc, TypeRange(), op.getBody(), operands);
    LLVM::ReturnOp::create(rewriter, loc, ValueRange());
    return name;
  }
};

} // namespace

void populateMlcToLLVMPatterns(const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ArenaPattern, OutputPattern, AllocatePattern, ScratchPattern, CheckPattern, ParallelPattern>(converter);
  populateValuePatterns(converter, patterns);
  populateExternalPattern(converter, patterns);
}

} // namespace mlc

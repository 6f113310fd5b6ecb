// Writes what is left, loops over buffers and vectors, in the LLVM dialect: one conversion for all dialects, so that no
// casts between half-converted types are left to reconcile.
#include "cpu/Passes.h"
#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "passes/ConvertMlcToLLVM.h"

using namespace mlir;

namespace mlc::cpu {
#define GEN_PASS_DEF_CONVERTCPUTOLLVM
#include "cpu/Passes.h.inc"

namespace {

/// math.fma is for speed here: where a machine has no such instruction, a product and a sum do as well, and libm's fma
/// would take forever.
struct FmaPattern : ConvertOpToLLVMPattern<math::FmaOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(math::FmaOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!LLVM::isCompatibleType(adaptor.getA().getType()))
      return rewriter.notifyMatchFailure(op, "vector of several dimensions");
    rewriter.replaceOpWithNewOp<LLVM::FMulAddOp>(op, adaptor.getA(), adaptor.getB(), adaptor.getC());
    return success();
  }
};

/// Moves bfloat16 under masks as integers: LLVM's back end for SVE has masked moves of all but these.
void moveBfloatsAsIntegers(ModuleOp module) {
  auto integersFor = [](Value value) -> Type {
    auto vector = dyn_cast<VectorType>(value.getType());
    return vector && vector.getElementType().isBF16() ? vector.clone(IntegerType::get(vector.getContext(), 16))
                                                      : Type();
  };
  module.walk([&](Operation *op) {
    OpBuilder b(op);
    auto castOperand = [&](OpOperand &operand) {
      if (Type integers = integersFor(operand.get()))
        operand.set(LLVM::BitcastOp::create(b, op->getLoc(), integers, operand.get()));
    };
    if (auto store = dyn_cast<LLVM::MaskedStoreOp>(op))
      return castOperand(store.getValueMutable());
    if (auto scatter = dyn_cast<LLVM::masked_scatter>(op))
      return castOperand(scatter.getValueMutable());
    if (!isa<LLVM::MaskedLoadOp, LLVM::masked_gather>(op))
      return;
    Value loaded = op->getResult(0);
    Type integers = integersFor(loaded), floats = loaded.getType();
    if (!integers)
      return;
    for (OpOperand &operand : op->getOpOperands())
      castOperand(operand); // what lanes that are off give
    loaded.setType(integers);
    b.setInsertionPointAfter(op);
    auto cast = LLVM::BitcastOp::create(b, op->getLoc(), floats, loaded);
    loaded.replaceAllUsesExcept(cast, cast);
  });
}

/// ONNX does not say which zero is the larger one, and to tell them apart takes machines as much as all else.
void leaveOrderOfZerosOpen(ModuleOp module) {
  module.walk([](arith::ArithFastMathInterface op) {
    if (isa<arith::MaximumFOp, arith::MinimumFOp>(op.getOperation())) {
      auto flags = op.getFastMathFlagsAttr().getValue() | arith::FastMathFlags::nsz;
      op->setAttr(op.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op->getContext(), flags));
    }
  });
}

struct ConvertCpuToLLVM : impl::ConvertCpuToLLVMBase<ConvertCpuToLLVM> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    leaveOrderOfZerosOpen(getOperation());
    LowerToLLVMOptions options(context);
    options.allocLowering = LowerToLLVMOptions::AllocLowering::None; // nothing allocates
    LLVMTypeConverter converter(context, options);
    addValueConversions(converter);
    RewritePatternSet patterns(context);
    SymbolTableCollection symbols;
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns, &symbols);
    populateFuncToLLVMConversionPatterns(converter, patterns, &symbols);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateMathToLibmConversionPatterns(patterns, /*benefit=*/0);
    vector::populateVectorMaskOpLoweringPatterns(patterns);
    vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/true);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateMlcToLLVMPatterns(converter, patterns);
    patterns.add<FmaPattern>(converter, /*benefit=*/10);
    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    moveBfloatsAsIntegers(getOperation());
  }
};

} // namespace
} // namespace mlc::cpu

#include "gpu/Code.h"
#include "hip/MatrixCores.h"
#include "hip/Passes.h"
#include "mlir/Conversion/GPUCommon/GPUCommonPass.h"
#include "mlir/Conversion/GPUToROCDL/GPUToROCDLPass.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/AMDGPU/Utils/Chipset.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace mlc::hip {
#define GEN_PASS_DEF_CONVERTGPUTOROCDL
#include "hip/Passes.h.inc"

/// "User Guide for AMDGPU Backend", address spaces.
static unsigned addressSpaceOf(mlir::gpu::AddressSpace space) {
  switch (space) {
    using enum mlir::gpu::AddressSpace;
  case Global:
    return 1;
  case Workgroup:
    return 3;
  case Private:
    return 5;
  default:
    return 0;
  }
}

/// Says that blocks have no other number of threads than the one that functions are launched with, so that each may have
/// as many registers as that leaves. Left alone, it is any up to 256.
static void tellThreads(mlir::gpu::GPUModuleOp device) {
  for (auto function : device.getOps<LLVM::LLVMFuncOp>()) {
    auto extents = function->getAttrOfType<DenseI32ArrayAttr>(ROCDL::ROCDLDialect::getReqdWorkGroupSizeAttrName());
    if (!extents)
      continue;
    std::string threads = std::to_string(llvm::product_of(extents.asArrayRef()));
    function->setAttr(ROCDL::ROCDLDialect::getFlatWorkGroupSizeAttrName(),
                      StringAttr::get(device.getContext(), threads + "," + threads));
  }
}

/// Functions are calls of a library of ROCm for it, even those that are instructions.
static bool callsLibrary(const RewritePattern &pattern) {
  std::optional<OperationName> root = pattern.getRootKind();
  return root && isa_and_present<arith::ArithDialect, math::MathDialect>(root->getDialect());
}

namespace {

struct ConvertGpuToROCDL : impl::ConvertGpuToROCDLBase<ConvertGpuToROCDL> {
  using ConvertGpuToROCDLBase::ConvertGpuToROCDLBase;

  void runOnOperation() override {
    mlir::gpu::GPUModuleOp device = getOperation();
    FailureOr<amdgpu::Chipset> chipset = amdgpu::Chipset::parse(chip);
    if (failed(chipset)) {
      device.emitError("expects a chip such as gfx942, got '") << chip << "'";
      return signalPassFailure();
    }
    settleChip();
    gpu::Conversion conversion;
    conversion.configure = [](LLVMTypeConverter &converter) {
      populateGpuMemorySpaceAttributeConversions(converter, addressSpaceOf);
    };
    conversion.populate = [&](const LLVMTypeConverter &converter, RewritePatternSet &patterns) {
      RewritePatternSet own(&getContext());
      populateGpuToROCDLConversionPatterns(converter, own, mlir::gpu::amd::Runtime::HIP, *chipset);
      for (std::unique_ptr<RewritePattern> &pattern : own.getNativePatterns())
        if (!callsLibrary(*pattern))
          patterns.add(std::move(pattern));
    };
    conversion.dialect = ROCDL::ROCDLDialect::getDialectNamespace();
    if (failed(gpu::convertToLLVM(device, conversion)))
      return signalPassFailure();
    tellThreads(device);
    // Of version 5: drivers of before ROCm 6.3 do not take the next one, which has nothing for us.
    OpBuilder b = OpBuilder::atBlockBegin(device.getBody());
    auto version = LLVM::ModuleFlagAttr::get(&getContext(), LLVM::ModFlagBehavior::Error,
                                             b.getStringAttr("amdhsa_code_object_version"), b.getI32IntegerAttr(500));
    LLVM::ModuleFlagsOp::create(b, device.getLoc(), b.getArrayAttr({version}));
  }

  /// Answers which chip this is; LLVM takes out what is for others.
  void settleChip() {
    getOperation().walk([&](LLVM::CallIntrinsicOp question) {
      StringRef name = question.getIntrin();
      if (!name.consume_front(isChipPrefix))
        return;
      OpBuilder b(question);
      question.getResults().replaceAllUsesWith(
          arith::ConstantIntOp::create(b, question.getLoc(), b.getI1Type(), name == chip).getResult());
      question.erase();
    });
  }
};

} // namespace
} // namespace mlc::hip

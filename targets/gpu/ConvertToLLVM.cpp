// Functions of one thread -> the LLVM dialect: one conversion for all dialects.
//
// What a block shares becomes a variable of the module in the device's local memory. A kernel's parameters are bare
// pointers and numbers, in the order of its arguments.
#include "gpu/Code.h"
#include "gpu/Gpu.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace mlc::gpu {

/// Makes local memory something that the function says of itself, which its conversion knows.
static void attributeSharedMemory(mlir::gpu::GPUModuleOp device) {
  device.walk([](memref::AllocaOp alloca) {
    auto space = dyn_cast_if_present<mlir::gpu::AddressSpaceAttr>(alloca.getType().getMemorySpace());
    if (!space || space.getValue() != mlir::gpu::AddressSpace::Workgroup)
      return;
    auto function = alloca->getParentOfType<mlir::gpu::GPUFuncOp>();
    alloca.replaceAllUsesWith(function.addWorkgroupAttribution(alloca.getType(), alloca.getLoc()));
    alloca.erase();
  });
}

/// Gives each local buffer the whole memory that `localBytes` counts for it: LLVM joins the loads of its last elements to a
/// load of a whole vector, which ends behind them.
static void reserveSharedMemory(mlir::gpu::GPUModuleOp device) {
  DataLayout layout(device);
  for (auto global : device.getOps<LLVM::GlobalOp>()) {
    uint64_t bytes = llvm::alignTo(layout.getTypeSize(global.getGlobalType()).getFixedValue(), localAlignment);
    global.setGlobalType(LLVM::LLVMArrayType::get(IntegerType::get(device.getContext(), 8), bytes));
    global.setAlignment(localAlignment);
  }
}

LogicalResult convertToLLVM(mlir::gpu::GPUModuleOp device, const Conversion &conversion) {
  MLIRContext *context = device.getContext();
  attributeSharedMemory(device);
  LowerToLLVMOptions options(context);
  options.useBarePtrCallConv = true;
  LLVMTypeConverter converter(context, options);
  conversion.configure(converter);
  RewritePatternSet patterns(context);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
  conversion.populate(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<mlir::gpu::GPUModuleOp>();
  target.addLegalDialect(conversion.dialect);
  if (failed(applyFullConversion(device, target, std::move(patterns))))
    return failure();
  reserveSharedMemory(device);
  return success();
}

} // namespace mlc::gpu

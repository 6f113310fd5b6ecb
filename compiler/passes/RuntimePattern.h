// What the patterns are written with that make operations calls of the runtime's services.
#pragma once
#include "mlc/Mlc.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlc {

template <typename Op> class RuntimePattern : public mlir::ConvertOpToLLVMPattern<Op> {
public:
  using mlir::ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;
  using Rewriter = mlir::ConversionPatternRewriter;

protected:
  static mlir::Type pointer(Rewriter &rewriter) { return mlir::LLVM::LLVMPointerType::get(rewriter.getContext()); }
  static mlir::Type none(Rewriter &rewriter) { return mlir::LLVM::LLVMVoidType::get(rewriter.getContext()); }
  static mlir::FunctionOpInterface functionOf(mlir::Operation *op) {
    return op->getParentOfType<mlir::FunctionOpInterface>();
  }
  static mlir::Value frameOf(mlir::Operation *op, Rewriter &rewriter) {
    return rewriter.getRemappedValue(functionOf(op).getFunctionBody().front().getArgument(0));
  }
  static mlir::Value integer(Rewriter &rewriter, mlir::Location loc, mlir::Type type, int64_t value) {
    return mlir::LLVM::ConstantOp::create(rewriter, loc, type, rewriter.getIntegerAttr(type, value));
  }

  /// A stack slot, made once at the entry of the function, that holds `values`.
  static mlir::Value slot(mlir::Operation *op, Rewriter &rewriter, mlir::Type element, mlir::ValueRange values) {
    mlir::Value memory;
    {
      mlir::OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(&functionOf(op).getFunctionBody().front());
      mlir::Type type = mlir::LLVM::LLVMArrayType::get(element, std::max<size_t>(values.size(), 1));
      memory = mlir::LLVM::AllocaOp::create(rewriter, op->getLoc(), pointer(rewriter), type,
                                            integer(rewriter, op->getLoc(), rewriter.getI64Type(), 1));
    }
    for (auto [i, value] : llvm::enumerate(values)) {
      mlir::Value place = mlir::LLVM::GEPOp::create(rewriter, op->getLoc(), pointer(rewriter), element, memory,
                                                    llvm::ArrayRef<mlir::LLVM::GEPArg>{(int32_t)i});
      mlir::LLVM::StoreOp::create(rewriter, op->getLoc(), value, place);
    }
    return memory;
  }

  static mlir::LLVM::CallOp call(mlir::Operation *op, Rewriter &rewriter, llvm::StringRef service, mlir::Type result,
                                 mlir::ValueRange operands) {
    auto module = op->getParentOfType<mlir::ModuleOp>();
    auto callee = module.lookupSymbol<mlir::LLVM::LLVMFuncOp>(service);
    if (!callee) {
      mlir::OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToEnd(module.getBody());
      llvm::SmallVector<mlir::Type> types(operands.getTypes());
      callee = mlir::LLVM::LLVMFuncOp::create(rewriter, module.getLoc(), service,
                                              mlir::LLVM::LLVMFunctionType::get(result, types));
    }
    return mlir::LLVM::CallOp::create(rewriter, op->getLoc(), callee, operands);
  }

  /// A contiguous buffer at `data`; `dynamicSizes` as i64.
  mlir::Value describe(Rewriter &rewriter, mlir::Location loc, mlir::MemRefType type, mlir::Value data,
                       mlir::ValueRange dynamicSizes) const {
    llvm::SmallVector<mlir::Value> sizes, strides;
    mlir::Value bytes;
    this->getMemRefDescriptorSizes(loc, type, dynamicSizes, rewriter, sizes, strides, bytes, /*sizeInBytes=*/false);
    return this->createMemRefDescriptor(loc, type, data, data, sizes, strides, rewriter);
  }
};

} // namespace mlc

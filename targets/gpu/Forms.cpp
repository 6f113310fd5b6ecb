#include "gpu/Forms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "passes/ExpandMath.h"

using namespace mlir;

namespace mlc::gpu {

/// What a thread may keep for itself.
static constexpr int64_t mostPrivateBytes = 2048;

std::optional<bool> hasStructuralForm(Operation *op, function_ref<bool(Type)> isElement) {
  if (auto alloca = dyn_cast<memref::AllocaOp>(op)) {
    MemRefType type = alloca.getType();
    Type element = type.getElementType();
    return type.hasStaticShape() && isElement(element) &&
           type.getNumElements() * std::max(element.isIndex() ? 64u : type.getElementTypeBitWidth(), 8u) / 8 <=
               mostPrivateBytes;
  }
  auto isKnown = [&](Type type) {
    auto buffer = dyn_cast<MemRefType>(type);
    return isElement(buffer ? buffer.getElementType() : type);
  };
  if (isa<memref::LoadOp, memref::StoreOp, memref::DimOp, memref::CastOp, memref::SubViewOp, memref::CollapseShapeOp,
          memref::ExpandShapeOp, memref::ReinterpretCastOp, memref::ViewOp, scf::ForOp, scf::IfOp, scf::WhileOp,
          arith::ConstantOp, mlir::gpu::ThreadIdOp, mlir::gpu::BlockIdOp>(op))
    return llvm::all_of(op->getOperandTypes(), isKnown) && llvm::all_of(op->getResultTypes(), isKnown);
  if (isa<scf::YieldOp, scf::ConditionOp, scf::InParallelOp, linalg::YieldOp, linalg::IndexOp, mlir::gpu::BarrierOp,
          mlir::gpu::ReturnOp>(op))
    return true;
  return std::nullopt;
}

bool isLLVMElement(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() && llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return type.isIndex() || type.isF16() || type.isBF16() || type.isF32() || type.isF64();
}

bool hasLLVMForm(Operation *op) {
  if (std::optional<bool> isFine = hasStructuralForm(op, isLLVMElement))
    return *isFine;
  if (!llvm::all_of(op->getOperandTypes(), isLLVMElement) || !llvm::all_of(op->getResultTypes(), isLLVMElement))
    return false;
  if (isa<ub::PoisonOp>(op))
    return true;
  // There is no libm to call.
  if (isa_and_present<arith::ArithDialect>(op->getDialect()))
    return !isa<arith::RemFOp>(op);
  if (!isa_and_present<math::MathDialect>(op->getDialect()))
    return false;
  if (isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
          math::CountTrailingZerosOp, math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp,
          math::IsNaNOp, math::RoundEvenOp, math::RoundOp, math::RsqrtOp, math::SqrtOp, math::TruncOp>(op))
    return true;
  return canExpandMath(op);
}

} // namespace mlc::gpu

#include "onnx/ops/Declared.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace mlc::onnx {

std::optional<int64_t> declaredRank(Value value) {
  if (auto type = dyn_cast<RankedTensorType>(value.getType()))
    return type.getRank();
  for (OpOperand &use : value.getUses())
    if (auto function = isa<func::ReturnOp>(use.getOwner()) ? use.getOwner()->getParentOfType<func::FuncOp>() : nullptr)
      if (auto type = function.getResultAttrOfType<TypeAttr>(use.getOperandNumber(), "onnx.type"))
        if (auto ranked = dyn_cast<RankedTensorType>(type.getValue()))
          return ranked.getRank();
  return std::nullopt;
}

} // namespace mlc::onnx

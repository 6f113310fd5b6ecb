// Refines every type by the shape rules.
//
//   %y = onnx.Relu(%x) : (tensor<?x4xf32>) -> tensor<*xf32>   =>   ... -> tensor<?x4xf32>
//
// Extents that are the same for every run become numbers; the others stay `?`, and their expressions are found again by
// the analysis (onnx/Rules.h) whenever they are needed. A constant that all of a result's followed elements amount to
// is left to FoldConstants.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "onnx/Rules.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_INFERSHAPES
#include "passes/Passes.h.inc"

namespace {

struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      onnx::Known known(&getContext());
      if (failed(onnx::inferFacts(function, known)))
        return signalPassFailure();
      function.getBody().walk([&](Operation *op) {
        for (Value result : op->getResults())
          refine(result, known);
      });
      // The results of the graph are what its last operations give.
      Operation *end = function.getBody().front().getTerminator();
      function.setType(FunctionType::get(&getContext(), function.getArgumentTypes(), end->getOperandTypes()));
    }
  }

  static void refine(Value value, onnx::Known &known) {
    auto type = dyn_cast<TensorType>(value.getType());
    const onnx::Facts &facts = known.of(value);
    if (!type || !facts.extents)
      return;
    SmallVector<int64_t> shape;
    for (onnx::Extent extent : *facts.extents)
      shape.push_back(onnx::ExtentMath::asConstant(extent).value_or(ShapedType::kDynamic));
    value.setType(RankedTensorType::get(shape, type.getElementType()));
  }
};

} // namespace
} // namespace mlc

// Replaces every onnx operation by what its rule says it computes, in upstream dialects.
//
//   %y = onnx.Relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
//   =>
//   %0 = tensor.empty() : tensor<4xf32>
//   %y = linalg.generic ... ins(%x) outs(%0) { arith.maximumf }
//
// Unsigned and boolean tensors become signless ones (see onnx/Lowering.h). The graph is rebuilt in order, once, with
// the facts of the whole graph at hand: a lowering asks for an extent and gets a number, or arithmetic on the model's
// inputs. That is why this is a walk and not a set of patterns.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/Lowering.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_CONVERTONNXTOLINALG
#include "passes/Passes.h.inc"

namespace {

struct ConvertOnnxToLinalg : impl::ConvertOnnxToLinalgBase<ConvertOnnxToLinalg> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal() && failed(convert(function)))
        return signalPassFailure();
  }

  LogicalResult convert(func::FuncOp function) {
    onnx::Known known(&getContext());
    if (failed(onnx::inferFacts(function, known)))
      return failure();
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
      if (isa<UnrankedTensorType>(type))
        return function.emitError("input ")
               << function.getArgAttr(i, "onnx.name") << " has no known rank; mlc needs the rank of every input";

    // The new body grows behind the old one, in the same function.
    Block *source = &function.getBody().front();
    SmallVector<Type> inputs = llvm::map_to_vector(function.getArgumentTypes(), onnx::loweredType);
    Block *target = new Block();
    function.getBody().push_back(target);
    IRMapping lowered;
    for (BlockArgument argument : source->getArguments())
      lowered.map(argument, target->addArgument(onnx::loweredType(argument.getType()), argument.getLoc()));

    auto builder = OpBuilder::atBlockEnd(target);
    onnx::Lowering lowering(builder, known, lowered);
    if (failed(onnx::lowerOperations(*source, lowering)))
      return failure();
    auto results =
        llvm::map_to_vector(source->getTerminator()->getOperands(), [&](Value value) { return lowered.lookup(value); });
    func::ReturnOp::create(builder, source->getTerminator()->getLoc(), results);
    source->dropAllReferences();
    source->erase();
    function.setType(FunctionType::get(&getContext(), inputs, TypeRange(ValueRange(results))));
    return success();
  }
};

} // namespace
} // namespace mlc

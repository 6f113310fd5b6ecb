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
//
// On a module with mlc.unchecked, what only the data can contradict is not checked.
#include "mlc/Mlc.h"
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
    if (getOperation()->hasAttr(uncheckedAttrName))
      getOperation()->walk([](CheckOp check) { check.erase(); });
  }

  /// What operators need on the way to their results, such as padded operands, must have a size as well.
  static LogicalResult checkSizes(Block &block) {
    auto visit = [](Operation *op) -> WalkResult {
      for (Type type : op->getResultTypes())
        if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !onnx::elementCount(tensor.getShape()))
          return emitError(op->getLoc()) << "needs a tensor with more elements than 64 bits can count, " << tensor;
      return WalkResult::advance();
    };
    return failure(block.walk(visit).wasInterrupted());
  }

  LogicalResult convert(func::FuncOp function) {
    onnx::Known known(&getContext());
    bool isInferred = succeeded(onnx::inferFacts(function, known)); // what is not has been said
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      if (!isa<TensorType, onnx::MapType>(onnx::tensorIn(type)))
        return function.emitError("input ") << function.getArgAttr(i, "onnx.name")
                                            << " is not supported: expects a tensor, a map, or a sequence or an "
                                               "optional of these, got "
                                            << type;
      if (isa<UnrankedTensorType>(type))
        return function.emitError("input ") << function.getArgAttr(i, "onnx.name")
                                            << " has no known rank; mlc needs the rank of every input, which --shape "
                                               "can give: --shape NAME=?,? for two axes";
    }

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
    // Extents are materialized where nothing can fail; one that cannot be is reported.
    bool hasErrors = false;
    ScopedDiagnosticHandler watch(&getContext(), [&](Diagnostic &diagnostic) {
      hasErrors |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return failure(); // for those who print it
    });
    bool isLowered = succeeded(onnx::lowerOperations(*source, lowering));
    if (!isInferred || !isLowered || hasErrors || failed(checkSizes(*target)))
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

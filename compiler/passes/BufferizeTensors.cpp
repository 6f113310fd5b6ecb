// Turns tensors into buffers, in the graph function and in all kernels at once.
//
//   func.func private @k(%in: tensor<8xf32>, %out: tensor<8xf32>) -> tensor<8xf32> attributes {mlc.kernel}
//   =>
//   func.func private @k(%in: memref<8xf32>, %out: memref<8xf32>) attributes {mlc.kernel}
//
// Upstream's one-shot bufferization does the work. What is added is what we know and it cannot: inputs of the model and
// constants are never written; result i of a kernel goes to the i-th of its trailing arguments, its destinations, even
// where the kernel computes it elsewhere first; what a loop of the graph carries stays in one place when its size does
// not change, so that a loop does not allocate; two results never go to the same place. All buffers that cross a function boundary are contiguous, which keeps
// addresses in kernels simple.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Destinations.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_BUFFERIZETENSORS
#include "passes/Passes.h.inc"

namespace {

struct BufferizeTensors : impl::BufferizeTensorsBase<BufferizeTensors> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    separateDestinations(module);
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      if (function->hasAttr(kernelAttrName)) {
        if (failed(tieResults(function)))
          return signalPassFailure();
      } else {
        for (BlockArgument argument : function.getArguments())
          function.setArgAttr(argument.getArgNumber(), bufferization::BufferizationDialect::kWritableAttrName,
                              BoolAttr::get(&getContext(), false));
        function.walk([&](scf::ForOp loop) { tieCarried(loop.getRegionIterArgs(), loop.getBody()->getTerminator()); });
      }
    }

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    options.allowReturnAllocsFromLoops = true;
    options.bufferAlignment = 64;
    IRRewriter rewriter(&getContext());
    bufferization::BufferizationState state;
    if (failed(bufferization::eliminateEmptyTensors(rewriter, module)) ||
        failed(bufferization::runOneShotModuleBufferize(module, options, state)) || failed(untieControl(module)) ||
        failed(bufferization::dropEquivalentBufferResults(module)))
      return signalPassFailure();
    bufferization::removeBufferizationAttributesInModule(module);
    for (auto kernel : module.getOps<func::FuncOp>())
      if (kernel->hasAttr(kernelAttrName) && failed(checkKernel(kernel)))
        return signalPassFailure();
  }

  /// Makes each result of a kernel the contents of its destination.
  LogicalResult tieResults(func::FuncOp kernel) {
    Operation *end = kernel.getBody().front().getTerminator();
    unsigned inputs = kernel.getNumArguments() - end->getNumOperands();
    if (kernel.getNumArguments() < end->getNumOperands())
      return kernel.emitOpError("expects one destination for each of its ") << end->getNumOperands() << " results";
    OpBuilder builder(end);
    for (OpOperand &result : end->getOpOperands()) {
      Value destination = kernel.getArgument(inputs + result.getOperandNumber());
      if (isUpdateOf(result.get(), destination))
        continue;
      if (result.get().getType() != destination.getType()) {
        if (!tensor::CastOp::areCastCompatible(result.get().getType(), destination.getType()))
          return kernel.emitOpError("expects result ")
                 << result.getOperandNumber() << " to have the type of its destination, " << destination.getType()
                 << ", got " << result.get().getType();
        result.set(tensor::CastOp::create(builder, kernel.getLoc(), destination.getType(), result.get()));
      }
      result.set(bufferization::MaterializeInDestinationOp::create(builder, kernel.getLoc(), result.get(), destination)
                     .getResult());
    }
    return success();
  }

  /// Whether `value` is `argument` with changes that can be made in place.
  static bool isUpdateOf(Value value, Value argument) {
    while (value != argument) {
      auto result = dyn_cast<OpResult>(value);
      if (!result)
        return false;
      Operation *op = result.getOwner();
      if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
        value = insert.getDest();
      else if (auto insert = dyn_cast<tensor::InsertOp>(op))
        value = insert.getDest();
      else if (auto style = dyn_cast<DestinationStyleOpInterface>(op))
        value = style.getTiedOpOperand(result)->get();
      else if (isa<func::CallOp>(op))
        value = op->getOperand(op->getNumOperands() - op->getNumResults() + result.getResultNumber());
      else if (auto loop = dyn_cast<scf::ForallOp>(op))
        value = loop.getOutputs()[result.getResultNumber()];
      else if (auto loop = dyn_cast<scf::ForOp>(op))
        value = loop.getInitArgs()[result.getResultNumber()];
      else if (auto choice = dyn_cast<scf::IfOp>(op); choice && choice.elseBlock()) {
        if (!isUpdateOf(choice.elseYield().getOperand(result.getResultNumber()), argument))
          return false;
        value = choice.thenYield().getOperand(result.getResultNumber());
      } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        unsigned number = result.getResultNumber();
        auto forwarded = dyn_cast<BlockArgument>(loop.getConditionOp().getArgs()[number]);
        if (!forwarded || forwarded.getOwner() != loop.getBeforeBody() ||
            !isUpdateOf(loop.getYieldOp().getOperand(forwarded.getArgNumber()), loop.getAfterArguments()[number]))
          return false;
        value = loop.getInits()[forwarded.getArgNumber()];
      } else
        return false;
    }
    return true;
  }

  /// Makes what an iteration leaves replace what it got, in place.
  void tieCarried(ValueRange arguments, Operation *yield) {
    OpBuilder builder(yield);
    for (auto [argument, operand] : llvm::zip(arguments, yield->getOpOperands())) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || !type.hasStaticShape() || isUpdateOf(operand.get(), argument))
        continue;
      operand.set(bufferization::MaterializeInDestinationOp::create(builder, yield->getLoc(), operand.get(), argument)
                      .getResult());
    }
  }

  /// A loop or condition that updates a buffer in place gives it back; what comes behind it is made to use the buffer
  /// itself, so that a kernel which ends with a loop is seen to return its destination.
  LogicalResult untieControl(ModuleOp module) {
    RewritePatternSet patterns(&getContext());
    scf::ForOp::getCanonicalizationPatterns(patterns, &getContext());
    scf::IfOp::getCanonicalizationPatterns(patterns, &getContext());
    scf::WhileOp::getCanonicalizationPatterns(patterns, &getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    for (auto kernel : module.getOps<func::FuncOp>())
      if (kernel->hasAttr(kernelAttrName) && failed(applyPatternsGreedily(kernel, frozen)))
        return failure();
    return success();
  }

  /// What the rest of the compiler relies on: results are in their destinations, and these are nothing else's memory.
  LogicalResult checkKernel(func::FuncOp kernel) {
    if (kernel.getNumResults())
      return kernel.emitOpError("expects each result to be written to its destination, got ")
             << kernel.getNumResults() << " that are not";
    for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes()))
      if (isa<MemRefType>(type))
        kernel.setArgAttr(i, "llvm.noalias", UnitAttr::get(kernel.getContext()));
    return success();
  }
};

} // namespace
} // namespace mlc

#include "passes/Destinations.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace mlc {

/// The operations that make a value of nothing, the tensor.empty last; none if it has contents.
static SmallVector<Operation *> chainToEmpty(Value value) {
  SmallVector<Operation *> chain;
  for (Operation *op = value.getDefiningOp(); op; op = op->getOperand(0).getDefiningOp()) {
    chain.push_back(op);
    if (isa<tensor::EmptyOp>(op))
      return chain;
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      break;
  }
  return {};
}

void separateDestinations(Operation *root) {
  root->walk([](Operation *op) {
    llvm::SmallPtrSet<Operation *, 4> met;
    for (OpOperand &operand : op->getOpOperands()) {
      SmallVector<Operation *> chain = chainToEmpty(operand.get());
      if (chain.empty() || met.insert(chain.back()).second)
        continue;
      OpBuilder builder(op);
      builder.setInsertionPointAfter(chain.front());
      Value value;
      for (Operation *link : llvm::reverse(chain)) {
        Operation *copy = builder.clone(*link);
        if (value)
          copy->setOperand(0, value);
        value = copy->getResult(0);
      }
      operand.set(value);
    }
  });
}

} // namespace mlc

// Says which branch an If takes, where its branches give tensors of different ranks and the operators behind it can use
// only one of them.
//
//   %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32>     =>   %y = onnx.If(%c) {onnx.taken = true} : ...
//     then_branch { ... onnx.Yield %a : tensor<?xf32> }
//     else_branch { ... onnx.Yield %b : tensor<?x?xf32> }
//   %z = onnx.Transpose(%y) {perm = [0]}
//
// Exporters write such conditions for a squeeze of an axis whose extent they do not know. A tensor has one rank for all
// runs here, so the lowering checks that the condition is what was found, instead of choosing. Where both branches fit,
// or none, nothing is said, and the lowering refuses the operation.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "onnx/Rules.h"
#include "passes/Passes.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_SETTLEBRANCHES
#include "passes/Passes.h.inc"

namespace {

ValueRange yieldsOf(Region &region) { return region.front().getTerminator()->getOperands(); }

/// Whether the ranks of results are unknown only because each branch has its own.
bool haveDifferentRanks(onnx::IfOp op, onnx::Known &known) {
  return llvm::any_of(llvm::zip(op->getResults(), yieldsOf(op.getThenBranch()), yieldsOf(op.getElseBranch())),
                      [&](auto values) {
                        auto [result, a, b] = values;
                        return !known.of(result).extents && known.of(a).extents && known.of(b).extents;
                      });
}

struct SettleBranches : impl::SettleBranchesBase<SettleBranches> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      llvm::DenseSet<Operation *> tried;
      while (onnx::IfOp op = nextOf(function, tried)) {
        tried.insert(op);
        bool fits[2];
        for (bool taken : {false, true}) {
          op->setAttr(onnx::takenAttrName, BoolAttr::get(&getContext(), taken));
          fits[taken] = isConsistent(function);
        }
        if (fits[0] != fits[1])
          op->setAttr(onnx::takenAttrName, BoolAttr::get(&getContext(), fits[1]));
        else
          op->removeAttr(onnx::takenAttrName);
      }
    }
  }

  /// The first If whose results have no rank yet for which there may be an answer; null if there is none.
  onnx::IfOp nextOf(func::FuncOp function, const llvm::DenseSet<Operation *> &tried) {
    SmallVector<onnx::IfOp> choices;
    function.walk<WalkOrder::PreOrder>([&](onnx::IfOp op) { choices.push_back(op); });
    if (choices.empty())
      return nullptr;
    onnx::Known known(&getContext());
    ScopedDiagnosticHandler quiet(&getContext(), [](Diagnostic &) { return success(); });
    if (failed(onnx::inferFacts(function, known)))
      return nullptr; // shape inference will say why
    for (onnx::IfOp op : choices)
      if (!tried.contains(op) && haveDifferentRanks(op, known))
        return op;
    return nullptr;
  }

  bool isConsistent(func::FuncOp function) {
    onnx::Known known(&getContext());
    ScopedDiagnosticHandler quiet(&getContext(), [](Diagnostic &) { return success(); });
    return succeeded(onnx::inferFacts(function, known));
  }
};

} // namespace
} // namespace mlc

// Says which branch an If takes, where its branches give tensors of different ranks and the operators behind it can use
// only one of them.
//
//   %y = onnx.If(%c) : (tensor<i1>) -> tensor<*xf32>     =>   %y = onnx.If(%c) {onnx.taken = true} : ...
//     then_branch { ... onnx.Yield %a : tensor<?xf32> }
//     else_branch { ... onnx.Yield %b : tensor<?x?xf32> }
//   %z = onnx.Transpose(%y) {perm = [0]}
//
// Exporters write such conditions for a squeeze of an axis whose extent they do not know. A tensor has one rank for all
// runs here, so the lowering checks that the condition is what was found, instead of choosing.
//
// Where both branches fit, and give single elements, a scalar and a tensor of one, what follows mostly cannot tell them
// apart: then the one of lower rank is reshaped like the other.
//
//   then_branch { onnx.Yield %a : tensor<f32> }          =>   then_branch { %s = onnx.Reshape(%a, [1]); onnx.Yield %s }
//   else_branch { onnx.Yield %b : tensor<1xf32> }
//
// Otherwise nothing is said, and the lowering refuses the operation.
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

/// What the rest of a graph can see of a value's rank: the ranks of the results, and of what is asked for its shape. None
/// if the facts of the graph contradict each other.
using Ranks = std::optional<SmallVector<std::optional<int64_t>>>;

Ranks visibleRanks(func::FuncOp function) {
  onnx::Known known(function.getContext());
  ScopedDiagnosticHandler quiet(function.getContext(), [](Diagnostic &) { return success(); });
  if (failed(onnx::inferFacts(function, known)))
    return std::nullopt;
  SmallVector<std::optional<int64_t>> ranks;
  function.walk([&](Operation *op) {
    if (!isa<func::ReturnOp, onnx::ShapeOp, onnx::SizeOp>(op))
      return;
    for (Value operand : op->getOperands()) {
      const auto &extents = known.of(operand).extents;
      ranks.push_back(extents ? std::optional<int64_t>(extents->size()) : std::nullopt);
    }
  });
  return ranks;
}

/// Whether both branches give one element wherever their ranks differ.
bool giveSingleElements(onnx::IfOp op) {
  onnx::Known known(op.getContext());
  ScopedDiagnosticHandler quiet(op.getContext(), [](Diagnostic &) { return success(); });
  if (failed(onnx::inferFacts(op->getParentOfType<func::FuncOp>(), known)))
    return false;
  auto isSingle = [&](Value value) {
    const auto &extents = known.of(value).extents;
    return extents &&
           llvm::all_of(*extents, [](onnx::Extent extent) { return onnx::ExtentMath::isConstant(extent, 1); });
  };
  return llvm::all_of(llvm::zip(yieldsOf(op.getThenBranch()), yieldsOf(op.getElseBranch())), [&](auto values) {
    auto [a, b] = values;
    return known.of(a).extents && known.of(b).extents &&
           (known.of(a).extents->size() == known.of(b).extents->size() || (isSingle(a) && isSingle(b)));
  });
}

/// Gives the results of both branches, which are single elements, the higher of their ranks.
void giveOneRank(onnx::IfOp op) {
  onnx::Known known(op.getContext());
  ScopedDiagnosticHandler quiet(op.getContext(), [](Diagnostic &) { return success(); });
  if (failed(onnx::inferFacts(op->getParentOfType<func::FuncOp>(), known)))
    return;
  auto rankOf = [&](Value value) -> int64_t { return known.of(value).extents->size(); };
  Operation *ends[] = {op.getThenBranch().front().getTerminator(), op.getElseBranch().front().getTerminator()};
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    int64_t ranks[] = {rankOf(ends[0]->getOperand(i)), rankOf(ends[1]->getOperand(i))};
    if (ranks[0] == ranks[1])
      continue;
    Operation *end = ends[ranks[0] > ranks[1]];
    OpBuilder b(end);
    SmallVector<int64_t> ones(std::max(ranks[0], ranks[1]), 1);
    auto type = RankedTensorType::get({(int64_t)ones.size()}, b.getI64Type());
    Value shape = onnx::createConstant(b, end->getLoc(), DenseElementsAttr::get(type, ArrayRef<int64_t>(ones)));
    Value single = end->getOperand(i);
    Type result = UnrankedTensorType::get(cast<TensorType>(single.getType()).getElementType());
    end->setOperand(i, onnx::ReshapeOp::create(b, end->getLoc(), result, single, shape));
  }
}

struct SettleBranches : impl::SettleBranchesBase<SettleBranches> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      llvm::DenseSet<Operation *> tried;
      while (onnx::IfOp op = nextOf(function, tried)) {
        tried.insert(op);
        Ranks ranks[2];
        for (bool taken : {false, true}) {
          op->setAttr(onnx::takenAttrName, BoolAttr::get(&getContext(), taken));
          ranks[taken] = visibleRanks(function);
        }
        if (ranks[0].has_value() != ranks[1].has_value()) {
          op->setAttr(onnx::takenAttrName, BoolAttr::get(&getContext(), ranks[1].has_value()));
          continue;
        }
        op->removeAttr(onnx::takenAttrName);
        if (ranks[0] && ranks[0] == ranks[1] && giveSingleElements(op))
          giveOneRank(op);
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
};

} // namespace
} // namespace mlc

// Computes now what does not depend on the inputs.
//
//   %0 = onnx.Constant {value = dense_resource<w>}         =>   %1 = onnx.Constant {value = dense_resource<folded>}
//   %1 = onnx.Transpose(%0) {perm = [1, 0]}
//
// All constant operations of the graph become one function, which mlc's own pipeline compiles for this machine and runs
// (HostEvaluation.h). Large constants are its inputs, so their data is never copied; small ones stay constants in it,
// since shape rules want to see them. Operations that make a large tensor out of little (Expand, ConstantOfShape) stay
// where they are: making it at run time costs less than loading it.
//
// Before the quantize phase has read them, quantized constants stay what they are (`keep-quantized`). Weights of products of
// floats do so for good where the target computes its panels of them (`keep-weights`).
#include "HostEvaluation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "onnx/Constants.h"
#include "onnx/Lowering.h"
#include "onnx/Rules.h"
#include "passes/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "passes/Passes.h.inc"

namespace {

/// Results up to this size fold however small their operands are.
constexpr int64_t alwaysFoldedBytes = 64 * 1024;

/// Whether a tensor can be an input or a result of what is run here: not where several elements lie in a byte.
bool canBePort(Type element) { return onnx::bytesPerElement(element) > 0; }

/// Bytes of a fixed-size tensor of numbers; none for anything else.
std::optional<int64_t> sizeOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return std::nullopt;
  Type element = tensor.getElementType();
  if (!canBePort(element) && !element.isIntOrFloat())
    return std::nullopt;
  return tensor.getNumElements() * std::max<int64_t>(onnx::bytesPerElement(element), 1);
}

/// Whether a dequantization gives nothing but the right-hand side of matrix products, of constants that PackOperands puts
/// into panels as they are: with one scale for all, for each column, or for whole blocks along an axis.
bool isWeight(onnx::DequantizeLinearOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  std::optional<int64_t> bytes = sizeOf(op.getY().getType());
  if (!type || !type.hasStaticShape() || type.getRank() != 2 || !isa<IntegerType>(type.getElementType()) ||
      type.getElementTypeBitWidth() > 8 || !getElementTypeOrSelf(op.getY().getType()).isF32() || !bytes ||
      *bytes <= alwaysFoldedBytes)
    return false;
  for (Value parameter : {op.getXScale(), op.getXZeroPoint()})
    if (parameter && !onnx::constantValue(parameter))
      return false;
  std::optional<int64_t> axis = onnx::normalizedAxis(op.getAxis(), 2);
  if (op.getBlockSize() != 0 && (!axis || type.getDimSize(*axis) % op.getBlockSize() != 0))
    return false;
  return llvm::all_of(op->getUses(), [](OpOperand &use) {
    return isa<onnx::MatMulOp, onnx::GemmOp>(use.getOwner()) && use.getOperandNumber() == 1;
  });
}

class ConstantPart {
public:
  ConstantPart(func::FuncOp graph, bool keepQuantized, bool keepWeights)
      : keepQuantized(keepQuantized), keepWeights(keepWeights) {
    graph.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isConstant(op))
        operations.insert(op);
    });
    for (Operation *op : llvm::filter_to_vector(operations, [&](Operation *op) { return wouldStoreTwice(op); }))
      operations.remove(op);
    // A constant that only folded operations read is not worth a result.
    for (Operation *op : operations)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !operations.contains(user); }))
          results.push_back(result);
  }

  bool empty() const { return results.empty(); }

  LogicalResult fold(MLIRContext *context) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(context));
    module->getOperation()->setAttr(foldingAttrName, UnitAttr::get(context));
    SmallVector<ElementsAttr> inputs;
    outline(*module, inputs);
    FailureOr<SmallVector<ElementsAttr>> values = evaluateOnHost(*module, inputs);
    if (failed(values))
      return failure();
    for (auto [result, value] : llvm::zip_equal(results, *values)) {
      OpBuilder b(result.getDefiningOp());
      auto constant = onnx::ConstantOp::create(b, result.getLoc(), TypeRange(value.getType()), ValueRange());
      constant.setValueAttr(value);
      result.replaceAllUsesWith(constant.getResult());
    }
    for (Operation *op : llvm::reverse(operations))
      if (op->use_empty())
        op->erase();
    return success();
  }

private:
  bool isConstant(Operation *op) {
    if (auto dequantize = dyn_cast<onnx::DequantizeLinearOp>(op);
        dequantize && (keepQuantized || (keepWeights && isWeight(dequantize))))
      return false;
    if (isa<onnx::ConstantOp>(op) || !isa<onnx::OnnxDialect>(op->getDialect()) || op->getNumOperands() == 0 ||
        op->getNumResults() == 0 || op->getNumRegions() || !isPure(op))
      return false;
    const onnx::Rule *rule = onnx::ruleOf(op);
    if (!rule || !rule->lower || rule->callsFunction)
      return false;
    int64_t in = 0, out = 0;
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      std::optional<int64_t> bytes = sizeOf(operand.getType());
      if (!source || !bytes || !(isa<onnx::ConstantOp>(source) || operations.contains(source)))
        return false;
      if (auto constant = dyn_cast<onnx::ConstantOp>(source); constant && !constant.getValue())
        return false;
      in += *bytes;
    }
    for (Value result : op->getResults()) {
      std::optional<int64_t> bytes = sizeOf(result.getType());
      if (!bytes || !canBePort(getElementTypeOrSelf(result.getType())))
        return false;
      out += *bytes;
    }
    return out <= std::max(2 * in, alwaysFoldedBytes);
  }

  /// A transposition of a large constant that something else reads as it is: the layout phase can read both from one.
  bool wouldStoreTwice(Operation *op) {
    auto transpose = dyn_cast<onnx::TransposeOp>(op);
    auto constant = transpose ? transpose->getOperand(0).getDefiningOp<onnx::ConstantOp>() : onnx::ConstantOp();
    auto isFolded = [&](Operation *user) { return operations.contains(user); };
    return constant && *sizeOf(constant.getType()) > alwaysFoldedBytes &&
           llvm::none_of(transpose->getUsers(), isFolded) && !llvm::all_of(constant->getUsers(), isFolded);
  }

  void outline(ModuleOp module, SmallVectorImpl<ElementsAttr> &inputs) {
    MLIRContext *context = module.getContext();
    auto builder = OpBuilder::atBlockEnd(module.getBody());
    auto function = func::FuncOp::create(
        builder, UnknownLoc::get(context), graphFunctionName,
        builder.getFunctionType({}, llvm::map_to_vector(results, [](Value v) { return v.getType(); })));
    Block *body = function.addEntryBlock();
    auto inner = OpBuilder::atBlockBegin(body);
    IRMapping map;
    SmallVector<Type> argumentTypes;
    for (Operation *op : operations) {
      for (Value operand : op->getOperands()) {
        auto constant = operand.getDefiningOp<onnx::ConstantOp>();
        if (!constant || map.contains(operand))
          continue;
        ElementsAttr value = *constant.getValue();
        if (isa<DenseResourceElementsAttr>(value) && canBePort(value.getElementType())) {
          map.map(operand, body->addArgument(operand.getType(), operand.getLoc()));
          argumentTypes.push_back(operand.getType());
          inputs.push_back(value);
        } else {
          inner.clone(*constant, map);
        }
      }
      inner.clone(*op, map);
    }
    func::ReturnOp::create(inner, function.getLoc(),
                           llvm::map_to_vector(results, [&](Value v) { return map.lookup(v); }));
    function.setType(builder.getFunctionType(argumentTypes, function.getResultTypes()));
    auto name = [&](StringRef side, unsigned i, Type type) {
      return builder.getDictionaryAttr({builder.getNamedAttr("onnx.name", builder.getStringAttr(side + Twine(i))),
                                        builder.getNamedAttr("onnx.type", TypeAttr::get(type))});
    };
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
      function.setArgAttrs(i, name("in", i, type));
    for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
      function.setResultAttrs(i, name("out", i, type));
  }

  bool keepQuantized, keepWeights;
  llvm::SetVector<Operation *> operations;
  SmallVector<Value> results;
};

struct FoldConstants : impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;

  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>(graphFunctionName);
    if (!graph || getOperation()->hasAttr(foldingAttrName))
      return;
    ConstantPart part(graph, keepQuantized, keepWeights);
    if (!part.empty() && failed(part.fold(&getContext())))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlc

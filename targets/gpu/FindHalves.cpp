// Finds contractions of which all factors are numbers of 16 bits, though they lie in memory as f32: models in f16 or bf16
// are computed in f32, and what is multiplied there has been one of them just before.
//
//   %x = extf(%a : f16), in a kernel of its own       =>   mlc.contract {mlc.halves = f16} ins(%x, %w ...)
//   mlc.contract ins(%x, %w : memref<f32>, memref<f16>)
//
// A device that multiplies halves can then do so, and no bit of a product is lost. What a buffer holds is what its
// writers write: the kernels that get it, whose bodies are asked. What cannot be followed is f32.
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_FINDHALVES
#include "gpu/Passes.h.inc"

namespace {

/// A float that numbers fit: none has been seen, any does, one of 16 bits, or f32.
struct Fit {
  enum Kind { None, Any, Half, Wide } kind = None;
  Type type = nullptr; ///< of Half
  static Fit of(Type type) { return type.isF16() || type.isBF16() ? Fit{Half, type} : Fit{Wide}; }
  Fit join(Fit other) const {
    if (kind == None || (kind == Any && other.kind != None))
      return other;
    if (other.kind == None || other.kind == Any || (kind == Half && other.kind == Half && type == other.type))
      return *this;
    return {Wide};
  }
};

class Analysis {
public:
  explicit Analysis(ModuleOp module) : symbols(module) {
    module.walk([&](func::CallOp call) { calls[symbols.lookup(call.getCallee())].push_back(call); });
  }

  /// All that a buffer holds.
  Fit ofBuffer(Value buffer) {
    Type element = getElementTypeOrSelf(buffer.getType());
    if (!element.isF32())
      return Fit::of(element);
    if (auto known = fits.find(buffer); known != fits.end())
      return known->second;
    fits[buffer] = {Fit::Wide}; // what depends on itself is not followed
    return fits[buffer] = findBuffer(buffer);
  }

private:
  Fit findBuffer(Value buffer) {
    if (auto view = buffer.getDefiningOp<ViewLikeOpInterface>();
        view && getElementTypeOrSelf(view.getViewSource().getType()).isF32())
      return ofBuffer(view.getViewSource());
    if (auto argument = dyn_cast<BlockArgument>(buffer)) {
      auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
      if (!function || !function->hasAttr(kernelAttrName))
        return {Fit::Wide};
      Fit fit;
      for (func::CallOp call : calls.lookup(function))
        fit = fit.join(ofBuffer(call.getOperand(argument.getArgNumber())));
      return fit;
    }
    Operation *op = buffer.getDefiningOp();
    return isa<memref::ViewOp, memref::AllocaOp, AllocateOp, OutputOp>(op) ? written(buffer) : Fit{Fit::Wide};
  }

  /// What is written to a buffer where it is defined, and by the kernels that get it.
  Fit written(Value buffer) {
    Fit fit;
    for (OpOperand &use : buffer.getUses())
      fit = fit.join(writtenBy(use));
    return fit;
  }

  Fit writtenBy(OpOperand &use) {
    Operation *op = use.getOwner();
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      return callee && !callee.isExternal() ? written(callee.getArgument(use.getOperandNumber())) : Fit{Fit::Wide};
    }
    if (isa<memref::LoadOp, memref::DimOp>(op))
      return {};
    if (isa<ViewLikeOpInterface>(op))
      return op->getNumResults() == 1 ? written(op->getResult(0)) : Fit{Fit::Wide};
    if (auto store = dyn_cast<memref::StoreOp>(op))
      return ofScalar(store.getValue());
    if (auto copy = dyn_cast<memref::CopyOp>(op))
      return use.get() == copy.getTarget() ? ofBuffer(copy.getSource()) : Fit();
    if (auto contract = dyn_cast<ContractOp>(op))
      return use.get() == contract.getInit() ? Fit{Fit::Wide} : Fit();
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      return {Fit::Wide};
    if (!structured.isDpsInit(&use))
      return {};
    unsigned result = use.getOperandNumber() - structured.getNumDpsInputs();
    return structured.getNumReductionLoops() ? Fit{Fit::Wide}
                                             : ofScalar(structured.getBlock()->getTerminator()->getOperand(result));
  }

  Fit ofScalar(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto structured = dyn_cast<linalg::LinalgOp>(argument.getOwner()->getParentOp());
      if (!structured)
        return {Fit::Wide};
      Value operand = structured.getMatchingOpOperand(argument)->get();
      return isa<MemRefType>(operand.getType()) ? ofBuffer(operand) : ofScalar(operand);
    }
    Operation *op = value.getDefiningOp();
    if (auto extension = dyn_cast<arith::ExtFOp>(op))
      return Fit::of(extension.getIn().getType());
    if (auto load = dyn_cast<memref::LoadOp>(op))
      return ofBuffer(load.getMemRef());
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto number = dyn_cast<FloatAttr>(constant.getValue());
      return number && number.getValue().isZero() ? Fit{Fit::Any} : Fit{Fit::Wide};
    }
    // What gives one of its operands, but for the sign.
    if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::NegFOp, math::AbsFOp>(op)) {
      Fit fit;
      for (Value operand : op->getOperands())
        fit = fit.join(ofScalar(operand));
      return fit;
    }
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return ofScalar(select.getTrueValue()).join(ofScalar(select.getFalseValue()));
    return {Fit::Wide};
  }

  SymbolTable symbols;
  DenseMap<Operation *, SmallVector<func::CallOp>> calls;
  DenseMap<Value, Fit> fits;
};

struct FindHalves : impl::FindHalvesBase<FindHalves> {
  void runOnOperation() override {
    Analysis analysis(getOperation());
    getOperation().walk([&](ContractOp op) {
      Fit fit = analysis.ofBuffer(op.getLhs()).join(analysis.ofBuffer(op.getRhs()));
      if (fit.kind == Fit::Half)
        op->setAttr(halvesAttrName, TypeAttr::get(fit.type));
    });
  }
};

} // namespace
} // namespace mlc::gpu

#include "KernelWork.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;

namespace mlc {

/// Of one iteration of an operation's loops.
static int64_t operationsOfIteration(TilingInterface op) {
  if (isa<ContractOp>(op))
    return 2;
  int64_t count = 0;
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      bool isArithmetic = isa_and_nonnull<arith::ArithDialect, math::MathDialect>(inner->getDialect());
      bool computes = isArithmetic &&
                      !isa<CastOpInterface, arith::ConstantOp, arith::CmpFOp, arith::CmpIOp, arith::SelectOp>(inner);
      count += computes && inner->getNumResults() == 1 && !inner->getResult(0).getType().isIndex();
    });
  return count;
}

static std::optional<int64_t> operationsOf(TilingInterface op) {
  OpBuilder builder(op);
  int64_t iterations = 1;
  for (const Range &range : op.getIterationDomain(builder)) {
    std::optional<int64_t> size = getConstantIntValue(range.size);
    if (!size)
      return std::nullopt;
    iterations *= *size;
  }
  return iterations * operationsOfIteration(op);
}

static std::optional<int64_t> bytesOf(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return 0;
  if (!shaped.hasStaticShape() || !shaped.getElementType().isIntOrFloat())
    return std::nullopt;
  return shaped.getNumElements() * shaped.getElementTypeBitWidth() / 8;
}

static std::optional<KernelWork> workOf(func::FuncOp kernel) {
  KernelWork work{0, 0};
  for (Type type : kernel.getArgumentTypes()) { // results lie in arguments
    std::optional<int64_t> bytes = bytesOf(type);
    if (!bytes)
      return std::nullopt;
    work.bytes += *bytes;
  }
  // Loops of unknown extents are computed in front of their operation, so look at a copy.
  OwningOpRef<func::FuncOp> copy = kernel.clone();
  bool isKnown = true;
  copy->walk([&](TilingInterface op) {
    std::optional<int64_t> operations = operationsOf(op);
    isKnown &= operations.has_value();
    work.operations += operations.value_or(0);
  });
  copy->walk([&](LoopLikeOpInterface) { isKnown = false; }); // how often, only the run knows
  return isKnown ? std::optional(work) : std::nullopt;
}

void noteKernelWork(ModuleOp module) {
  Builder b(module.getContext());
  NamedAttrList properties;
  if (auto own = module->getAttrOfType<DictionaryAttr>("onnx.properties"))
    properties = NamedAttrList(own);
  for (auto kernel : module.getOps<func::FuncOp>()) {
    if (!kernel->hasAttr(kernelAttrName))
      continue;
    if (std::optional<KernelWork> work = workOf(kernel))
      properties.set((kernelWorkPrefix + kernel.getName()).str(),
                     b.getStringAttr(Twine(work->operations) + " operations, " + Twine(work->bytes) + " bytes"));
  }
  if (!properties.empty())
    module->setAttr("onnx.properties", properties.getDictionary(b.getContext()));
}

std::optional<KernelWork> parseKernelWork(StringRef text) {
  KernelWork work;
  if (text.consumeInteger(10, work.operations) || !text.consume_front(" operations, ") ||
      text.consumeInteger(10, work.bytes) || text != " bytes")
    return std::nullopt;
  return work;
}

} // namespace mlc

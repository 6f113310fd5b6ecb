// The text of a property is "E operations, E bytes", or "E operations, E bytes in N calls" where N places of the graph
// call the kernel with extents of their own. E is a number or arithmetic, as ExtentMath prints it, on the model's
// symbols $0, $1...
#include "KernelWork.h"
#include "ExtentReader.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "passes/Ports.h"
#include <cmath>

using namespace mlir;

namespace mlc {

using onnx::Extent;

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

namespace {
/// The work of a kernel, as arithmetic on the symbols of the model.
struct WorkText {
  Extent operations, bytes;
  bool isFixed() const { return onnx::ExtentMath::asConstant(operations) && onnx::ExtentMath::asConstant(bytes); }
};

class WorkReader {
public:
  explicit WorkReader(func::FuncOp graph)
      : math(graph.getContext()), ports(portsOf(graph)),
        graphExtents(math, [this](BlockArgument argument, int64_t axis) { return ofInput(argument, axis); }) {}

  onnx::ExtentMath math;

  /// Of one call; none where only the run knows.
  std::optional<WorkText> workOf(func::FuncOp kernel, func::CallOp call) {
    ExtentReader extents(math, [&](BlockArgument argument, int64_t axis) {
      Value operand = call.getOperand(argument.getArgNumber());
      return axis == ExtentReader::itself ? graphExtents.index(operand) : graphExtents.axis(operand, axis);
    });
    WorkText work = {math.constant(0), math.constant(0)};
    for (BlockArgument argument : kernel.getArguments()) // results lie in arguments
      if (!add(work.bytes, bytesOf(argument, extents)))
        return std::nullopt;
    // Loops of unknown extents are computed in front of their operation, so look at a copy.
    OwningOpRef<func::FuncOp> copy = kernel.clone();
    bool isKnown = true;
    copy->walk([&](TilingInterface op) { isKnown &= add(work.operations, operationsOf(op, extents)); });
    copy->walk([&](LoopLikeOpInterface) { isKnown = false; }); // how often, only the run knows
    if (!isKnown || math.overflows(work.operations) || math.overflows(work.bytes))
      return std::nullopt;
    return work;
  }

private:
  Ports ports;
  ExtentReader graphExtents;

  Extent ofInput(BlockArgument argument, int64_t axis) {
    if (axis == ExtentReader::itself || argument.getArgNumber() >= ports.inputs.size())
      return {};
    ArrayRef<Dimension> dimensions = ports.inputs[argument.getArgNumber()].dimensions;
    if (axis >= (int64_t)dimensions.size() || !dimensions[axis].symbol)
      return {};
    unsigned symbol = *dimensions[axis].symbol;
    auto [known, isNew] = symbols.try_emplace(symbol);
    if (isNew)
      known->second = math.extentOf(argument, axis, "$" + std::to_string(symbol));
    return known->second;
  }

  bool add(Extent &sum, Extent term) {
    if (term)
      sum = math.add(sum, term);
    return (bool)term;
  }

  Extent bytesOf(BlockArgument argument, ExtentReader &extents) {
    auto shaped = dyn_cast<ShapedType>(argument.getType());
    if (!shaped)
      return math.constant(0);
    if (!shaped.getElementType().isIntOrFloat())
      return {};
    Extent bytes = math.constant((shaped.getElementTypeBitWidth() + 7) / 8);
    for (int64_t axis = 0; axis < shaped.getRank() && bytes; ++axis) {
      Extent extent = extents.axis(argument, axis);
      bytes = extent ? math.mul(bytes, extent) : Extent();
    }
    return bytes;
  }

  Extent operationsOf(TilingInterface op, ExtentReader &extents) {
    OpBuilder builder(op);
    Extent iterations = math.constant(operationsOfIteration(op));
    for (const Range &range : op.getIterationDomain(builder)) {
      Extent size = extents.index(range.size);
      if (!size)
        return {};
      iterations = math.mul(iterations, size);
    }
    return iterations;
  }

  llvm::DenseMap<unsigned, Extent> symbols; ///< equal dimensions are one
};
} // namespace

/// None unless it is known of every call.
static std::optional<std::string> describeWork(func::FuncOp kernel, ArrayRef<func::CallOp> calls, func::FuncOp graph,
                                               WorkReader &reader) {
  std::optional<WorkText> all;
  bool isOne = true;
  for (func::CallOp call : calls) {
    std::optional<WorkText> work = reader.workOf(kernel, call);
    if (!work)
      return std::nullopt;
    if (all && all->operations == work->operations && all->bytes == work->bytes && isOne)
      continue;
    isOne &= !all;
    if (!isOne && (calls.size() < 2 || llvm::any_of(calls, [&](func::CallOp one) {
                     return one->getParentOp() != graph; // how often, only the run knows
                   })))
      return std::nullopt;
    all = work;
  }
  if (!all)
    return std::nullopt;
  if (!isOne) {
    all = WorkText{reader.math.constant(0), reader.math.constant(0)};
    for (func::CallOp call : calls) {
      std::optional<WorkText> work = reader.workOf(kernel, call);
      all->operations = reader.math.add(all->operations, work->operations);
      all->bytes = reader.math.add(all->bytes, work->bytes);
    }
  }
  std::string text = reader.math.print(all->operations) + " operations, " + reader.math.print(all->bytes) + " bytes";
  return isOne ? text : text + " in " + std::to_string(calls.size()) + " calls";
}

void noteKernelWork(ModuleOp module) {
  auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName);
  if (!graph)
    return;
  Builder b(module.getContext());
  NamedAttrList properties;
  if (auto own = module->getAttrOfType<DictionaryAttr>("onnx.properties"))
    properties = NamedAttrList(own);
  llvm::StringMap<SmallVector<func::CallOp>> calls;
  graph.walk([&](func::CallOp call) { calls[call.getCallee()].push_back(call); });
  WorkReader reader(graph);
  for (auto kernel : module.getOps<func::FuncOp>()) {
    if (!kernel->hasAttr(kernelAttrName))
      continue;
    if (std::optional<std::string> text = describeWork(kernel, calls[kernel.getName()], graph, reader))
      properties.set((kernelWorkPrefix + kernel.getName()).str(), b.getStringAttr(*text));
  }
  if (!properties.empty())
    module->setAttr("onnx.properties", properties.getDictionary(b.getContext()));
}

//===-- Reading ----------------------------------------------------------------------===//

/// Takes one expression from the front of a text; none if it does not begin with one.
static std::optional<double> takeExpression(StringRef &text, ArrayRef<int64_t> symbols) {
  int64_t number;
  if (text.consume_front("$")) {
    unsigned symbol;
    if (text.consumeInteger(10, symbol) || symbol >= symbols.size())
      return std::nullopt;
    return double(symbols[symbol]);
  }
  if (!text.consumeInteger(10, number))
    return double(number);
  // "(a + b)", or "min(a, b)"
  size_t open = text.find('(');
  if (open == StringRef::npos)
    return std::nullopt;
  StringRef name = text.take_front(open);
  text = text.drop_front(open + 1);
  std::optional<double> lhs = takeExpression(text, symbols);
  size_t next = text.find_first_of("-(0123456789$mb", name.empty() ? text.find(' ', 1) : 0);
  if (!lhs || next == StringRef::npos)
    return std::nullopt;
  StringRef word = name.empty() ? text.take_front(next).trim() : name;
  text = text.drop_front(next);
  std::optional<double> rhs = takeExpression(text, symbols);
  if (!rhs || !text.consume_front(")"))
    return std::nullopt;
  bool divides = word == "/" || word == "mod" || word == "ceildiv";
  if (divides && *rhs == 0)
    return std::nullopt;
  if (word == "+")
    return *lhs + *rhs;
  if (word == "*")
    return *lhs * *rhs;
  if (word == "/")
    return std::floor(*lhs / *rhs);
  if (word == "ceildiv")
    return std::ceil(*lhs / *rhs);
  if (word == "mod")
    return *lhs - *rhs * std::floor(*lhs / *rhs);
  if (word == "min")
    return std::min(*lhs, *rhs);
  if (word == "max")
    return std::max(*lhs, *rhs);
  if (word == "broadcast")
    return *lhs == 1 ? *rhs : *lhs;
  return std::nullopt;
}

std::optional<KernelWork> parseKernelWork(StringRef text, ArrayRef<int64_t> symbols) {
  std::optional<double> operations = takeExpression(text, symbols);
  if (!operations || !text.consume_front(" operations, "))
    return std::nullopt;
  std::optional<double> bytes = takeExpression(text, symbols);
  if (!bytes || !text.consume_front(" bytes"))
    return std::nullopt;
  int64_t calls = 1;
  if (text.consume_front(" in ") && (text.consumeInteger(10, calls) || !text.consume_front(" calls") || calls < 1))
    return std::nullopt;
  return text.empty() ? std::optional(KernelWork{*operations / calls, *bytes / calls}) : std::nullopt;
}

} // namespace mlc

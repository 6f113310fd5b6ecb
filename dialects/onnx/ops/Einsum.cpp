// Einsum: sums of products, written with a letter for each axis.
//
//   "bhid,bhjd->bhij"   =>   linalg.generic: y[b, h, i, j] += x0[b, h, i, d] * x1[b, h, j, d]
//
// More than two operands are multiplied from left to right; what no later operand and not the result mentions is summed
// as early as it can be. The axes that an ellipsis stands for are letters of their own, aligned at the last.
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/ops/Elementwise.h"
#include "onnx/ops/Reduce.h"

using namespace mlir;

namespace mlc::onnx {

namespace {
/// A letter, or minus one, minus two... for the axes of the ellipsis from the last to the first.
using Label = int;
using Labels = SmallVector<Label>;

struct Equation {
  SmallVector<Labels> operands;
  Labels result;
};
} // namespace

static FailureOr<Equation> parseEquation(EinsumOp op, Known &known) {
  std::string text;
  for (char c : op.getEquation())
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  bool hasResult = StringRef(text).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != op.getInputs().size())
    return op.emitOpError("expects ") << terms.size() << " operands for the equation '" << op.getEquation() << "', got "
                                      << op.getInputs().size();

  int64_t ellipsisRank = 0;
  auto labelsOf = [&](StringRef term, int64_t ellipsis) -> FailureOr<Labels> {
    auto [before, after] = term.split("...");
    Labels labels;
    for (StringRef part : {before, after}) {
      for (char c : part) {
        if (!llvm::isAlpha(c))
          return op.emitOpError("expects letters in the equation, got '") << c << "' in '" << op.getEquation() << "'";
        labels.push_back(c);
      }
      if (part.data() == before.data() && term.contains("..."))
        for (int64_t axis = ellipsis; axis > 0; --axis)
          labels.push_back(-axis);
      if (!term.contains("..."))
        break;
    }
    return labels;
  };
  Equation equation;
  for (auto [term, operand] : llvm::zip_equal(terms, op.getInputs())) {
    int64_t letters = term.size() - (term.contains("...") ? 3 : 0), rank = known.rank(operand);
    if (term.contains("...") ? letters > rank : letters != rank)
      return op.emitOpError("expects an operand of rank ")
             << letters << " for '" << term << "', got " << operand.getType();
    ellipsisRank = std::max(ellipsisRank, rank - letters);
    FailureOr<Labels> labels = labelsOf(term, rank - letters);
    if (failed(labels))
      return failure();
    equation.operands.push_back(std::move(*labels));
  }
  if (hasResult) {
    FailureOr<Labels> labels = labelsOf(right, ellipsisRank);
    if (failed(labels))
      return failure();
    equation.result = std::move(*labels);
  } else {
    // The ellipsis, then every letter that is there once, in alphabetical order.
    for (int64_t axis = ellipsisRank; axis > 0; --axis)
      equation.result.push_back(-axis);
    std::string letters = left.str();
    llvm::sort(letters);
    for (char c : letters)
      if (llvm::isAlpha(c) && llvm::count(letters, c) == 1)
        equation.result.push_back(c);
  }
  for (auto [i, label] : llvm::enumerate(equation.result)) {
    bool isKnown =
        llvm::any_of(equation.operands, [&](const Labels &labels) { return llvm::is_contained(labels, label); });
    if (!isKnown || llvm::is_contained(ArrayRef(equation.result).drop_front(i + 1), label))
      return op.emitOpError("expects every letter of the result once there and in an operand, got '")
             << op.getEquation() << "'";
  }
  return equation;
}

/// The extent of each label: the common one, where operands of extent 1 are broadcast.
static FailureOr<std::map<Label, Extent>> extentsOf(EinsumOp op, Known &known, const Equation &equation) {
  std::map<Label, Extent> result;
  for (auto [labels, operand] : llvm::zip_equal(equation.operands, op.getInputs()))
    for (auto [label, extent] : llvm::zip_equal(labels, known.extents(operand))) {
      auto [entry, isNew] = result.try_emplace(label, extent);
      if (isNew || ExtentMath::isConstant(extent, 1))
        continue;
      bool isBetter = ExtentMath::isConstant(entry->second, 1) ||
                      (ExtentMath::asConstant(extent) && !ExtentMath::asConstant(entry->second));
      if (!ExtentMath::isConstant(entry->second, 1) && !known.math.mayBeEqual(entry->second, extent))
        return op.emitOpError("expects one extent for each letter of '")
               << op.getEquation() << "', got " << op->getOperandTypes();
      if (isBetter)
        entry->second = extent;
    }
  return result;
}

static FailureOr<Extents> shapeOfEinsum(EinsumOp op, Known &known) {
  FailureOr<Equation> equation = parseEquation(op, known);
  if (failed(equation))
    return failure();
  auto extents = extentsOf(op, known, *equation);
  if (failed(extents))
    return failure();
  return llvm::map_to_vector(equation->result, [&](Label label) { return extents->at(label); });
}

namespace {
/// A factor of the product so far.
struct Factor {
  Value value;
  Labels labels;
};
} // namespace

/// The sum of the products of one or two factors over all labels that `kept` does not hold.
static Value product(Lowering &l, ArrayRef<Factor> factors, ArrayRef<Label> kept,
                     const std::map<Label, Extent> &extents, Type accumulator) {
  Labels loops(kept);
  for (const Factor &factor : factors)
    for (Label label : factor.labels)
      if (!llvm::is_contained(loops, label))
        loops.push_back(label);
  SmallVector<AffineMap> maps;
  SmallVector<Value> values;
  for (const Factor &factor : factors) {
    SmallVector<AffineExpr> access;
    for (auto [axis, label] : llvm::enumerate(factor.labels)) {
      bool broadcast = cast<RankedTensorType>(factor.value.getType()).getDimSize(axis) == 1 &&
                       !ExtentMath::isConstant(extents.at(label), 1);
      access.push_back(broadcast ? l.b.getAffineConstantExpr(0)
                                 : l.b.getAffineDimExpr(llvm::find(loops, label) - loops.begin()));
    }
    maps.push_back(AffineMap::get(loops.size(), 0, access, l.b.getContext()));
    values.push_back(factor.value);
  }
  maps.push_back(l.consecutive(loops.size(), 0, kept.size()));
  SmallVector<utils::IteratorType> iterators(kept.size(), utils::IteratorType::parallel);
  iterators.append(loops.size() - kept.size(), utils::IteratorType::reduction);
  auto result = llvm::map_to_vector(kept, [&](Label label) { return l.materialize(extents.at(label)); });
  if (values.size() == 2)
    return l.sumOfProducts(result, values[0], values[1], maps, iterators);
  bool sums = loops.size() > kept.size();
  Type type = computeType(accumulator);
  Value init = sums ? l.filled(result, l.scalar(0, type)) : l.empty(result, type);
  return l.generic(init, values, maps, iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalars scalars{b, loc, accumulator};
    return sums ? add(scalars, {args[1], args[0]}) : args[0];
  });
}

static FailureOr<Value> lowerEinsum(EinsumOp op, Lowering &l) {
  FailureOr<Equation> equation = parseEquation(op, l.known);
  if (failed(equation))
    return failure();
  auto extents = extentsOf(op, l.known, *equation);
  if (failed(extents))
    return failure();
  Type element = Lowering::element(op.getOutput()), accumulator = accumulatorElement(element);
  SmallVector<Factor> factors;
  for (auto [labels, operand] : llvm::zip_equal(equation->operands, op.getInputs())) {
    for (auto [label, extent] : llvm::zip_equal(labels, l.known.extents(operand)))
      if (!ExtentMath::isConstant(extent, 1))
        l.expectExtent(extent, extents->at(label), "an axis of an operand");
    Value value = l.broadcastable(operand, l.known.extents(operand));
    factors.push_back({l.cast(value, element, accumulator), labels});
  }
  Factor all = factors.front();
  if (factors.size() == 1)
    all = {product(l, factors, equation->result, *extents, accumulator), equation->result};
  for (size_t i = 1; i < factors.size(); ++i) {
    Labels kept;
    if (i + 1 == factors.size()) {
      kept = equation->result;
    } else {
      auto isNeeded = [&](Label label) {
        auto mentions = [&](const Factor &factor) { return llvm::is_contained(factor.labels, label); };
        return llvm::is_contained(equation->result, label) ||
               llvm::any_of(ArrayRef(factors).drop_front(i + 1), mentions);
      };
      for (ArrayRef<Label> labels : {ArrayRef<Label>(all.labels), ArrayRef<Label>(factors[i].labels)})
        for (Label label : labels)
          if (isNeeded(label) && !llvm::is_contained(kept, label))
            kept.push_back(label);
    }
    all = {product(l, {all, factors[i]}, kept, *extents, accumulator), kept};
  }
  return l.cast(all.value, accumulator, element);
}

void addEinsumRules(Rules &rules) { rules.op<EinsumOp>().shape(shapeOfEinsum).lower(lowerEinsum); }

} // namespace mlc::onnx

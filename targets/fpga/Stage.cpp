#include "fpga/Stage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "opencl/OpenCL.h"
#include "passes/Placement.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mlc::fpga {

bool isElement(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return type.isF32() ||
         (integer && integer.isSignless() && llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth()));
}

bool Stage::sumsIntegers() const {
  return llvm::all_of(sums, [](const Access &sum) { return sum.element.isInteger(); });
}

OpOperand *Stage::sumOperand() const {
  linalg::LinalgOp op = epilogue;
  Value sum = cast<DestinationStyleOpInterface>(this->op).getDpsInits().front();
  for (OpOperand *input : op.getDpsInputOperands())
    if (input->get() == sum)
      return input;
  return nullptr;
}

AffineMap Stage::epilogueLoops() const {
  linalg::LinalgOp op = epilogue;
  return inversePermutation(op.getMatchingIndexingMap(sumOperand())).compose(sums.front().map);
}

static void addNames(Location loc, llvm::SetVector<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc))
    names.insert(name.getName());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      addNames(part, names);
}

void Stage::collectNames(llvm::SetVector<StringRef> &names) const {
  addNames(op->getLoc(), names);
  if (epilogue)
    addNames(epilogue->getLoc(), names);
}

std::string Stage::nodes() const {
  llvm::SetVector<StringRef> names;
  collectNames(names);
  return joinNames(names.getArrayRef());
}

std::string joinNames(ArrayRef<StringRef> names) {
  constexpr size_t most = 3;
  std::string text = llvm::join(names.take_front(most), ", ");
  if (names.size() > most)
    text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

namespace {

Value rootOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

InFlightDiagnostic refuse(Operation *op) { return op->emitError("target fpga cannot run this node: "); }

constexpr StringLiteral advice = "; leave it to a host, with --target=opencl or --target=x86";

FailureOr<Access> accessOf(Operation *op, Value buffer, AffineMap map, Value argument) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!isElement(type.getElementType()))
    return refuse(op) << "it has elements of " << type.getElementType()
                      << ", expected float32, or integers of 8, 16, 32 or 64 bits; convert the model to float32, or "
                         "quantize it to int8";
  Access access{rootOf(buffer), argument, type.getElementType(), map, llvm::to_vector(type.getShape()), {}, 0};
  if (!type.hasStaticShape() || failed(type.getStridesAndOffset(access.strides, access.offset)) ||
      ShapedType::isDynamic(access.offset) || llvm::any_of(access.strides, ShapedType::isDynamic))
    return refuse(op) << "a design has fixed extents, and a tensor of it has some that only a run knows (" << type
                      << "); give the model's inputs fixed extents with --shape=NAME=EXTENTS";
  return access;
}

/// Scalar operations must have a form in the text.
LogicalResult checkBody(linalg::LinalgOp op) {
  for (Operation &inner : *op.getBlock()) {
    if (isa<linalg::YieldOp, linalg::IndexOp, arith::ConstantOp>(inner))
      continue;
    for (Value value : inner.getResults())
      if (value.getType().isFloat() && !value.getType().isF32())
        return refuse(op) << "it computes with " << value.getType() << ", expected float32 or integers; convert the "
                          << "model to float32, or quantize it to int8";
    if (opencl::expressionForm(&inner).empty())
      return refuse(op) << "the target has no form of " << inner.getName() << advice;
  }
  return success();
}

class Reader {
public:
  explicit Reader(Block &block) : block(block) {}
  FailureOr<std::vector<Stage>> read();

private:
  LogicalResult readContraction(ContractOp op, Stage &stage);
  LogicalResult readStructured(linalg::LinalgOp op, Stage &stage);
  LogicalResult readCopy(memref::CopyOp op, Stage &stage);
  LogicalResult findEpilogue(Stage &stage);
  /// The number that `buffer` is filled with right before `op` sums up in it; null if it is not.
  TypedAttr takeFill(Operation *op, Value buffer);

  Block &block;
  llvm::SmallPtrSet<Operation *, 8> taken;
};

/// Whether an operation may touch a buffer, or one that it is a part of.
bool touches(Operation *op, Value buffer) {
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return isa<MemRefType>(operand.getType()) && rootOf(operand) == rootOf(buffer);
  });
}

TypedAttr Reader::takeFill(Operation *op, Value buffer) {
  for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode()) {
    if (isa<ViewLikeOpInterface>(before) || !touches(before, buffer))
      continue;
    auto fill = dyn_cast<linalg::FillOp>(before);
    TypedAttr number;
    if (!fill || taken.contains(fill) || fill.getOutputs().front() != buffer ||
        !matchPattern(fill.getInputs().front(), m_Constant(&number)))
      return nullptr;
    taken.insert(fill);
    return number;
  }
  return nullptr;
}

/// Divisions of a loop that is shorter than what it is divided by.
AffineMap withoutDivisions(AffineMap map, ArrayRef<int64_t> extents) {
  DenseMap<AffineExpr, AffineExpr> simpler;
  map.walkExprs([&](AffineExpr expr) {
    if (expr.getKind() != AffineExprKind::Mod && expr.getKind() != AffineExprKind::FloorDiv)
      return;
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto loop = dyn_cast<AffineDimExpr>(binary.getLHS());
    auto number = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (loop && number && extents[loop.getPosition()] <= number.getValue())
      simpler[expr] =
          expr.getKind() == AffineExprKind::Mod ? binary.getLHS() : getAffineConstantExpr(0, expr.getContext());
  });
  return map.replace(simpler, map.getNumDims(), 0);
}

LogicalResult Reader::readContraction(ContractOp op, Stage &stage) {
  stage.extents = op.getStaticLoopExtents();
  unsigned columns = op.getColumnLoop();
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    stage.isReduction.push_back(loop > columns);
  auto out = AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext()).getMajorSubMap(columns + 1);
  for (auto [buffer, map] : {std::pair(op.getLhs(), op.getLhsMap()), std::pair(op.getRhs(), op.getRhsMap())}) {
    FailureOr<Access> access = accessOf(op, buffer, withoutDivisions(map, stage.extents), nullptr);
    if (failed(access))
      return failure();
    stage.inputs.push_back(*access);
  }
  FailureOr<Access> sum = accessOf(op, op.getInit(), out, nullptr);
  if (failed(sum))
    return failure();
  stage.sums.push_back(*sum);
  OpBuilder b(op.getContext());
  stage.starts.push_back(op.getAccumulate() ? TypedAttr() : b.getZeroAttr(sum->element));
  return success();
}

LogicalResult Reader::readStructured(linalg::LinalgOp op, Stage &stage) {
  if (failed(checkBody(op)))
    return failure();
  stage.extents = op.getStaticLoopRanges();
  for (utils::IteratorType kind : op.getIteratorTypesArray())
    stage.isReduction.push_back(kind == utils::IteratorType::reduction);
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    bool isResult = op.isDpsInit(&operand);
    if (!isa<MemRefType>(operand.get().getType()) || (!isResult && argument.use_empty()))
      continue;
    FailureOr<Access> access = accessOf(op, operand.get(), op.getMatchingIndexingMap(&operand), argument);
    if (failed(access))
      return failure();
    if (!isResult) {
      stage.inputs.push_back(*access);
      continue;
    }
    stage.sums.push_back(*access);
    stage.starts.push_back(stage.reduces() ? takeFill(op, operand.get()) : TypedAttr());
  }
  if (llvm::any_of(stage.extents, ShapedType::isDynamic))
    return refuse(op) << "a design has fixed extents, and a loop of it has one that only a run knows; give the model's "
                         "inputs fixed extents with --shape=NAME=EXTENTS";
  return success();
}

LogicalResult Reader::readCopy(memref::CopyOp op, Stage &stage) {
  auto type = cast<MemRefType>(op.getTarget().getType());
  auto map = AffineMap::getMultiDimIdentityMap(type.getRank(), op.getContext());
  FailureOr<Access> from = accessOf(op, op.getSource(), map, nullptr), to = accessOf(op, op.getTarget(), map, nullptr);
  if (failed(from) || failed(to))
    return failure();
  stage.extents = llvm::to_vector(type.getShape());
  stage.isReduction.assign(type.getRank(), false);
  stage.inputs.push_back(*from);
  stage.sums.push_back(*to);
  stage.starts.push_back(nullptr);
  return success();
}

/// Memory that is there for the kernel only; an allocation, once it is known that nothing has to lie in it.
bool isTemporary(Value buffer) {
  auto argument = dyn_cast<BlockArgument>(buffer);
  if (!argument)
    return isa_and_present<memref::AllocaOp>(buffer.getDefiningOp());
  auto function = dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  return function && function.getArgAttr(argument.getArgNumber(), temporaryAttrName);
}

/// An elementwise operation that alone reads what the stage gives, into memory that is there for the kernel only.
LogicalResult Reader::findEpilogue(Stage &stage) {
  if (!stage.reduces() || stage.sums.size() != 1 || !stage.starts.front())
    return success();
  Access &sum = stage.sums.front();
  if (!isTemporary(sum.buffer))
    return success();
  Value buffer = cast<DestinationStyleOpInterface>(stage.op).getDpsInits().front();
  linalg::LinalgOp epilogue;
  for (Operation *after = stage.op->getNextNode(); after; after = after->getNextNode()) {
    if (!touches(after, buffer) || isa<ViewLikeOpInterface>(after))
      continue;
    auto structured = dyn_cast<linalg::LinalgOp>(after);
    if (!structured || epilogue)
      return success();
    epilogue = structured;
  }
  if (!epilogue || epilogue.getNumLoops() != epilogue.getNumParallelLoops() ||
      llvm::count(epilogue->getOperands(), buffer) != 1)
    return success();
  stage.epilogue = epilogue;
  OpOperand *operand = stage.sumOperand();
  stage.epilogue = nullptr; // until it is known to be one
  if (!operand || !epilogue.getMatchingIndexingMap(operand).isPermutation() || !sum.map.isProjectedPermutation() ||
      sum.map.getNumResults() != epilogue.getNumLoops())
    return success();
  // The nest runs where the epilogue is: what lies between must not change what it reads.
  for (Operation *between = stage.op->getNextNode(); between != epilogue; between = between->getNextNode())
    for (const Access &input : stage.inputs)
      if (!isMemoryEffectFree(between) && touches(between, input.buffer))
        return success();
  AffineMap toLoops = inversePermutation(epilogue.getMatchingIndexingMap(operand)).compose(sum.map);
  if (failed(checkBody(epilogue)))
    return failure();
  for (OpOperand &other : epilogue->getOpOperands()) {
    BlockArgument inside = epilogue.getMatchingBlockArgument(&other);
    bool isResult = epilogue.isDpsInit(&other);
    if (&other == operand || !isa<MemRefType>(other.get().getType()) || (!isResult && inside.use_empty()))
      continue;
    FailureOr<Access> access =
        accessOf(epilogue, other.get(), epilogue.getMatchingIndexingMap(&other).compose(toLoops), inside);
    if (failed(access))
      return failure();
    // An element may be stored before its neighbour in the window is read.
    if (isResult && llvm::any_of(stage.inputs, [&](const Access &input) { return input.buffer == access->buffer; }))
      return success();
    (isResult ? stage.results : stage.epilogueInputs).push_back(*access);
  }
  sum.argument = stage.contraction() ? Value() : sum.argument;
  stage.epilogue = epilogue;
  taken.insert(epilogue);
  return success();
}

FailureOr<std::vector<Stage>> Reader::read() {
  // From the end, so that fills are taken by what sums up in them; then in order.
  std::vector<Stage> stages;
  for (Operation &op : llvm::reverse(block)) {
    if (op.hasTrait<OpTrait::IsTerminator>() || isa<ViewLikeOpInterface>(op) || taken.contains(&op))
      continue;
    if (isa<memref::AllocaOp, memref::GetGlobalOp, arith::ConstantOp>(op))
      continue;
    Stage stage{&op, nullptr, {}, {}, {}, {}, {}, {}, {}};
    LogicalResult result = failure();
    if (auto contract = dyn_cast<ContractOp>(op))
      result = readContraction(contract, stage);
    else if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      result = readStructured(structured, stage);
    else if (auto copy = dyn_cast<memref::CopyOp>(op))
      result = readCopy(copy, stage);
    else
      return refuse(&op) << "it is no loop over whole tensors (" << op.getName() << ")" << advice;
    if (failed(result))
      return failure();
    stages.push_back(std::move(stage));
  }
  std::reverse(stages.begin(), stages.end());
  for (Stage &stage : stages) {
    if (taken.contains(stage.op))
      continue;
    if (failed(findEpilogue(stage)))
      return failure();
    if (!stage.epilogue) {
      stage.results = stage.sums;
      stage.epilogueInputs.clear();
    }
  }
  llvm::erase_if(stages, [&](const Stage &stage) { return taken.contains(stage.op); });
  auto placeOf = [](const Stage &stage) {
    linalg::LinalgOp epilogue = stage.epilogue;
    return epilogue ? epilogue.getOperation() : stage.op;
  };
  llvm::stable_sort(stages, [&](const Stage &a, const Stage &b) { return placeOf(a)->isBeforeInBlock(placeOf(b)); });
  for (const Stage &stage : stages)
    for (const auto *list : {&stage.inputs, &stage.epilogueInputs, &stage.results})
      for (const Access &access : *list)
        if (!isa<BlockArgument>(access.buffer) && !access.buffer.getDefiningOp<memref::GetGlobalOp>())
          return refuse(stage.op) << "it needs memory of its own in the middle of a kernel" << advice;
  return stages;
}

} // namespace

FailureOr<std::vector<Stage>> readStages(Region &body) { return Reader(body.front()).read(); }

} // namespace mlc::fpga

// Outlines groups of operations into kernels; equal kernels become one.
//
//   func @model(...) {                           func @model(...) {
//     %1 = mlc.contract ins(%x, %w) outs(%0)       %2 = call @contract_maximumf_0(%x, %w, %0)
//     %2 = linalg.generic ins(%1) { maximumf }     ...
//     ...                                        func private @contract_maximumf_0(%x, %w, %out) attributes
//     {mlc.kernel}
//
// A group is a root and the producers that can be computed tile by tile inside the root's loops without computing
// anything twice: a contraction below its elementwise epilogue, or the reductions and elementwise operations of a
// normalization or softmax, which share the loops over rows. What a group reads through a slice it reads through the
// slice inside of the kernel, since kernels' arguments are whole, contiguous buffers. A loop that holds no structured
// operation (a scatter, say) is a kernel of its own; one that holds some (a recurrent cell) stays in the graph, and
// kernels are formed in its body.
//
// What is padded or concatenated is computed where it goes: a group may end in an insertion into a slice of a larger
// tensor, and each part of a concatenation is a kernel that updates its part. Padding by a constant becomes an insertion
// into a tensor of which only the border is filled.
//
// Kernels are in destination-passing style: the last arguments are the destinations, and the results are those
// arguments, updated.
#include "mlc/Mlc.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/ComputedPanels.h"
#include "passes/Destinations.h"
#include "passes/KernelLoops.h"
#include "passes/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_FORMKERNELS
#include "passes/Passes.h.inc"

namespace {

//===-- What belongs into kernels ----------------------------------------------===//

/// An operation on whole tensors that writes into a destination.
bool isStructured(Operation *op) {
  if (!isa<DestinationStyleOpInterface>(op) || isa<tensor::InsertOp>(op))
    return false;
  return llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>) && op->getNumResults() > 0;
}

bool holdsStructured(Operation *op) {
  return op
      ->walk([&](Operation *inner) {
        return inner != op && isStructured(inner) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// A loop over scalars that updates tensors.
bool isScalarLoop(Operation *op) {
  return isa<scf::ForOp, scf::WhileOp>(op) && op->getNumResults() > 0 &&
         llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>) &&
         llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>) && !holdsStructured(op);
}

bool belongsIntoKernel(Operation *op) { return isStructured(op) || isScalarLoop(op); }

/// Small constants, and views that only the kernel reads through, are cloned into it.
bool isCloned(Operation *op) {
  if (isa<tensor::EmptyOp, tensor::ExtractSliceOp>(op))
    return true;
  auto constant = dyn_cast<arith::ConstantOp>(op);
  return constant && (!isa<ShapedType>(constant.getType()) || isa<SplatElementsAttr>(constant.getValue()));
}

//===-- Groups -----------------------------------------------------------------===//

/// Less work than this is done by one thread in one piece, whatever loops it has.
constexpr int64_t smallElementCount = 16384;

bool isSmall(Operation *op) {
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return !tensor || (tensor.hasStaticShape() && tensor.getNumElements() <= smallElementCount);
  });
}

using Group = llvm::SetVector<Operation *>;

bool usedOnlyBy(Operation *op, const KernelLoops &loops) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) { return loops.contains(user); });
}

bool isContraction(Operation *op) { return isStructured(op) && !isa<linalg::LinalgOp>(op) && isa<TilingInterface>(op); }

/// Whether a contraction reads what is computed of constants, as weights that are dequantized: every tile computes its
/// own part again, rather than have all of it written to memory in each run.
bool isComputedAgain(OpOperand &use) {
  auto contract = dyn_cast<ContractOp>(use.getOwner());
  return contract && &use == &contract.getRhsMutable() && readsOnlyConstants(use.get().getDefiningOp());
}

bool joins(const KernelLoops &loops, OpOperand &use, KernelLoops::Loops &producerLoops) {
  Operation *producer = use.get().getDefiningOp(), *consumer = use.getOwner();
  if (!producer || producer->getBlock() != consumer->getBlock() || !isStructured(producer) || loops.contains(producer))
    return false;
  if (isa<linalg::FillOp>(producer)) {
    auto styled = cast<DestinationStyleOpInterface>(consumer);
    if (!styled.isDpsInit(&use))
      return false; // reading a filled tensor: a splat that fusion has not removed
  } else if (!usedOnlyBy(producer, loops)) {
    return false;
  }
  if (isComputedAgain(use)) {
    producerLoops.assign(cast<linalg::GenericOp>(producer).getNumLoops(), -1);
    return true;
  }
  if (!isa<linalg::FillOp, linalg::GenericOp>(producer) && !isContraction(producer))
    return false;
  std::optional<KernelLoops::Loops> own = loops.loopsOfProducer(use);
  if (!own)
    return false;
  producerLoops = *own;
  if (isa<linalg::FillOp>(producer))
    return true;
  // A contraction takes an epilogue that reads each of its elements once, and is the only one of its kernel.
  bool hasContraction = llvm::any_of(loops, [](const auto &member) { return isContraction(member.first); });
  if (isContraction(producer))
    return !hasContraction && isElementwise(consumer) && loops.divisible(producer, *own).all() &&
           llvm::all_of(loops, [](const auto &member) { return isElementwise(member.first); });
  if (hasContraction)
    return false;
  if (!isa<linalg::GenericOp>(consumer))
    return false;
  return loops.divisible(producer, *own).any() || (isSmall(producer) && isSmall(consumer));
}

/// Makes producers members of the group around `root` until no other joins.
void growAround(DestinationStyleOpInterface root, Group &group) {
  KernelLoops loops(root);
  // A producer read by several members joins after the last of them, so try until nothing changes.
  for (bool grew = true; grew;) {
    grew = false;
    for (size_t i = 0; i < loops.size(); ++i)
      for (OpOperand &use : (loops.begin() + i)->first->getOpOperands()) {
        KernelLoops::Loops own;
        if (!joins(loops, use, own))
          continue;
        loops.add(use.get().getDefiningOp(), own);
        grew = true;
      }
  }
  for (const auto &member : loops)
    group.insert(member.first);
}

/// The operation that computes what is inserted, if nothing else needs it.
DestinationStyleOpInterface sourceOf(tensor::InsertSliceOp insert) {
  auto source = insert.getSource().getDefiningOp<DestinationStyleOpInterface>();
  bool canJoin = source && source->getBlock() == insert->getBlock() && source->hasOneUse() && isStructured(source) &&
                 source->getNumResults() == 1 && isa<TilingInterface>(source.getOperation());
  return canJoin ? source : nullptr;
}

/// The insertions before this one into the same tensor: all of them if the tensor is small, else the border of padding.
void growChain(tensor::InsertSliceOp insert, Group &group) {
  bool takesAll = isSmall(insert);
  for (Operation *last = insert;;) {
    Operation *before = cast<tensor::InsertSliceOp>(last).getDest().getDefiningOp();
    if (!before || before->getBlock() != insert->getBlock() || !before->hasOneUse())
      return;
    if (isa<linalg::FillOp>(before)) {
      group.insert(before);
      return;
    }
    auto earlier = dyn_cast<tensor::InsertSliceOp>(before);
    if (!earlier)
      return;
    auto border = earlier.getSource().getDefiningOp<linalg::FillOp>();
    bool isBorder = border && border->hasOneUse() && border->getBlock() == insert->getBlock();
    if (!isBorder && !takesAll)
      return;
    group.insert(earlier);
    if (isBorder)
      group.insert(border);
    last = earlier;
  }
}

/// The root and all that joins it, in the order of the block.
Group growGroup(Operation *root) {
  Group group;
  group.insert(root);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(root)) {
    growChain(insert, group);
    if (DestinationStyleOpInterface source = sourceOf(insert); source && !isSmall(insert))
      growAround(source, group);
  } else if (auto styled = dyn_cast<DestinationStyleOpInterface>(root)) {
    growAround(styled, group);
  }
  SmallVector<Operation *> ordered = group.takeVector();
  llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return Group(ordered.begin(), ordered.end());
}

//===-- Outlining --------------------------------------------------------------===//

/// A name that says what the kernel computes: "contract_addf_maximumf".
std::string describe(const Group &group) {
  SmallVector<std::string> words;
  auto say = [&](StringRef word) {
    if (words.size() < 4 && !llvm::is_contained(words, word))
      words.push_back(word.str());
  };
  for (Operation *op : group) {
    if (isa<linalg::FillOp>(op))
      continue;
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic) {
      say(op->getName().stripDialect());
      continue;
    }
    if (group.size() > 1 && readsOnlyConstants(op)) {
      say("constants");
      continue;
    }
    if (!isElementwise(op))
      say("reduce");
    bool any = false;
    for (Operation &inner : generic.getBody()->without_terminator()) {
      if (isa<arith::ConstantOp, linalg::IndexOp, arith::ExtUIOp>(inner))
        continue;
      say(inner.getName().stripDialect());
      any = true;
    }
    if (!any)
      say("copy");
  }
  std::string name = words.empty() ? "fill" : llvm::join(words, "_");
  llvm::replace(name, '.', '_');
  return name;
}

class Outliner {
public:
  explicit Outliner(ModuleOp module) : module(module) {}

  void outline(const Group &group) {
    Operation *last = group.back();
    OpBuilder b(last);
    // Results that something else needs.
    SmallVector<Value> results;
    for (Operation *op : group)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !isInside(group, user); }))
          results.push_back(result);

    collectOperands(group);
    // The last arguments are the destinations, in the order of the results: what the group updates, or fresh memory.
    SmallVector<Value> destinations;
    llvm::SmallDenseMap<Value, unsigned> freshResults; // where a `tensor.empty` enters the group -> its result
    for (auto [i, result] : llvm::enumerate(results)) {
      Value first = firstInit(result, group), destination = initOf(first);
      if (captured.contains(destination) && !llvm::is_contained(destinations, destination)) {
        destinations.push_back(destination);
        continue;
      }
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, last->getLoc(), destination);
      Type element = cast<RankedTensorType>(result.getType()).getElementType();
      destinations.push_back(tensor::EmptyOp::create(b, last->getLoc(), sizes, element));
      freshResults[first] = i;
    }
    SmallVector<Value> arguments =
        llvm::filter_to_vector(captured, [&](Value value) { return !llvm::is_contained(destinations, value); });
    std::stable_partition(arguments.begin(), arguments.end(),
                          [](Value value) { return isa<TensorType>(value.getType()); });
    unsigned inputs = arguments.size();
    llvm::append_range(arguments, destinations);
    SmallVector<Type> resultTypes = llvm::map_to_vector(results, [](Value value) { return value.getType(); });

    auto type = b.getFunctionType(TypeRange(ValueRange(arguments)), resultTypes);
    auto function = func::FuncOp::create(last->getLoc(), "kernel", type);
    function.setPrivate();
    function->setAttr(kernelAttrName, b.getUnitAttr());
    Block *body = function.addEntryBlock();
    IRMapping map;
    map.map(arguments, body->getArguments());
    auto inner = OpBuilder::atBlockBegin(body);
    for (Operation *op : cloned)
      if (!isa<tensor::EmptyOp>(op))
        inner.clone(*op, map);
    for (Operation *op : group) {
      // Every operation gets a destination of its own: one `tensor.empty` may have served several, and sharing it in
      // the kernel would make one overwrite the other.
      IRMapping own = map;
      for (OpOperand &use : op->getOpOperands())
        if (auto empty = use.get().getDefiningOp<tensor::EmptyOp>()) {
          auto fresh = freshResults.find(keyOf(use));
          own.map(use.get(), fresh != freshResults.end() ? Value(body->getArgument(inputs + fresh->second))
                                                         : inner.clone(*empty, map)->getResult(0));
        }
      Operation *copy = isPlainCopy(op) ? copyInto(inner, op, own) : inner.clone(*op, own);
      map.map(op->getResults(), copy->getResults());
    }
    func::ReturnOp::create(inner, last->getLoc(),
                           llvm::map_to_vector(results, [&](Value value) { return map.lookup(value); }));

    func::FuncOp kernel = unique(function, describe(group));
    auto call = func::CallOp::create(b, last->getLoc(), kernel, arguments);
    for (auto [result, value] : llvm::zip_equal(results, call.getResults()))
      result.replaceUsesWithIf(value, [&](OpOperand &use) { return !isInside(group, use.getOwner()); });
    for (Operation *op : llvm::reverse(group))
      op->erase();
  }

private:
  /// A kernel that only copies says so in a way that canonicalization does not see through: the copy is what it is for.
  static bool isPlainCopy(Operation *op) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    return generic && generic.getNumDpsInputs() == 1 && generic.getNumDpsInits() == 1 && isElementwise(op) &&
           llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }) &&
           generic.getBody()->getTerminator()->getOperand(0) == generic.getBody()->getArgument(0);
  }
  static Operation *copyInto(OpBuilder &b, Operation *op, IRMapping &map) {
    return bufferization::MaterializeInDestinationOp::create(b, op->getLoc(), map.lookupOrDefault(op->getOperand(0)),
                                                             map.lookupOrDefault(op->getOperand(1)));
  }

  static bool isInside(const Group &group, Operation *op) {
    for (; op; op = op->getParentOp())
      if (group.contains(op))
        return true;
    return false;
  }

  /// Identifies the place where a `tensor.empty` enters the group: the first result of the operation that uses it
  /// stands for it.
  static Value keyOf(OpOperand &use) {
    Operation *op = use.getOwner();
    if (auto styled = dyn_cast<DestinationStyleOpInterface>(op))
      return styled.isDpsInit(&use) ? Value(styled.getTiedOpResult(&use)) : Value();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      unsigned first = loop.getNumControlOperands();
      return use.getOperandNumber() >= first ? Value(loop.getResult(use.getOperandNumber() - first)) : Value();
    }
    if (isa<scf::WhileOp>(op) && op->getNumOperands() == op->getNumResults())
      return op->getResult(use.getOperandNumber());
    return Value();
  }

  /// The operand that a result is written into; null when it is no such thing.
  static Value initOf(Value result) {
    Operation *op = result.getDefiningOp();
    unsigned number = cast<OpResult>(result).getResultNumber();
    if (auto styled = dyn_cast<DestinationStyleOpInterface>(op))
      return styled.getDpsInitOperand(number)->get();
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return loop.getInitArgs()[number];
    if (isa<scf::WhileOp>(op) && op->getNumOperands() == op->getNumResults())
      return op->getOperand(number);
    return nullptr;
  }

  /// The first operation of the chain of updates within the group that ends in `result`, named by its result.
  static Value firstInit(Value result, const Group &group) {
    for (Value init = initOf(result); init; init = initOf(result)) {
      Operation *before = init.getDefiningOp();
      if (!before || !group.contains(before))
        return result;
      result = init;
    }
    return result;
  }

  /// Finds what the group needs from outside: values to pass, and operations to clone.
  void collectOperands(const Group &group) {
    captured.clear();
    cloned.clear();
    std::function<void(Value)> need = [&](Value value) {
      Operation *source = value.getDefiningOp();
      if (source && isInside(group, source))
        return;
      if (auto argument = dyn_cast<BlockArgument>(value);
          argument && isInside(group, argument.getOwner()->getParentOp()))
        return;
      if (source && isCloned(source)) {
        if (cloned.contains(source))
          return;
        for (Value operand : source->getOperands())
          need(operand);
        cloned.insert(source);
        return;
      }
      captured.insert(value);
    };
    for (Operation *op : group)
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          need(operand);
      });
  }

  /// The function itself, or one that is there already and does the same.
  func::FuncOp unique(func::FuncOp function, StringRef name) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    function.print(stream, OpPrintingFlags().useLocalScope().enableDebugInfo(false));
    auto [entry, isNew] = kernels.try_emplace(text, function);
    if (!isNew) {
      function.erase();
      return entry->second;
    }
    function.setSymName((name + "_" + Twine(counts[name]++)).str());
    module.push_back(function);
    return function;
  }

  ModuleOp module;
  llvm::SetVector<Value> captured;
  llvm::SetVector<Operation *> cloned;
  llvm::StringMap<func::FuncOp> kernels;
  llvm::StringMap<unsigned> counts;
};

//===-- The pass ----------------------------------------------------------------===//

/// The extents of a tensor, read where it has its memory from: asking the tensor itself would be one use more.
SmallVector<OpFoldResult> sizesOf(OpBuilder &b, Value value) {
  while (auto styled = value.getDefiningOp<DestinationStyleOpInterface>())
    value = styled.getTiedOpOperand(cast<OpResult>(value))->get();
  return tensor::getMixedSizes(b, value.getLoc(), value);
}

/// Padding by a constant -> a tensor whose border is filled, and the rest inserted: along each axis what lies before and
/// behind, of the extent that the axes before it have without their borders, so that nothing is filled twice.
void decomposePad(tensor::PadOp pad) {
  Value padding = pad.getConstantPaddingValue();
  if (!padding)
    return; // upstream's pattern knows the general form
  ImplicitLocOpBuilder b(pad.getLoc(), pad);
  SmallVector<OpFoldResult> low = pad.getMixedLowPad(), high = pad.getMixedHighPad();
  SmallVector<OpFoldResult> inner = sizesOf(b, pad.getSource());
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1), d2 = b.getAffineDimExpr(2);
  auto sum = [&](ArrayRef<OpFoldResult> terms) {
    return affine::makeComposedFoldedAffineApply(b, b.getLoc(), terms.size() == 2 ? d0 + d1 : d0 + d1 + d2, terms);
  };
  SmallVector<OpFoldResult> full;
  for (auto [before, size, behind] : llvm::zip_equal(low, inner, high))
    full.push_back(sum({before, size, behind}));
  Type element = pad.getResultType().getElementType();
  Value result = tensor::EmptyOp::create(b, full, element);
  SmallVector<OpFoldResult> offsets(full.size(), b.getIndexAttr(0)), sizes = full, ones(full.size(), b.getIndexAttr(1));
  auto insert = [&](Value value) { result = tensor::InsertSliceOp::create(b, value, result, offsets, sizes, ones); };
  for (auto [axis, before, size, behind] : llvm::enumerate(low, inner, high)) {
    for (auto [extent, offset] :
         {std::pair(before, OpFoldResult(b.getIndexAttr(0))), std::pair(behind, sum({before, size}))}) {
      if (isConstantIntValue(extent, 0))
        continue;
      offsets[axis] = offset;
      sizes[axis] = extent;
      Value border = tensor::EmptyOp::create(b, sizes, element);
      insert(linalg::FillOp::create(b, padding, border).getResult(0));
    }
    offsets[axis] = before;
    sizes[axis] = size;
  }
  insert(pad.getSource());
  if (result.getType() != pad.getType())
    result = tensor::CastOp::create(b, pad.getType(), result);
  pad.replaceAllUsesWith(result);
  pad.erase();
}

/// Filling is cheaper than reading what was filled: large splats become fills, and every user of a fill gets its own.
void separateFills(func::FuncOp graph) {
  SmallVector<arith::ConstantOp> splats;
  graph.walk([&](arith::ConstantOp constant) {
    if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
        splat && isa<RankedTensorType>(constant.getType()))
      splats.push_back(constant);
  });
  for (arith::ConstantOp constant : splats) {
    OpBuilder b(constant);
    auto splat = cast<SplatElementsAttr>(constant.getValue());
    auto type = cast<RankedTensorType>(constant.getType());
    if (!type.getElementType().isIntOrFloat())
      continue;
    Value scalar = arith::ConstantOp::create(b, constant.getLoc(), cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    Value empty = tensor::EmptyOp::create(b, constant.getLoc(), type.getShape(), type.getElementType());
    constant.getResult().replaceAllUsesWith(linalg::FillOp::create(b, constant.getLoc(), scalar, empty).getResult(0));
    constant.erase();
  }
  SmallVector<linalg::FillOp> fills;
  graph.walk([&](linalg::FillOp fill) { fills.push_back(fill); });
  for (linalg::FillOp fill : fills)
    for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(fill.getResult(0).getUses()))) {
      OpBuilder b(use.getOwner());
      use.set(b.clone(*fill)->getResult(0));
    }
}

/// Kernels' arguments are contiguous, so a slice that is not read inside of a kernel is copied by one. Functions of the
/// user take whole buffers, too.
void copySlices(func::FuncOp graph) {
  SmallVector<tensor::ExtractSliceOp> slices;
  graph.walk([&](tensor::ExtractSliceOp slice) {
    bool readElsewhere = llvm::any_of(slice->getUsers(), [](Operation *user) {
      return !isa<tensor::ExtractSliceOp, tensor::DimOp, tensor::ExtractOp>(user) &&
             (!belongsIntoKernel(user) || isa<ExternalOp>(user)) && !user->getParentOfType<linalg::LinalgOp>();
    });
    if (readElsewhere)
      slices.push_back(slice);
  });
  for (tensor::ExtractSliceOp slice : slices) {
    OpBuilder b(slice);
    b.setInsertionPointAfter(slice);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, slice.getLoc(), slice);
    Value empty = tensor::EmptyOp::create(b, slice.getLoc(), sizes, slice.getType().getElementType());
    AffineMap identity = b.getMultiDimIdentityMap(sizes.size());
    SmallVector<utils::IteratorType> parallel(sizes.size(), utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(
        b, slice.getLoc(), empty.getType(), slice.getResult(), empty, {identity, identity}, parallel,
        [](OpBuilder &inner, Location loc, ValueRange args) { linalg::YieldOp::create(inner, loc, args[0]); });
    slice.getResult().replaceUsesWithIf(copy.getResult(0), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return user != copy && user != empty.getDefiningOp() && !isa<tensor::DimOp, tensor::ExtractOp>(user);
    });
  }
}

struct FormKernels : impl::FormKernelsBase<FormKernels> {
  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>(graphFunctionName);
    if (!graph)
      return;
    graph.walk([](tensor::PadOp pad) { decomposePad(pad); });
    RewritePatternSet patterns(&getContext());
    linalg::populateDecomposePadPatterns(patterns);
    if (failed(applyPatternsGreedily(graph, std::move(patterns))))
      return signalPassFailure();
    separateFills(graph);
    separateDestinations(graph);
    copySlices(graph);
    Outliner outliner(getOperation());
    graph.walk<WalkOrder::PreOrder>([&](Block *block) { formIn(*block, outliner); });
  }

  static void formIn(Block &block, Outliner &outliner) {
    Operation *parent = block.getParentOp();
    if (belongsIntoKernel(parent) || parent->getParentOfType<linalg::LinalgOp>())
      return;
    // From the end, so that every root has its consumers outlined already.
    for (Operation *op = &block.back(); op;) {
      Operation *before = op->getPrevNode();
      if (belongsIntoKernel(op)) {
        if (isOpTriviallyDead(op))
          op->erase();
        else {
          Group group = growGroup(op);
          outliner.outline(group);
          before = &block.back(); // the group may have held any operation above
        }
      }
      op = before;
    }
  }
};

} // namespace
} // namespace mlc

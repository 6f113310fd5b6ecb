#include "passes/ComputedPanels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "onnx/Constants.h"

using namespace mlir;

namespace mlc {

bool readsOnlyConstants(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumDpsInputs() > 0 && generic.getNumParallelLoops() == generic.getNumLoops() &&
         llvm::all_of(generic.getDpsInputs(), [](Value input) {
           return isa_and_nonnull<arith::ConstantOp, linalg::FillOp>(input.getDefiningOp());
         });
}

std::optional<ComputedMatrix> ComputedMatrix::of(Value value) {
  ComputedMatrix matrix;
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>()) {
    value = collapse.getSrc();
    for (const ReassociationIndices &group : collapse.getReassociationIndices())
      matrix.loops.emplace_back(group.begin(), group.end());
  } else if (auto type = dyn_cast<RankedTensorType>(value.getType())) {
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      matrix.loops.push_back({unsigned(axis)});
  }
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || matrix.loops.size() != 2 || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getIndexingMapsArray().back().isIdentity() || op.hasIndexSemantics() ||
      llvm::any_of(op.getStaticLoopRanges(), [](int64_t extent) { return ShapedType::isDynamic(extent); }))
    return std::nullopt;
  matrix.op = op;
  bool hasWeights = false;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    std::optional<ConstantView> view = viewOfConstant(input->get());
    if (!view || !map.isProjectedPermutation())
      return std::nullopt;
    if (getElementTypeOrSelf(input->get().getType()).isInteger(8) && map.isPermutation()) {
      hasWeights = true;
      matrix.weights = matrix.inputs.size();
    }
    matrix.inputs.push_back(*view);
  }
  return hasWeights ? std::optional(std::move(matrix)) : std::nullopt;
}

namespace {

/// A loop over panels, and how far a step of it goes along a loop of the matrix.
struct Loop {
  unsigned position;
  int64_t extent, factor;
};

class Packer {
public:
  Packer(ImplicitLocOpBuilder &b, const ComputedMatrix &matrix, unsigned column, int64_t width)
      : b(b), matrix(matrix), op(matrix.op), column(matrix.loops[column].front()), width(width),
        depth(matrix.loops[1 - column]), extents(op.getStaticLoopRanges()) {
    isUnsigned = llvm::any_of(op.getBody()->getArgument(matrix.weights).getUsers(), llvm::IsaPred<arith::ExtUIOp>);
    isHalved = extents[depth.back()] % 2 == 0 && fitInHalves();
    for (unsigned loop : depth)
      counts.push_back(extents[loop]);
    if (isHalved) {
      counts.back() /= 2;
      counts.push_back(2);
    }
  }

  ComputedPanels pack() {
    unsigned loops = counts.size() + 2;
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (unsigned i = 0; i < matrix.inputs.size(); ++i) {
      auto [value, map] = packed(i);
      inputs.push_back(value);
      maps.push_back(map);
    }
    maps.push_back(b.getMultiDimIdentityMap(loops));
    SmallVector<int64_t> shape(counts);
    shape.insert(shape.end() - 1, llvm::divideCeil(extents[column], width));
    shape.push_back(width);
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(op.getResult(0).getType()));
    Value empty = tensor::EmptyOp::create(b, shape, type.getElementType());
    SmallVector<utils::IteratorType> parallel(loops, utils::IteratorType::parallel);
    auto body = [&](OpBuilder &inner, Location loc, ValueRange args) {
      ImplicitLocOpBuilder own(loc, inner);
      IRMapping map;
      for (auto [i, argument] : llvm::enumerate(op.getBody()->getArguments()))
        map.map(argument, i == matrix.weights && isHalved ? half(own, args[i]) : args[i]);
      for (Operation &operation : op.getBody()->without_terminator())
        own.clone(operation, map);
      linalg::YieldOp::create(own, map.lookup(op.getBody()->getTerminator()->getOperand(0)));
    };
    Value panels = linalg::GenericOp::create(b, type, inputs, empty, maps, parallel, body).getResult(0);
    return {panels, counts};
  }

private:
  /// Loops over panels: the depth but for the last, panels, the last of the depth, lanes.
  unsigned positionOfCount(unsigned count) const { return count + 1 == counts.size() ? count + 1 : count; }

  /// The loops over panels that a loop of the matrix becomes.
  SmallVector<Loop> loopsOf(unsigned loop) const {
    unsigned index = llvm::find(depth, loop) - depth.begin();
    if (!isHalved || index + 1 < depth.size())
      return {{positionOfCount(index), counts[index], 1}};
    return {{positionOfCount(index), counts[index], 2}, {positionOfCount(index + 1), 2, 1}};
  }

  /// Whether every one of the weights is held by 4 bits.
  bool fitInHalves() const {
    std::vector<char> storage;
    auto fits = [&](char byte) { return isUnsigned ? uint8_t(byte) < 16 : llvm::isInt<4>(int8_t(byte)); };
    return llvm::all_of(onnx::bytesOf(matrix.inputs[matrix.weights].elements, storage), fits);
  }

  /// An input, panel by panel, and how the loops index it.
  std::pair<Value, AffineMap> packed(unsigned input) {
    const ConstantView &view = matrix.inputs[input];
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(input));
    bool halves = isHalved && input == matrix.weights;
    SmallVector<int64_t> shape, strides;
    SmallVector<AffineExpr> indices;
    auto add = [&](unsigned position, int64_t extent, int64_t stride) {
      shape.push_back(extent);
      strides.push_back(stride);
      indices.push_back(b.getAffineDimExpr(position));
    };
    auto strideOf = [&](unsigned loop) -> std::optional<int64_t> {
      std::optional<unsigned> axis = map.getResultPosition(b.getAffineDimExpr(loop));
      return axis ? std::optional(view.strides[*axis]) : std::nullopt;
    };
    SmallVector<IndexBound, 1> bounds;
    std::optional<int64_t> alongColumns = strideOf(column);
    if (alongColumns) {
      add(counts.size() - 1, llvm::divideCeil(extents[column], width), *alongColumns * width);
      bounds.push_back({{{0, width}}, extents[column]});
    }
    std::optional<int64_t> toOtherHalf;
    for (unsigned loop : depth)
      if (std::optional<int64_t> stride = strideOf(loop))
        for (Loop own : loopsOf(loop)) {
          if (halves && own.position == positionOfCount(counts.size() - 1))
            toOtherHalf = *stride * own.factor;
          else
            add(own.position, own.extent, *stride * own.factor);
        }
    if (alongColumns) {
      bounds.front().factors.push_back({(int64_t)shape.size(), 1});
      add(counts.size() + 1, width, *alongColumns);
    }
    ElementsAttr elements = rearranged(view.elements, view.offset, shape, strides, bounds);
    if (toOtherHalf)
      elements = joined(elements, rearranged(view.elements, view.offset + *toOtherHalf, shape, strides, bounds));
    return {arith::ConstantOp::create(b, cast<TypedAttr>(elements)),
            AffineMap::get(counts.size() + 2, 0, indices, b.getContext())};
  }

  /// Two weights in each byte.
  static ElementsAttr joined(ElementsAttr low, ElementsAttr high) {
    std::vector<char> storageOfLow, storageOfHigh;
    ArrayRef<char> first = onnx::bytesOf(low, storageOfLow), second = onnx::bytesOf(high, storageOfHigh);
    std::vector<char> bytes(first.size());
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>((first[i] & 15) | (uint8_t(second[i]) << 4));
    return onnx::constantOf(cast<RankedTensorType>(low.getShapedType()), bytes);
  }

  /// The weight in the half that the last loop of the depth says, as a byte again.
  Value half(ImplicitLocOpBuilder &own, Value byte) {
    Type i32 = own.getI32Type();
    auto number = [&](int64_t value) { return arith::ConstantIntOp::create(own, i32, value).getResult(); };
    Value wide = arith::ExtUIOp::create(own, i32, byte);
    Value which = linalg::IndexOp::create(own, positionOfCount(counts.size() - 1));
    Value shift = arith::MulIOp::create(own, arith::IndexCastOp::create(own, i32, which), number(4));
    Value weight;
    if (isUnsigned) {
      weight = arith::AndIOp::create(own, arith::ShRUIOp::create(own, wide, shift), number(15));
    } else {
      Value top = arith::ShLIOp::create(own, wide, arith::SubIOp::create(own, number(28), shift));
      weight = arith::ShRSIOp::create(own, top, number(28));
    }
    return arith::TruncIOp::create(own, own.getI8Type(), weight);
  }

  ImplicitLocOpBuilder &b;
  const ComputedMatrix &matrix;
  linalg::GenericOp op;
  unsigned column; ///< loop of the matrix
  int64_t width;
  SmallVector<unsigned> depth;  ///< loops of the matrix
  SmallVector<int64_t> extents; ///< of these
  SmallVector<int64_t> counts;  ///< of the loops that count the depth of panels
  bool isUnsigned, isHalved;
};

} // namespace

ComputedPanels packComputed(ImplicitLocOpBuilder &b, const ComputedMatrix &matrix, unsigned column, int64_t width) {
  return Packer(b, matrix, column, width).pack();
}

} // namespace mlc

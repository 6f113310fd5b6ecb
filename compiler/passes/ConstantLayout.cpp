#include "passes/ConstantLayout.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "onnx/Constants.h"
#include <cstring>

using namespace mlir;

namespace mlc {

//===-- Views ------------------------------------------------------------------------===//

/// Splits or joins axes of a view; fails where joined axes are not contiguous.
static LogicalResult reshape(ConstantView &view, ArrayRef<ReassociationIndices> groups, ArrayRef<int64_t> shape,
                             bool splits) {
  SmallVector<int64_t> strides;
  for (auto [axis, group] : llvm::enumerate(groups)) {
    if (splits) {
      SmallVector<int64_t> own(group.size());
      int64_t stride = view.strides[axis];
      for (size_t i = group.size(); i-- > 0; stride *= shape[group[i]])
        own[i] = stride;
      llvm::append_range(strides, own);
      continue;
    }
    int64_t stride = 0, next = 0;
    for (int64_t inner : llvm::reverse(group)) {
      if (view.shape[inner] == 1)
        continue;
      if (stride != 0 && view.strides[inner] != next)
        return failure();
      if (stride == 0)
        stride = view.strides[inner];
      next = view.strides[inner] * view.shape[inner];
    }
    strides.push_back(stride);
  }
  view.strides = std::move(strides);
  view.shape = llvm::to_vector(shape);
  return success();
}

/// A part that begins at a fixed place.
static ConstantView sliced(tensor::ExtractSliceOp op, const ConstantView &source) {
  ConstantView view{source.elements, llvm::to_vector(op.getType().getShape()), {}, source.offset};
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [axis, stride] : llvm::enumerate(source.strides)) {
    view.offset += op.getStaticOffset(axis) * stride;
    if (!dropped.test(axis))
      view.strides.push_back(op.getStaticStride(axis) * stride);
  }
  return view;
}

/// What an operation makes that only copies elements of a view, or extends them, in another order or backwards.
static std::optional<ConstantView> copied(linalg::GenericOp op, const ConstantView &source) {
  if (op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getIndexingMapsArray().back().isIdentity())
    return std::nullopt;
  Value result = op.getBody()->getTerminator()->getOperand(0);
  if (Operation *extension = result.getDefiningOp(); isa_and_nonnull<arith::ExtFOp, arith::ExtSIOp>(extension))
    result = extension->getOperand(0);
  if (result != op.getBody()->getArgument(0))
    return std::nullopt;
  ConstantView view{source.elements, op.getStaticLoopRanges(), {}, source.offset};
  view.strides.assign(op.getNumLoops(), 0);
  for (auto [index, stride] : llvm::zip_equal(op.getIndexingMapsArray().front().getResults(), source.strides)) {
    // i, or a number - i
    AffineMap map = AffineMap::get(op.getNumLoops(), 0, index);
    SmallVector<Attribute> zeros(op.getNumLoops(), IntegerAttr::get(IndexType::get(op.getContext()), 0)), origin;
    if (failed(map.constantFold(zeros, origin)))
      return std::nullopt;
    int64_t start = cast<IntegerAttr>(origin.front()).getInt();
    view.offset += start * stride;
    AffineExpr rest = index - getAffineConstantExpr(start, op.getContext());
    if (auto loop = dyn_cast<AffineDimExpr>(rest)) {
      view.strides[loop.getPosition()] += stride;
    } else if (auto backwards = dyn_cast<AffineDimExpr>(-rest)) {
      view.strides[backwards.getPosition()] -= stride;
    } else if (!isa<AffineConstantExpr>(rest)) {
      return std::nullopt;
    }
  }
  return view;
}

std::optional<ConstantView> viewOfConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (!op || !type || !type.hasStaticShape() || onnx::bytesPerElement(type.getElementType()) == 0)
    return std::nullopt;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<ElementsAttr>(constant.getValue());
    if (!elements || !isa<DenseElementsAttr, DenseResourceElementsAttr>(elements))
      return std::nullopt;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements); resource && !resource.getRawHandle().getBlob())
      return std::nullopt; // text without its weights
    return ConstantView{elements, llvm::to_vector(type.getShape()), computeStrides(type.getShape())};
  }
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    std::optional<ConstantView> view = viewOfConstant(transpose.getInput());
    if (!view)
      return std::nullopt;
    applyPermutationToVector(view->shape, transpose.getPermutation());
    applyPermutationToVector(view->strides, transpose.getPermutation());
    return view;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    std::optional<ConstantView> view = viewOfConstant(expand.getSrc());
    if (!view || failed(reshape(*view, expand.getReassociationIndices(), type.getShape(), /*splits=*/true)))
      return std::nullopt;
    return view;
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    std::optional<ConstantView> view = viewOfConstant(collapse.getSrc());
    if (!view || failed(reshape(*view, collapse.getReassociationIndices(), type.getShape(), /*splits=*/false)))
      return std::nullopt;
    return view;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    std::optional<ConstantView> view = viewOfConstant(slice.getSource());
    if (!view || llvm::any_of(slice.getStaticOffsets(), ShapedType::isDynamic) ||
        llvm::any_of(slice.getStaticStrides(), ShapedType::isDynamic))
      return std::nullopt;
    return sliced(slice, *view);
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return viewOfConstant(cast.getSource());
  if (auto generic = dyn_cast<linalg::GenericOp>(op); generic && generic.getNumDpsInputs() == 1)
    if (std::optional<ConstantView> source = viewOfConstant(generic.getDpsInputOperand(0)->get()))
      return copied(generic, *source);
  return std::nullopt;
}

//===-- Rearrangement ----------------------------------------------------------------===//

namespace {
struct Copy {
  struct Bound {
    SmallVector<int64_t> steps; ///< along each axis
    int64_t limit;
  };
  using Reached = SmallVector<int64_t, 2>; ///< of each bound

  ArrayRef<int64_t> shape, strides;
  SmallVector<int64_t> volumes; ///< elements of the result below one index of each axis
  SmallVector<Bound, 2> bounds;

  /// `from` may be at any address: elements are read where the model file has them.
  template <typename Element> void run(size_t axis, const char *from, Element *to, const Reached &reached) const {
    int64_t count = shape[axis];
    for (auto [bound, at] : llvm::zip_equal(bounds, reached))
      if (int64_t step = bound.steps[axis]; step > 0)
        count = std::min<int64_t>(count, llvm::divideCeil(std::max<int64_t>(bound.limit - at, 0), step));
    if (axis + 1 == shape.size()) {
      int64_t stride = strides[axis];
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(to + i, from + i * stride * int64_t(sizeof(Element)), sizeof(Element));
      return;
    }
    Reached next = reached;
    for (int64_t i = 0; i < count; ++i) {
      run(axis + 1, from + i * strides[axis] * int64_t(sizeof(Element)), to + i * volumes[axis], next);
      for (auto [bound, at] : llvm::zip_equal(bounds, next))
        at += bound.steps[axis];
    }
  }
};
} // namespace

ElementsAttr rearranged(ElementsAttr source, int64_t offset, ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
                        ArrayRef<IndexBound> bounds) {
  Type element = source.getElementType();
  auto type = RankedTensorType::get(shape, element);
  // What lies beyond a bound is never looked at, or multiplied with zero, so a splat may stay one.
  if (auto splat = dyn_cast<SplatElementsAttr>(source))
    return splat.resizeSplat(type);
  std::vector<char> storage;
  ArrayRef<char> bytes = onnx::bytesOf(source, storage);
  size_t size = onnx::bytesPerElement(element);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(type.getNumElements() * size, 64);
  MutableArrayRef<char> data = blob.getMutableData();

  SmallVector<int64_t> extents(shape), jumps(strides);
  if (shape.empty())
    extents = {1}, jumps = {0};
  Copy copy{extents, jumps, computeStrides(extents), {}};
  if (!bounds.empty())
    std::fill(data.begin(), data.end(), 0);
  for (const IndexBound &bound : bounds) {
    copy.bounds.push_back({SmallVector<int64_t>(extents.size(), 0), bound.limit});
    for (auto [axis, factor] : bound.factors)
      copy.bounds.back().steps[axis] = factor;
  }
  auto run = [&]<typename Element>(Element) {
    copy.run<Element>(0, bytes.data() + offset * int64_t(sizeof(Element)), reinterpret_cast<Element *>(data.data()),
                      Copy::Reached(bounds.size(), 0));
  };
  if (type.getNumElements() > 0) {
    switch (size) {
    case 1:
      run(uint8_t());
      break;
    case 2:
      run(uint16_t());
      break;
    case 4:
      run(uint32_t());
      break;
    case 8:
      run(uint64_t());
      break;
    default:
      run(std::array<uint64_t, 2>());
      break;
    }
  }
  if (isa<DenseResourceElementsAttr>(source))
    return DenseResourceElementsAttr::get(type, "packed", std::move(blob));
  return onnx::constantOf(type, data);
}

ElementsAttr reshaped(ElementsAttr elements, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, elements.getElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return cast<DenseElementsAttr>(elements).reshape(type);
}

} // namespace mlc

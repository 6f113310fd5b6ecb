#include "passes/ConstantPanels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "onnx/Constants.h"

using namespace mlir;

namespace mlc {

//===-- Packing ------------------------------------------------------------------------===//

static ElementsAttr packed(ElementsAttr elements, const PanelLayout &layout) {
  SmallVector<int64_t> shape, strides;
  auto add = [&](int64_t extent, int64_t stride) {
    shape.push_back(extent);
    strides.push_back(stride);
  };
  for (StridedAxis batch : layout.batches)
    add(batch.extent, batch.stride);
  SmallVector<IndexBound, 2> bounds = {{{{(int64_t)shape.size(), layout.width}}, layout.column.extent}};
  add(llvm::divideCeil(layout.column.extent, layout.width), layout.column.stride * layout.width);
  SmallVector<StridedAxis> depthAxes = layout.depth;
  StridedAxis term = {1, 0}; // within a group
  if (layout.group > 1) {
    StridedAxis &last = depthAxes.back();
    term = {layout.group, last.stride};
    bounds.push_back({{{(int64_t)(shape.size() + depthAxes.size()) - 1, layout.group}}, last.extent});
    last = {(int64_t)llvm::divideCeil(last.extent, layout.group), last.stride * layout.group};
  }
  int64_t depth = 1;
  for (StridedAxis axis : depthAxes) {
    add(axis.extent, axis.stride);
    depth *= axis.extent;
  }
  bounds.front().factors.push_back({(int64_t)shape.size(), 1});
  add(layout.width, layout.column.stride);
  // The depth is one axis in panels.
  SmallVector<int64_t> joined(shape.begin(), shape.end() - 1 - depthAxes.size());
  joined.append({depth, layout.width});
  if (layout.group > 1) {
    bounds.back().factors.push_back({(int64_t)shape.size(), 1});
    add(term.extent, term.stride);
    joined.push_back(layout.group);
  }
  return reshaped(rearranged(elements, layout.offset, shape, strides, bounds), joined);
}

Value ConstantPanels::pack(ImplicitLocOpBuilder &b, ElementsAttr elements, const PanelLayout &layout) {
  SmallVector<Panels> &all = made[elements];
  auto found = llvm::find_if(all, [&](const Panels &panels) { return panels.layout == layout; });
  if (found == all.end()) {
    all.push_back({layout, packed(elements, layout)});
    found = std::prev(all.end());
  }
  return arith::ConstantOp::create(b, cast<TypedAttr>(found->packed));
}

//===-- Reading single elements --------------------------------------------------------===//

/// Fewer bytes than this are rather stored twice than read with a stride.
static constexpr int64_t leastSharedBytes = 1 << 16;

namespace {
/// Index arithmetic, without the operations that change nothing.
struct IndexBuilder {
  ImplicitLocOpBuilder b;
  Value number(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value dividedBy(Value index, int64_t by) { return arith::DivUIOp::create(b, index, number(by)); }
  Value remainder(Value index, int64_t by) { return arith::RemUIOp::create(b, index, number(by)); }
  Value plus(Value sum, Value index, int64_t times) {
    if (times != 1)
      index = arith::MulIOp::create(b, index, number(times));
    return sum ? arith::AddIOp::create(b, sum, index) : index;
  }
};
} // namespace

/// Where the element of a constant of this shape at `indices` lies in panels. None if one of its axes is none of theirs.
static std::optional<SmallVector<Value>> placeInPanels(IndexBuilder &b, const PanelLayout &layout,
                                                       ArrayRef<int64_t> shape, ValueRange indices) {
  if (layout.offset != 0 || layout.group != 1)
    return std::nullopt; // backwards along some axis, or no plain panels
  SmallVector<Value> batches(layout.batches.size());
  Value panel, lane, depth;
  for (auto [extent, stride, index] : llvm::zip_equal(shape, computeStrides(shape), indices)) {
    if (extent == 1)
      continue;
    StridedAxis axis{extent, stride};
    if (const auto *batch = llvm::find(layout.batches, axis); batch != layout.batches.end()) {
      batches[batch - layout.batches.begin()] = index;
    } else if (axis == layout.column) {
      panel = b.dividedBy(index, layout.width);
      lane = b.remainder(index, layout.width);
    } else if (const auto *term = llvm::find(layout.depth, axis); term != layout.depth.end()) {
      int64_t step = 1;
      for (StridedAxis inner : llvm::make_range(std::next(term), layout.depth.end()))
        step *= inner.extent;
      depth = b.plus(depth, index, step);
    } else {
      return std::nullopt;
    }
  }
  SmallVector<Value> place = batches;
  place.append({panel, depth, lane});
  for (Value &index : place)
    if (!index)
      index = b.number(0);
  return place;
}

/// What packing has made superfluous is no user.
static bool onlyReadsElements(arith::ConstantOp constant) {
  for (Operation *user : llvm::make_early_inc_range(constant->getUsers()))
    if (isOpTriviallyDead(user))
      user->erase();
  return llvm::all_of(constant->getUsers(), llvm::IsaPred<tensor::ExtractOp>);
}

void ConstantPanels::redirectReads(func::FuncOp function) {
  llvm::MapVector<Attribute, SmallVector<arith::ConstantOp>> constants;
  function.walk([&](arith::ConstantOp constant) {
    auto type = dyn_cast<RankedTensorType>(constant.getType());
    if (constant->use_empty() || !type || !made.contains(constant.getValue()) ||
        type.getNumElements() * onnx::bytesPerElement(type.getElementType()) < leastSharedBytes)
      return;
    constants[constant.getValue()].push_back(constant);
  });
  for (auto &[elements, uses] : constants) {
    if (!llvm::all_of(uses, onlyReadsElements))
      continue;
    const Panels &panels = made[elements].front();
    for (arith::ConstantOp constant : uses) {
      ImplicitLocOpBuilder b(constant.getLoc(), constant);
      Value source = arith::ConstantOp::create(b, cast<TypedAttr>(panels.packed));
      for (Operation *user : llvm::make_early_inc_range(constant->getUsers())) {
        auto read = cast<tensor::ExtractOp>(user);
        IndexBuilder inner{ImplicitLocOpBuilder(read.getLoc(), read)};
        auto shape = cast<RankedTensorType>(constant.getType()).getShape();
        std::optional<SmallVector<Value>> place = placeInPanels(inner, panels.layout, shape, read.getIndices());
        if (!place)
          break;
        read.getTensorMutable().assign(source);
        read.getIndicesMutable().assign(*place);
      }
    }
  }
}

} // namespace mlc

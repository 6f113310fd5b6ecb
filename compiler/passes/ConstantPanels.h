// Constants in panels: each is packed once, and single elements are read from its panels, too.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/ConstantLayout.h"

namespace mlc {

/// One axis of a constant, as the elements lie in it.
struct StridedAxis {
  int64_t extent, stride;
  bool operator==(const StridedAxis &) const = default;
};

/// panels[batch..., p, k, j] = constant[batch..., k..., p * width + j], zero where that is beyond the columns; k counts
/// through all depth axes, the last one fastest. With groups, the last depth axis is filled up with zeros to whole ones,
/// and panels[batch..., p, k, j, g] = constant[batch..., k... * group + g, p * width + j].
struct PanelLayout {
  llvm::SmallVector<StridedAxis> batches, depth;
  StridedAxis column;
  int64_t width;
  int64_t offset = 0; ///< of the first element in the constant
  int64_t group = 1;  ///< terms of the depth side by side
  bool operator==(const PanelLayout &) const = default;
};

/// The panels that were made in one function.
class ConstantPanels {
public:
  /// The panels as a constant.
  mlir::Value pack(mlir::ImplicitLocOpBuilder &b, mlir::ElementsAttr elements, const PanelLayout &layout);

  /// Reads of single elements (a Gather from an embedding that is the weight of the last layer, too) go to the panels
  /// where nothing else needs the constant as it was, so that it is stored once.
  void redirectReads(mlir::func::FuncOp function);

private:
  struct Panels {
    PanelLayout layout;
    mlir::ElementsAttr packed;
  };
  llvm::MapVector<mlir::Attribute, llvm::SmallVector<Panels>> made; ///< by the elements of the constant
};

} // namespace mlc

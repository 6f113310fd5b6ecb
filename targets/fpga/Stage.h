// What a kernel computes, as nests of loops: one for each structured operation of it, with what is elementwise behind a
// sum of products, or behind a reduction, as the end of the same nest.
#pragma once
#include "mlc/Mlc.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SetVector.h"

namespace mlc::fpga {

/// The elements of a buffer that the points of a nest touch.
struct Access {
  mlir::Value buffer;   ///< an argument of the function; of sums that are never stored, an allocation
  mlir::Value argument; ///< by which the body knows the element; null of a contraction and a copy
  mlir::Type element;
  mlir::AffineMap map; ///< of the nest's loops, to indices
  llvm::SmallVector<int64_t> shape, strides;
  int64_t offset = 0;
};

struct Stage {
  mlir::Operation *op;
  mlir::linalg::LinalgOp epilogue; ///< null if there is none
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<bool> isReduction;
  /// What the body reads, but for what it sums up; of a contraction the left-hand and the right-hand side.
  llvm::SmallVector<Access> inputs;
  /// What the body sums up, or overwrites.
  llvm::SmallVector<Access> sums;
  /// What sums start from, if that is a number; else, from what the buffer holds.
  llvm::SmallVector<mlir::TypedAttr> starts;
  /// What the epilogue reads beside the sum.
  llvm::SmallVector<Access> epilogueInputs;
  /// What is stored: the sums, or what the epilogue makes of them.
  llvm::SmallVector<Access> results;

  ContractOp contraction() const { return mlir::dyn_cast<ContractOp>(op); }
  mlir::linalg::LinalgOp structured() const { return mlir::dyn_cast<mlir::linalg::LinalgOp>(op); }
  bool reduces() const { return llvm::is_contained(isReduction, true); }
  /// Whether sums are of integers, which may be added up in any order, one in each cycle.
  bool sumsIntegers() const;
  /// The operand by which the epilogue reads the sum.
  mlir::OpOperand *sumOperand() const;
  /// Where each loop of the epilogue is, as the nest's loops.
  mlir::AffineMap epilogueLoops() const;
  /// The names of the nodes of the model that it comes from.
  std::string nodes() const;
  void collectNames(llvm::SetVector<llvm::StringRef> &names) const;
  /// Calls `visit` with all that is read or stored.
  template <typename F> void forEachAccess(F visit) const {
    for (const auto *list : {&inputs, &epilogueInputs, &results})
      for (const Access &access : *list)
        visit(access);
    for (auto [sum, start] : llvm::zip(sums, starts))
      if (!start && !epilogue)
        visit(sum);
  }
};

/// The first of some names, and how many more there are.
std::string joinNames(llvm::ArrayRef<llvm::StringRef> names);
/// Whether elements of a type can be held and computed with.
bool isElement(mlir::Type type);
/// The nests of a function of the device. Fails, with an error at the operation, if one has no such form.
mlir::FailureOr<std::vector<Stage>> readStages(mlir::Region &body);

} // namespace mlc::fpga

// How the lanes of a step along the vector loop of a structured operation read and write memory: as one vector where they
// are contiguous, picked out of whole vectors where they are nearly so, else gathered and scattered.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlc::cpu {

/// How many elements a step covers, and how many of them count: all if there is no mask. One lane without a vector is
/// plain code.
struct Step {
  int64_t lanes = 1;
  bool isVector = false;
  mlir::Value mask, count;
};

/// The operands of an operation at the present position of its loops. Code is written by `b`.
class LaneAccess {
public:
  /// `vectorLoop` is -1 where all code is plain.
  LaneAccess(mlir::linalg::LinalgOp op, unsigned vectorBytes, int vectorLoop)
      : op(op), b(op.getLoc(), op), vectorBytes(vectorBytes), vectorLoop(vectorLoop), positions(op.getNumLoops()) {}

protected:
  /// A memory, and where in it an element lies.
  struct Place {
    mlir::Value memory;
    llvm::SmallVector<mlir::Value> indices;
  };

  static bool isVector(mlir::Value value) { return mlir::isa<mlir::VectorType>(value.getType()); }
  mlir::Value zero() { return index(0); }
  mlir::Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, value); }
  mlir::Value broadcast(mlir::Value value, int64_t lanes);
  mlir::Value broadcast(mlir::Value value, Step step) { return step.isVector ? broadcast(value, step.lanes) : value; }

  /// The lanes below `count` (an index).
  mlir::Value maskBelow(mlir::Value count, int64_t lanes);

  /// Goes to `place` along the vector loop, if there is one.
  void moveTo(mlir::Value place) {
    if (vectorLoop >= 0)
      positions[vectorLoop] = place;
  }
  /// Where the lanes are along `loop`; a scalar where that is the same for all.
  mlir::Value indexAt(unsigned loop, Step step);
  /// Where a map goes from the present position.
  llvm::SmallVector<mlir::Value> indicesOf(mlir::AffineMap map);
  /// That place in a form of the memory that operations on vectors take.
  Place placeOf(mlir::Value memory, llvm::SmallVector<mlir::Value> indices);

  /// What an operand holds; a scalar where that is the same in all lanes.
  mlir::Value read(mlir::OpOperand &operand, Step step);
  /// The same, in each lane.
  mlir::Value load(mlir::OpOperand &operand, Step step) { return broadcast(read(operand, step), step); }
  void store(mlir::OpOperand &operand, mlir::Value value, Step step);
  /// A read of the body itself, at indices that it computed; `values` are those of the body.
  mlir::Value gather(mlir::memref::LoadOp read, mlir::IRMapping &values, Step step);

  mlir::linalg::LinalgOp op;
  mlir::ImplicitLocOpBuilder b;
  unsigned vectorBytes;
  int vectorLoop;
  llvm::SmallVector<mlir::Value> positions; ///< of each loop, where code is being written

private:
  mlir::Value laneNumbers(Step step);
  mlir::Value linear(mlir::OpFoldResult start, llvm::ArrayRef<mlir::OpFoldResult> strides,
                     llvm::ArrayRef<mlir::OpFoldResult> indices);
  mlir::Value distances(mlir::OpOperand &operand, Step step);
  mlir::Value allLanes(Step step);
  mlir::Value nothing(mlir::VectorType type) { return mlir::arith::ConstantOp::create(b, b.getZeroAttr(type)); }
  mlir::Value loadContiguous(mlir::VectorType type, const Place &first, Step step);
  mlir::Value loadEvery(int64_t stride, mlir::VectorType type, Place first, Step step);
  Place after(Place place, int64_t elements);
  mlir::Value firstOfRun(mlir::Value index, mlir::IRMapping &values);
};

} // namespace mlc::cpu

// All kernels of a model on one chip: how far each is unrolled, what of it lies on the chip, and what that gives. The kernels
// run one after the other, and hand tensors on in the memory beside the chip.
#pragma once
#include "fpga/Plan.h"

namespace mlc::fpga {

struct Layer {
  mlir::gpu::GPUFuncOp function;
  int64_t launches = 1; ///< in a run of the model
  std::vector<Stage> stages;
  std::vector<Plan> plans; ///< of each stage, which they point to

  llvm::StringRef name() const { return mlir::gpu::GPUFuncOp(function).getName(); }
  int64_t cycles(const Board &board) const;
  int64_t multipliers(const Board &board) const;
  int64_t externalBytes() const;
  llvm::SmallVector<OnChip> memories() const;
  /// The names of the nodes of the model that it comes from.
  std::string nodes() const;
};

/// What is said of a layer, as text.
struct LayerReport {
  std::string layer, runs, multipliers, blocks, moved, cycles, rate, circuits;
};

/// Blocks of a board's memory in use, of each kind.
using Blocks = llvm::SmallVector<int64_t, 2>;

struct Schedule {
  Board board;
  std::vector<Layer> layers;

  /// For the board that the module's target names, with the folding that the operations carry.
  static mlir::FailureOr<Schedule> read(mlir::ModuleOp module);
  /// Decides the folding of all layers, for the fewest cycles that the board has room for. Fails, with an error at the
  /// layer, if there is no room for a layer even if nothing is unrolled.
  llvm::LogicalResult fold();
  /// Fails, with an error at the first layer that there is no room for.
  llvm::LogicalResult checkBudget() const;

  int64_t cycles() const;
  int64_t multipliers() const;
  Blocks blocks() const;
  /// Whether all that lies on the chip fits the board.
  bool hasRoom() const;
  double seconds() const { return double(cycles()) / (double(board.clock) * 1e6); }
  /// One line.
  std::string summary() const;
  std::vector<LayerReport> reports() const; ///< of each layer
  /// A table: each layer, and the whole beside what the board has.
  std::string report() const;
};

} // namespace mlc::fpga

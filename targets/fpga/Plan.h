// How a nest becomes a pipeline: which loops are unrolled, what is held on the chip, and what that takes. The writer of the
// text and the estimate both read a plan, and nothing else.
//
//   for outer loops                       parallel; parts of operands are brought onto the chip in them
//     for reduction loops                 one pipeline from here on: a new iteration in each cycle
//       for inner loops                   parallel: sums of floats that are on their way at once
//         unrolled parallel lanes         as many multipliers
//           unrolled reduction lanes
#pragma once
#include "fpga/Board.h"
#include "fpga/Stage.h"

namespace mlc::fpga {

/// The attribute of a structured operation with what was decided: `unroll`, a number for each loop, and `streamed`, the
/// operands that are read from the memory beside the chip each time.
inline constexpr llvm::StringLiteral foldingAttrName = "fpga.folding";

/// What is decided of a stage.
struct Folding {
  llvm::SmallVector<int64_t> unroll; ///< of each loop; divides its extent
  llvm::SmallVector<bool> streamed;  ///< of each input, and then each input of the epilogue

  static Folding none(const Stage &stage);
  /// As the attribute has it; nothing unrolled where there is none. Fails with an error where it does not fit the nest.
  static mlir::FailureOr<Folding> read(const Stage &stage);
  void write(const Stage &stage) const;
};

/// Memory on the chip.
struct OnChip {
  int64_t words = 0;    ///< one after the other
  int64_t wordBits = 0; ///< read in one cycle
};

/// An operand, or a part of it, that is held on the chip.
struct Buffer {
  unsigned input = 0; ///< of the inputs, and then those of the epilogue
  unsigned level = 0; ///< outer loops around it: it is filled in each iteration of the last of them
  /// The part, for each dimension of the operand: it starts at `from`, of outer loops, and has `size` elements, of which
  /// the nest reads the one at `at`.
  struct Dim {
    mlir::AffineExpr from, at; ///< of base variables and lanes, as Plan::place makes them
    int64_t size = 1;
    int64_t lanes = 1;           ///< read at once, side by side; they are a word
    mlir::AffineExpr word, lane; ///< where `at` is; both null if what is read at once does not lie in one word
  };
  llvm::SmallVector<Dim> dims;
  /// A line buffer: rows move through it, `step` new ones for each iteration of the outer loop. -1: none.
  int rolling = -1;
  int64_t step = 0;
  bool fillsLanes = false; ///< the lanes of the last dimension lie side by side outside, too, and come in one cycle

  int64_t elements() const;
  int64_t lanes() const;
  bool isBanked() const;
  OnChip memory(unsigned elementBits) const;
};

struct Plan {
  const Stage *stage;
  Folding folding;
  llvm::SmallVector<unsigned> outer, reductions, inner; ///< loops, from the outside inwards
  llvm::SmallVector<Buffer> buffers;                    ///< by level
  unsigned pipelineLevel = 0;                           ///< outer loops outside of the pipeline
  int64_t interval = 1;                                 ///< cycles from one iteration to the next
  OnChip sums;                                          ///< of inner loops and parallel lanes

  Plan(const Stage &stage, Folding folding, const Board &board);

  int64_t trips(unsigned loop) const { return stage->extents[loop] / folding.unroll[loop]; }
  const Access &input(unsigned number) const;
  /// An expression of loops as one of their variables: loop i is variable i, times its lanes, plus, if it is unrolled,
  /// variable numLoops + i, which counts the lanes.
  mlir::AffineExpr place(mlir::AffineExpr expr) const;
  const Buffer *bufferOf(unsigned input) const;
  unsigned numInputs() const { return stage->inputs.size() + stage->epilogueInputs.size(); }
  /// Whether all that is read in one cycle can be.
  bool isBanked() const {
    return llvm::all_of(buffers, [](const Buffer &buffer) { return buffer.isBanked(); });
  }
  /// Products of a contraction in one cycle.
  int64_t lanes(bool reductionsToo) const;

  int64_t cycles(const Board &board) const;
  int64_t multipliers(const Board &board) const;
  int64_t externalBytes() const;
  llvm::SmallVector<OnChip> memories() const;
  int64_t memoryBits() const;
};

} // namespace mlc::fpga

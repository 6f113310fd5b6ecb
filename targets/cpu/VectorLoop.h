// Which loop of a structured operation on buffers becomes that of vectors.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlc::cpu {

struct VectorLoop {
  int loop = -1;       ///< -1: none, the code is plain
  int64_t lanes = 1;   ///< of a full step along it
  int transposed = -1; ///< a loop along which what is strided along the first is contiguous, so that squares of both
                       ///< can be transposed in registers; -1: none
  int interleaved =
      -1; ///< a loop of 2, 4 or 8 whose results lie side by side in the output, and whole ones of it along
          ///< the first, so that vectors of results can be interleaved in registers; -1: none
};

/// The loop along which most operands are contiguous, as a cost says; none where the body has no vector form or vectors
/// would not pay.
VectorLoop chooseVectorLoop(mlir::linalg::LinalgOp op, unsigned vectorBytes);

/// The one operation by which a body adds to an output; null if there is more to it.
mlir::Operation *combinerOf(mlir::linalg::LinalgOp op, unsigned output);

} // namespace mlc::cpu

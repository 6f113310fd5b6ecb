// What mlc-expand-math can do, for those that have nothing to fall back on.
#pragma once

namespace mlir {
class Operation;
}

namespace mlc {
/// Whether the pass writes the operation as arithmetic.
bool canExpandMath(mlir::Operation *op);
} // namespace mlc

// Destinations that have become one although they are two.
#pragma once
#include "mlir/IR/Operation.h"

namespace mlc {

/// Gives every operand that is a tensor.empty (seen through casts and reshapes) memory of its own, where an operation
/// in `root` has the same one as another operand as well. Equal ones are joined by common subexpression elimination, but
/// two results must not be written to one place, and bufferization does not see that they are.
///
///   %e = tensor.empty() : tensor<8xf32>                %e1 = tensor.empty() ...  %e2 = tensor.empty() ...
///   %r:2 = linalg.generic outs(%e, %e)            =>   %r:2 = linalg.generic outs(%e1, %e2)
void separateDestinations(mlir::Operation *root);

} // namespace mlc

// How the maps of mlc.contract are read and made.
#pragma once
#include "mlir/IR/AffineMap.h"

namespace mlc {

/// The factor of each loop in an index that is a sum of loops times constants; fails for any other index.
llvm::FailureOr<llvm::SmallVector<int64_t>> loopFactors(mlir::AffineExpr index, unsigned loops);

/// The rhs_map of panels of `width` columns. `outer` loops come before the column loop, `batch` of them choose a
/// right-hand side; `depth` are the extents of the depth loops, outermost first, of which the first may be dynamic. With
/// a `group` of more than one, a last depth loop of that extent follows these.
mlir::AffineMap panelMap(mlir::MLIRContext *context, unsigned outer, llvm::ArrayRef<unsigned> batch,
                         llvm::ArrayRef<int64_t> depth, int64_t width, int64_t group = 1);

} // namespace mlc

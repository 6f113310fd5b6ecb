// Instructions that sum several products of integers for each lane of a vector.
#pragma once
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlc::cpu {

/// sum[i] + lhs[i * group] * rhs[i * group] + ..., `group` products, for each of `lanes` sums of 32 bits; it wraps around.
struct DotProduct {
  llvm::StringLiteral intrinsic; ///< LLVM's name of it
  int64_t group;
  unsigned bits;      ///< of a factor
  bool lhsIsUnsigned; ///< the factors of lhs; those of rhs are signed
  int64_t lanes;
  bool accumulates; ///< it takes the sum as its first operand; else it gives only the products' sum
};

/// Null if there is none of that name.
const DotProduct *findDotProduct(llvm::StringRef intrinsic);

} // namespace mlc::cpu

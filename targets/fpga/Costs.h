// What operations take of a vendor's chips. Numbers of multipliers are what the vendors say of theirs (Costs.cpp); they are
// an estimate of what the vendor's tools will make of the text.
#pragma once
#include "fpga/Board.h"
#include "fpga/Stage.h"

namespace mlc::fpga {

class Cost {
public:
  explicit Cost(Vendor vendor) : vendor(vendor) {}
  /// Multipliers of one product of a contraction, and of adding it.
  int64_t product(mlir::Type lhs, mlir::Type rhs) const;
  /// Multipliers of one run of a body.
  int64_t body(mlir::linalg::LinalgOp op) const;

private:
  int64_t of(mlir::Operation *op) const;
  int64_t ofIntegers(unsigned bits) const;
  Vendor vendor;
};

/// Cycles from a term of a sum to when the next one can be added.
int64_t sumLatency(const Stage &stage, Vendor vendor);

} // namespace mlc::fpga

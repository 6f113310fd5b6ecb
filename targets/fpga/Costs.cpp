// Sources.
//
// AMD, slices DSP48E2 (27 x 18 bits, UG579): floats as the Floating-Point Operator (PG060) makes them with its usual use of
// slices: an addition 2, a multiplication 3, a fused one both; the exponential 7, the logarithm 13 in Vitis HLS. Division and
// square root take logic only. Integers of up to 18 bits take a slice, of up to 27 two, of 32 three, of 64 sixteen.
//
// Intel, multipliers of 18 x 19, two to a DSP block (Intel 683149, table 10): a block adds and multiplies one pair of floats
// of 32 bits, or multiplies 27 x 27 bits; 36 x 36 bits take two blocks, 64 x 64 eight. Division takes four blocks and the
// elementary functions about as many, in Intel's floating-point IP (UG-01058).
//
// An addition of floats takes as many cycles to be done as sumLatency says at clocks of 200 to 400 MHz; a comparison two.
#include "fpga/Costs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace mlc::fpga {

int64_t Cost::ofIntegers(unsigned bits) const {
  if (vendor == Vendor::Amd)
    return bits <= 18 ? 1 : bits <= 27 ? 2 : bits <= 32 ? 3 : 16;
  return bits <= 18 ? 1 : bits <= 27 ? 2 : bits <= 36 ? 4 : 16;
}

int64_t Cost::product(Type lhs, Type rhs) const {
  if (lhs.isF32())
    return vendor == Vendor::Amd ? 5 : 2;
  return ofIntegers(std::max(lhs.getIntOrFloatBitWidth(), rhs.getIntOrFloatBitWidth()));
}

int64_t Cost::of(Operation *op) const {
  const bool isAmd = vendor == Vendor::Amd;
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case<arith::AddFOp, arith::SubFOp>([&](auto) { return 2; })
      .Case([&](arith::MulFOp) { return isAmd ? 3 : 2; })
      .Case([&](math::FmaOp) { return isAmd ? 5 : 2; })
      .Case<arith::DivFOp, arith::RemFOp, math::SqrtOp, math::RsqrtOp>([&](auto) { return isAmd ? 0 : 8; })
      .Case([&](math::LogOp) { return isAmd ? 13 : 8; })
      .Case([&](arith::MulIOp) { return ofIntegers(op->getResult(0).getType().getIntOrFloatBitWidth()); })
      .Case<math::AbsFOp, math::CeilOp, math::FloorOp, math::RoundEvenOp, math::RoundOp, math::TruncOp, math::AbsIOp,
            math::CopySignOp, math::IsNaNOp, math::IsInfOp, math::IsFiniteOp, math::CountLeadingZerosOp, math::CtPopOp>(
          [](auto) { return 0; })
      .Default([&](Operation *other) { return isa<math::MathDialect>(other->getDialect()) ? (isAmd ? 7 : 8) : 0; });
}

int64_t Cost::body(linalg::LinalgOp op) const {
  int64_t count = 0;
  for (Operation &inner : *op.getBlock())
    count += of(&inner);
  return count;
}

int64_t sumLatency(const Stage &stage, Vendor) {
  constexpr int64_t ofAddition = 8, ofComparison = 2;
  if (!stage.reduces() || stage.sumsIntegers())
    return 1;
  auto structured = stage.structured();
  bool adds = !structured || llvm::any_of(*structured.getBlock(), [](Operation &op) {
    return isa<arith::AddFOp, arith::MulFOp, arith::SubFOp, arith::DivFOp, math::FmaOp>(op);
  });
  return adds ? ofAddition : ofComparison;
}

} // namespace mlc::fpga

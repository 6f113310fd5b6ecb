// Contractions on tensor cores: a warp multiplies 16 rows by 8 columns in one instruction, of as many terms as 8 words
// hold. Those of f16 and bf16 lose nothing of a product, and sum as f32; bytes sum as i32. tf32 are floats of which 10 bits
// of the mantissa are multiplied: not what f32 means, so that is done only where the user asks for it.
//
// Who holds what is as in "Parallel Thread Execution ISA", matrix fragments for mma.m16n8k8 of tf32: thread 4 g + t of a
// warp has rows g and g + 8, and words t and t + 4 of the left-hand side, columns 2 t and 2 t + 1 of the sums. With two
// halves for each word, these are also the fragments of mma.m16n8k16, and with four bytes, of mma.m16n8k32.
#include "cuda/TensorCores.h"
#include "gpu/Gpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace mlc::cuda {

namespace {

/// Of a block: warps along rows and along columns.
constexpr int64_t warpRows = 2, warpColumns = 4, lanes = 32;
/// Of an instruction, and how many of them a warp has in both directions.
constexpr int64_t mmaRows = 16, mmaColumns = 8, mmaWords = 8, mmasDown = 2, mmasAcross = 2;
constexpr int64_t bitsOfWord = 32;

class WarpProduct : public gpu::TileProduct {
public:
  /// Of factors that are f32, f16, bf16 or bytes.
  explicit WarpProduct(Type factor, bool isLhsUnsigned = false) : isLhsUnsigned(isLhsUnsigned) {
    threads = {warpRows * warpColumns, lanes};
    rows = warpRows * mmasDown * mmaRows;
    columns = warpColumns * mmasAcross * mmaColumns;
    termsOfWord = bitsOfWord / factor.getIntOrFloatBitWidth();
    depth = 2 * mmaWords * termsOfWord;
    staged = factor;
    lhsPadding = 4; // rows g and words t meet in different banks: 20 g + t
    rhsPadding = 8; // 72 t + g
    sums = mmasDown * mmasAcross * 4;
    sumsOfRow = 2;
  }

  Value stage(OpBuilder &b, Location loc, Value element) const override {
    if (staged.isInteger())
      return arith::TruncIOp::create(b, loc, staged, element);
    if (!staged.isF32())
      return arith::TruncFOp::create(b, loc, staged, element);
    auto nearest = NVVM::FPRoundingModeAttr::get(b.getContext(), NVVM::FPRoundingMode::RNA);
    Value bits = NVVM::ConvertFloatToTF32Op::create(b, loc, b.getI32Type(), element, nearest);
    return arith::BitcastOp::create(b, loc, staged, bits);
  }

  std::pair<Value, Value> placeOf(OpBuilder &b, Location loc, ValueRange thread, int64_t sum) const override {
    int64_t down = sum / 4 / mmasAcross, across = sum / 4 % mmasAcross, part = sum % 4;
    Lane lane(b, loc, thread);
    Value row = lane.plus(lane.plus(lane.firstRow, lane.group), down * mmaRows + part / 2 * 8);
    Value column = lane.plus(lane.plus(lane.firstColumn, lane.times(lane.inGroup, 2)), across * mmaColumns + part % 2);
    return {row, column};
  }

  SmallVector<Value> multiply(OpBuilder &b, Location loc, ValueRange thread, Value lhs, Value rhs,
                              ValueRange sums) const override {
    Lane lane(b, loc, thread);
    auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, sums[0].getType()));
    auto load = [&](Value from, Value i, Value j) { return loadWord(b, loc, from, i, j); };
    SmallVector<Value> all(sums);
    for (int64_t word = 0; word < depth / termsOfWord; word += mmaWords) {
      Value first = lane.plus(lane.inGroup, word), second = lane.plus(lane.inGroup, word + 4);
      SmallVector<SmallVector<Value>> left, right;
      for (int64_t down = 0; down < mmasDown; ++down) {
        Value upper = lane.plus(lane.plus(lane.firstRow, lane.group), down * mmaRows), lower = lane.plus(upper, 8);
        left.push_back(
            {load(lhs, upper, first), load(lhs, lower, first), load(lhs, upper, second), load(lhs, lower, second)});
      }
      for (int64_t across = 0; across < mmasAcross; ++across) {
        Value column = lane.plus(lane.plus(lane.firstColumn, lane.group), across * mmaColumns);
        right.push_back({load(rhs, first, column), load(rhs, second, column)});
      }
      for (int64_t down = 0; down < mmasDown; ++down)
        for (int64_t across = 0; across < mmasAcross; ++across) {
          auto part = MutableArrayRef<Value>(all).slice((down * mmasAcross + across) * 4, 4);
          Value added = NVVM::MmaOp::create(b, loc, result, left[down], right[across], part,
                                            {mmaRows, mmaColumns, mmaWords * termsOfWord}, /*b1Op=*/std::nullopt,
                                            overflow(), std::array{typeOf(isLhsUnsigned), typeOf(false)},
                                            std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
          for (int64_t i = 0; i < 4; ++i)
            part[i] = LLVM::ExtractValueOp::create(b, loc, added, i);
        }
    }
    return all;
  }

private:
  NVVM::MMATypes typeOf(bool isUnsigned) const {
    return staged.isF16()    ? NVVM::MMATypes::f16
           : staged.isBF16() ? NVVM::MMATypes::bf16
           : staged.isF32()  ? NVVM::MMATypes::tf32
           : isUnsigned      ? NVVM::MMATypes::u8
                             : NVVM::MMATypes::s8;
  }
  std::optional<NVVM::MMAIntOverflow> overflow() const {
    return staged.isInteger() ? std::optional(NVVM::MMAIntOverflow::wrapped) : std::nullopt;
  }

  /// As the instruction takes it: the bits, or two f16.
  Value loadWord(OpBuilder &b, Location loc, Value from, Value i, Value j) const {
    if (staged.isF32())
      return arith::BitcastOp::create(b, loc, b.getI32Type(), memref::LoadOp::create(b, loc, from, ValueRange{i, j}));
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value word = vector::LoadOp::create(b, loc, VectorType::get(termsOfWord, staged), from, ValueRange{i, j, zero},
                                        /*nontemporal=*/false, llvm::MaybeAlign(bitsOfWord / 8));
    return staged.isF16() ? word : LLVM::BitcastOp::create(b, loc, b.getI32Type(), word).getResult();
  }

  /// Where a thread stands in the tile.
  struct Lane {
    Lane(OpBuilder &b, Location loc, ValueRange thread) : b(b), loc(loc) {
      Value acrossWarps = constant(warpColumns), four = constant(4);
      firstRow = times(arith::DivUIOp::create(b, loc, thread[0], acrossWarps), mmasDown * mmaRows);
      firstColumn = times(arith::RemUIOp::create(b, loc, thread[0], acrossWarps), mmasAcross * mmaColumns);
      group = arith::DivUIOp::create(b, loc, thread[1], four);
      inGroup = arith::RemUIOp::create(b, loc, thread[1], four);
    }
    Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
    Value plus(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
    Value plus(Value x, int64_t y) { return plus(x, constant(y)); }
    Value times(Value x, int64_t y) { return b.createOrFold<arith::MulIOp>(loc, x, constant(y)); }
    OpBuilder &b;
    Location loc;
    Value firstRow, firstColumn, group, inGroup;
  };

  bool isLhsUnsigned;
};

} // namespace

std::unique_ptr<gpu::TileProduct> tensorCores(ContractOp op, bool useTf32) {
  Type sum = op.getElementType(), lhs = getElementTypeOrSelf(op.getLhs().getType()),
       rhs = getElementTypeOrSelf(op.getRhs().getType());
  if (sum.isInteger(32) && lhs.isInteger(8) && rhs.isInteger(8))
    return std::make_unique<WarpProduct>(lhs, op.getLhsUnsigned());
  if (!sum.isF32())
    return nullptr;
  if (auto halves = op->getAttrOfType<TypeAttr>(gpu::halvesAttrName))
    return std::make_unique<WarpProduct>(halves.getValue());
  return useTf32 ? std::make_unique<WarpProduct>(sum) : nullptr;
}

} // namespace mlc::cuda

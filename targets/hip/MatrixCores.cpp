// Contractions on matrix cores: a wave multiplies 16 rows by 16 columns in one instruction, and sums as f32 or i32.
//
// In all of them lane l has terms of row l % 16 of the left-hand side and of column l % 16 of the right-hand side, and
// sums of column l % 16. What differs is data: how many terms a lane has, whether the 16 lanes that follow have the next
// terms or the same, and which rows a lane's sums are of. ("AMD Matrix Instruction Calculator" prints this for each
// instruction; RDNA 3 is also in "How to accelerate AI applications on RDNA 3 using WMMA" of GPUOpen.) Which term of the
// depth is the first one does not matter, as long as both sides agree.
//
// So tiles are staged in words of 64 bits, of terms that follow each other, for all chips alike, and a library for several
// chips has the same blocks, threads and tiles on each. Where instructions differ, each chip has its own part of a
// function, of which all others are gone when code is written for it:
//
//   %is = llvm.call_intrinsic "llvm.mlc.chip.is.gfx942"() : () -> i1
//   scf.if %is { rocdl.mfma.f32.16x16x16f16 ... } else { rocdl.wmma.f32.16x16x16.f16 ... }
#include "hip/MatrixCores.h"
#include "gpu/Gpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace mlc::hip {

namespace {

constexpr int64_t bitsOfWord = 64, side = 16;
/// Of a block: the threads, and the tile.
constexpr int64_t threadsDown = 4, threadsAcross = 64, tileSide = 64;
/// Of a wave: its part of the tile is so many columns; the waves of a block share the rows.
constexpr int64_t columnsOfWave = 32, across = columnsOfWave / side;

enum class Factor { F32, Xf32, F16, BF16, Int8 };

struct Instruction {
  MatrixCores cores;
  Factor factor;
  StringLiteral name;
  int64_t terms; ///< that a lane has
  bool isWideInt8 = false;
};

constexpr Instruction instructions[] = {
    {MatrixCores::Mfma, Factor::F32, "rocdl.mfma.f32.16x16x4f32", 1},
    {MatrixCores::Mfma, Factor::Xf32, "rocdl.mfma.f32.16x16x8.xf32", 2},
    {MatrixCores::Mfma, Factor::F16, "rocdl.mfma.f32.16x16x16f16", 4},
    {MatrixCores::Mfma, Factor::BF16, "rocdl.mfma.f32.16x16x16bf16.1k", 4},
    {MatrixCores::Mfma, Factor::Int8, "rocdl.mfma.i32.16x16x16i8", 4},
    {MatrixCores::Mfma, Factor::Int8, "rocdl.mfma.i32.16x16x32.i8", 8, /*isWideInt8=*/true},
    {MatrixCores::Wmma11, Factor::F16, "rocdl.wmma.f32.16x16x16.f16", 16},
    {MatrixCores::Wmma11, Factor::BF16, "rocdl.wmma.f32.16x16x16.bf16", 16},
    {MatrixCores::Wmma11, Factor::Int8, "rocdl.wmma.i32.16x16x16.iu8", 16},
    {MatrixCores::Wmma12, Factor::F16, "rocdl.wmma.f32.16x16x16.f16", 8},
    {MatrixCores::Wmma12, Factor::BF16, "rocdl.wmma.f32.16x16x16.bf16", 8},
    {MatrixCores::Wmma12, Factor::Int8, "rocdl.wmma.i32.16x16x16.iu8", 8},
};

/// Where the parts of a product are in a wave.
struct Layout {
  int64_t lanes;
  int64_t groups;                     ///< of 16 lanes, that have different terms
  int64_t rowsOfGroup, rowsOfSum = 1; ///< sum r of group g is of row g * rowsOfGroup + r * rowsOfSum
  int64_t sums() const { return side * side / lanes; }
};

Layout layoutOf(const Chip &chip) {
  switch (chip.cores) {
  case MatrixCores::Mfma:
    return {64, 4, /*rowsOfGroup=*/4};
  case MatrixCores::Wmma11:
    return {32, 1, /*rowsOfGroup=*/1, /*rowsOfSum=*/2};
  case MatrixCores::Wmma12:
    return {32, 2, /*rowsOfGroup=*/8};
  case MatrixCores::None:
    break;
  }
  return {chip.lanes, 1, side * side / chip.lanes};
}

/// What some of the chips do.
struct Way {
  const Instruction *instruction; ///< null: lanes multiply and add on their own
  Layout layout;
  SmallVector<const Chip *> chips;
};

const Instruction *instructionFor(const Chip &chip, Factor factor, bool isUnsigned, const Chips &chips) {
  if (factor == Factor::Int8 && isUnsigned && chip.cores == MatrixCores::Mfma)
    return nullptr;
  // No bit of a half is lost as f32.
  if ((factor == Factor::F16 || factor == Factor::BF16) && chip.flushesHalves && !chips.flushHalves)
    factor = Factor::F32;
  if (factor == Factor::F32 && chips.useXf32 && chip.hasXf32)
    factor = Factor::Xf32;
  for (const Instruction &known : instructions)
    if (known.cores == chip.cores && known.factor == factor &&
        (factor != Factor::Int8 || chip.cores != MatrixCores::Mfma || known.isWideInt8 == chip.hasWideInt8))
      return &known;
  return nullptr;
}

class WaveProduct : public gpu::TileProduct {
public:
  /// Of factors of a type, of which sums are `sum`.
  WaveProduct(Type factor, Type sum, bool isUnsigned, SmallVector<Way> ways)
      : sum(sum), isUnsigned(isUnsigned), ways(std::move(ways)) {
    threads = {threadsDown, threadsAcross};
    rows = columns = tileSide;
    termsOfWord = bitsOfWord / factor.getIntOrFloatBitWidth();
    depth = words * termsOfWord;
    staged = factor;
    lhsPadding = 1; // 16 rows meet in different banks: of 18 words of 32 bits each
    sums = tileSide * tileSide / (threadsDown * threadsAcross);
    sumsOfRow = across;
  }

  Value stage(OpBuilder &b, Location loc, Value element) const override {
    if (element.getType() == staged)
      return element;
    return staged.isInteger() ? arith::TruncIOp::create(b, loc, staged, element).getResult()
                              : arith::TruncFOp::create(b, loc, staged, element).getResult();
  }

  std::pair<Value, Value> placeOf(OpBuilder &b, Location loc, ValueRange thread, int64_t sum) const override {
    Value row, column;
    for (const Way &way : llvm::reverse(ways)) {
      Lane lane(b, loc, thread, way.layout);
      Value own = lane.rowOf(sum);
      Value ownColumn = lane.plus(lane.plus(lane.firstColumn, lane.inGroup), sum % across * side);
      if (row) {
        Value is = isOn(b, loc, way);
        own = arith::SelectOp::create(b, loc, is, own, row);
        ownColumn = arith::SelectOp::create(b, loc, is, ownColumn, column);
      }
      row = own, column = ownColumn;
    }
    return {row, column};
  }

  SmallVector<Value> multiply(OpBuilder &b, Location loc, ValueRange thread, Value lhs, Value rhs,
                              ValueRange sums) const override {
    return multiplyFrom(0, b, loc, thread, lhs, rhs, sums);
  }

private:
  static constexpr int64_t words = 8; ///< of a row of a tile

  /// Where a thread stands in the tile.
  struct Lane {
    Lane(OpBuilder &b, Location loc, ValueRange thread, Layout layout) : b(b), loc(loc), layout(layout) {
      Value number = plus(times(thread[0], threadsAcross), thread[1]);
      Value wave = over(number, layout.lanes), lane = rest(number, layout.lanes);
      constexpr int64_t wavesAcross = tileSide / columnsOfWave;
      firstRow = times(over(wave, wavesAcross), tilesDown() * side);
      firstColumn = times(rest(wave, wavesAcross), columnsOfWave);
      group = over(lane, side);
      inGroup = rest(lane, side);
    }
    /// Of 16 rows each.
    int64_t tilesDown() const { return tileSide * tileSide / (threadsDown * threadsAcross) / across / layout.sums(); }
    Value rowOf(int64_t sum) {
      int64_t down = sum / across / layout.sums(), r = sum / across % layout.sums();
      return plus(plus(firstRow, times(group, layout.rowsOfGroup)), down * side + r * layout.rowsOfSum);
    }
    Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
    Value plus(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
    Value plus(Value x, int64_t y) { return plus(x, constant(y)); }
    Value times(Value x, int64_t y) { return b.createOrFold<arith::MulIOp>(loc, x, constant(y)); }
    Value over(Value x, int64_t y) { return b.createOrFold<arith::DivUIOp>(loc, x, constant(y)); }
    Value rest(Value x, int64_t y) { return b.createOrFold<arith::RemUIOp>(loc, x, constant(y)); }
    OpBuilder &b;
    Location loc;
    Layout layout;
    Value firstRow, firstColumn, group, inGroup;
  };

  /// Whether code is written for one of the chips of a way.
  static Value isOn(OpBuilder &b, Location loc, const Way &way) {
    Value any;
    for (const Chip *chip : way.chips) {
      auto name = b.getStringAttr(Twine(isChipPrefix) + chip->name);
      Value is = LLVM::CallIntrinsicOp::create(b, loc, b.getI1Type(), name, ValueRange()).getResults();
      any = any ? arith::OrIOp::create(b, loc, any, is).getResult() : is;
    }
    return any;
  }

  SmallVector<Value> multiplyFrom(size_t first, OpBuilder &b, Location loc, ValueRange thread, Value lhs, Value rhs,
                                  ValueRange sums) const {
    auto multiplyBy = [&](OpBuilder &b, const Way &way) {
      return way.instruction
                 ? multiplyInWave(b, loc, Lane(b, loc, thread, way.layout), *way.instruction, lhs, rhs, sums)
                 : multiplyInLane(b, loc, Lane(b, loc, thread, way.layout), lhs, rhs, sums);
    };
    const Way &way = ways[first];
    if (first + 1 == ways.size())
      return multiplyBy(b, way);
    auto choice = scf::IfOp::create(
        b, loc, isOn(b, loc, way), [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, multiplyBy(b, way)); },
        [&](OpBuilder &b, Location) {
          scf::YieldOp::create(b, loc, multiplyFrom(first + 1, b, loc, thread, lhs, rhs, sums));
        });
    return SmallVector<Value>(choice.getResults());
  }

  /// The terms of a word of a tile.
  Value loadWord(OpBuilder &b, Location loc, Value from, Value i, Value j) const {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    return vector::LoadOp::create(b, loc, VectorType::get(termsOfWord, staged), from, ValueRange{i, j, zero},
                                  /*nontemporal=*/false, llvm::MaybeAlign(bitsOfWord / 8));
  }

  static Value slice(OpBuilder &b, Location loc, Value vector, int64_t begin, int64_t count) {
    if (count == 1)
      return vector::ExtractOp::create(b, loc, vector, begin);
    if (count == cast<VectorType>(vector.getType()).getNumElements())
      return vector;
    return vector::ShuffleOp::create(b, loc, vector, vector, llvm::to_vector(llvm::seq(begin, begin + count)));
  }

  static Value join(OpBuilder &b, Location loc, ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts[0];
    Value low = join(b, loc, parts.take_front(parts.size() / 2)),
          high = join(b, loc, parts.drop_front(parts.size() / 2));
    int64_t count = 2 * cast<VectorType>(low.getType()).getNumElements();
    return vector::ShuffleOp::create(b, loc, low, high, llvm::to_vector(llvm::seq<int64_t>(0, count)));
  }

  /// As an instruction takes its factors: bf16 as their bits, bytes as larger integers.
  Value asOperand(OpBuilder &b, Location loc, Value factors, const Instruction &instruction) const {
    auto type = dyn_cast<VectorType>(factors.getType());
    Type to = factors.getType();
    if (instruction.factor == Factor::BF16)
      to = type.clone(b.getI16Type());
    else if (instruction.factor == Factor::Int8 && instruction.cores == MatrixCores::Mfma)
      to = b.getIntegerType(type.getNumElements() * 8);
    else if (instruction.factor == Factor::Int8)
      to = VectorType::get(type.getNumElements() / 4, b.getI32Type());
    return to == factors.getType() ? factors : LLVM::BitcastOp::create(b, loc, to, factors).getResult();
  }

  Value build(OpBuilder &b, Location loc, const Instruction &instruction, Value left, Value right, Value sums) const {
    OperationState state(loc, instruction.name);
    state.addOperands({asOperand(b, loc, left, instruction), asOperand(b, loc, right, instruction), sums});
    state.addTypes(sums.getType());
    if (instruction.cores == MatrixCores::Mfma)
      state.addOperands(
          SmallVector<Value>(3, LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(0)))); // no broadcast
    else if (instruction.factor == Factor::Int8)
      state.addAttributes(
          {b.getNamedAttr("signA", b.getBoolAttr(!isUnsigned)), b.getNamedAttr("signB", b.getBoolAttr(true))});
    return b.create(state)->getResult(0);
  }

  SmallVector<Value> multiplyInWave(OpBuilder &b, Location loc, Lane lane, const Instruction &instruction, Value lhs,
                                    Value rhs, ValueRange sums) const {
    // A lane has several words, or parts of one after the other.
    const int64_t wordsOfLane = std::max<int64_t>(instruction.terms / termsOfWord, 1);
    const int64_t parts = std::max<int64_t>(termsOfWord / instruction.terms, 1);
    const int64_t sumsOfTile = lane.layout.sums(), tilesDown = lane.tilesDown();
    // Those of the tiles, side by side before they are below each other.
    SmallVector<Value> tiles;
    for (int64_t tile = 0; tile < tilesDown * across; ++tile) {
      SmallVector<Value> own;
      for (int64_t r = 0; r < sumsOfTile; ++r)
        own.push_back(sums[(tile / across * sumsOfTile + r) * across + tile % across]);
      tiles.push_back(vector::FromElementsOp::create(b, loc, VectorType::get(sumsOfTile, sum), own));
    }
    for (int64_t word = 0; word < words; word += wordsOfLane * lane.layout.groups) {
      Value first =
          lane.layout.groups == 1 ? lane.constant(word) : lane.plus(lane.times(lane.group, wordsOfLane), word);
      auto load = [&](Value from, Value line, bool isLeft) {
        SmallVector<Value> loaded;
        for (int64_t i = 0; i < wordsOfLane; ++i) {
          Value at = lane.plus(first, i);
          loaded.push_back(isLeft ? loadWord(b, loc, from, line, at) : loadWord(b, loc, from, at, line));
        }
        Value all = join(b, loc, loaded);
        if (isa<FloatType>(staged) && (instruction.factor == Factor::F32) && !staged.isF32())
          all = arith::ExtFOp::create(b, loc, cast<VectorType>(all.getType()).clone(b.getF32Type()), all);
        return all;
      };
      SmallVector<Value> left, right;
      for (int64_t down = 0; down < tilesDown; ++down)
        left.push_back(load(lhs, lane.plus(lane.plus(lane.firstRow, lane.inGroup), down * side), /*isLeft=*/true));
      for (int64_t beside = 0; beside < across; ++beside)
        right.push_back(
            load(rhs, lane.plus(lane.plus(lane.firstColumn, lane.inGroup), beside * side), /*isLeft=*/false));
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t tile = 0; tile < tilesDown * across; ++tile)
          tiles[tile] = build(
              b, loc, instruction, slice(b, loc, left[tile / across], part * instruction.terms, instruction.terms),
              slice(b, loc, right[tile % across], part * instruction.terms, instruction.terms), tiles[tile]);
    }
    SmallVector<Value> all(sums.size());
    for (auto [tile, value] : llvm::enumerate(tiles))
      for (int64_t r = 0; r < sumsOfTile; ++r)
        all[(tile / across * sumsOfTile + r) * across + tile % across] = vector::ExtractOp::create(b, loc, value, r);
    return all;
  }

  /// For a chip without an instruction for this, beside others that have one.
  SmallVector<Value> multiplyInLane(OpBuilder &b, Location loc, Lane lane, Value lhs, Value rhs,
                                    ValueRange sums) const {
    SmallVector<Value> ownRows, ownColumns, left, right;
    for (int64_t first = 0; first < int64_t(sums.size()); first += across)
      ownRows.push_back(lane.rowOf(first));
    for (int64_t beside = 0; beside < across; ++beside)
      ownColumns.push_back(lane.plus(lane.plus(lane.firstColumn, lane.inGroup), beside * side));
    auto loop = scf::ForOp::create(b, loc, lane.constant(0), lane.constant(words), lane.constant(1), sums);
    OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
    Value word = loop.getInductionVar();
    auto extended = [&](Value terms, bool isSigned) -> Value {
      Type to = cast<VectorType>(terms.getType()).clone(sum);
      if (to == terms.getType())
        return terms;
      if (!sum.isInteger())
        return arith::ExtFOp::create(inner, loc, to, terms);
      return isSigned ? arith::ExtSIOp::create(inner, loc, to, terms).getResult()
                      : arith::ExtUIOp::create(inner, loc, to, terms).getResult();
    };
    for (Value row : ownRows)
      left.push_back(extended(loadWord(inner, loc, lhs, row, word), !isUnsigned));
    for (Value column : ownColumns)
      right.push_back(extended(loadWord(inner, loc, rhs, word, column), /*isSigned=*/true));
    SmallVector<Value> all(loop.getRegionIterArgs());
    for (auto [i, value] : llvm::enumerate(all))
      for (int64_t term = 0; term < termsOfWord; ++term) {
        Value x = slice(inner, loc, left[i / across], term, 1), y = slice(inner, loc, right[i % across], term, 1);
        if (sum.isInteger())
          value = arith::AddIOp::create(inner, loc, value, arith::MulIOp::create(inner, loc, x, y));
        else
          value = math::FmaOp::create(inner, loc, x, y, value);
      }
    scf::YieldOp::create(inner, loc, all);
    return SmallVector<Value>(loop.getResults());
  }

  Type sum;
  bool isUnsigned; ///< the left-hand side
  SmallVector<Way> ways;
};

} // namespace

std::unique_ptr<gpu::TileProduct> matrixCores(ContractOp op, const Chips &chips) {
  Type sum = op.getElementType(), lhs = getElementTypeOrSelf(op.getLhs().getType()),
       rhs = getElementTypeOrSelf(op.getRhs().getType()), factor = sum;
  auto halves = op->getAttrOfType<TypeAttr>(gpu::halvesAttrName);
  Factor kind = Factor::F32;
  if (sum.isInteger(32) && lhs.isInteger(8) && rhs.isInteger(8))
    kind = Factor::Int8, factor = lhs;
  else if (!sum.isF32())
    return nullptr;
  else if (halves)
    kind = halves.getValue().isF16() ? Factor::F16 : Factor::BF16, factor = halves.getValue();
  SmallVector<Way> ways;
  for (const Chip *chip : chips.list) {
    const Instruction *instruction = instructionFor(*chip, kind, op.getLhsUnsigned(), chips);
    Layout layout = layoutOf(*chip);
    auto *same = llvm::find_if(ways, [&](const Way &way) {
      return way.instruction == instruction && way.layout.lanes == layout.lanes && way.layout.groups == layout.groups;
    });
    if (same == ways.end())
      ways.push_back({instruction, layout, {chip}});
    else
      same->chips.push_back(chip);
  }
  if (llvm::none_of(ways, [](const Way &way) { return way.instruction; }))
    return nullptr;
  return std::make_unique<WaveProduct>(factor, sum, op.getLhsUnsigned(), std::move(ways));
}

} // namespace mlc::hip

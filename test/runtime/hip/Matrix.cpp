// Instructions of matrix cores: 16 rows by 16 columns. Which lane has what is as "AMD Matrix Instruction Calculator" prints it.
#include "Wave.h"
#include <cstdlib>

namespace gcn {

namespace {

/// "v_mfma_f32_16x16x16_f16", "v_mfma_i32_16x16x16i8", "v_wmma_i32_16x16x16_iu8"
struct Shape {
  bool isMfma, isInteger;
  uint32_t depth;
  std::string factor;
};

bool readShape(const std::string &name, Shape &shape) {
  char unit[8], sum[8], factor[16];
  if (sscanf(name.c_str(), "v_%4[a-z]_%3[a-z0-9]_16x16x%u%15s", unit, sum, &shape.depth, factor) != 4)
    return false;
  shape.isMfma = std::string(unit) == "mfma";
  shape.isInteger = std::string(sum) == "i32";
  shape.factor = factor[0] == '_' ? factor + 1 : factor;
  if (shape.factor.ends_with("_1k"))
    shape.factor.resize(shape.factor.size() - 3);
  return (shape.isMfma || std::string(unit) == "wmma") && (std::string(sum) == "f32" || shape.isInteger);
}

/// Where the elements are: `terms` of a lane, and the same or the next ones in each further group of 16 lanes.
struct Places {
  uint32_t groups, terms;
  uint32_t rowsOfGroup, rowsOfSum;
};

Places placesOf(const Shape &shape, Generation generation) {
  if (shape.isMfma)
    return {4, shape.depth / 4, 4, 1};
  if (generation == Generation::Gfx11)
    return {1, shape.depth, 1, 2};
  return {2, shape.depth / 2, 8, 1};
}

/// Term `k` of row or column `line`.
double factorAt(Wave &wave, const Instruction &instruction, const Shape &shape, const Places &places, size_t source,
                uint32_t line, uint32_t k) {
  const Operand &operand = instruction.operands.at(1 + source);
  const uint32_t lane = line + 16 * (k / places.terms), term = k % places.terms;
  const unsigned bits = shape.isInteger ? 8 : shape.factor == "f32" || shape.factor == "xf32" ? 32 : 16;
  const uint32_t perWord = 32 / bits, word = term / perWord;
  auto load = [&](uint32_t from) {
    return operand.kind == Operand::Vector || operand.kind == Operand::Accumulator
               ? wave.word(operand, from, word)
               : uint32_t(wave.bits(instruction, operand, from, 32, true));
  };
  const uint32_t whole = load(lane);
  // Where the second group of lanes has the same terms, it must have them.
  if (places.groups == 1 && load(lane + 16) != whole)
    fail(instruction, "gets other factors in lanes 16 to 31 than in lanes 0 to 15");
  const uint32_t part = whole >> (bits * (term % perWord));
  if (shape.isInteger)
    return shape.factor == "i8" || instruction.negateLow[source] ? double(int8_t(part)) : double(uint8_t(part));
  float value = bits == 32              ? std::bit_cast<float>(part)
                : shape.factor == "f16" ? toFloat(Half{uint16_t(part)})
                                        : fromBrain(uint16_t(part));
  if (shape.factor == "xf32" && std::isfinite(value))
    value = std::bit_cast<float>((part + 0xfff + (part >> 13 & 1)) & 0xffffe000); // 10 bits of the mantissa
  if (bits == 16 && wave.block.module.chip == "gfx90a" &&
      std::fabs(value) < (shape.factor == "f16" ? 0x1p-14f : 0x1p-126f))
    return 0;
  return value;
}

void multiply(Wave &wave, const Instruction &instruction) {
  Shape shape;
  readShape(instruction.name, shape);
  const Places places = placesOf(shape, wave.block.module.generation);
  const uint32_t lanes = wave.lanes();
  const uint64_t all = lanes == 64 ? ~uint64_t(0) : 0xffffffff;
  if (wave.mask(exec) != all)
    fail(instruction, "is reached by some of the lanes only");
  std::vector<uint32_t> results(256);
  const Operand &to = instruction.operands.at(0), &from = instruction.operands.at(3);
  auto forEachSum = [&](auto body) {
    for (uint32_t lane = 0; lane < lanes; ++lane)
      for (uint32_t r = 0; r < 256 / lanes; ++r)
        body(lane, r, lane / 16 * places.rowsOfGroup + r * places.rowsOfSum, lane % 16);
  };
  forEachSum([&](uint32_t lane, uint32_t r, uint32_t row, uint32_t column) {
    const uint32_t before = from.kind == Operand::Vector || from.kind == Operand::Accumulator
                                ? wave.word(from, lane, r)
                                : uint32_t(wave.bits(instruction, from, lane, 32, !shape.isInteger));
    uint32_t &result = results[row * 16 + column];
    if (shape.isInteger) {
      result = before;
      for (uint32_t k = 0; k < shape.depth; ++k)
        result += uint32_t(int32_t(factorAt(wave, instruction, shape, places, 0, row, k) *
                                   factorAt(wave, instruction, shape, places, 1, column, k)));
      return;
    }
    float sum = std::bit_cast<float>(before);
    for (uint32_t k = 0; k < shape.depth; ++k)
      sum = std::fma(float(factorAt(wave, instruction, shape, places, 0, row, k)),
                     float(factorAt(wave, instruction, shape, places, 1, column, k)), sum);
    result = std::bit_cast<uint32_t>(sum);
  });
  forEachSum([&](uint32_t lane, uint32_t r, uint32_t row, uint32_t column) {
    wave.word(to, lane, r) = results[row * 16 + column];
  });
}

} // namespace

Executor findMatrix(const std::string &name) {
  Shape shape;
  if (!readShape(name, shape))
    return nullptr;
  for (const char *factor : {"f32", "xf32", "f16", "bf16", "i8", "iu8"})
    if (shape.factor == factor)
      return multiply;
  return nullptr;
}

} // namespace gcn

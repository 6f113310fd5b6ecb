// Instructions of matrix cores: 16 rows by 16 columns. Which lane has what is as "AMD Matrix Instruction Calculator" prints it.
#include "Wave.h"
#include <optional>
#include <unordered_map>

namespace gcn {

namespace {

enum class Factor { F32, Xf32, F16, BF16, SignedBytes, Bytes };
constexpr uint32_t mostDepth = 32;

/// What a name says: "v_mfma_f32_16x16x16_f16", "v_mfma_i32_16x16x16i8", "v_wmma_i32_16x16x16_iu8"
struct Shape {
  bool isMfma, isInteger;
  uint32_t depth;
  Factor factor;
};

std::optional<Shape> readShape(const std::string &name) {
  char unit[8], sum[8], text[16];
  uint32_t depth;
  if (sscanf(name.c_str(), "v_%4[a-z]_%3[a-z0-9]_16x16x%u%15s", unit, sum, &depth, text) != 4 || depth > mostDepth)
    return std::nullopt;
  std::string factor = text[0] == '_' ? text + 1 : text;
  if (factor.ends_with("_1k"))
    factor.resize(factor.size() - 3);
  static const std::pair<const char *, Factor> factors[] = {{"f32", Factor::F32},        {"xf32", Factor::Xf32},
                                                            {"f16", Factor::F16},        {"bf16", Factor::BF16},
                                                            {"i8", Factor::SignedBytes}, {"iu8", Factor::Bytes}};
  const bool isMfma = std::string(unit) == "mfma", isInteger = std::string(sum) == "i32";
  if ((isMfma || std::string(unit) == "wmma") && (isInteger || std::string(sum) == "f32"))
    for (auto [known, kind] : factors)
      if (factor == known)
        return Shape{isMfma, isInteger, depth, kind};
  return std::nullopt;
}

/// Read once for each name.
const std::optional<Shape> &shapeNamed(const std::string &name) {
  static std::unordered_map<std::string, std::optional<Shape>> known;
  auto [place, isNew] = known.try_emplace(name);
  if (isNew)
    place->second = readShape(name);
  return place->second;
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

/// Bits of a source of all lanes, of which one may be a constant.
uint32_t wordOf(Wave &wave, const Instruction &instruction, const Operand &operand, uint32_t lane, uint32_t i,
                bool isFloat) {
  return operand.kind == Operand::Vector || operand.kind == Operand::Accumulator
             ? wave.word(operand, lane, i)
             : uint32_t(wave.bits(instruction, operand, lane, 32, isFloat));
}

/// A factor of 16 or 32 bits.
float toFactor(const Wave &wave, Factor factor, uint32_t bits) {
  switch (factor) {
  case Factor::F32:
    return std::bit_cast<float>(bits);
  case Factor::Xf32: { // 10 bits of the mantissa
    const float value = std::bit_cast<float>(bits);
    return std::isfinite(value) ? std::bit_cast<float>((bits + 0xfff + (bits >> 13 & 1)) & 0xffffe000) : value;
  }
  default:
    break;
  }
  const float value = factor == Factor::F16 ? toFloat(Half{uint16_t(bits)}) : fromBrain(uint16_t(bits));
  const bool isSubnormal = std::fabs(value) < (factor == Factor::F16 ? 0x1p-14f : 0x1p-126f);
  return isSubnormal && wave.block.module.chip == "gfx90a" ? 0 : value;
}

/// The factors of all rows, or of all columns: each a line of as many as the depth. Bytes are exact in a float.
void loadFactors(Wave &wave, const Instruction &instruction, const Shape &shape, const Places &places, size_t source,
                 float *to) {
  const Operand &operand = instruction.operands.at(1 + source);
  const unsigned bits = shape.factor == Factor::Bytes || shape.factor == Factor::SignedBytes ? 8
                        : shape.factor == Factor::F32 || shape.factor == Factor::Xf32        ? 32
                                                                                             : 16;
  const bool hasSign = shape.factor == Factor::SignedBytes || instruction.negateLow[source];
  for (uint32_t lane = 0; lane < places.groups * 16; ++lane)
    for (uint32_t term = 0; term < places.terms; ++term) {
      const uint32_t word = term * bits / 32, whole = wordOf(wave, instruction, operand, lane, word, true);
      // Where the second group of lanes has the same terms, it must have them.
      if (places.groups == 1 && wordOf(wave, instruction, operand, lane + 16, word, true) != whole)
        fail(instruction, "gets other factors in lanes 16 to 31 than in lanes 0 to 15");
      const uint32_t part = whole >> (term * bits % 32);
      to[lane % 16 * shape.depth + lane / 16 * places.terms + term] =
          bits == 8 ? (hasSign ? float(int8_t(part)) : float(uint8_t(part))) : toFactor(wave, shape.factor, part);
    }
}

void multiply(Wave &wave, const Instruction &instruction) {
  const Shape shape = *shapeNamed(instruction.name);
  const Places places = placesOf(shape, wave.block.module.generation);
  const uint32_t lanes = wave.lanes(), depth = shape.depth;
  if (wave.mask(exec) != (lanes == 64 ? ~uint64_t(0) : 0xffffffff))
    fail(instruction, "is reached by some of the lanes only");
  float left[16 * mostDepth], right[16 * mostDepth];
  loadFactors(wave, instruction, shape, places, 0, left);
  loadFactors(wave, instruction, shape, places, 1, right);
  const Operand &to = instruction.operands.at(0), &from = instruction.operands.at(3);
  std::array<uint32_t, 256> results;
  for (uint32_t lane = 0; lane < lanes; ++lane)
    for (uint32_t r = 0; r < 256 / lanes; ++r) {
      const float *x = left + (lane / 16 * places.rowsOfGroup + r * places.rowsOfSum) * depth,
                  *y = right + lane % 16 * depth;
      const uint32_t before = wordOf(wave, instruction, from, lane, r, !shape.isInteger);
      float sum = std::bit_cast<float>(before);
      uint32_t integers = before;
      for (uint32_t k = 0; k < depth; ++k)
        if (shape.isInteger)
          integers += uint32_t(int32_t(x[k] * y[k]));
        else
          sum = std::fma(x[k], y[k], sum);
      results[lane * (256 / lanes) + r] = shape.isInteger ? integers : std::bit_cast<uint32_t>(sum);
    }
  for (uint32_t lane = 0; lane < lanes; ++lane)
    for (uint32_t r = 0; r < 256 / lanes; ++r)
      wave.word(to, lane, r) = results[lane * (256 / lanes) + r];
}

} // namespace

Executor findMatrix(const std::string &name) { return shapeNamed(name) ? multiply : nullptr; }

} // namespace gcn

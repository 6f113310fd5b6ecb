// Instructions that compare: a condition of the wave, or a bit for each lane.
#include "Lanes.h"
#include <utility>

namespace gcn {

namespace {

bool operator<(Half a, Half b) { return toFloat(a) < toFloat(b); }
bool operator==(Half a, Half b) { return toFloat(a) == toFloat(b); }

/// What conditions are called; a negated one holds for NaN, too.
template <typename Value> struct Condition {
  const char *name;
  bool (*holds)(Value, Value);
};
template <typename Value>
constexpr Condition<Value> conditions[] = {
    {"eq", [](Value a, Value b) { return a == b; }},
    {"ne", [](Value a, Value b) { return !(a == b); }},
    {"lg", [](Value a, Value b) { return a < b || b < a; }},
    {"lt", [](Value a, Value b) { return a < b; }},
    {"le", [](Value a, Value b) { return a < b || a == b; }},
    {"gt", [](Value a, Value b) { return b < a; }},
    {"ge", [](Value a, Value b) { return b < a || a == b; }},
    {"o", [](Value a, Value b) { return a == a && b == b; }},
    {"u", [](Value a, Value b) { return !(a == a && b == b); }},
    {"neq", [](Value a, Value b) { return !(a == b); }},
    {"nlg", [](Value a, Value b) { return !(a < b || b < a); }},
    {"nlt", [](Value a, Value b) { return !(a < b); }},
    {"nle", [](Value a, Value b) { return !(a < b || a == b); }},
    {"ngt", [](Value a, Value b) { return !(b < a); }},
    {"nge", [](Value a, Value b) { return !(b < a || a == b); }},
};

template <typename Value, size_t n> struct OfWave {
  static void execute(Wave &wave, const Instruction &instruction) {
    wave.condition = conditions<Value>[n].holds(wave.scalar<Value>(instruction.operands.at(0)),
                                                wave.scalar<Value>(instruction.operands.at(1)));
  }
};

/// To a mask of lanes, or to EXEC, which later generations do not name.
template <typename Test> void toMask(Wave &wave, const Instruction &instruction, Test test) {
  uint64_t mask = 0;
  forEachLane(wave, [&](uint32_t lane) { mask |= uint64_t(test(lane)) << lane; });
  if (instruction.results)
    wave.setMask(instruction.operands.at(0).index, mask);
  if (instruction.name.starts_with("v_cmpx_"))
    wave.setMask(exec, mask);
}

template <typename Value, size_t n> struct OfLanes {
  static void execute(Wave &wave, const Instruction &instruction) {
    toMask(wave, instruction, [&](uint32_t lane) {
      return conditions<Value>[n].holds(wave.in<Value>(instruction, 0, lane), wave.in<Value>(instruction, 1, lane));
    });
  }
};

/// Whether a number is of one of the classes: signaling NaN, quiet NaN, -infinity, negative, negative subnormal, -0, 0...
template <typename Value> void compareClass(Wave &wave, const Instruction &instruction) {
  constexpr unsigned width = std::is_same_v<Value, Half> ? 16 : 8 * sizeof(Value);
  constexpr unsigned fraction = width == 16 ? 10 : width == 32 ? 23 : 52;
  toMask(wave, instruction, [&](uint32_t lane) {
    const uint64_t bits = toBits(wave.in<Value>(instruction, 0, lane));
    const uint64_t below = bits & ((uint64_t(1) << fraction) - 1), largest = (1u << (width - 1 - fraction)) - 1,
                   exponent = bits >> fraction & largest;
    const bool isNegative = bits >> (width - 1) & 1;
    unsigned number;
    if (exponent == largest && below)
      number = below >> (fraction - 1);
    else {
      const unsigned kind = exponent == largest ? 0 : exponent ? 1 : below ? 2 : 3;
      number = isNegative ? 2 + kind : 9 - kind;
    }
    return wave.in<uint32_t>(instruction, 1, lane) >> number & 1;
  });
}

template <typename Value, template <typename, size_t> typename Of> Executor named(const std::string &condition) {
  Executor found = nullptr;
  [&]<size_t... n>(std::index_sequence<n...>) {
    ((condition == conditions<Value>[n].name ? void(found = Of<Value, n>::execute) : void()), ...);
  }(std::make_index_sequence<std::size(conditions<Value>)>());
  return found;
}

} // namespace

Executor findComparison(const std::string &name) {
  const bool isOfWave = name.starts_with("s_cmp_");
  if (!isOfWave && !name.starts_with("v_cmp_") && !name.starts_with("v_cmpx_"))
    return nullptr;
  const size_t begin = name.find("_", 2) + 1, end = name.rfind('_');
  const std::string condition = name.substr(begin, end - begin), type = name.substr(end + 1);
  if (condition == "class")
    return type == "f16"   ? compareClass<H>
           : type == "f32" ? compareClass<F>
           : type == "f64" ? compareClass<D>
                           : nullptr;
  static const struct {
    const char *type;
    Executor (*ofWave)(const std::string &), (*ofLanes)(const std::string &);
  } types[] = {
      {"f16", nullptr, named<H, OfLanes>},          {"f32", named<F, OfWave>, named<F, OfLanes>},
      {"f64", nullptr, named<D, OfLanes>},          {"i16", nullptr, named<int16_t, OfLanes>},
      {"u16", nullptr, named<W, OfLanes>},          {"i32", named<S, OfWave>, named<S, OfLanes>},
      {"u32", named<U, OfWave>, named<U, OfLanes>}, {"i64", nullptr, named<int64_t, OfLanes>},
      {"u64", named<L, OfWave>, named<L, OfLanes>},
  };
  for (const auto &[known, ofWave, ofLanes] : types)
    if (type == known)
      return isOfWave ? (ofWave ? ofWave(condition) : nullptr) : ofLanes(condition);
  return nullptr;
}

} // namespace gcn

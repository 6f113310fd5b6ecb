// Instructions that do the same in each lane of a wave: from a function of the sources to what executes an instruction.
#pragma once
#include "Wave.h"
#include <span>

namespace gcn {

// Short, for tables of instructions: floats, integers without and with a sign, and those of 64 and of 16 bits.
using F = float;
using D = double;
using U = uint32_t;
using S = int32_t;
using L = uint64_t;
using W = uint16_t;
using H = Half;

template <typename Function> struct Signature;
template <typename Result, typename... Arguments> struct Signature<Result (*)(Arguments...)> {
  template <size_t... n>
  static Result call(Wave &wave, const Instruction &instruction, uint32_t lane, auto f, std::index_sequence<n...>) {
    return f(wave.in<Arguments>(instruction, n, lane)...);
  }
  /// With what the result was as the last argument.
  template <size_t... n>
  static Result callWithOld(Wave &wave, const Instruction &instruction, uint32_t lane, auto f,
                            std::index_sequence<n...>) {
    return f(wave.in<std::tuple_element_t<n, std::tuple<Arguments...>>>(instruction, n, lane)...,
             wave.old<Result>(instruction, lane));
  }
  static constexpr size_t count = sizeof...(Arguments);
};

template <typename Body> void forEachLane(Wave &wave, Body body) {
  for (uint32_t lane = 0; lane < wave.lanes(); ++lane)
    if (wave.isActive(lane))
      body(lane);
}

/// A function of the sources.
template <auto f> void each(Wave &wave, const Instruction &instruction) {
  using Of = Signature<decltype(+f)>;
  forEachLane(wave, [&](uint32_t lane) {
    wave.out(instruction, lane, Of::call(wave, instruction, lane, f, std::make_index_sequence<Of::count>()));
  });
}

/// ... and of what the result was.
template <auto f> void update(Wave &wave, const Instruction &instruction) {
  using Of = Signature<decltype(+f)>;
  forEachLane(wave, [&](uint32_t lane) {
    wave.out(instruction, lane, Of::callWithOld(wave, instruction, lane, f, std::make_index_sequence<Of::count - 1>()));
  });
}

/// A mask for a result beside the registers, of lanes that are active.
template <typename Body> void withMask(Wave &wave, const Operand &to, Body body) {
  uint64_t mask = 0;
  forEachLane(wave, [&](uint32_t lane) { mask |= uint64_t(body(lane)) << lane; });
  wave.setMask(to.index, mask);
}

/// What there is, each list of one kind.
std::span<const Entry> scalarNumbers(), scalarControl(), moves(), integers(), floats(), conversions(), packed();

} // namespace gcn

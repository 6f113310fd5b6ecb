// Models written by hand: what the compiler would emit for a few small graphs, so that the runtime is tested without
// it.
#pragma once
#include "core/Packed.h"
#include "core/Session.h"
#include "core/Strides.h"
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

/// -1-k for symbol k, as the compiler writes it.
constexpr int64_t symbol(int64_t index) { return -1 - index; }

/// A model's description and table. It must outlive its sessions, and stay where it is.
class FakeModel {
public:
  struct Port {
    std::string name;
    std::vector<int64_t> extents;
    mlc_type type = MLC_FLOAT32;
    mlc_kind kind = MLC_TENSOR;
    bool optional = false;
    bool ranked = true;
    mlc_type key = MLC_UNDEFINED;
  };
  using Run = void (*)(mlc_frame *);
  using ArenaBytes = int64_t (*)(const int64_t *);
  using OutputExtents = void (*)(const int64_t *, int64_t *);

  struct Parts {
    std::vector<Port> inputs, outputs;
    std::vector<std::string> symbols = {};
    Run run = [](mlc_frame *) {};
    ArenaBytes arenaBytes = [](const int64_t *) -> int64_t { return 0; };
    OutputExtents outputExtents = nullptr;
    std::vector<std::pair<std::string, std::string>> properties = {};
    std::vector<std::string> kernels = {};
    uint32_t codeAbi = MLC_CODE_ABI;
  };

  explicit FakeModel(Parts given) : parts(std::move(given)), table(mlc::rt::tableOf(data)) {
    const auto describe = [](const std::vector<Port> &from, std::vector<mlc_port> &to) {
      for (const Port &port : from)
        to.push_back({port.name.c_str(), port.extents.data(),
                      port.ranked ? int32_t(port.extents.size()) : MLC_RANK_UNKNOWN, port.type, port.kind,
                      port.optional, port.key});
    };
    describe(parts.inputs, inputs);
    describe(parts.outputs, outputs);
    for (const std::string &name : parts.symbols)
      symbols.push_back(name.c_str());
    for (const std::string &name : parts.kernels)
      kernels.push_back(name.c_str());
    for (const auto &[key, value] : parts.properties)
      properties.push_back({key.c_str(), value.c_str()});
    data.info = {parts.codeAbi,
                 uint32_t(inputs.size()),
                 uint32_t(outputs.size()),
                 uint32_t(symbols.size()),
                 uint32_t(properties.size()),
                 uint32_t(kernels.size()),
                 inputs.data(),
                 outputs.data(),
                 symbols.data(),
                 properties.data(),
                 kernels.data(),
                 "fake"};
    data.arena_bytes = parts.arenaBytes;
    data.run = parts.run;
    data.output_extents = parts.outputExtents;
  }
  FakeModel(const FakeModel &) = delete;
  /// As in a library for two: sessions are of `device` where `find` finds one.
  void prefer(FakeModel &device, const mlc_device_program &program) {
    device.data.program = &program;
    data.device = &device.data;
  }

  const mlc_model *operator()() const { return &table; }

private:
  Parts parts;
  std::vector<mlc_port> inputs, outputs;
  std::vector<const char *> symbols, kernels;
  std::vector<mlc_property> properties;
  mlc_model_data_t data = {};
  mlc_model table;
};

/// A session that must come into being.
class TestSession {
public:
  explicit TestSession(const FakeModel &model, mlc_session_options options = {}) {
    options.size = sizeof options;
    if (mlc_session_create(model(), &options, &session, &error)) // on any thread, where Catch's macros may not be used
      throw std::runtime_error(error.text);
  }
  TestSession(const TestSession &) = delete;
  ~TestSession() { mlc_session_destroy(session); }

  mlc_status run(const std::vector<mlc_input> &inputs, std::vector<mlc_output> &outputs) {
    return mlc_run(session, inputs.data(), uint32_t(inputs.size()), outputs.data(), uint32_t(outputs.size()), &error);
  }
  std::string text() const { return error.text; }
  operator mlc_session *() const { return session; }

private:
  mlc_session *session = nullptr;
  mlc_error error = {};
};

inline mlc_session_options withThreads(int32_t threads) {
  mlc_session_options options = {};
  options.size = sizeof options;
  options.threads = threads;
  return options;
}

/// An input over a vector; `extents` must outlive it.
template <typename Element>
mlc_input input(const std::vector<Element> &data, const std::vector<int64_t> &extents, mlc_type type = MLC_FLOAT32) {
  return {nullptr, data.data(), data.size() * sizeof(Element), extents.data(), nullptr, int32_t(extents.size()),
          type,    MLC_ON_HOST};
}

template <typename Element> mlc_output into(std::vector<Element> &room) {
  mlc_output output = {};
  output.data = room.data();
  output.bytes = room.size() * sizeof(Element);
  return output;
}

inline mlc_output request(mlc_memory memory) {
  mlc_output output = {};
  output.memory = memory;
  return output;
}

template <typename Element> std::vector<Element> elements(const mlc_output &output) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < output.rank; ++axis)
    count *= output.extents[axis];
  const auto *data = static_cast<const Element *>(output.data);
  return {data, data + count};
}

inline std::vector<int64_t> extentsOf(const mlc_output &output) {
  return {output.extents, output.extents + output.rank};
}

/// y[N, 3] = 2 * x[N, 3], over all threads; through the arena.
inline FakeModel::Parts twice() {
  FakeModel::Parts parts;
  parts.inputs = {{"x", {symbol(0), 3}}};
  parts.outputs = {{"y", {symbol(0), 3}}};
  parts.symbols = {"N"};
  parts.arenaBytes = [](const int64_t *symbols) -> int64_t {
    int64_t bytes;
    return __builtin_mul_overflow(symbols[0], int64_t(3 * sizeof(float)), &bytes) ? -1 : bytes;
  };
  parts.run = [](mlc_frame *frame) {
    struct Closure {
      const float *x;
      float *half, *y;
    };
    const int64_t count = frame->input_extents[0][0] * 3;
    Closure closure = {static_cast<const float *>(frame->inputs[0]), static_cast<float *>(frame->arena), nullptr};
    mlc_rt_parallel(
        frame, count,
        [](void *pointer, int64_t begin, int64_t end) {
          auto &closure = *static_cast<Closure *>(pointer);
          for (int64_t i = begin; i < end; ++i)
            closure.half[i] = closure.x[i] + 1;
        },
        &closure);
    closure.y = static_cast<float *>(mlc_rt_output(frame, 0, frame->input_extents[0]));
    mlc_rt_parallel(
        frame, count,
        [](void *pointer, int64_t begin, int64_t end) {
          auto &closure = *static_cast<Closure *>(pointer);
          for (int64_t i = begin; i < end; ++i)
            closure.y[i] = 2 * (closure.half[i] - 1);
        },
        &closure);
  };
  return parts;
}

/// y = x for one tensor of any type and these extents; single-threaded, and without arena.
inline FakeModel::Parts same(std::vector<int64_t> extents, mlc_type type = MLC_FLOAT32) {
  FakeModel::Parts parts;
  parts.inputs = {{"x", extents, type}};
  parts.outputs = {{"y", extents, type}};
  for (int64_t extent : extents)
    if (MLC_EXTENT_IS_SYMBOL(extent))
      parts.symbols.push_back("d" + std::to_string(parts.symbols.size()));
  parts.run = [](mlc_frame *frame) {
    const mlc_port &port = static_cast<mlc::rt::Frame *>(frame)->session->data->info.inputs[0];
    const int64_t bytes = mlc::rt::contiguousBytes(frame->input_extents[0], port.rank, mlc::rt::bitsInCode(port.type));
    memcpy(mlc_rt_output(frame, 0, frame->input_extents[0]), frame->inputs[0], size_t(bytes));
  };
  return parts;
}

} // namespace test

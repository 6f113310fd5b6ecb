// Runs sequences.onnxtxt on a device: Sequences LIBRARY. What is found wrong is printed; exits with the number of that.
#include <array>
#include <cstdio>
#include <mlc/mlc.hpp>
#include <numeric>
#include <string>
#include <vector>

namespace {

constexpr std::size_t length = 100;
constexpr std::array<std::int64_t, 1> shape = {length};

int problems = 0;
void check(std::span<const float> values, const std::vector<float> &expected, const std::string &what) {
  if (std::vector<float>(values.begin(), values.end()) == expected)
    return;
  ++problems;
  std::printf("wrong: %s\n", what.c_str());
}

/// Two tensors that share a half of `memory`.
void run(mlc::Session &session, const std::vector<float> &memory, const std::string &when) {
  const std::span<const float> first(memory.data(), length), second(memory.data() + length / 2, length);
  const std::array<mlc_tensor, 2> given = {mlc::item(first, shape), mlc::item(second, shape)};
  const std::vector<mlc::Tensor> outputs = session.run({mlc::Input(given, {2})});

  std::vector<float> sum, joined(first.begin(), first.end());
  for (std::size_t i = 0; i < length; ++i)
    sum.push_back(first[i] + second[i]);
  joined.insert(joined.end(), second.begin(), second.end());
  joined.insert(joined.end(), sum.begin(), sum.end());
  check(outputs[0].data<float>(), sum, "the sum of two tensors of the caller, " + when);
  check(outputs[1].data<float>(), joined, "tensors of a sequence of the model, " + when);
  check(mlc::elementsOf<float>(outputs[2].data<mlc_tensor>()[2]), sum,
        "what the device computed, in a sequence, " + when);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2)
    return 99;
  mlc::Session session(mlc::Model::open(argv[1]));
  std::vector<float> memory(length + length / 2);
  std::iota(memory.begin(), memory.end(), 1.0f);
  run(session, memory, "first");
  std::iota(memory.begin(), memory.end(), 1000.0f);
  run(session, memory, "with other values in the same memory");
  std::printf("%d problems\n", problems);
  return problems;
}

// Loads a compiled digit classifier and asks it what a picture shows, for each line of the picture that is left out.
//
//   mlc compile examples/digits/digits.onnx -o digits.so
//   c++ -std=c++20 -I runtime/include docs/examples/classify.cpp -o classify -ldl
//   ./classify ./digits.so
#include <algorithm>
#include <cstdio>
#include <exception>
#include <mlc/mlc.hpp>

static const std::vector<float> picture = {
    0, 0,  143, 255, 255, 191, 32,  0, // an 8x8 picture
    0, 48, 207, 80,  64,  223, 80,  0, //
    0, 0,  0,   0,   112, 239, 32,  0, //
    0, 0,  0,   80,  255, 175, 0,   0, //
    0, 0,  0,   0,   128, 255, 112, 0, //
    0, 0,  0,   0,   0,   207, 128, 0, //
    0, 0,  64,  80,  80,  239, 64,  0, //
    0, 0,  191, 255, 239, 80,  0,   0, //
};

int main(int argc, char **argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: classify MODEL.so\n");
    return 1;
  }
  mlc::Model model = mlc::Model::open(argv[1]);
  mlc::Session session(model, {.threads = 2});

  // A batch of nine: the whole picture, then the picture without its first line, its second one...
  std::vector<float> batch;
  for (int without = -1; without < 8; ++without) {
    batch.insert(batch.end(), picture.begin(), picture.end());
    if (without >= 0)
      std::fill_n(batch.end() - 64 + 8 * without, 8, 0.f);
  }
  const std::vector<mlc::Tensor> outputs = session.run({mlc::Input(batch, {9, 1, 8, 8})});

  const std::span<const float> scores = outputs[0].data<float>();
  for (int i = 0; i < 9; ++i) {
    const auto row = scores.subspan(std::size_t(i) * 10, 10);
    const auto best = std::max_element(row.begin(), row.end());
    std::printf(i == 0 ? "whole:          " : "without line %d: ", i);
    std::printf("a %d, with a probability of %.3f\n", int(best - row.begin()), *best);
  }
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

// When two tensors are the same, and what is said when they are not.
#include "support/Compare.h"
#include "Expected.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include <cmath>

using namespace mlc;

static Tensor tensorOf(mlc_type type, std::initializer_list<double> values) {
  Tensor tensor(type, {int64_t(values.size())});
  for (int64_t i = 0; double value : values)
    tensor.setNumber(i++, value);
  return tensor;
}

TEST_CASE("floats may be off by atol + rtol * |expected|") {
  Tensor want = tensorOf(MLC_FLOAT64, {100, -100, 0});
  CHECK(compare(tensorOf(MLC_FLOAT64, {100.9, -100.9, 0.4}), want, {0.01, 0.5}).matches);
  Comparison off = compare(tensorOf(MLC_FLOAT64, {100.9, -102, 0.4}), want, {0.01, 0.5});
  CHECK_FALSE(off.matches);
  CHECK(off.largestError == 2);
  CHECK(off.mismatch == "1 of 3 elements differ, most at [1]: expects -100, got -102 (allowed 1.5)");
}

TEST_CASE("NaN equals NaN only, and an infinity itself only") {
  Tensor want = tensorOf(MLC_FLOAT32, {NAN, INFINITY, 1});
  Tolerance generous{1, 1e9};
  CHECK(compare(tensorOf(MLC_FLOAT32, {NAN, INFINITY, 2}), want, generous).matches);
  CHECK_FALSE(compare(tensorOf(MLC_FLOAT32, {0, INFINITY, 1}), want, generous).matches);
  CHECK_FALSE(compare(tensorOf(MLC_FLOAT32, {NAN, -INFINITY, 1}), want, generous).matches);
  CHECK_FALSE(compare(tensorOf(MLC_FLOAT32, {NAN, INFINITY, NAN}), want, generous).matches);
  CHECK_FALSE(compare(tensorOf(MLC_FLOAT32, {NAN, 3e38, 1}), want, generous).matches);
  CHECK_FALSE(compare(tensorOf(MLC_FLOAT32, {1, 1, 1}), tensorOf(MLC_FLOAT32, {1, 1, INFINITY}), generous).matches);
}

TEST_CASE("integers and bools are exact") {
  CHECK_FALSE(compare(tensorOf(MLC_INT32, {2}), tensorOf(MLC_INT32, {3}), {1, 10}).matches);
  CHECK_FALSE(compare(tensorOf(MLC_BOOL, {1}), tensorOf(MLC_BOOL, {0}), {1, 10}).matches);
  Tensor large(MLC_INT64, {1}), larger(MLC_INT64, {1});
  int64_t value = (int64_t(1) << 60) + 1;
  memcpy(large.data.data(), &value, 8);
  memcpy(larger.data.data(), &++value, 8);
  CHECK_FALSE(compare(large, larger, {1, 10}).matches);
}

TEST_CASE("types and extents are the same") {
  Comparison other = compare(Tensor(MLC_FLOAT32, {2, 3}), Tensor(MLC_FLOAT64, {3, 2}), {});
  CHECK(other.mismatch == "expects float64 3x2, got float32 2x3");
  CHECK_FALSE(compareTypes(Tensor(MLC_FLOAT32, {1}), Tensor(MLC_FLOAT32, {})).matches);
  CHECK(compareTypes(tensorOf(MLC_FLOAT32, {1}), tensorOf(MLC_FLOAT32, {2})).matches);
}

TEST_CASE("maps have the same keys, in any order, and values like tensors") {
  Tensor want = Tensor::map(tensorOf(MLC_INT64, {1, 2}), tensorOf(MLC_FLOAT32, {10, 20}));
  Tensor got = Tensor::map(tensorOf(MLC_INT64, {2, 1}), tensorOf(MLC_FLOAT32, {20, 10.5}));
  CHECK(compare(got, want, {0, 0.5}).matches);
  CHECK(compare(got, want, {0, 0}).mismatch ==
        "values: 1 of 2 elements differ, most at [0]: expects 10, got 10.5 (allowed 0)");
  Tensor other = Tensor::map(tensorOf(MLC_INT64, {1, 3}), tensorOf(MLC_FLOAT32, {10, 20}));
  CHECK_FALSE(compare(other, want, {1, 1}).matches);
  Tensor sequence = Tensor::sequence(MLC_FLOAT32, {want, other});
  CHECK(compare(sequence, Tensor::sequence(MLC_FLOAT32, {want, want}), {}).mismatch.find("map 1: keys: ") == 0);
  CHECK(compareTypes(want, tensorOf(MLC_FLOAT32, {1})).mismatch == "expects float32 1, got map of 2 float32");
}

static llvm::Expected<Tolerances> tolerancesIn(llvm::StringRef text) {
  llvm::SmallString<64> path;
  REQUIRE_FALSE(llvm::sys::fs::createTemporaryFile("tolerance", "json", path));
  llvm::FileRemover remover(path);
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << text;
  return readTolerances(path);
}

TEST_CASE("tolerances are read from JSON") {
  Tolerances tolerances = valueOf(tolerancesIn(
      R"({"rtol": 0.01, "atol": 1, "outputs": [{"name": "y", "rtol": 0, "atol": 0.5, "observed_max_abs": 3}]})"));
  CHECK(tolerances.of("y").atol == 0.5);
  CHECK(tolerances.of("z").atol == 1);
  CHECK_THAT(errorOf(tolerancesIn("[]")), Catch::Contains("expects an object"));
  CHECK_THAT(errorOf(tolerancesIn("{\"rtol\": 1}")), Catch::Contains("expects numbers rtol and atol"));
  CHECK_THAT(errorOf(tolerancesIn("{")), Catch::Contains("tolerance"));
}

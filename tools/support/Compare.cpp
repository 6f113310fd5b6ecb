#include "Compare.h"
#include "Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

static double distance(double got, double want) {
  if (got == want || (std::isnan(got) && std::isnan(want)))
    return 0;
  double off = std::abs(got - want);
  return std::isnan(off) ? INFINITY : off;
}

namespace {
struct Element {
  double error, allowed;
};
} // namespace

static Element compareElement(const Tensor &got, const Tensor &want, int64_t index, Tolerance tolerance) {
  ElementKind kind = kindOf(want.type);
  if (kind == ElementKind::String)
    return {got.strings[index] == want.strings[index] ? 0.0 : 1.0, 0};
  if (kind != ElementKind::Float && kind != ElementKind::Complex) {
    bool equal = got.integerAt(index) == want.integerAt(index);
    // Beyond 53 bits two different integers can be one double.
    return {equal ? 0 : std::max(1.0, std::abs(got.numberAt(index) - want.numberAt(index))), 0};
  }
  std::complex<double> is = got.complexAt(index), should = want.complexAt(index);
  double error = std::hypot(distance(is.real(), should.real()), distance(is.imag(), should.imag())),
         size = std::abs(should);
  return {error, tolerance.atol + tolerance.rtol * (std::isfinite(size) ? size : 0)};
}

/// What item `index` of a sequence or a map is called.
static std::string nameOf(const Tensor &value, size_t index) {
  if (value.kind == Tensor::IsMap)
    return index == 0 ? "keys" : "values";
  return (value.items[index].kind == Tensor::IsMap ? "map " : "tensor ") + std::to_string(index);
}

Comparison compareTypes(const Tensor &got, const Tensor &want) {
  Comparison result;
  if (got.kind == want.kind && got.type == want.type && got.extents == want.extents &&
      got.items.size() == want.items.size()) {
    for (auto [i, gotItem, wantItem] : enumerate(got.items, want.items))
      if (Comparison item = compareTypes(gotItem, wantItem); !item.matches) {
        item.mismatch = nameOf(want, i) + ": " + item.mismatch;
        return item;
      }
    return result;
  }
  result.matches = false;
  result.largestError = INFINITY;
  result.mismatch = "expects " + formatType(want) + ", got " + formatType(got);
  return result;
}

/// The worst of the items of two sequences or maps of equal types.
static Comparison compareItems(const Tensor &got, const Tensor &want, Tolerance tolerance) {
  Comparison result;
  for (auto [i, gotItem, wantItem] : enumerate(got.items, want.items)) {
    Comparison item = compare(gotItem, wantItem, tolerance);
    result.largestError = std::max(result.largestError, item.largestError);
    if (result.matches && !item.matches) {
      result.matches = false;
      result.mismatch = nameOf(want, i) + ": " + item.mismatch;
    }
  }
  return result;
}

Comparison compare(const Tensor &got, const Tensor &want, Tolerance tolerance) {
  Comparison result = compareTypes(got, want);
  if (result.matches && (want.kind == Tensor::IsSequence || want.kind == Tensor::IsMap))
    return compareItems(got, want, tolerance);
  if (!result.matches || (got.data == want.data && got.strings == want.strings))
    return result;
  int64_t worst = -1, mismatches = 0, count = want.size();
  double worstExcess = 0;
  for (int64_t i = 0; i < count; ++i) {
    auto [error, allowed] = compareElement(got, want, i, tolerance);
    result.largestError = std::max(result.largestError, error);
    if (error <= allowed)
      continue;
    ++mismatches;
    if (worst >= 0 && error - allowed <= worstExcess)
      continue;
    worst = i;
    worstExcess = error - allowed;
  }
  if (mismatches == 0)
    return result;
  result.matches = false;
  raw_string_ostream text(result.mismatch);
  text << mismatches << " of " << count << " elements differ, most at " << formatIndex(want.extents, worst)
       << ": expects " << formatElement(want, worst) << ", got " << formatElement(got, worst)
       << format(" (allowed %.3g)", compareElement(got, want, worst, tolerance).allowed);
  return result;
}

//===-- Tolerances -------------------------------------------------------------------===//

static Expected<Tolerance> parseTolerance(const json::Object &object) {
  std::optional<double> rtol = object.getNumber("rtol"), atol = object.getNumber("atol");
  if (!rtol || !atol || *rtol < 0 || *atol < 0)
    return fail("expects numbers rtol and atol");
  return Tolerance{*rtol, *atol};
}

static Expected<Tolerances> parseTolerances(StringRef text) {
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return value.takeError();
  const json::Object *object = value->getAsObject();
  if (!object)
    return fail("expects an object");
  Expected<Tolerance> loosest = parseTolerance(*object);
  if (!loosest)
    return loosest.takeError();
  Tolerances result{*loosest, {}};
  const json::Array *outputs = object->getArray("outputs");
  if (!outputs)
    return result;
  for (const json::Value &entry : *outputs) {
    const json::Object *output = entry.getAsObject();
    std::optional<StringRef> name = output ? output->getString("name") : std::nullopt;
    if (!name)
      return fail("expects a name for each of its outputs");
    Expected<Tolerance> tolerance = parseTolerance(*output);
    if (!tolerance)
      return inContext("output " + *name, tolerance.takeError());
    result.outputs[*name] = *tolerance;
  }
  return result;
}

Expected<Tolerances> readTolerances(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return fail(path + ": " + buffer.getError().message());
  Expected<Tolerances> tolerances = parseTolerances((*buffer)->getBuffer());
  if (!tolerances)
    return inContext(path, tolerances.takeError());
  return tolerances;
}

} // namespace mlc

// A value in the hands of the tools: what files hold, what runs take and give, what comparisons read. Most are tensors.
#pragma once
#include "mlc/mlc.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <complex>
#include <optional>
#include <string>
#include <vector>

namespace mlc {

/// Elements that are printed and compared alike.
enum class ElementKind { Bool, Signed, Unsigned, Float, Complex, String, Other };
ElementKind kindOf(mlc_type type);

/// Bytes of a contiguous tensor; none where the extents are negative, the product is beyond 63 bits, or the type has no
/// fixed size.
std::optional<uint64_t> byteCount(mlc_type type, llvm::ArrayRef<int64_t> extents);

struct Tensor {
  /// What it is; of a sequence, `type` is that of the elements of what is in it, and only `items` counts beside it; a map
  /// has two items, its keys in ascending order and their values.
  enum { IsTensor, IsSequence, IsMap, IsAbsent } kind = IsTensor;
  mlc_type type = MLC_UNDEFINED;
  llvm::SmallVector<int64_t, 4> extents;
  std::vector<char> data; ///< contiguous, last axis fastest; elements of fewer than 8 bits packed as mlc.h says
  std::vector<std::string> strings; ///< the elements of type MLC_STRING, which `data` does not hold
  std::vector<Tensor> items;        ///< the tensors or maps of a sequence, the keys and values of a map

  Tensor() = default;
  /// Zeros. The size must be one that byteCount() knows.
  Tensor(mlc_type type, llvm::ArrayRef<int64_t> extents);

  static Tensor sequence(mlc_type type, std::vector<Tensor> items);
  /// Keys of any order, integers of 64 bits or strings, and as many values.
  static Tensor map(Tensor keys, Tensor values);
  /// An optional without element.
  static Tensor absent(mlc_type type);

  int64_t size() const;
  /// The element at a linear index, for integers and bools; an unsigned 64-bit one wraps.
  int64_t integerAt(int64_t index) const;
  /// The element at a linear index, for every type but those of kind Other; exact except for 64-bit integers.
  double numberAt(int64_t index) const { return complexAt(index).real(); }
  std::complex<double> complexAt(int64_t index) const;
  /// Rounds to the nearest value of the type.
  void setNumber(int64_t index, double value);
};

/// "2x3x4"; "scalar" for rank 0.
std::string formatExtents(llvm::ArrayRef<int64_t> extents);
/// "float32 2x3x4"
std::string formatType(mlc_type type, llvm::ArrayRef<int64_t> extents);
/// The same for any value: "sequence of 2 float32", "map of 3 float32", "float32, absent".
std::string formatType(const Tensor &value);
/// The indices of the element at a linear index, "[0, 3, 2]".
std::string formatIndex(llvm::ArrayRef<int64_t> extents, int64_t index);
/// The element at a linear index as short text.
std::string formatElement(const Tensor &tensor, int64_t index);
/// All elements as numpy prints them: nested brackets, the middle of long axes left out.
std::string formatElements(const Tensor &tensor);

} // namespace mlc

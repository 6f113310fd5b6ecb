#include "import/Tensor.h"
#include "import/Types.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "onnx/Onnx.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using ::onnx::SparseTensorProto;
using ::onnx::TensorProto;

namespace mlc::importer {

static std::string nameOf(const TensorProto &tensor) {
  return tensor.name().empty() ? std::string("an unnamed tensor") : "tensor '" + tensor.name() + "'";
}

/// Bits of an element in raw data; a bool takes a byte.
static int64_t bitsOf(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * bitsOf(complex.getElementType());
  return element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
}

//===-- Where the bytes are -------------------------------------------------------===//

namespace {
/// The bytes of elements that a message holds in a field of its own.
class TypedData {
public:
  TypedData(const TensorProto &tensor, Type element) {
    if (auto complex = dyn_cast<ComplexType>(element))
      element = complex.getElementType();
    if (element.isF32())
      take<float>(tensor.float_data());
    else if (element.isF64())
      take<double>(tensor.double_data());
    else if (element.isInteger(64) && !element.isUnsignedInteger())
      take<int64_t>(tensor.int64_data());
    else if (element.isInteger(64))
      take<uint64_t>(tensor.uint64_data());
    else if (element.isUnsignedInteger(32))
      take<uint32_t>(tensor.uint64_data());
    else if (bitsOf(element) == 32)
      take<int32_t>(tensor.int32_data());
    else if (bitsOf(element) == 16)
      take<uint16_t>(tensor.int32_data());
    else // 4-bit and 2-bit elements lie packed in the low byte
      take<uint8_t>(tensor.int32_data());
  }
  std::string bytes;

private:
  template <typename T, typename Field> void take(const Field &field) {
    bytes.reserve(field.size() * sizeof(T));
    for (auto number : field) {
      T value = (T)number;
      bytes.append((const char *)&value, sizeof(T));
    }
  }
};
} // namespace

/// Whether a path, as a model spells it, stays below the folder that it starts in.
static bool staysInside(StringRef location) {
  return !location.empty() && !llvm::sys::path::is_absolute(location) &&
         llvm::none_of(llvm::make_range(llvm::sys::path::begin(location), llvm::sys::path::end(location)),
                       [](StringRef part) { return part == ".."; });
}

/// Whether `target` lies below the folder of `file`, once links are followed in both. Downloaders keep a model and its
/// data as links into one store, so the folder is the one that the model really lies in, or the one that it was named
/// by.
static bool liesBeside(StringRef target, StringRef file) {
  SmallString<256> realTarget, realFile, folder(llvm::sys::path::parent_path(file)), realFolder;
  if (folder.empty())
    folder = ".";
  if (llvm::sys::fs::real_path(target, realTarget) || llvm::sys::fs::real_path(file, realFile) ||
      llvm::sys::fs::real_path(folder, realFolder))
    return false;
  auto isBelow = [&](StringRef parent) { return realTarget.starts_with((parent + (parent == "/" ? "" : "/")).str()); };
  return isBelow(realFolder) || isBelow(llvm::sys::path::parent_path(realFile));
}

FailureOr<TensorReader::Buffer> TensorReader::openExternal(StringRef location, const Twine &what, Location loc) {
  Buffer &known = external[location];
  if (known)
    return known;
  if (!staysInside(location))
    return emitError(loc) << what << " has its data in '" << location
                          << "', which is not a path below the model's folder";
  SmallString<256> target(llvm::sys::path::parent_path(path));
  llvm::sys::path::append(target, location);
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(target, status))
    return emitError(loc) << what << " has its data in '" << target << "': " << error.message();
  if (!llvm::sys::fs::is_regular_file(status))
    return emitError(loc) << what << " has its data in '" << target << "', which is not a file";
  if (!liesBeside(target, path))
    return emitError(loc) << what << " has its data in '" << target << "', a link that leaves the model's folder";
  auto buffer = llvm::MemoryBuffer::getFile(target, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError(loc) << what << " has its data in '" << target << "': " << buffer.getError().message();
  known = std::move(*buffer);
  return known;
}

FailureOr<TensorReader::Bytes> TensorReader::externalBytes(const TensorProto &tensor, Location loc) {
  std::string what = nameOf(tensor), location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const auto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length")
      continue;
    uint64_t number;
    if (StringRef(entry.value()).getAsInteger(10, number))
      return emitError(loc) << what << " has external data with " << entry.key() << " '" << entry.value()
                            << "', which is not a number";
    if (entry.key() == "offset")
      offset = number;
    else
      length = number;
  }
  FailureOr<Buffer> buffer = openExternal(location, what, loc);
  if (failed(buffer))
    return failure();
  uint64_t size = (*buffer)->getBufferSize();
  if (offset > size || (length && *length > size - offset))
    return emitError(loc) << what << " wants " << length.value_or(0) << " bytes at offset " << offset << " of '"
                          << location << "', which has " << size << " bytes";
  return Bytes{ArrayRef((*buffer)->getBufferStart() + offset, length.value_or(size - offset)), *buffer};
}

/// Bytes of `count` elements; small ones lie packed.
static uint64_t sizeOf(int64_t count, Type element) {
  uint64_t bits = bitsOf(element);
  return bits % 8 == 0 ? count * (bits / 8) : llvm::divideCeil(count * bits, 8);
}

FailureOr<TensorReader::Bytes> TensorReader::bytesOf(const TensorProto &tensor, RankedTensorType type, Location loc) {
  auto owned = [](StringRef bytes) -> Bytes {
    Buffer copy = llvm::MemoryBuffer::getMemBufferCopy(bytes);
    return {ArrayRef(copy->getBufferStart(), copy->getBufferSize()), copy};
  };
  Type element = type.getElementType();
  FailureOr<Bytes> found;
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    found = externalBytes(tensor, loc);
    if (failed(found))
      return failure();
  } else if (std::optional<Payload> payload = payloadOf(tensor, payloads)) {
    Type part = isa<ComplexType>(element) ? cast<ComplexType>(element).getElementType() : element;
    if ((payload->field == TensorProto::kFloatDataFieldNumber && !part.isF32()) ||
        (payload->field == TensorProto::kDoubleDataFieldNumber && !part.isF64()))
      return emitError(loc) << nameOf(tensor) << " has elements of type " << element << ", but data of another type";
    found = Bytes{payload->bytes, file};
  } else {
    found = owned(tensor.has_raw_data() ? tensor.raw_data() : TypedData(tensor, element).bytes);
  }
  uint64_t wanted = sizeOf(type.getNumElements(), element);
  if (found->data.size() != wanted)
    return emitError(loc) << nameOf(tensor) << " has " << found->data.size() << " bytes of data, but a " << type
                          << " takes " << wanted;
  return found;
}

/// Of what a tensor says of itself, apart from its data.
static FailureOr<RankedTensorType> typeOf(const TensorProto &tensor, Location loc) {
  Type element = onnx::elementType(tensor.data_type(), loc.getContext());
  if (!element)
    return emitError(loc) << nameOf(tensor) << " has element type " << tensor.data_type()
                          << ", which ONNX does not define";
  if (tensor.has_segment())
    return emitError(loc) << nameOf(tensor) << " is stored in segments, which mlc does not read";
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  if (llvm::is_contained(shape, ShapedType::kDynamic) || !onnx::elementCount(shape))
    return emitError(loc) << nameOf(tensor)
                          << " has a negative extent, or more elements than 64 bits can count: extents " << shape;
  return RankedTensorType::get(shape, element);
}

//===-- Attributes -----------------------------------------------------------------===//

/// One element in a byte, from two or four in a byte.
static SmallVector<char> unpacked(ArrayRef<char> packed, int64_t bits, int64_t count) {
  SmallVector<char> bytes;
  for (int64_t i = 0; i < count; ++i)
    bytes.push_back((uint8_t)packed[i * bits / 8] >> (i * bits % 8) & ((1 << bits) - 1));
  return bytes;
}

static ElementsAttr smallElements(ShapedType type, ArrayRef<char> data) {
  Type element = type.getElementType();
  int64_t bits = bitsOf(element);
  if (element.isInteger(1))
    return DenseElementsAttr::get(type, SmallVector<bool>(llvm::map_range(data, [](char byte) { return byte != 0; })));
  if (bits % 8 == 0)
    return DenseElementsAttr::getFromRawBuffer(type, data);
  SmallVector<char> bytes = unpacked(data, bits, type.getNumElements());
  auto number = [&](char byte) { return APInt(bits, (uint8_t)byte); };
  if (isa<IntegerType>(element))
    return DenseElementsAttr::get(type, SmallVector<APInt>(llvm::map_range(bytes, number)));
  const llvm::fltSemantics &semantics = cast<FloatType>(element).getFloatSemantics();
  return DenseElementsAttr::get(
      type, SmallVector<APFloat>(llvm::map_range(bytes, [&](char byte) { return APFloat(semantics, number(byte)); })));
}

/// Refers to the data, and keeps its owner alive.
static ElementsAttr largeElements(ShapedType type, ArrayRef<char> data, std::shared_ptr<llvm::MemoryBuffer> owner,
                                  StringRef name) {
  size_t alignment = std::min<uint64_t>(64, (uintptr_t)data.data() & -(uintptr_t)data.data());
  auto release = [owner = std::move(owner)](void *, size_t, size_t) mutable { owner.reset(); };
  AsmResourceBlob blob = UnmanagedAsmResourceBlob::allocateWithAlign(data, alignment, std::move(release));
  return DenseResourceElementsAttr::get(type, name.empty() ? "constant" : name, std::move(blob));
}

/// Whether bytes of bools are what the attribute holds; files may have any number for true.
static bool areBits(ArrayRef<char> data) {
  return llvm::all_of(data, [](char byte) { return byte == 0 || byte == 1; });
}

static ElementsAttr elements(ShapedType type, ArrayRef<char> data, std::shared_ptr<llvm::MemoryBuffer> owner,
                             StringRef name) {
  if (data.size() < smallestPayload || (type.getElementType().isInteger(1) && !areBits(data)))
    return smallElements(type, data);
  return largeElements(type, data, std::move(owner), name);
}

FailureOr<ElementsAttr> TensorReader::read(const TensorProto &tensor, Location loc) {
  FailureOr<RankedTensorType> type = typeOf(tensor, loc);
  if (failed(type))
    return failure();
  if (isa<onnx::StringType>(type->getElementType())) {
    if (tensor.string_data_size() != type->getNumElements())
      return emitError(loc) << nameOf(tensor) << " has " << tensor.string_data_size() << " strings, but a " << *type
                            << " takes " << type->getNumElements();
    SmallVector<StringRef> strings(tensor.string_data().begin(), tensor.string_data().end());
    return ElementsAttr(DenseElementsAttr::get(*type, strings));
  }
  FailureOr<Bytes> bytes = bytesOf(tensor, *type, loc);
  if (failed(bytes))
    return failure();
  return elements(*type, bytes->data, std::move(bytes->owner), tensor.name());
}

//===-- Sparse ---------------------------------------------------------------------===//

/// What a sparse tensor may grow to.
static constexpr uint64_t densestBytes = uint64_t(1) << 32;

FailureOr<ElementsAttr> TensorReader::read(const SparseTensorProto &sparse, Location loc) {
  std::string what = "sparse " + nameOf(sparse.values());
  FailureOr<RankedTensorType> valueType = typeOf(sparse.values(), loc), indexType = typeOf(sparse.indices(), loc);
  if (failed(valueType) || failed(indexType))
    return failure();
  Type element = valueType->getElementType();
  if (isa<onnx::StringType>(element) || bitsOf(element) % 8 != 0)
    return emitError(loc) << what << " has elements of type " << element
                          << ", which mlc does not read in sparse tensors";
  SmallVector<int64_t> shape(sparse.dims().begin(), sparse.dims().end());
  std::optional<int64_t> count = onnx::elementCount(shape);
  if (llvm::is_contained(shape, ShapedType::kDynamic) || !count || sizeOf(*count, element) > densestBytes)
    return emitError(loc) << what << " is too large to be stored densely: extents " << shape;
  int64_t stored = valueType->getNumElements(), rank = shape.size();
  bool isLinear = indexType->getRank() == 1;
  if (valueType->getRank() != 1 || !indexType->getElementType().isInteger(64) || indexType->getRank() > 2 ||
      indexType->getNumElements() != stored * (isLinear ? 1 : rank))
    return emitError(loc) << what << " expects i64 indices of extents [" << stored << "] or [" << stored << ", " << rank
                          << "], got " << *indexType;

  FailureOr<Bytes> values = bytesOf(sparse.values(), *valueType, loc),
                   indices = bytesOf(sparse.indices(), *indexType, loc);
  if (failed(values) || failed(indices))
    return failure();
  auto index = [&](int64_t at) {
    int64_t number;
    std::memcpy(&number, indices->data.data() + at * sizeof(number), sizeof(number));
    return number;
  };
  /// None if it is outside.
  auto placeOf = [&](int64_t item) -> std::optional<int64_t> {
    if (isLinear)
      return index(item) >= 0 && index(item) < *count ? std::optional(index(item)) : std::nullopt;
    int64_t place = 0;
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      int64_t at = index(item * rank + axis);
      if (at < 0 || at >= extent)
        return std::nullopt;
      place = place * extent + at;
    }
    return place;
  };
  uint64_t size = sizeOf(1, element);
  std::shared_ptr<llvm::WritableMemoryBuffer> dense = llvm::WritableMemoryBuffer::getNewMemBuffer(*count * size);
  if (!dense)
    return emitError(loc) << what << " is too large to be stored densely: extents " << shape;
  for (int64_t item = 0; item < stored; ++item) {
    std::optional<int64_t> place = placeOf(item);
    if (!place)
      return emitError(loc) << what << " has index " << item << " outside of its extents " << shape;
    std::memcpy(dense->getBufferStart() + *place * size, values->data.data() + item * size, size);
  }
  ArrayRef<char> data(dense->getBufferStart(), dense->getBufferSize());
  return elements(RankedTensorType::get(shape, element), data, std::move(dense), sparse.values().name());
}

} // namespace mlc::importer

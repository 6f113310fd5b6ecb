#include "onnx/Constants.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cstring>

using namespace mlir;

namespace mlc::onnx {

/// Constants below this size are uniqued attributes, which print with their values.
static constexpr size_t resourceBytes = 1024;

unsigned bytesPerElement(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * bytesPerElement(complex.getElementType());
  if (element.isInteger(1))
    return 1;
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return 0;
  return element.getIntOrFloatBitWidth() / 8;
}

/// The bits of element types of which several lie in a byte of a resource; 0 for all others.
static unsigned packedBits(Type element) {
  bool isPacked = element.isIntOrFloat() && element.getIntOrFloatBitWidth() < 8 && !element.isInteger(1);
  return isPacked ? element.getIntOrFloatBitWidth() : 0;
}

/// Elements of less than a byte, each in a byte of its own: numbers extended, floats as their bits.
static void unpack(ElementsAttr value, unsigned bits, std::vector<char> &storage) {
  bool isSigned = value.getElementType().isSignlessInteger();
  auto add = [&](const APInt &number) {
    storage.push_back(static_cast<char>(isSigned ? number.getSExtValue() : number.getZExtValue()));
  };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    ArrayRef<char> packed = resource.getRawHandle().getBlob()->getData();
    for (int64_t i = 0; i < value.getNumElements(); ++i) {
      unsigned byte = static_cast<uint8_t>(packed[i * bits / 8]);
      add(APInt(bits, byte >> (i * bits % 8), /*isSigned=*/false, /*implicitTrunc=*/true));
    }
    return;
  }
  auto dense = cast<DenseElementsAttr>(value);
  if (isa<IntegerType>(dense.getElementType()))
    llvm::for_each(dense.getValues<APInt>(), add);
  else
    for (const APFloat &number : dense.getValues<APFloat>())
      add(number.bitcastToAPInt());
}

ArrayRef<char> bytesOf(ElementsAttr value, std::vector<char> &storage) {
  if (unsigned bits = packedBits(value.getElementType())) {
    unpack(value, bits, storage);
    return storage;
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return resource.getRawHandle().getBlob()->getData();
  auto dense = cast<DenseElementsAttr>(value);
  Type element = dense.getElementType();
  if (element.isInteger(1)) { // packed or splat in the attribute
    for (bool bit : dense.getValues<bool>())
      storage.push_back(bit);
    return storage;
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat())
    return raw;
  for (int64_t i = 0; i < dense.getNumElements(); ++i)
    storage.insert(storage.end(), raw.begin(), raw.end());
  return storage;
}

ElementsAttr constantOf(RankedTensorType type, ArrayRef<char> data) {
  Type element = type.getElementType();
  if (element.isInteger(1)) {
    SmallVector<bool> bits(data.begin(), data.end());
    return DenseElementsAttr::get(type, bits);
  }
  if (data.size() < resourceBytes)
    return DenseElementsAttr::getFromRawBuffer(type, data);
  // Equal elements are held once.
  if (size_t size = bytesPerElement(element);
      size > 0 && std::memcmp(data.data(), data.data() + size, data.size() - size) == 0)
    return DenseElementsAttr::getFromRawBuffer(type, data.take_front(size));
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(data, 64);
  return DenseResourceElementsAttr::get(type, "folded", std::move(blob));
}

} // namespace mlc::onnx

#include "link/Weights.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <unistd.h>

using namespace mlir;

namespace mlc {

/// Constants of up to this size stay in the code, where LLVM can fold them.
static constexpr uint64_t leastBytes = 256;
static constexpr uint64_t alignment = 64;

static uint64_t bytesOf(ElementsAttr value) {
  Type element = value.getElementType();
  uint64_t bits = isa<IndexType>(element) ? 64 : 0;
  if (auto complex = dyn_cast<ComplexType>(element))
    bits = 2 * complex.getElementType().getIntOrFloatBitWidth();
  else if (element.isIntOrFloat())
    bits = element.getIntOrFloatBitWidth();
  return value.getNumElements() * ((bits + 7) / 8);
}

/// The bytes as they lie in memory, if the attribute has them so; i1 and splats it packs.
static std::optional<ArrayRef<char>> rawData(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? std::optional(blob->getData()) : std::nullopt;
  }
  if (auto dense = dyn_cast<DenseElementsAttr>(value);
      dense && !dense.isSplat() && !dense.getElementType().isInteger(1))
    return dense.getRawData();
  return std::nullopt;
}

static LogicalResult writeAll(int file, const char *data, uint64_t size, uint64_t offset) {
  while (size > 0) {
    ssize_t written = pwrite(file, data, std::min<uint64_t>(size, 1 << 30), offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return failure();
    data += written, offset += written, size -= written;
  }
  return success();
}

LogicalResult writeElements(int file, uint64_t offset, ElementsAttr value) {
  uint64_t bytes = bytesOf(value);
  if (auto raw = rawData(value))
    return raw->size() == bytes ? writeAll(file, raw->data(), bytes, offset) : failure();
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return failure();
  if (dense.getElementType().isInteger(1)) {
    std::string data;
    for (bool bit : dense.getValues<bool>())
      data += (char)bit;
    return writeAll(file, data.data(), data.size(), offset);
  }
  // A splat, in chunks.
  ArrayRef<char> one = dense.getRawData();
  std::string chunk;
  while (chunk.size() < std::min<uint64_t>(bytes, 1 << 20))
    chunk.append(one.begin(), one.end());
  for (uint64_t done = 0; done < bytes; done += chunk.size())
    if (failed(writeAll(file, chunk.data(), std::min<uint64_t>(chunk.size(), bytes - done), offset + done)))
      return failure();
  return success();
}

Weights takeWeights(ModuleOp module) {
  Weights weights;
  // Attributes are unique but for resources: those are compared by contents.
  DenseMap<Attribute, uint64_t> offsets;
  DenseMap<std::pair<uint64_t, uint64_t>, SmallVector<unsigned>> byContents;
  llvm::StringMap<uint64_t> places;
  auto place = [&](ElementsAttr value) -> uint64_t {
    if (auto known = offsets.find(value); known != offsets.end())
      return known->second;
    std::optional<ArrayRef<char>> raw = rawData(value);
    SmallVector<unsigned> *equal = nullptr;
    if (raw) {
      equal = &byContents[{raw->size(), llvm::xxh3_64bits(ArrayRef((const uint8_t *)raw->data(), raw->size()))}];
      for (unsigned index : *equal)
        if (*rawData(weights.list[index].value) == *raw)
          return offsets[value] = weights.list[index].offset;
      equal->push_back(weights.list.size());
    }
    uint64_t offset = (weights.bytes + alignment - 1) / alignment * alignment;
    weights.list.push_back({value, offset});
    weights.bytes = offset + bytesOf(value);
    return offsets[value] = offset;
  };
  for (auto global : llvm::make_early_inc_range(module.getOps<LLVM::GlobalOp>())) {
    auto value = dyn_cast_if_present<ElementsAttr>(global.getValueOrNull());
    if (!value || !global.getConstant() || bytesOf(value) < leastBytes)
      continue;
    places[global.getName()] = place(value);
    global.erase();
  }
  if (weights.list.empty())
    return weights;

  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), weights.bytes);
  LLVM::GlobalOp::create(builder, module.getLoc(), bytes, /*isConstant=*/true, LLVM::Linkage::External,
                         weightsSymbolName, Attribute(), alignment)
      .setVisibility_(LLVM::Visibility::Hidden);
  module.walk([&](LLVM::AddressOfOp address) {
    auto found = places.find(address.getGlobalName());
    if (found == places.end())
      return;
    builder.setInsertionPoint(address);
    Value base = LLVM::AddressOfOp::create(builder, address.getLoc(), address.getType(), weightsSymbolName);
    Value offset = LLVM::ConstantOp::create(builder, address.getLoc(), builder.getI64Type(),
                                            builder.getI64IntegerAttr(found->second));
    Value place = LLVM::GEPOp::create(builder, address.getLoc(), address.getType(), builder.getI8Type(), base, offset,
                                      LLVM::GEPNoWrapFlags::inbounds);
    address.replaceAllUsesWith(place);
    address.erase();
  });
  return weights;
}

} // namespace mlc

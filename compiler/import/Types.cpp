#include "import/Types.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "onnx/Onnx.h"
#include "llvm/ADT/StringExtras.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using ::onnx::TypeProto;

namespace mlc::importer {

//===-- From messages ------------------------------------------------------------===//

/// Exporters call extents that they do not know "?" or "-1"; taken for a name, it would make all of them equal.
static bool isName(StringRef text) {
  return llvm::any_of(text, [](unsigned char c) { return llvm::isAlpha(c) || c == '_' || c >= 0x80; });
}

static FailureOr<NamedType> importTensor(const TypeProto::Tensor &proto, Location loc, StringRef what) {
  Type element = onnx::elementType(proto.elem_type(), loc.getContext());
  if (!element)
    return emitError(loc) << what << " has element type " << proto.elem_type() << ", which ONNX does not define";
  if (!proto.has_shape())
    return NamedType{UnrankedTensorType::get(element), {}};
  NamedType result;
  SmallVector<int64_t> shape;
  for (const auto &dimension : proto.shape().dim()) {
    // Exporters write -1 for an extent that they do not know.
    bool isFixed = dimension.has_dim_value() && dimension.dim_value() != -1;
    if (isFixed && dimension.dim_value() < 0)
      return emitError(loc) << what << " has the negative extent " << dimension.dim_value() << " on axis "
                            << shape.size();
    shape.push_back(isFixed ? dimension.dim_value() : ShapedType::kDynamic);
    result.dimensions.push_back(isName(dimension.dim_param()) ? dimension.dim_param() : "");
  }
  if (!onnx::elementCount(shape))
    return emitError(loc) << what << " has more elements than 64 bits can count: extents " << shape;
  result.type = RankedTensorType::get(shape, element);
  return result;
}

/// Sequences of sequences of ... come from hostile files only.
static constexpr int deepest = 16;

static FailureOr<NamedType> importType(const TypeProto &proto, Location loc, StringRef what, int depth) {
  MLIRContext *context = loc.getContext();
  if (depth > deepest)
    return emitError(loc) << what << " has a type nested more than " << deepest << " deep";
  auto container = [&](const TypeProto &inner, auto make) -> FailureOr<NamedType> {
    FailureOr<NamedType> element = importType(inner, loc, what, depth + 1);
    if (failed(element))
      return failure();
    return NamedType{make(element->type), {}};
  };
  switch (proto.value_case()) {
  case TypeProto::kTensorType:
    return importTensor(proto.tensor_type(), loc, what);
  case TypeProto::kSequenceType:
    return container(proto.sequence_type().elem_type(),
                     [&](Type type) { return onnx::SequenceType::get(context, type); });
  case TypeProto::kOptionalType:
    return container(proto.optional_type().elem_type(),
                     [&](Type type) { return onnx::OptionalType::get(context, type); });
  case TypeProto::kMapType: {
    Type key = onnx::elementType(proto.map_type().key_type(), context);
    if (!key)
      return emitError(loc) << what << " is a map with key type " << proto.map_type().key_type()
                            << ", which ONNX does not define";
    return container(proto.map_type().value_type(), [&](Type type) {
      // ONNX spells the value as a tensor of rank 0; the dialect's maps hold elements.
      auto tensor = dyn_cast<TensorType>(type);
      return onnx::MapType::get(context, key, tensor ? tensor.getElementType() : type);
    });
  }
  case TypeProto::kSparseTensorType:
    return emitError(loc) << what << " is a sparse tensor; mlc has sparse constants only";
  case TypeProto::kOpaqueType:
    return emitError(loc) << what << " is of the opaque type '" << proto.opaque_type().name()
                          << "', which mlc does not know";
  case TypeProto::VALUE_NOT_SET:
    break;
  }
  return emitError(loc) << what << " has no type";
}

FailureOr<NamedType> importType(const TypeProto &proto, Location loc, StringRef what) {
  return importType(proto, loc, what, 0);
}

//===-- From schemas --------------------------------------------------------------===//

static Type importElement(StringRef name, MLIRContext *context) {
  ::onnx::TensorProto::DataType number;
  bool isKnown = ::onnx::TensorProto::DataType_Parse(name.upper(), &number);
  assert(isKnown && "schemas name ONNX's element types");
  (void)isKnown;
  return onnx::elementType(number, context);
}

Type importType(StringRef text, MLIRContext *context) {
  auto [head, rest] = text.split('(');
  StringRef inner = rest.drop_back();
  if (head == "seq")
    return onnx::SequenceType::get(context, importType(inner, context));
  if (head == "optional")
    return onnx::OptionalType::get(context, importType(inner, context));
  if (head == "map") {
    auto [key, value] = inner.split(',');
    auto valueType = cast<TensorType>(importType(value.trim(), context));
    return onnx::MapType::get(context, importElement(key, context), valueType.getElementType());
  }
  return UnrankedTensorType::get(importElement(inner, context));
}

//===-- To messages ----------------------------------------------------------------===//

TypeProto exportType(Type type) {
  TypeProto proto;
  if (auto tensor = dyn_cast<TensorType>(type)) {
    proto.mutable_tensor_type()->set_elem_type(onnx::elementTypeNumber(tensor.getElementType()));
  } else if (auto sequence = dyn_cast<onnx::SequenceType>(type)) {
    *proto.mutable_sequence_type()->mutable_elem_type() = exportType(sequence.getElement());
  } else if (auto optional = dyn_cast<onnx::OptionalType>(type)) {
    *proto.mutable_optional_type()->mutable_elem_type() = exportType(optional.getElement());
  } else if (auto map = dyn_cast<onnx::MapType>(type)) {
    proto.mutable_map_type()->set_key_type(onnx::elementTypeNumber(map.getKey()));
    *proto.mutable_map_type()->mutable_value_type() = exportType(UnrankedTensorType::get(map.getValue()));
  }
  return proto;
}

} // namespace mlc::importer

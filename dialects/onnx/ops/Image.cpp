// Pictures in the formats of files: ImageDecoder.
//
//   %y = onnx.ImageDecoder(%x)   =>   %f = mlc.insert %x into empty;  %p = mlc.service "decode_image"(%f, node, order)
//                                     %y = mlc.at %p[0] sizes(rows, columns)
#include "mlc/Mlc.h"
#include "onnx/IndexMath.h"
#include "onnx/NodeText.h"

using namespace mlir;

namespace mlc::onnx {

/// The number by which the runtime knows a pixel format (mlc/abi.h).
static std::optional<int64_t> orderOf(ImageDecoderOp op) {
  return llvm::StringSwitch<std::optional<int64_t>>(op.getPixelFormat())
      .Case("RGB", 0)
      .Case("BGR", 1)
      .Case("Grayscale", 2)
      .Default(std::nullopt);
}

static FailureOr<Extents> shapeOfDecoder(ImageDecoderOp op, Known &known) {
  if (known.rank(op.getEncodedStream()) != 1)
    return op.emitOpError("expects the bytes of a file, of rank 1, got ") << op.getEncodedStream().getType();
  std::optional<int64_t> order = orderOf(op);
  if (!order)
    return op.emitOpError("expects pixel_format RGB, BGR or Grayscale, got ") << op.getPixelFormat();
  return Extents{Extent(), Extent(), known.math.constant(*order == 2 ? 1 : 3)};
}

static FailureOr<Value> lowerDecoder(ImageDecoderOp op, Lowering &l) {
  OpBuilder &b = l.b;
  Type sequence = mlc::SequenceType::get(b.getContext()), i64 = b.getI64Type();
  auto number = [&](int64_t value) { return arith::ConstantIntOp::create(b, l.loc(), value, 64).getResult(); };
  auto service = [&](StringRef name, Type type, ValueRange operands) {
    return ServiceOp::create(b, l.loc(), TypeRange(type), name, operands).getResult();
  };
  Value empty = service("sequence_empty", sequence, {});
  Value file = InsertOp::create(b, l.loc(), sequence, l(op.getEncodedStream()), empty, number(0),
                                elementTypeNumber(Lowering::element(op.getEncodedStream())));
  Value node = TextOp::create(b, l.loc(), nodeText(op));
  Value picture = service("decode_image", sequence, {file, node, number(*orderOf(op))});
  SmallVector<Value> sizes;
  for (int64_t axis : {0, 1}) {
    Value extent = service("sequence_extent", i64, {picture, number(0), number(axis)});
    sizes.push_back(arith::IndexCastOp::create(b, l.loc(), b.getIndexType(), extent));
  }
  return Value(AtOp::create(b, l.loc(), l.type(op.getImage()), picture, number(0), sizes));
}

void addImageRules(Rules &rules) { rules.op<ImageDecoderOp>().shape(shapeOfDecoder).lower(lowerDecoder); }

} // namespace mlc::onnx

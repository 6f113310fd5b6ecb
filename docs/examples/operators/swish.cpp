// A plug-in of mlc with an operator, my.ops.Swish: x / (1 + exp(-alpha * x)).
//
//   clang++-22 -std=c++20 -O1 -fPIC -shared $(llvm-config-22 --cppflags) -I dialects -I compiler -I build/dialects \
//     -I build/compiler docs/examples/operators/swish.cpp -o swish-plugin.so
//   mlc compile docs/examples/operators/swish.onnxtxt --ops=swish-plugin.so -o swish.so
#include "extend/Extension.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlc::onnx;
using namespace mlir;

static FailureOr<Extents> shapeOfSwish(Custom op, Known &known) { return Extents(known.extents(op.operand(0))); }

static FailureOr<Value> lowerSwish(Custom op, Lowering &l) {
  return l.elementwise(op.result(), op.operand(0), [&](Scalars &s, ValueRange args) -> Value {
    Value scaled = s.make<arith::MulFOp>(args[0], s.constant(-op.number("alpha")));
    Value sum = s.make<arith::AddFOp>(s.constant(1), s.make<math::ExpOp>(scaled));
    return s.make<arith::DivFOp>(args[0], sum);
  });
}

MLC_EXTENSION(extension) {
  extension
      .op({.domain = "my.ops",
           .name = "Swish",
           .inputs = {"x: T"},
           .outputs = {"y: T"},
           .types = {{"T", {"float", "float16", "bfloat16", "double"}}},
           .attributes = {"alpha: float = 1.0"}})
      .shape(shapeOfSwish)
      .lower(lowerSwish);
}

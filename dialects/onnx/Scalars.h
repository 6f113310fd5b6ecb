// Elements of tensors, as ONNX types them, as they lie in memory, and as bodies compute with them.
//
// A lowered tensor holds storage types: all signless. bool is i8 holding 0 or 1, integers of fewer than 8 bits are i8
// holding the value, floats of 8 bits and fewer are i8 holding the bits, strings are !mlc.string. A scalar in a body has the compute type: bool
// is i1, floats narrower than f32 are f32.
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

/// The type that a tensor element of ONNX type `element` has after lowering.
mlir::Type storageType(mlir::Type element);
/// The type that bodies compute it in.
mlir::Type computeType(mlir::Type element);
/// A tensor type with its element type replaced by the storage type; sequences, maps and optionals are !mlc.sequence.
mlir::Type loweredType(mlir::Type type);

/// ONNX's integers are signed or not; builtin arithmetic wants to be told.
inline bool isUnsigned(mlir::Type element) { return element.isUnsignedInteger() || element.isInteger(1); }
inline bool isFloat(mlir::Type element) { return llvm::isa<mlir::FloatType>(element); }

/// What bodies of elementwise operators work with.
struct Scalars {
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type element; ///< the ONNX element type of the first operand

  mlir::Type type() const { return computeType(element); }
  mlir::Value constant(double value) const { return constant(value, type()); }
  mlir::Value constant(double value, mlir::Type type) const;
  template <typename Op, typename... Args> mlir::Value make(Args &&...args) const {
    return Op::create(b, loc, std::forward<Args>(args)...);
  }
};
using ScalarBody = llvm::function_ref<mlir::Value(Scalars &, mlir::ValueRange)>;

/// The scalar body that is one operation: scalar<math::SqrtOp>.
template <typename Op> mlir::Value scalar(Scalars &s, mlir::ValueRange args) {
  if constexpr (Op::template hasTrait<mlir::OpTrait::OneOperand>())
    return Op::create(s.b, s.loc, args[0]);
  else
    return Op::create(s.b, s.loc, args[0], args[1]);
}

/// A number as an attribute of a builtin type (integer, index or float).
mlir::TypedAttr numberAttr(mlir::OpBuilder &b, double value, mlir::Type type);

/// How values that a float of 8 bits or fewer cannot hold become one.
struct Narrowing {
  bool saturate = true; ///< too large: the largest finite one; otherwise infinity, or NaN in formats without
  enum { Up, Down, Nearest } round = Up; ///< of f8E8M0FNU only, which has no mantissa; all others round to nearest even
};

/// Converts between a stored element of ONNX type `element` and its compute type.
mlir::Value loadScalar(mlir::OpBuilder &b, mlir::Location loc, mlir::Value stored, mlir::Type element);
mlir::Value storeScalar(mlir::OpBuilder &b, mlir::Location loc, mlir::Value computed, mlir::Type element,
                        Narrowing narrowing = {});

/// A value of ONNX type `from` as one of type `to`, both in their compute types, as ONNX's Cast has it. What ONNX
/// leaves undefined is defined: floats that an integer cannot hold give its least value (of 32 or 64 bits; narrower
/// ones take the low bits of that).
mlir::Value castScalar(const Scalars &s, mlir::Value value, mlir::Type from, mlir::Type to);

/// `bits` of a float type of 8 bits or fewer (as i8) as f32, and back.
mlir::Value decodeSmallFloat(const Scalars &s, mlir::Value bits, mlir::FloatType format);
mlir::Value encodeSmallFloat(const Scalars &s, mlir::Value value, mlir::FloatType format, Narrowing narrowing);

} // namespace mlc::onnx
#pragma GCC visibility pop

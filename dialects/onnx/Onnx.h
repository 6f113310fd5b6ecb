// The onnx dialect: the operators of ONNX as operations, one for each, generated from their schemas.
//
// Tensors hold ONNX's element types: signless integers are the signed ones, ui8 and the like the unsigned ones, i1 is
// bool. A resource (DenseResourceElementsAttr) holds its elements as ONNX's raw_data does: little-endian in row-major
// order, a bool in a byte of its own, and two 4-bit (four 2-bit) elements in a byte, the first in the lowest bits.
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "onnx/OnnxDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "onnx/OnnxTypes.h.inc"

namespace mlc::onnx {
/// Whether the present ports, shapes aside, hold one type. Absent ports do not count.
bool haveOneType(std::initializer_list<mlir::ValueRange> ports);

/// The same type, with nothing said of extents.
mlir::Type withoutShape(mlir::Type type);

/// The number of elements of a shape; none if an extent is negative, or if that number of bytes is beyond 63 bits even
/// when zero extents are left out (so that no product of extents ever overflows). Dynamic extents count as 1.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// The element type of a TensorProto.DataType, as attributes like Cast.to hold it; null if there is none of that
/// number.
mlir::Type elementType(int64_t number, mlir::MLIRContext *context);
/// The reverse; 0 if ONNX has no such element type.
int64_t elementTypeNumber(mlir::Type element);
} // namespace mlc::onnx

#define GET_OP_CLASSES
#include "onnx/OnnxOps.h.inc"

namespace mlc::onnx {
/// An onnx.Constant with `value`, the one form that the dialect's constants have after import.
mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::ElementsAttr value);
} // namespace mlc::onnx

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
}

#define GET_OP_CLASSES
#include "onnx/OnnxOps.h.inc"

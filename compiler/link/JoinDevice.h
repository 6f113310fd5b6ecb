// One library for a machine and a device beside it.
#pragma once
#include "mlir/IR/BuiltinOps.h"

namespace mlc {

/// Takes the model for a device, in its last MLIR, into that for the host, which prefers it (mlc.device_model). What both
/// define is named anew; constants that are equal become one when they are placed.
void joinDevice(mlir::ModuleOp host, mlir::ModuleOp device);

/// Whether anything of the model for a device runs there.
bool hasDeviceCode(mlir::ModuleOp device);

} // namespace mlc

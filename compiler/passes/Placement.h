// What runs where: how passes of targets tell the rest of the compiler of a device.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"

namespace mlc {

/// The unit attribute of a kernel that runs on the device: its function stays on the host and launches.
inline constexpr llvm::StringLiteral deviceAttrName = "mlc.device";
/// The attribute of a module with what is to be known of the compiled model, as texts by name; beside the model's own
/// properties in `mlc_model_info`.
inline constexpr llvm::StringLiteral propertiesAttrName = "mlc.properties";
/// The unit attribute of a kernel's argument that is memory for the kernel itself, brought by the caller.
inline constexpr llvm::StringLiteral temporaryAttrName = "mlc.temporary";

/// The attribute of a module that becomes one library with the same model for a device: the device's target.
inline constexpr llvm::StringLiteral deviceModelAttrName = "mlc.device_model";
/// What the host's part of such a library calls the description of the device's part.
inline constexpr llvm::StringLiteral deviceModelSymbolName = "mlc_device_model";
/// The mlc_device_program of a module, where something of the model runs on a device.
inline constexpr llvm::StringLiteral programSymbolName = "mlc_program";
/// What the names of its images begin with: constants of the llvm dialect, one for each chip.
inline constexpr llvm::StringLiteral deviceImagePrefix = "mlc.device.code.";
/// The unit attribute of a module that holds functions of a device, as the dialect gpu has it; mlc_program is theirs.
inline constexpr llvm::StringLiteral deviceCodeAttrName = "gpu.container_module";

} // namespace mlc

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

} // namespace mlc

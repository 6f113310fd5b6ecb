// Which operations a thread can have: answers for Target::hasDeviceForm.
#pragma once
#include "mlir/IR/Operation.h"
#include <optional>

namespace mlc::gpu {

/// Of memory, views and control flow, whose elements and scalars `isElement` knows: what every device has. None for other
/// operations.
std::optional<bool> hasStructuralForm(mlir::Operation *op, llvm::function_ref<bool(mlir::Type)> isElement);

/// For devices whose code LLVM writes (Code.h): numbers of 8 to 64 bits, and operations on them that are instructions
/// or that are written as such.
bool isLLVMElement(mlir::Type type);
bool hasLLVMForm(mlir::Operation *op);

} // namespace mlc::gpu

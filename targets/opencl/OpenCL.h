// Devices with an OpenCL driver, beside a host of the x86 family.
#pragma once
#include "gpu/DeviceTarget.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlc {

class OpenCLTarget : public gpu::DeviceTarget {
public:
  llvm::StringRef name() const override { return "opencl"; }
  llvm::StringRef summary() const override;
  llvm::FailureOr<TargetAttr> describe(mlir::MLIRContext *, llvm::StringRef chip,
                                       llvm::StringRef features) const override;
  bool hasDeviceForm(mlir::Operation *) const override;
  bool hasDeviceForm(mlir::Type) const override;

private:
  void emitDevice(mlir::OpPassManager &, TargetAttr) const override;
};

namespace opencl {

/// How values and operations look in OpenCL C 1.2; Forms.cpp.

/// Empty if there is none.
llvm::StringRef typeName(mlir::Type type);
llvm::StringRef unsignedTypeName(mlir::Type type);
/// An operation of one result without regions as an expression, in which $0, $1... stand for operands, $t for the
/// result's type, $u for it without sign, $s for the first operand's type without sign. Empty if it has no such form.
std::string expressionForm(mlir::Operation *op);
bool hasForm(mlir::Operation *op);
/// The expression itself, with what `name` says of each operand.
std::string expression(mlir::Operation *op, llvm::function_ref<std::string(mlir::Value)> name);
/// A number, or the bits of a half.
std::string literal(mlir::TypedAttr value);

/// What stands before all kernels; Forms.cpp.
extern const llvm::StringLiteral prologue;

/// All functions of the device as one text; Write.cpp.
llvm::FailureOr<std::string> writeProgram(mlir::gpu::GPUModuleOp device);

} // namespace opencl
} // namespace mlc

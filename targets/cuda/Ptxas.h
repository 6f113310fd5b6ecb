// ptxas, the assembler of NVIDIA, where there is one.
#pragma once
#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include <optional>
#include <string>

namespace mlc::cuda {

/// The cubin of a PTX text for a chip such as "sm_80". None, with a remark, where there is no ptxas in PATH; fails, with
/// what it says, where it does not take the text.
llvm::FailureOr<std::optional<std::string>> assemble(mlir::Location loc, llvm::StringRef ptx, llvm::StringRef chip);

} // namespace mlc::cuda

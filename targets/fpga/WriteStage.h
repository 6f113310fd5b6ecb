// A stage of a kernel as text.
#pragma once
#include "fpga/Plan.h"
#include "llvm/Support/raw_ostream.h"

namespace mlc::fpga {

/// The block of loops that does what the plan says. `arguments` are the names of the kernel's, `number` is that of the
/// stage, by which the names of its arrays differ from those of others.
void writeStage(llvm::raw_ostream &out, const Plan &plan, const llvm::DenseMap<mlir::Value, std::string> &arguments,
                unsigned number);

} // namespace mlc::fpga

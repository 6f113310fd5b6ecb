// A schedule as text.
#pragma once
#include "fpga/Schedule.h"

namespace mlc::fpga {

/// One text, which is OpenCL C for AMD's and Intel's tools and for any driver of OpenCL 1.2, and C++ for simulation.
std::string writeProgram(const Schedule &schedule);

/// What makes it so: the macros before all kernels.
extern const llvm::StringLiteral prologue;

} // namespace mlc::fpga

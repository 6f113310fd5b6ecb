// Options that say what to compile for; of every verb that may compile.
#pragma once
#include "CommandLine.h"
#include "Compiler.h"

namespace mlc {

void addCodegenOptions(CommandLine &line, Options &options);

} // namespace mlc

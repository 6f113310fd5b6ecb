// Options that say what to compile for; of every verb that may compile.
#pragma once
#include "Compiler.h"
#include "support/CommandLine.h"

namespace mlc {

void addCodegenOptions(CommandLine &line, Options &options);

} // namespace mlc

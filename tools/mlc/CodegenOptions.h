// Options that say what to compile for; of every verb that may compile.
#pragma once
#include "Compiler.h"
#include "support/CommandLine.h"

namespace mlc {

void addCodegenOptions(CommandLine &line, Options &options);
/// Operators and targets that are not mlc's own; each is loaded where the option stands.
void addExtensionOptions(CommandLine &line);
/// How to run a model that this process cannot; see Library::load.
void addRunnerOption(CommandLine &line, std::string &runner);

} // namespace mlc

// Options that say what to run a model on; of run and bench.
#pragma once
#include "support/CommandLine.h"
#include "support/Inputs.h"

namespace mlc {

void addInputOptions(CommandLine &line, InputRequest &request);

} // namespace mlc

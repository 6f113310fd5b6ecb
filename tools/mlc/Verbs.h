// What mlc can do; each in the file of its name.
#pragma once
#include "support/CommandLine.h"

namespace mlc {

llvm::Error runCompile(CommandLine &line);
llvm::Error runRun(CommandLine &line);
llvm::Error runVerify(CommandLine &line);
llvm::Error runBench(CommandLine &line);
llvm::Error runInfo(CommandLine &line);
llvm::Error runCheck(CommandLine &line);
llvm::Error runOps(CommandLine &line);
llvm::Error runTargets(CommandLine &line);

} // namespace mlc

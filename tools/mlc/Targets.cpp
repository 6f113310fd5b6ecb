// mlc targets: the machines.
#include "Compiler.h"
#include "Verbs.h"
#include "support/Table.h"

using namespace llvm;

namespace mlc {

Error runTargets(CommandLine &line) {
  if (Error error = line.parse())
    return error;
  using enum Table::Align;
  Table table({Left, Left});
  for (const auto &target : registeredTargets())
    table.row({target->name().str(), target->summary().str()});
  table.print(outs());
  return Error::success();
}

} // namespace mlc

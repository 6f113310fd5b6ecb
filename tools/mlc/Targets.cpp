// mlc targets: the machines, or the chips and features of one kind.
#include "CodegenOptions.h"
#include "Compiler.h"
#include "Verbs.h"
#include "support/Table.h"

using namespace llvm;

namespace mlc {

static void printTargets() {
  using enum Table::Align;
  Table table({Left, Left});
  for (const auto &target : registeredTargets())
    table.row({target->name().str(), target->summary().str()});
  table.print(outs());
}

/// Words in lines of a screen's width.
static void printWords(StringRef title, ArrayRef<StringRef> words) {
  if (words.empty())
    return;
  constexpr size_t width = 100;
  outs() << title;
  size_t column = width;
  for (StringRef word : words) {
    if (column + 1 + word.size() > width) {
      outs() << "\n ";
      column = 1;
    }
    outs() << ' ' << word;
    column += 1 + word.size();
  }
  outs() << "\n";
}

static Error printTarget(StringRef name) {
  const Target *target = findTarget(name);
  if (!target)
    return unknownWord("target", name,
                       map_to_vector(registeredTargets(), [](const auto &target) { return target->name(); }));
  outs() << target->name() << "  " << target->summary() << "\n";
  printWords("chips", target->chips());
  printWords("features", target->features());
  return Error::success();
}

Error runTargets(CommandLine &line) {
  std::string name;
  line.positional("target", name, CommandLine::Needs::MaybeAWord);
  addExtensionOptions(line);
  line.explain("Lists the kinds of machines that --target= takes; of TARGET, the chips that --chip= takes, and the\n"
               "features that --features= adds to a chip's and takes away.");
  if (Error error = line.parse())
    return error;
  if (!name.empty())
    return printTarget(name);
  printTargets();
  return Error::success();
}

} // namespace mlc

#include "CodegenOptions.h"

namespace mlc {

void addCodegenOptions(CommandLine &line, Options &options) {
  line.option("target", "NAME", options.target, "kind of machine, of those that `mlc targets` lists (x86)");
  line.option("chip", "NAME", options.chip, "native, x86-64-v3, x86-64-v4, or a CPU's name (native: this machine)");
  line.option("features", "LIST", options.features, "changes to what the chip has: +avx512vnni,-avx512f");
  line.flag("unchecked", options.unchecked, "leave out the checks of indices and extents at run time");
}

} // namespace mlc

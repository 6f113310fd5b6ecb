#include "CodegenOptions.h"
#include "extend/Extension.h"

namespace mlc {

void addCodegenOptions(CommandLine &line, Options &options) {
  line.option(
      "target", "NAME", options.target,
      "kind of machine, of those that `mlc targets` lists (this one's); x86,opencl: with a device to be preferred");
  line.option("chip", "NAME", options.chip, "x86-64-v3, armv8.2-a, cortex-a76 or the like, or native: this machine");
  line.option("board", "NAME", options.board,
              "for --target=fpga: a board that `mlc targets fpga` lists, or a YAML file that says what it has");
  line.option("features", "LIST", options.features, "changes to what the chip has: +avx512vnni,-avx512f");
  line.flag("unchecked", options.unchecked, "leave out the checks of indices and extents at run time");
  auto takeSanitizer = [&options](llvm::StringRef word) -> llvm::Error {
    if (word != "address" && word != "undefined")
      return fail("expects 'address' or 'undefined', got '" + word + "'");
    (word == "address" ? options.sanitize.address : options.sanitize.undefined) = true;
    return llvm::Error::success();
  };
  line.option("sanitize", "WORD", takeSanitizer,
              "have the code check itself: address, its accesses to memory (whoever runs it needs the runtime of "
              "AddressSanitizer); undefined, that it does nothing that LLVM leaves undefined");
  auto takeShape = [&options](llvm::StringRef text) -> llvm::Error {
    std::optional<InputShape> shape = parseInputShape(text);
    if (!shape)
      return fail("expects NAME=EXTENTS such as image=1,3,?,?, got '" + text + "'");
    options.shapes.given.push_back(std::move(*shape));
    return llvm::Error::success();
  };
  line.option("shape", "NAME=EXTENTS", takeShape,
              "extents of an input that the model leaves open: image=1,3,?,?; x= is a scalar");
  auto takeLinked = [&options](llvm::StringRef path) {
    options.linked.push_back(path.str());
    return expectFile(path);
  };
  line.option("link", "FILE", takeLinked,
              "an object, archive or shared library with functions of the model's operators");
  addExtensionOptions(line);
}

void addExtensionOptions(CommandLine &line) {
  auto load = [](llvm::StringRef path) {
    if (llvm::Error error = expectFile(path))
      return error;
    return loadExtension(path);
  };
  line.option("ops", "FILE", load, "operators that ONNX does not have: a plug-in, or JSON; docs/adding-an-operator.md");
  line.option("load-target", "FILE", load, "targets of a plug-in; docs/adding-a-target.md");
}

void addRunnerOption(CommandLine &line, std::string &runner) {
  line.option("runner", "COMMAND", runner,
              "run in a process that this starts: 'qemu-aarch64 -L /usr/aarch64-linux-gnu'");
}

} // namespace mlc

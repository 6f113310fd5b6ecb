// mlc run: a model once, on the user's data.
#include "CodegenOptions.h"
#include "InputOptions.h"
#include "Verbs.h"
#include "support/Model.h"
#include "support/TensorFiles.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc {

/// A value's name as a file name.
static std::string fileName(StringRef name) {
  std::string result;
  for (char c : name)
    result += isAlnum(c) || StringRef("._-").contains(c) ? c : '_';
  return result.empty() || result[0] == '.' ? "_" + result : result;
}

static Error saveOutputs(StringRef folder, ArrayRef<mlc_port> ports, ArrayRef<Tensor> outputs) {
  if (std::error_code error = sys::fs::create_directories(folder))
    return fail(folder + ": " + error.message());
  StringSet<> taken; // "a/b" and "a:b" are two outputs and one file name
  for (auto [port, tensor] : zip(ports, outputs)) {
    std::string name = fileName(port.name);
    while (!taken.insert(name).second)
      name += "_";
    SmallString<128> path(folder);
    sys::path::append(
        path, name + (tensor.kind == Tensor::IsTensor && npyHolds(tensor.type) && !port.optional ? ".npy" : ".pb"));
    if (Error error = writeTensor(path, tensor, port))
      return error;
  }
  return Error::success();
}

Error runRun(CommandLine &line) {
  Options options;
  InputRequest request;
  std::string save, runner;
  int threads = 0;
  line.positional("model", options.input);
  addInputOptions(line, request);
  line.option("save-outputs", "DIR", save, "write each output to DIR/NAME.npy, or .pb where numpy lacks its type");
  line.option("threads", "N", threads, "threads that compute (0: one for each core)");
  addCodegenOptions(line, options);
  addRunnerOption(line, runner);
  line.explain("MODEL is a compiled .so, or a model that is compiled first and not kept.\n\n"
               "A picture becomes numbers from 0 to 255, in the order that the input's extents ask for (1xCxHxW or\n"
               "1xHxWxC); it is not resized. Drawn numbers are from [0, 1), integers and bools are 0 or 1.\n\n"
               "Examples:\n"
               "  mlc run model.so --input image=cat.png --save-outputs results\n"
               "  mlc run model.onnx --random-inputs=7 --dim batch=4\n"
               "  mlc run arm.so --random-inputs --runner='qemu-aarch64 -L /usr/aarch64-linux-gnu'");
  if (Error error = line.parse())
    return error;

  Expected<LoadedModel> loaded = loadModel(options, runner);
  if (!loaded)
    return loaded.takeError();
  const Library &library = loaded->library;
  Expected<std::vector<Tensor>> inputs = makeInputs(library, request);
  if (!inputs)
    return inputs.takeError();
  Expected<Session> session = Session::create(library, threads);
  if (!session)
    return inContext(options.input, session.takeError());
  Expected<std::vector<Tensor>> outputs = session->run(*inputs);
  if (!outputs)
    return inContext(options.input, outputs.takeError());

  for (auto [port, tensor] : zip(library.outputs(), *outputs))
    outs() << port.name << ": " << formatType(tensor) << "\n" << formatElements(tensor) << "\n";
  return save.empty() ? Error::success() : saveOutputs(save, library.outputs(), *outputs);
}

} // namespace mlc

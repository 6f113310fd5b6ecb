#include "Model.h"
#include "Diagnostics.h"
#include "Errors.h"
#include "Progress.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace llvm;

namespace mlc {

std::unique_ptr<mlir::MLIRContext> makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  auto context = std::make_unique<mlir::MLIRContext>(registry);
  context->printOpOnDiagnostic(false); // users know nodes, not operations
  return context;
}

bool isCompiled(StringRef path) { return sys::path::extension(path) == ".so"; }

Error compileModel(const Options &options, mlir::MLIRContext &context) {
  DiagnosticPrinter printer(context, options.input);
  std::string phase;
  Progress progress("compiling " + sys::path::filename(options.input).str());
  Options watched = options;
  watched.progress = [&](StringRef next) { progress.step(phase = next.str()); };
  if (succeeded(compile(watched, context)))
    return Error::success();
  return printer.hasErrors()
             ? alreadyReported()
             : fail(options.input + ": " + phase + " fails without an error, which is one of mlc itself");
}

static Expected<LoadedModel> load(StringRef path, StringRef runner) {
  auto start = std::chrono::steady_clock::now();
  Expected<Library> library = Library::load(path, runner);
  if (!library)
    return library.takeError();
  if (Expected<Session> session = Session::create(*library); !session)
    return inContext(path, session.takeError());
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  uint64_t bytes = 0;
  sys::fs::file_size(path, bytes);
  return LoadedModel{std::move(*library), elapsed.count(), bytes};
}

Expected<LoadedModel> loadModel(const Options &options, StringRef runner) {
  if (Error error = expectFile(options.input))
    return error;
  if (isCompiled(options.input))
    return load(options.input, runner);

  SmallString<128> path;
  if (std::error_code error = sys::fs::createTemporaryFile("mlc", "so", path))
    return fail("cannot create a temporary file: " + error.message());
  FileRemover remover(path);
  sys::RemoveFileOnSignal(path);
  Options toFile = options;
  toFile.output = path.str().str();
  if (Error error = compileModel(toFile, *makeContext()))
    return error;
  return load(path, runner);
}

} // namespace mlc

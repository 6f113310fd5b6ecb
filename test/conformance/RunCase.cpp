#include "RunCase.h"
#include "Compiler.h"
#include "support/DataSets.h"
#include "support/Diagnostics.h"
#include "support/Errors.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace mlc::conformance {

/// Without the place: cases of one cause shall have one reason.
static std::string firstError(const Case &test, const Machine &machine, mlir::MLIRContext &context, StringRef output,
                              std::string &stage, function_ref<void(StringRef)> enter) {
  std::string first;
  mlir::ScopedDiagnosticHandler collector(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error && first.empty())
      first = diagnostic.str();
    return success();
  });
  Options options;
  options.input = test.model();
  options.target = machine.target;
  options.chip = machine.chip;
  options.features = machine.features;
  options.sanitize = machine.sanitize;
  options.output = output.str();
  options.progress = [&](StringRef phase) { enter(stage = phase.str()); };
  if (succeeded(compile(options, context)))
    return "";
  return first.empty() ? "fails without an error" : first;
}

static Error loadAndRun(const Case &test, StringRef runner, StringRef path, std::string &stage,
                        function_ref<void(StringRef)> enter) {
  enter(stage = "load");
  Expected<Library> library = Library::load(path, runner);
  sys::fs::remove(path);
  if (!library)
    return library.takeError();
  Expected<Session> session = Session::create(*library, /*threads=*/1);
  if (!session)
    return session.takeError();
  Expected<SmallVector<DataSet>> sets = findDataSets(test.folder);
  if (!sets)
    return sets.takeError();

  std::string mismatch;
  enter(stage = "run");
  for (const DataSet &set : *sets) {
    Error error = runDataSet(*library, *session, set, [&](const mlc_port &port, const Tensor &got, const Tensor *want) {
      Comparison result;
      if (!want)
        result = {.matches = false, .mismatch = "has no file with what is expected"};
      else
        result = test.typesOnly ? compareTypes(got, *want) : compare(got, *want, test.tolerances.of(port.name));
      if (!result.matches && mismatch.empty())
        mismatch = "output '" + std::string(port.name) + "': " + result.mismatch;
    });
    if (error)
      return error;
  }
  if (mismatch.empty())
    return Error::success();
  stage = "compare";
  return fail(mismatch);
}

Outcome runCase(const Case &test, const Machine &machine, mlir::MLIRContext &context, StringRef temporaryFile,
                function_ref<void(StringRef)> enter) {
  Outcome outcome;
  outcome.reason = firstError(test, machine, context, temporaryFile, outcome.stage, enter);
  if (!outcome.reason.empty())
    return outcome;
  if (Error error = loadAndRun(test, machine.runner, temporaryFile, outcome.stage, enter)) {
    outcome.reason = toString(std::move(error));
    return outcome;
  }
  return {};
}

} // namespace mlc::conformance

// mlc compile: a model file becomes a shared library, or the text of a phase.
#include "CodegenOptions.h"
#include "Verbs.h"
#include "mlir/Pass/PassRegistry.h"
#include "support/Diagnostics.h"
#include "support/Model.h"
#include "support/Table.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc {

static Error takePhase(StringRef word, Phase &target) {
  const PhaseInfo *info = findPhase(word);
  if (!info)
    return unknownWord("phase", word, map_to_vector(phases(), [](const PhaseInfo &info) { return info.name; }));
  target = info->phase;
  return Error::success();
}

static void printTimes(ArrayRef<PhaseTime> times) {
  using enum Table::Align;
  Table table({Left, Right, Right}, {"phase", "time", "peak memory"});
  double total = 0;
  uint64_t peak = 0;
  for (const PhaseTime &time : times) {
    table.row({time.name.str(), formatSeconds(time.seconds), formatBytes(time.peakBytes)});
    total += time.seconds;
    peak = std::max(peak, time.peakBytes);
  }
  table.row({"all", formatSeconds(total), formatBytes(peak)});
  table.print(errs());
}

static Error printPipelineOf(const Options &options, mlir::MLIRContext &context) {
  DiagnosticPrinter printer(context, options.input);
  FailureOr<std::string> pipeline = printPipeline(options, context);
  if (failed(pipeline))
    return alreadyReported();
  outs() << *pipeline << "\n";
  return Error::success();
}

/// What a file name says about the phase that reads it.
static Error checkEnding(const Options &options) {
  bool isText = sys::path::extension(options.input) == ".mlir";
  if (isText && options.from == Phase::Import)
    return fail(options.input + ": expects --from=PHASE, since .mlir is the text that a phase reads");
  if (!isText && options.from != Phase::Import)
    return fail(options.input + ": expects .mlir after --from");
  return Error::success();
}

Error runCompile(CommandLine &line) {
  registerAllPasses(); // so that --print-after knows their names
  Options options;
  bool pipeline = false, time = false;
  auto phase = [](Phase &target) { return [&target](StringRef word) { return takePhase(word, target); }; };
  auto takePass = [&options](StringRef word) {
    options.printAfter = word.str();
    return mlir::PassInfo::lookup(word) ? Error::success()
                                        : fail("unknown pass '" + word + "'; --print-pipeline lists them");
  };
  line.positional("model", options.input, CommandLine::Needs::MaybeAWord);
  line.option("o", "FILE", options.output, "where to write (MODEL.so here; the text of a phase: standard output)");
  line.option("header", "FILE", options.header, "write a C header with the model's own types, too");
  line.option("kernels", "FILE", options.kernels, "write what a device's driver or tools are given, too: text or code");
  addCodegenOptions(line, options);
  line.flag("profile", options.profile, "count the time of each kernel, for `mlc bench --per-kernel`");
  line.option("emit", "PHASE", phase(options.emit), "stop after a phase and print (link: the library)");
  line.option("from", "PHASE", phase(options.from),
              "begin with a phase; MODEL is .mlir, as the phase before it printed");
  line.flag("elide-weights", options.elideWeights, "print large weights as __elided__; such text cannot be compiled");
  line.option("print-after", "PASS", takePass, "print what each run of a pass makes, to standard error");
  line.flag("print-pipeline", pipeline, "print the passes from --from to --emit, for mlc-opt --pass-pipeline");
  line.flag("time", time, "print the time and the peak memory of each phase");
  line.explain("Phases: import, simplify, quantize, lower, layout, fuse, tile, bufferize, target, link.\n\n"
               "MODEL is .onnx, ONNX text (.onnxtxt), or .mlir with --from.\n\n"
               "Examples:\n"
               "  mlc compile model.onnx -o model.so --chip=x86-64-v3\n"
               "  mlc compile model.onnx --emit=fuse -o fused.mlir\n"
               "  mlc compile fused.mlir --from=tile");
  if (Error error = line.parse())
    return error;

  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  if (pipeline)
    return printPipelineOf(options, *context);
  if (options.input.empty())
    return line.missingPositional();
  if (Error error = expectFile(options.input))
    return error;
  if (Error error = checkEnding(options))
    return error;

  std::vector<PhaseTime> times;
  if (time)
    options.times = &times;
  if (Error error = compileModel(options, *context))
    return error;
  if (time)
    printTimes(times);
  return Error::success();
}

} // namespace mlc

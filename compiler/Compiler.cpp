// The compiler, as a table: a model goes through these phases, from the first to the one that was asked for.
#include "Compiler.h"
#include "KernelWork.h"
#include "import/Import.h"
#include "link/Link.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "onnx/Onnx.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"
#include <chrono>
#include <sys/resource.h>

using namespace mlir;

namespace mlc {

static const PhaseInfo table[] = {
    {Phase::Import, "import", "model file -> onnx", nullptr},
    {Phase::Simplify, "simplify", "infer shapes, fold constants, merge and remove operations", buildSimplify},
    {Phase::Quantize, "quantize", "QDQ patterns -> integer operators", buildQuantize},
    {Phase::Lower, "lower", "onnx -> linalg, tensor, arith, math, scf", buildLower},
    {Phase::Layout, "layout", "operands and weights into the target's layouts", buildLayout},
    {Phase::Fuse, "fuse", "operations -> kernels", buildFuse},
    {Phase::Tile, "tile", "kernels -> loops over tiles", buildTile},
    {Phase::Bufferize, "bufferize", "tensors -> buffers in one arena", buildBufferize},
    {Phase::Target, "target", "kernels -> the last IR of the machine", buildTarget},
    {Phase::Link, "link", "machine code, weights and runtime -> .so", nullptr},
};

ArrayRef<PhaseInfo> phases() { return table; }

const PhaseInfo *findPhase(StringRef name) {
  const auto *found = llvm::find_if(table, [&](const PhaseInfo &info) { return info.name == name; });
  return found == std::end(table) ? nullptr : found;
}

static const PhaseInfo &info(Phase phase) { return table[(int)phase]; }

//===-- One phase after the other ------------------------------------------------===//

static uint64_t peakMemory() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)usage.ru_maxrss * 1024;
}

namespace {
/// Measures and announces each phase.
class Clock {
public:
  explicit Clock(const Options &options) : options(options) {}
  template <typename F> auto run(StringRef phase, F work) {
    if (options.progress)
      options.progress(phase);
    auto start = std::chrono::steady_clock::now();
    auto result = work();
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (options.times)
      options.times->push_back({phase, elapsed.count(), peakMemory()});
    return result;
  }

private:
  const Options &options;
};
} // namespace

static OwningOpRef<ModuleOp> readInput(const Options &options, MLIRContext &context) {
  if (options.from == Phase::Import)
    return importModel(options.input, context);
  return parseSourceFile<ModuleOp>(options.input, &context);
}

/// Says on the module what to compile for. IR that was printed earlier says it itself, and the options must not
/// contradict.
static FailureOr<std::pair<const Target *, TargetAttr>> settleTarget(ModuleOp module, const Options &options) {
  if (!module->hasAttr(targetAttrName)) {
    const Target *target = findTarget(options.target);
    if (!target)
      return emitError(UnknownLoc::get(module.getContext()))
             << "unknown target '" << options.target << "'; `mlc targets` lists the known ones";
    FailureOr<TargetAttr> attr = target->describe(module.getContext(), options.chip, options.features);
    if (failed(attr))
      return failure();
    module->setAttr(targetAttrName, *attr);
  }
  return targetOf(module);
}

static LogicalResult printModule(ModuleOp module, const Options &options) {
  std::string error;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(options.output.empty() ? "-" : options.output, &error);
  if (!file)
    return emitError(UnknownLoc::get(module.getContext())) << error;
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  if (options.elideWeights)
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  module.print(file->os(), flags);
  file->keep();
  return success();
}

static std::string outputPath(const Options &options) {
  if (!options.output.empty())
    return options.output;
  SmallString<128> path(llvm::sys::path::filename(options.input));
  llvm::sys::path::replace_extension(path, "so");
  return path.str().str();
}

LogicalResult compile(const Options &options, MLIRContext &context) {
  if (options.emit < options.from)
    return emitError(UnknownLoc::get(&context))
           << "cannot emit '" << info(options.emit).name << "', which comes before '" << info(options.from).name << "'";
  context.loadDialect<MlcDialect>(); // the target describes itself by its attribute
  Clock clock(options);
  OwningOpRef<ModuleOp> module =
      clock.run(options.from == Phase::Import ? "import" : "read", [&] { return readInput(options, context); });
  if (!module)
    return failure();
  // The library's entry point is named after the library.
  if (!module->getSymName())
    module->setSymName(llvm::sys::path::stem(options.emit == Phase::Link ? outputPath(options) : options.input));
  FailureOr<std::pair<const Target *, TargetAttr>> settled = settleTarget(*module, options);
  if (failed(settled))
    return failure();
  auto [target, attr] = *settled;
  if (options.profile)
    (*module)->setAttr(profileAttrName, UnitAttr::get(&context));
  if (options.unchecked)
    (*module)->setAttr(uncheckedAttrName, UnitAttr::get(&context));

  for (const PhaseInfo &phase : phases()) {
    if (phase.phase < options.from || phase.phase > options.emit || !phase.build)
      continue;
    LogicalResult done = clock.run(phase.name, [&] {
      PassManager passes(&context);
      if (!options.printAfter.empty())
        passes.enableIRPrinting(
            nullptr, [&](Pass *pass, Operation *) { return pass->getArgument() == options.printAfter; },
            /*printModuleScope=*/false);
      phase.build(passes, *target, attr);
      return passes.run(*module);
    });
    if (failed(done))
      return failure();
    if (phase.phase == Phase::Fuse && (*module)->hasAttr(profileAttrName))
      noteKernelWork(*module);
  }
  if (options.emit != Phase::Link)
    return printModule(*module, options);
  if (failed(clock.run("link", [&] { return linkModel(*module, *target, attr, outputPath(options)); })))
    return failure();
  return options.header.empty() ? success() : writeHeader(*module, options.header);
}

FailureOr<std::string> printPipeline(const Options &options, MLIRContext &context) {
  context.loadDialect<MlcDialect>(); // the target describes itself by its attribute
  const Target *target = findTarget(options.target);
  if (!target)
    return emitError(UnknownLoc::get(&context))
           << "unknown target '" << options.target << "'; `mlc targets` lists the known ones";
  FailureOr<TargetAttr> attr = target->describe(&context, options.chip, options.features);
  if (failed(attr))
    return failure();
  PassManager passes(&context);
  for (const PhaseInfo &phase : phases())
    if (phase.phase >= options.from && phase.phase <= options.emit && phase.build)
      phase.build(passes, *target, *attr);
  std::string text;
  llvm::raw_string_ostream stream(text);
  passes.printAsTextualPipeline(stream, /*pretty=*/true);
  return text;
}

} // namespace mlc

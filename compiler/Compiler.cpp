// The compiler, as a table: a model goes through these phases, from the first to the one that was asked for.
#include "Compiler.h"
#include "KernelWork.h"
#include "OutputFile.h"
#include "import/Import.h"
#include "link/JoinDevice.h"
#include "link/Link.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "onnx/Onnx.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/Placement.h"
#include "passes/Ports.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
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

/// Whether `type` is one that a graph has before `phase`.
static bool isOfPhase(Type type, Phase phase) {
  if (phase >= Phase::Target)
    return isa<MemRefType>(type);
  return phase <= Phase::Lower ? isa<TensorType>(type) || isa<onnx::OnnxDialect>(type.getDialect())
                               : isa<RankedTensorType>(type);
}

/// Text that was printed without its weights names constants that are nowhere.
static LogicalResult checkWeights(ModuleOp module) {
  WalkResult walked = module.walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute.getValue());
          resource && !resource.getRawHandle().getBlob()) {
        op->emitError("expects the elements of '")
            << resource.getRawHandle().getKey()
            << "' at the end of the text, found none; was it printed with --elide-weights?";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

/// Passes rely on what the phase before them has left; text can be anything.
static LogicalResult checkText(ModuleOp module, Phase from) {
  auto advice = [&](InFlightDiagnostic &&error) -> LogicalResult {
    return error << "; is this what the phase before '" << info(from).name << "' prints?";
  };
  if (from == Phase::Link) {
    for (Operation &op : *module.getBody())
      if (!isa<LLVM::LLVMDialect>(op.getDialect()))
        return advice(op.emitError("expects operations of the llvm dialect only, got ") << op.getName());
    return module.lookupSymbol("mlc_model_data")
               ? success()
               : advice(module.emitError("expects 'mlc_model_data', by which the runtime knows the model"));
  }
  auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName);
  if (!graph || graph.isExternal())
    return advice(module.emitError("expects a function '") << graphFunctionName << "', which is the graph");
  if (from == Phase::Target ? !graph->hasAttr(outputsAttrName) : graph.getNumResults() == 0)
    return advice(graph.emitError("expects a graph with outputs"));
  for (TypeRange types : {TypeRange(graph.getArgumentTypes()), TypeRange(graph.getResultTypes())})
    for (Type type : types)
      if (!isOfPhase(type, from))
        return advice(graph.emitError("expects a graph of ") << (from == Phase::Target ? "buffers"
                                                                 : from > Phase::Lower ? "tensors whose ranks are known"
                                                                                       : "tensors")
                                                             << ", got " << type);
  WalkResult walked = from < Phase::Target ? WalkResult::advance() : graph.walk([&](Operation *op) {
    if (llvm::none_of(op->getResultTypes(), llvm::IsaPred<TensorType>))
      return WalkResult::advance();
    return WalkResult(advice(op->emitError("expects buffers only, got ") << op->getResultTypes()));
  });
  return failure(walked.wasInterrupted());
}

static OwningOpRef<ModuleOp> readInput(const Options &options, MLIRContext &context) {
  if (options.from == Phase::Import)
    return importModel(options.input, context, options.shapes);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(options.input, &context);
  if (module && (failed(checkWeights(*module)) || failed(checkText(*module, options.from))))
    return nullptr;
  return module;
}

static FailureOr<const Target *> targetNamed(StringRef name, MLIRContext &context) {
  if (const Target *target = findTarget(name))
    return target;
  auto names = llvm::map_range(registeredTargets(), [](const auto &known) { return known->name(); });
  return emitError(UnknownLoc::get(&context))
         << "unknown target '" << name << "'; known are " << llvm::join(names, ", ");
}

static StringRef chipOf(const Options &options) { return options.board.empty() ? options.chip : options.board; }

FailureOr<std::pair<const Target *, TargetAttr>> targetOf(const Options &options, MLIRContext &context) {
  context.loadDialect<MlcDialect>(); // the target describes itself by its attribute
  if (StringRef(options.target).contains(','))
    return emitError(UnknownLoc::get(&context))
           << "expects one target here, got '" << options.target << "'; a library for two is made by compile alone";
  FailureOr<const Target *> found =
      targetNamed(options.target.empty() ? hostTargetName() : StringRef(options.target), context);
  if (failed(found))
    return failure();
  const Target *target = *found;
  if (!options.chip.empty() && !options.board.empty())
    return emitError(UnknownLoc::get(&context)) << "expects --chip or --board, got both";
  FailureOr<TargetAttr> attr = target->describe(&context, chipOf(options), options.features);
  if (failed(attr))
    return failure();
  return std::pair(target, *attr);
}

/// Says on the module what to compile for. IR that was printed earlier says it itself, and the options must not
/// contradict.
static FailureOr<std::pair<const Target *, TargetAttr>> settleTarget(ModuleOp module, const Options &options) {
  auto own = module->getAttrOfType<TargetAttr>(targetAttrName);
  if (!own) {
    FailureOr<std::pair<const Target *, TargetAttr>> asked = targetOf(options, *module.getContext());
    if (succeeded(asked))
      module->setAttr(targetAttrName, asked->second);
    return asked;
  }
  for (auto [option, given, known] :
       {std::tuple("--target", StringRef(options.target), own.getName()),
        std::tuple(options.board.empty() ? "--chip" : "--board", chipOf(options), own.getChip()),
        std::tuple("--features", StringRef(options.features), own.getFeatures())})
    if (!given.empty() && given != known)
      return module.emitError("expects no ")
             << option << " but the one that the text was printed for, '" << known << "', got '" << given << "'";
  return targetOf(module);
}

static LogicalResult printModule(ModuleOp module, const Options &options) {
  TextFile file(options.output.empty() ? "-" : options.output, UnknownLoc::get(module.getContext()));
  if (!file.stream())
    return failure();
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  if (options.elideWeights)
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(64);
  module.print(*file.stream(), flags);
  return failed(file.finish()) ? failure() : file.commit();
}

static std::string outputPath(const Options &options) {
  if (!options.output.empty())
    return options.output;
  SmallString<128> path(llvm::sys::path::filename(options.input));
  llvm::sys::path::replace_extension(path, "so");
  return path.str().str();
}

/// Writes what the driver of the device is given, to a file that appears when all else has been written. One file is for
/// one chip.
static LogicalResult writeKernels(ModuleOp module, const Options &options, std::optional<TextFile> &file) {
  if (options.kernels.empty())
    return success();
  SmallVector<StringAttr> images;
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (global.getSymName().starts_with(deviceImagePrefix))
      images.push_back(cast<StringAttr>(*global.getValue()));
  if (images.size() != 1)
    return module.emitError("expects code of a device for one chip to write to '")
           << options.kernels << "', got " << images.size()
           << (images.empty() ? "; what is compiled for a device has some after the phase target"
                              : "; name one with --chip");
  file.emplace(options.kernels, UnknownLoc::get(module.getContext()));
  if (!file->stream())
    return failure();
  *file->stream() << images.front().getValue().drop_back(); // a zero ends it
  return file->finish();
}

/// Links, and writes the header if one is asked for. Neither file appears unless both can be written.
static LogicalResult writeLibrary(ModuleOp module, const Options &options, const Target &target, TargetAttr attr) {
  std::optional<TextFile> header;
  if (!options.header.empty()) {
    header.emplace(options.header, UnknownLoc::get(module.getContext()));
    if (!header->stream() || failed(writeHeader(module, *header->stream())) || failed(header->finish()))
      return failure();
  }
  if (failed(linkModel(module, target, attr, outputPath(options), options.linked)))
    return failure();
  return header ? header->commit() : success();
}

/// No file that is written may be the model, or the other one.
static LogicalResult checkOutputs(const Options &options, MLIRContext &context) {
  std::string output = options.emit == Phase::Link ? outputPath(options) : options.output;
  auto areOne = [](StringRef a, StringRef b) {
    return !a.empty() && !b.empty() && (a == b || llvm::sys::fs::equivalent(a, b));
  };
  for (StringRef written : {StringRef(output), StringRef(options.header), StringRef(options.kernels)})
    if (areOne(written, options.input))
      return emitError(UnknownLoc::get(&context)) << "'" << written << "' is the model itself; write to another file";
  if (areOne(output, options.header))
    return emitError(UnknownLoc::get(&context)) << "'" << output << "' is to be both library and header";
  for (StringRef other : {StringRef(output), StringRef(options.header)})
    if (areOne(other, options.kernels))
      return emitError(UnknownLoc::get(&context))
             << "'" << other << "' is to be two files, one of which has the kernels";
  return success();
}

namespace {
struct Compiled {
  OwningOpRef<ModuleOp> module;
  const Target *target;
  TargetAttr attr;
};
} // namespace

/// The phases up to the last one that is asked for, or the one before the link. `device` is the target that a library for
/// two prefers; empty in any other.
static FailureOr<Compiled> runPhases(const Options &options, StringRef device, MLIRContext &context, Clock &clock) {
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
  if (options.sanitize.address)
    (*module)->setAttr(sanitizeAddressAttrName, UnitAttr::get(&context));
  if (options.sanitize.undefined)
    (*module)->setAttr(sanitizeUndefinedAttrName, UnitAttr::get(&context));
  if (!device.empty())
    (*module)->setAttr(deviceModelAttrName, StringAttr::get(&context, device));

  for (const PhaseInfo &phase : phases()) {
    if (phase.phase < options.from || phase.phase > options.emit || !phase.build)
      continue;
    LogicalResult done = clock.run(phase.name, [&, target = target, attr = attr] {
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
  return Compiled{std::move(module), target, attr};
}

/// The options for a machine, and for the device beside it, that share a library.
static FailureOr<std::pair<Options, Options>> splitTargets(const Options &options, MLIRContext &context) {
  auto refuse = [&]() { return emitError(UnknownLoc::get(&context)); };
  if (options.from != Phase::Import || options.emit != Phase::Link)
    return refuse() << "expects one target with --from and --emit, got '" << options.target << "'";
  auto [first, second] = StringRef(options.target).split(',');
  if (second.contains(','))
    return refuse() << "expects a machine and one device beside it, got '" << options.target << "'";
  FailureOr<const Target *> host = targetNamed(first, context), device = targetNamed(second, context);
  if (failed(host) || failed(device))
    return failure();
  if ((*host)->hostName() != first)
    return refuse() << "'" << first << "' is a device: expects its machine first, as in '" << (*host)->hostName() << ","
                    << first << "'";
  if ((*device)->hostName() == second)
    return refuse() << "'" << first << "' and '" << second
                    << "' are two machines, and a library has code for one; compile for each of them";
  if ((*device)->hostName() != first)
    return refuse() << "'" << second << "' is a device beside '" << (*device)->hostName() << "', not beside '" << first
                    << "'";
  std::pair<Options, Options> each(options, options);
  each.first.target = first.str();
  // Chip and features are the machine's, a board is the device.
  each.first.board = "";
  each.second.target = second.str();
  each.second.chip = each.second.features = "";
  return each;
}

/// One library of the same model for a machine and for a device beside it.
static LogicalResult compileForTwo(const Options &options, MLIRContext &context, Clock &clock,
                                   std::optional<TextFile> &kernels) {
  FailureOr<std::pair<Options, Options>> each = splitTargets(options, context);
  if (failed(each))
    return failure();
  FailureOr<Compiled> device = runPhases(each->second, "", context, clock);
  if (failed(device) || failed(writeKernels(*device->module, options, kernels)))
    return failure();
  const bool isOfUse = hasDeviceCode(*device->module);
  if (!isOfUse)
    device->module->emitWarning("nothing of the model runs on '")
        << each->second.target << "'; the library is for '" << each->first.target << "' alone";
  FailureOr<Compiled> host = runPhases(each->first, isOfUse ? each->second.target : "", context, clock);
  if (failed(host))
    return failure();
  if (isOfUse)
    joinDevice(*host->module, *device->module);
  const Target &runtime = isOfUse ? *device->target : *host->target;
  return clock.run("link", [&] { return writeLibrary(*host->module, options, runtime, host->attr); });
}

static LogicalResult compileForOne(const Options &options, MLIRContext &context, Clock &clock,
                                   std::optional<TextFile> &kernels) {
  FailureOr<Compiled> compiled = runPhases(options, "", context, clock);
  if (failed(compiled))
    return failure();
  ModuleOp module = *compiled->module;
  if (failed(writeKernels(module, options, kernels)))
    return failure();
  if (options.emit != Phase::Link)
    return printModule(module, options);
  return clock.run("link", [&] { return writeLibrary(module, options, *compiled->target, compiled->attr); });
}

LogicalResult compile(const Options &options, MLIRContext &context) {
  if (options.emit < options.from)
    return emitError(UnknownLoc::get(&context))
           << "cannot emit '" << info(options.emit).name << "', which comes before '" << info(options.from).name << "'";
  if (failed(checkOutputs(options, context)))
    return failure();
  context.loadDialect<MlcDialect>(); // the target describes itself by its attribute
  Clock clock(options);
  std::optional<TextFile> kernels;
  bool isForTwo = StringRef(options.target).contains(',');
  if (failed((isForTwo ? compileForTwo : compileForOne)(options, context, clock, kernels)))
    return failure();
  return kernels ? kernels->commit() : success();
}

FailureOr<std::string> printPipeline(const Options &options, MLIRContext &context) {
  FailureOr<std::pair<const Target *, TargetAttr>> target = targetOf(options, context);
  if (failed(target))
    return failure();
  PassManager passes(&context);
  for (const PhaseInfo &phase : phases())
    if (phase.phase >= options.from && phase.phase <= options.emit && phase.build)
      phase.build(passes, *target->first, target->second);
  std::string text;
  llvm::raw_string_ostream stream(text);
  passes.printAsTextualPipeline(stream, /*pretty=*/true);
  return text;
}

} // namespace mlc

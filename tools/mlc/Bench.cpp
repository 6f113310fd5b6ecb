// mlc bench: how long a model takes to load and to run, and what memory it needs.
#include "CodegenOptions.h"
#include "InputOptions.h"
#include "KernelWork.h"
#include "Verbs.h"
#include "support/Model.h"
#include "support/Progress.h"
#include "support/Table.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace llvm;

namespace mlc {

namespace {
using Clock = std::chrono::steady_clock;

/// What was measured with one number of threads.
struct Measurement {
  int threads;
  std::vector<double> seconds; ///< of each run, ascending
  std::vector<mlc_kernel_time> kernels;

  double median() const { return seconds[seconds.size() / 2]; }
  double least() const { return seconds.front(); }
};

/// How long to measure.
struct Effort {
  double seconds = 1;
  unsigned fewestRuns = 5;
};
} // namespace

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static Expected<double> timeRun(Session &session, ArrayRef<Tensor> inputs) {
  Clock::time_point start = Clock::now();
  if (Error error = session.runOnly(inputs))
    return error;
  return secondsSince(start);
}

/// Warms up for a tenth of the time, at least one run, then measures.
static Expected<Measurement> measure(const Library &library, ArrayRef<Tensor> inputs, int threads, Effort effort) {
  Expected<Session> session = Session::create(library, threads);
  if (!session)
    return session.takeError();
  Clock::time_point start = Clock::now();
  do {
    if (Error error = session->runOnly(inputs))
      return error;
  } while (secondsSince(start) < effort.seconds / 10);

  mlc_reset_kernel_times(session->get());
  Measurement result{threads, {}, {}};
  start = Clock::now();
  while (result.seconds.size() < effort.fewestRuns || secondsSince(start) < effort.seconds) {
    Expected<double> seconds = timeRun(*session, inputs);
    if (!seconds)
      return seconds.takeError();
    result.seconds.push_back(*seconds);
  }
  if (const mlc_kernel_time *times = mlc_kernel_times(session->get()))
    result.kernels.assign(times, times + library.info().kernel_count);
  llvm::sort(result.seconds);
  return result;
}

static Error takeThreads(StringRef text, std::vector<int> &counts) {
  counts.clear();
  for (StringRef word : split(text, ','))
    if (word.getAsInteger(10, counts.emplace_back()) || counts.back() < 0)
      return fail("expects numbers, separated by commas, got '" + text + "'");
  return Error::success();
}

//===-- Output ---------------------------------------------------------------------===//

/// What the library says of a kernel's work with these extents; none where it depends on more than the inputs' extents.
static std::optional<KernelWork> workOf(const mlc_model_info &info, StringRef kernel, ArrayRef<int64_t> symbols) {
  for (const mlc_property &property : ArrayRef(info.properties, info.property_count)) {
    StringRef key = property.key;
    if (key.consume_front(kernelWorkPrefix) && key == kernel)
      return parseKernelWork(property.value, symbols);
  }
  return std::nullopt;
}

/// In units of 1e9 each second; "-" where it is not known.
static std::string formatRate(std::optional<double> amount, const mlc_kernel_time &time) {
  if (!amount.value_or(0) || !time.nanoseconds)
    return "-";
  std::string text;
  raw_string_ostream(text) << format("%.3g", *amount * time.calls / time.nanoseconds);
  return text;
}

static void printKernels(const mlc_model_info &info, const Measurement &measurement, ArrayRef<int64_t> symbols) {
  std::vector<uint32_t> order(measurement.kernels.size());
  for (auto [i, kernel] : enumerate(order))
    kernel = i;
  llvm::stable_sort(order, [&](uint32_t a, uint32_t b) {
    return measurement.kernels[a].nanoseconds > measurement.kernels[b].nanoseconds;
  });
  double all = 0;
  for (const mlc_kernel_time &time : measurement.kernels)
    all += time.nanoseconds;

  using enum Table::Align;
  Table table({Left, Right, Right, Right, Right, Right},
              {"kernel", "calls per run", "time per run", "share", "GFLOP/s", "GB/s"});
  double runs = measurement.seconds.size();
  for (uint32_t kernel : order) {
    const mlc_kernel_time &time = measurement.kernels[kernel];
    std::string calls, share;
    raw_string_ostream(calls) << format("%g", time.calls / runs);
    raw_string_ostream(share) << format("%.1f %%", all ? 100 * time.nanoseconds / all : 0);
    std::optional<KernelWork> work = workOf(info, info.kernels[kernel], symbols);
    table.row({info.kernels[kernel], calls, formatSeconds(time.nanoseconds * 1e-9 / runs), share,
               formatRate(work ? std::optional(work->operations) : std::nullopt, time),
               formatRate(work ? std::optional(work->bytes) : std::nullopt, time)});
  }
  outs() << "\n";
  table.print(outs());
}

static json::Object toJson(const mlc_model_info &info, const Measurement &measurement, ArrayRef<int64_t> symbols) {
  json::Object object{{"threads", measurement.threads},
                      {"runs", measurement.seconds.size()},
                      {"median", measurement.median()},
                      {"min", measurement.least()}};
  if (measurement.kernels.empty())
    return object;
  json::Array kernels;
  for (auto [name, time] : zip(ArrayRef(info.kernels, info.kernel_count), measurement.kernels)) {
    json::Object kernel{{"name", name}, {"calls", time.calls}, {"seconds", time.nanoseconds * 1e-9}};
    if (std::optional<KernelWork> work = workOf(info, name, symbols)) {
      kernel["operationsPerCall"] = work->operations;
      kernel["bytesPerCall"] = work->bytes;
    }
    kernels.push_back(std::move(kernel));
  }
  object["kernels"] = std::move(kernels);
  return object;
}

Error runBench(CommandLine &line) {
  Options options;
  Effort effort;
  InputRequest request{{}, {}, /*seed=*/1};
  std::vector<int> counts = {0};
  bool asJson = false;
  line.positional("model", options.input);
  line.option(
      "threads", "N,...", [&](StringRef text) { return takeThreads(text, counts); },
      "threads that compute, measured one after the other (0: one for each core)");
  line.option("seconds", "S", effort.seconds, "how long to measure, at least 5 runs (1)");
  addInputOptions(line, request);
  line.flag("per-kernel", options.profile, "the time of each kernel; a .so must have been compiled with --profile");
  line.flag("json", asJson, "print JSON; times in seconds, memory in bytes");
  addCodegenOptions(line, options);
  line.explain(
      "MODEL is a compiled .so, or a model that is compiled first and not kept. Inputs are drawn at random where\n"
      "no file gives them. Loading is the time from dlopen to a session that is ready. Rates of kernels are known\n"
      "where their extents follow from those of the inputs: GFLOP/s counts arithmetic of any type, GB/s each operand "
      "and result once.\n\n"
      "Example:\n"
      "  mlc bench model.so --threads=1,2 --dim batch=8");
  if (Error error = line.parse())
    return error;

  Expected<LoadedModel> loaded = loadModel(options);
  if (!loaded)
    return loaded.takeError();
  const Library &library = loaded->library;
  const mlc_model_info &info = library.info();
  if (options.profile && info.kernel_count == 0)
    return fail(options.input + ": has no times of kernels; compile it with --profile");
  Expected<std::vector<Tensor>> inputs = makeInputs(library, request);
  if (!inputs)
    return inputs.takeError();
  std::vector<int64_t> symbols = symbolValues(library, *inputs);
  Expected<uint64_t> memory = arenaBytes(library, symbols);
  if (!memory)
    return inContext(options.input, memory.takeError());

  std::vector<Measurement> measurements;
  {
    Progress progress("measuring " + sys::path::filename(options.input).str());
    for (int count : counts) {
      progress.step(count == 0 ? "all cores" : count == 1 ? "1 thread" : std::to_string(count) + " threads");
      Expected<Measurement> measurement = measure(library, *inputs, count, effort);
      if (!measurement)
        return inContext(options.input, measurement.takeError());
      measurements.push_back(std::move(*measurement));
    }
  }

  if (asJson) {
    json::Array results;
    for (const Measurement &measurement : measurements)
      results.push_back(toJson(info, measurement, symbols));
    outs() << formatv("{0:2}\n", json::Value(json::Object{{"model", options.input},
                                                          {"load", loaded->loadSeconds},
                                                          {"fileBytes", loaded->fileBytes},
                                                          {"arenaBytes", *memory},
                                                          {"results", std::move(results)}}));
    return Error::success();
  }
  outs() << "load " << formatSeconds(loaded->loadSeconds) << ", file " << formatBytes(loaded->fileBytes) << ", arena "
         << formatBytes(*memory) << "\n";
  using enum Table::Align;
  Table table({Right, Right, Right, Right}, {"threads", "runs", "median", "min"});
  for (const Measurement &m : measurements)
    table.row({m.threads ? std::to_string(m.threads) : "all", std::to_string(m.seconds.size()),
               formatSeconds(m.median()), formatSeconds(m.least())});
  table.print(outs());
  if (options.profile)
    for (const Measurement &measurement : measurements)
      printKernels(info, measurement, symbols);
  return Error::success();
}

} // namespace mlc

// mlc-conformance: runs the official ONNX backend suite, and compares what fails with the list of what is known to
// fail.
#include "AllTargets.h"
#include "Expectations.h"
#include "Workers.h"
#include "runner/Protocol.h"
#include "support/CommandLine.h"
#include "support/Model.h"
#include "support/Progress.h"
#include "support/Table.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Regex.h"

using namespace llvm;
using namespace mlc;
using namespace mlc::conformance;

namespace {
struct Request {
  std::string folder, filter, expected, results;
  int every = 1;
  bool update = false, verbose = false;
  WorkerOptions workers;
};

/// How many cases of a row pass, of how many.
struct Count {
  unsigned passed = 0, all = 0;
  std::string text() const { return all ? std::to_string(passed) + "/" + std::to_string(all) : ""; }
};
} // namespace

static Error readWords(CommandLine &line, Request &request) {
  int timeout = request.workers.timeout.count();
  line.positional("folder", request.folder);
  line.option("expected", "FILE", request.expected, "the list of cases that are known to fail");
  line.flag("update", request.update, "make the list say what was seen");
  Machine &machine = request.workers.machine;
  line.option("target", "NAME", machine.target, "as in mlc compile");
  line.option("chip", "NAME", machine.chip, "as in mlc compile");
  line.option("features", "LIST", machine.features, "as in mlc compile");
  line.option("runner", "COMMAND", machine.runner, "as in mlc run");
  line.flag("sanitize-address", machine.sanitize.address, "as --sanitize=address in mlc compile");
  line.flag("sanitize-undefined", machine.sanitize.undefined, "as --sanitize=undefined in mlc compile");
  line.option("filter", "REGEX", request.filter, "only cases whose KIND/NAME matches");
  line.option("every", "N", request.every, "only every N-th of these, which are of all operators (1)");
  line.option("jobs", "N", request.workers.jobs, "cases at a time (0: one for each core)");
  line.option("timeout", "S", timeout, "seconds for a case (120)");
  line.option("results", "FILE", request.results, "write counts per operator as JSON");
  line.flag("verbose", request.verbose, "print every case that fails, with its reason");
  line.explain(
      "CASES is a folder written by test/conformance/make_cases.py. Exits with 1 where a case fails that is not in\n"
      "the list, or passes though it is.");
  Error error = line.parse();
  if (!error && request.every < 1)
    error = fail("--every: expects a number from 1 on, got " + Twine(request.every));
  request.workers.timeout = std::chrono::seconds(timeout);
  return error;
}

namespace {
/// How many cases pass, by operator and kind.
class Counts {
public:
  Counts(ArrayRef<Case> cases, ArrayRef<Outcome> outcomes) {
    for (const Case &test : cases)
      kinds.try_emplace(test.kind, kinds.size());
    for (auto [test, outcome] : zip(cases, outcomes))
      for (StringRef name : {test.op.empty() ? StringRef("(several)") : StringRef(test.op), StringRef("all")}) {
        std::vector<Count> &row = name == "all" ? totals : rows[name.str()];
        row.resize(kinds.size());
        Count &count = row[kinds[test.kind]];
        count.passed += outcome.passed();
        ++count.all;
      }
  }

  /// One row for each operator, one column for each kind.
  void print() const {
    using enum Table::Align;
    SmallVector<Table::Align> columns(kinds.size() + 1, Right);
    columns[0] = Left;
    SmallVector<StringRef> headings = {"operator"};
    for (auto &[kind, column] : kinds)
      headings.push_back(kind);
    Table table(columns, headings);
    auto addRow = [&](std::string name, ArrayRef<Count> counts) {
      SmallVector<std::string> cells = {std::move(name)};
      for (const Count &count : counts)
        cells.push_back(count.text());
      table.row(std::move(cells));
    };
    for (auto &[name, counts] : rows)
      addRow(name, counts);
    addRow("all", totals);
    table.print(outs());
  }

  /// {"Abs": {"node": {"passed": 2, "all": 2}, ...}, ...}
  Error write(StringRef path) const {
    std::error_code error;
    raw_fd_ostream out(path, error);
    if (error)
      return fail(path + ": " + error.message());
    json::Object object;
    for (auto &[name, counts] : rows) {
      json::Object row;
      for (auto &[kind, column] : kinds)
        if (counts[column].all)
          row[kind] = json::Object{{"passed", counts[column].passed}, {"all", counts[column].all}};
      object[name] = std::move(row);
    }
    out << formatv("{0:2}\n", json::Value(std::move(object)));
    return Error::success();
  }

private:
  MapVector<StringRef, unsigned> kinds;
  std::map<std::string, std::vector<Count>> rows;
  std::vector<Count> totals;
};
} // namespace

static Expected<std::vector<Case>> chooseCases(const Request &request) {
  Expected<std::vector<Case>> cases = findCases(request.folder);
  if (!cases)
    return cases;
  Regex filter(request.filter.empty() ? "." : request.filter);
  std::string complaint;
  if (!filter.isValid(complaint))
    return fail("--filter: " + complaint);
  int count = 0;
  erase_if(*cases, [&](const Case &test) { return !filter.match(test.id) || count++ % request.every; });
  return cases;
}

/// Whether a case failed for how it is run, not for what was compiled: a runner passes tensors only, and the machine
/// that is emulated need not have the libraries that a model opens while it runs, which are installed for this one.
static bool isUnsuited(const Outcome &outcome, const Machine &machine) {
  StringRef reason = outcome.reason;
  return reason.ends_with(runner::onlyTensors) ||
         (!machine.runner.empty() && outcome.stage == "run" && reason.ends_with("it is not installed"));
}

static Error run(const Request &request) {
  Expected<std::vector<Case>> cases = chooseCases(request);
  if (!cases)
    return cases.takeError();
  Expected<Expectations> expectations = Expectations::read(request.expected);
  if (!expectations)
    return expectations.takeError();

  // All that every child would load otherwise.
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();

  unsigned done = 0, failed = 0, expected = 0, unsuited = 0;
  std::vector<Outcome> outcomes;
  {
    Progress progress("conformance");
    outcomes = runCases(*cases, context, request.workers, [&](const Case &test, const Outcome &outcome) {
      bool isExpected = expectations->failureOf(test.id);
      progress.step(std::to_string(++done) + " of " + std::to_string(cases->size()));
      if (isUnsuited(outcome, request.workers.machine)) {
        ++unsuited;
        return;
      }
      expected += isExpected && !outcome.passed();
      if (isExpected == !outcome.passed()) {
        if (request.verbose && isExpected)
          outs() << "expected: " << test.id << "  " << outcome.stage << ": " << outcome.reason << "\n";
        return;
      }
      ++failed;
      if (request.update)
        return;
      if (outcome.passed())
        outs() << "passes unexpectedly: " << test.id << "\n";
      else
        outs() << "FAILS: " << test.id << "  " << outcome.stage << ": " << outcome.reason << "\n";
      outs().flush();
    });
  }
  Counts counts(*cases, outcomes);
  counts.print();
  if (!request.results.empty())
    if (Error error = counts.write(request.results))
      return error;

  if (request.update) {
    for (auto [test, outcome] : zip(*cases, outcomes))
      expectations->learn(test.id, outcome);
    return expectations->write(request.expected);
  }
  if (request.filter.empty() && request.every == 1)
    for (const std::string &stranger : expectations->strangers(*cases)) {
      outs() << "FAILS: " << stranger << "  is in " << request.expected << ", but there is no such case\n";
      ++failed;
    }
  if (unsuited)
    outs() << unsuited << " cases are not run: a runner does not pass what they take or give, or lacks a library\n";
  outs() << "conformance: " << cases->size() - failed - expected - unsuited << " passed, " << failed << " failed, "
         << expected << " expected to fail\n";
  return failed ? alreadyReported() : Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  registerAllTargets();
  CommandLine line("mlc-conformance", "CASES [options]", "Run the official ONNX backend suite.",
                   ArrayRef(argv, argc).drop_front());
  Request request;
  if (Error error = readWords(line, request))
    return exitCode(std::move(error));
  return exitCode(run(request));
}

#include "Workers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace llvm;

namespace mlc::conformance {

namespace {
using Clock = std::chrono::steady_clock;

/// A case on its way. The child writes each stage it enters as a line "stage NAME" into the pipe, and at its end
/// "passed", or "failed REASON" about the last stage.
struct Worker {
  size_t index;
  pid_t process;
  int pipe;    ///< what the child reports
  int console; ///< what it prints, in memory
  Clock::time_point deadline;
  std::string report;
  bool timedOut = false;
};

class Pool {
public:
  Pool(ArrayRef<Case> cases, mlir::MLIRContext &context, const WorkerOptions &options,
       function_ref<void(const Case &, const Outcome &)> report)
      : cases(cases), context(context), machine(options.machine), timeout(options.timeout), report(report),
        jobs(options.jobs ? options.jobs : std::thread::hardware_concurrency()), outcomes(cases.size()) {}

  std::vector<Outcome> run() {
    size_t next = 0;
    while (next < cases.size() || !workers.empty()) {
      while (next < cases.size() && workers.size() < jobs)
        start(next++);
      wait();
    }
    return std::move(outcomes);
  }

private:
  ArrayRef<Case> cases;
  mlir::MLIRContext &context;
  const Machine &machine;
  std::chrono::seconds timeout;
  function_ref<void(const Case &, const Outcome &)> report;
  size_t jobs;
  std::vector<Worker> workers;
  std::vector<Outcome> outcomes;

  void start(size_t index);
  [[noreturn]] void work(const Case &test, int pipe, int console);
  void wait();
  void finish(Worker &worker);
};
} // namespace

static void check(bool isGood, const char *what) {
  if (!isGood)
    report_fatal_error(Twine("conformance: ") + what + ": " + strerror(errno));
}

static void writeLine(int pipe, std::string line) {
  for (char &c : line)
    c = c == '\n' ? ' ' : c;
  line += '\n';
  (void)!write(pipe, line.data(), line.size());
}

void Pool::start(size_t index) {
  int ends[2];
  check(::pipe(ends) == 0, "cannot make a pipe");
  int console = memfd_create("console", 0);
  check(console >= 0, "cannot make a file in memory");
  pid_t process = fork();
  check(process >= 0, "cannot fork");
  if (process == 0) {
    close(ends[0]);
    work(cases[index], ends[1], console);
  }
  close(ends[1]);
  workers.push_back({index, process, ends[0], console, Clock::now() + timeout, ""});
}

/// In the child.
void Pool::work(const Case &test, int pipe, int console) {
  dup2(console, STDOUT_FILENO);
  dup2(console, STDERR_FILENO);
#if !__has_feature(address_sanitizer) // which reserves terabytes
  constexpr rlim_t memory = 8ull << 30;
  rlimit limit{memory, memory};
  if (!machine.sanitize.address)
    setrlimit(RLIMIT_AS, &limit);
#endif
  SmallString<128> file;
  sys::path::system_temp_directory(/*erasedOnReboot=*/true, file);
  sys::path::append(file, "mlc-conformance-" + Twine(getpid()) + ".so");
  Outcome outcome =
      runCase(test, machine, context, file, [&](StringRef stage) { writeLine(pipe, "stage " + stage.str()); });
  if (outcome.passed()) {
    writeLine(pipe, "passed");
  } else {
    writeLine(pipe, "stage " + outcome.stage);
    writeLine(pipe, "failed " + outcome.reason);
  }
  _exit(0);
}

void Pool::wait() {
  SmallVector<pollfd> pipes =
      map_to_vector(workers, [](const Worker &worker) { return pollfd{worker.pipe, POLLIN, 0}; });
  poll(pipes.data(), pipes.size(), /*milliseconds=*/200);
  for (auto [i, worker] : enumerate(workers)) {
    if (Clock::now() > worker.deadline && !worker.timedOut) {
      worker.timedOut = true;
      kill(worker.process, SIGKILL);
    }
    if (!pipes[i].revents)
      continue;
    char buffer[4096];
    ssize_t size = read(worker.pipe, buffer, sizeof buffer);
    if (size > 0)
      worker.report.append(buffer, size);
    else
      finish(worker); // the child has closed its end
  }
  erase_if(workers, [](const Worker &worker) { return worker.process == 0; });
}

/// What a child printed before it died: "LLVM ERROR: Cannot select ...", or what a sanitizer found.
static std::string lastWords(int console) {
  std::string text(4096, '\0');
  ssize_t size = pread(console, text.data(), text.size(), 0);
  text.resize(std::max<ssize_t>(size, 0));
  for (StringRef line : split(text, '\n'))
    if (line.contains("ERROR") || line.contains("error:"))
      return (": " + line.trim()).str();
  return "";
}

void Pool::finish(Worker &worker) {
  int status = 0;
  waitpid(worker.process, &status, 0);
  Outcome outcome{"start", ""};
  bool isOver = false;
  for (StringRef line : split(worker.report, '\n')) {
    if (line.consume_front("stage ")) {
      outcome.stage = line.str();
    } else if (line.consume_front("failed ")) {
      outcome.reason = line.str();
      isOver = true;
    } else if (line == "passed") {
      outcome = {};
      isOver = true;
    }
  }
  if (worker.timedOut)
    outcome.reason = "takes longer than " + std::to_string(timeout.count()) + " s";
  else if (!isOver && WIFSIGNALED(status))
    outcome.reason = std::string("crashes, ") + strsignal(WTERMSIG(status)) + lastWords(worker.console);
  else if (!isOver)
    outcome.reason = "exits with " + std::to_string(WEXITSTATUS(status)) + lastWords(worker.console);

  close(worker.pipe);
  close(worker.console);
  SmallString<128> file; // which a child that was killed has left
  sys::path::system_temp_directory(true, file);
  sys::path::append(file, "mlc-conformance-" + Twine(worker.process) + ".so");
  sys::fs::remove(file);
  worker.process = 0;
  report(cases[worker.index], outcome);
  outcomes[worker.index] = std::move(outcome);
}

std::vector<Outcome> runCases(ArrayRef<Case> cases, mlir::MLIRContext &context, const WorkerOptions &options,
                              function_ref<void(const Case &, const Outcome &)> report) {
  return Pool(cases, context, options, report).run();
}

} // namespace mlc::conformance

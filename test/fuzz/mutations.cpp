// A sweep over damaged models, the same on every run: each seed is cut off at every few bytes, and each of its bytes is
// changed in a few ways. Whatever the damage, the compiler must answer, with a model or with an error, in a short time.
//
//   mutation-test FOLDER [--write-seeds=DIR]
//
// FOLDER/Inputs holds the seeds as ONNX text, FOLDER/crashes the inputs that once ended the compiler. With
// --write-seeds the seeds are written as binary files, for import-fuzzer to begin with, and nothing is tested.
#include "Subject.h"
#include "support/Errors.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <onnx/defs/parser.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace llvm;
using namespace mlc;

namespace {
struct Input {
  std::string name; ///< "conv, byte 17 := 255"
  std::string bytes;
};

/// What a process has done of its part; shared with its parent.
struct Progress {
  size_t current; ///< the input at work
  size_t accepted;
};
} // namespace

static constexpr unsigned seconds = 20; ///< that one input may take

//===-- Inputs ---------------------------------------------------------------------===//

static Expected<std::string> readFile(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  return file ? Expected<std::string>((*file)->getBuffer().str()) : fail(path + ": " + file.getError().message());
}

/// The files of a folder with this ending, in order.
static std::vector<std::string> filesOf(StringRef folder, StringRef ending) {
  std::vector<std::string> paths;
  std::error_code error;
  for (sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error))
    if (StringRef(entry->path()).ends_with(ending))
      paths.push_back(entry->path());
  sort(paths);
  return paths;
}

static Expected<std::vector<Input>> readSeeds(StringRef folder) {
  std::vector<Input> seeds;
  for (const std::string &path : filesOf(folder, ".onnxtxt")) {
    Expected<std::string> text = readFile(path);
    if (!text)
      return text.takeError();
    ::onnx::ModelProto model;
    ::onnx::OnnxParser parser(*text);
    if (auto status = parser.Parse(model); !status.IsOK())
      return fail(path + ": " + status.ErrorMessage());
    seeds.push_back({sys::path::stem(path).str(), model.SerializeAsString()});
  }
  return seeds;
}

static void mutate(const Input &seed, std::vector<Input> &inputs) {
  StringRef bytes = seed.bytes;
  auto name = [&](size_t at, const Twine &what) { return (seed.name + ", byte " + Twine(at) + " " + what).str(); };
  for (size_t at = 0; at < bytes.size(); at += 3)
    inputs.push_back({name(at, "is the end"), bytes.take_front(at).str()});
  for (size_t at = 0; at < bytes.size(); ++at) {
    // A bit that makes small numbers large and large ones small, one that makes them others of their kind, and the
    // extremes of a byte.
    unsigned char byte = bytes[at];
    for (unsigned char value : {byte ^ 0x80, byte ^ 0x01, 0xff, 0x00}) {
      if (value == byte)
        continue;
      Input &input = inputs.emplace_back(Input{name(at, ":= " + Twine(unsigned(value))), seed.bytes});
      input.bytes[at] = char(value);
    }
  }
}

//===-- Processes ------------------------------------------------------------------===//

/// Tests inputs from `first` on, each `step`th, in a child; gives the one that ended it, or the number of inputs.
static size_t runFrom(size_t first, size_t step, ArrayRef<Input> inputs, Progress &progress, std::string &reason) {
  progress.current = first;
  int console = memfd_create("console", MFD_CLOEXEC);
  pid_t process = fork();
  if (process == 0) {
    dup2(console, STDOUT_FILENO);
    dup2(console, STDERR_FILENO);
#if !__has_feature(address_sanitizer) // which reserves terabytes
    rlimit limit{8ull << 30, 8ull << 30};
    setrlimit(RLIMIT_AS, &limit);
#endif
    fuzz::Subject subject;
    for (; progress.current < inputs.size(); progress.current += step) {
      alarm(seconds);
      progress.accepted += subject.accepts(inputs[progress.current].bytes);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(process, &status, 0);
  std::string text(4096, '\0');
  text.resize(std::max<ssize_t>(0, pread(console, text.data(), text.size(), 0)));
  close(console);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return inputs.size();
  reason =
      WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "takes more than " + std::to_string(seconds) + " s" : text;
  return progress.current;
}

/// The inputs that ended a process, each with the reason.
static std::vector<std::pair<size_t, std::string>> runAll(ArrayRef<Input> inputs, size_t &accepted) {
  size_t jobs = std::max(1u, std::thread::hardware_concurrency());
  auto *progress = static_cast<Progress *>(
      mmap(nullptr, jobs * sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<std::vector<std::pair<size_t, std::string>>> found(jobs);
  std::vector<std::thread> threads;
  for (size_t job = 0; job < jobs; ++job)
    threads.emplace_back([&, job] {
      std::string reason;
      for (size_t at = job; (at = runFrom(at, jobs, inputs, progress[job], reason)) < inputs.size(); at += jobs)
        found[job].push_back({at, reason});
    });
  std::vector<std::pair<size_t, std::string>> all;
  for (size_t job = 0; job < jobs; ++job) {
    threads[job].join();
    accepted += progress[job].accepted;
    append_range(all, found[job]);
  }
  return all;
}

static Error run(StringRef folder, StringRef seedFolder) {
  Expected<std::vector<Input>> seeds = readSeeds((folder + "/Inputs").str());
  if (!seeds)
    return seeds.takeError();
  if (seeds->empty())
    return fail(folder + "/Inputs: expects seeds, .onnxtxt");
  if (!seedFolder.empty()) {
    for (const Input &seed : *seeds) {
      std::error_code error;
      raw_fd_ostream out((seedFolder + "/" + seed.name).str(), error);
      if (error)
        return fail(seedFolder + ": " + error.message());
      out << seed.bytes;
    }
    return Error::success();
  }

  size_t accepted = 0;
  for (const auto &[index, reason] : runAll(*seeds, accepted))
    errs() << (*seeds)[index].name << ": " << reason << "\n";
  if (accepted != seeds->size())
    return fail("expects the " + Twine(seeds->size()) + " seeds to compile, got " + Twine(accepted) + " that do");

  std::vector<Input> inputs;
  for (const std::string &path : filesOf((folder + "/crashes").str(), ".onnx")) {
    Expected<std::string> bytes = readFile(path);
    if (!bytes)
      return bytes.takeError();
    inputs.push_back({sys::path::filename(path).str(), *bytes});
  }
  for (const Input &seed : *seeds)
    mutate(seed, inputs);
  std::vector<std::pair<size_t, std::string>> ended = runAll(inputs, accepted = 0);
  constexpr size_t shown = 10;
  for (const auto &[index, reason] : ArrayRef(ended).take_front(shown)) {
    SmallString<128> path;
    if (!sys::fs::createTemporaryFile("mutation", "onnx", path)) {
      std::error_code error;
      raw_fd_ostream(path, error) << inputs[index].bytes;
    }
    outs() << inputs[index].name << " (" << path << "): " << StringRef(reason).rtrim() << "\n";
  }
  outs() << seeds->size() << " seeds, " << accepted << " of their mutations compile, the others are refused\n"
         << inputs.size() - ended.size() << " passed, " << ended.size() << " failed\n";
  return ended.empty() ? Error::success() : alreadyReported();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  StringRef seeds = argc == 3 ? argv[2] : "";
  if (argc < 2 || argc > 3 || (argc == 3 && !seeds.consume_front("--write-seeds=")))
    return exitCode(fail("usage: mutation-test FOLDER [--write-seeds=DIR]"));
  return exitCode(run(argv[1], seeds));
}

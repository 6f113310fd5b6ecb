// mlc: compiles ONNX models to shared libraries, and runs, checks and measures them.
#include "AllTargets.h"
#include "Verbs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace llvm;
using namespace mlc;

/// One thing that mlc can do.
struct Verb {
  StringLiteral name;
  StringLiteral arguments; ///< "MODEL [options]"
  StringLiteral summary;
  Error (*run)(CommandLine &line);
};

static const Verb verbs[] = {
    {"compile", "MODEL [options]", "Compile a model to a shared library, or print what a phase makes of it.",
     runCompile},
    {"run", "MODEL [options]", "Run a model on files or random data, and print its outputs.", runRun},
    {"verify", "MODEL [options]", "Run a model on test data, and compare its outputs with the expected ones.",
     runVerify},
    {"bench", "MODEL [options]", "Measure a model: loading, memory, time per run.", runBench},
    {"info", "MODEL [options]", "Say what a model takes, gives and contains.", runInfo},
    {"check", "MODEL [options]", "Try every operator of a model on a target, and say which are not supported and why.",
     runCheck},
    {"ops", "[options]", "List all operators of ONNX, and what mlc has for each.", runOps},
    {"targets", "[TARGET]", "List the machines that mlc compiles for.", runTargets},
};

static void printUsage(raw_ostream &out) {
  out << "mlc compiles ONNX models to shared libraries.\n\nusage: mlc VERB ...\n\n";
  for (const Verb &verb : verbs)
    out << format("  %-9s ", verb.name.data()) << verb.summary << "\n";
  out << "  help      Say more about a verb: mlc help compile.\n\nExamples:\n"
         "  mlc compile model.onnx -o model.so\n"
         "  mlc run model.so --random-inputs --dim batch=4\n";
}

static Expected<const Verb *> findVerb(StringRef name) {
  for (const Verb &verb : verbs)
    if (verb.name == name)
      return &verb;
  SmallVector<StringRef> names = map_to_vector(verbs, [](const Verb &verb) -> StringRef { return verb.name; });
  names.push_back("help");
  return unknownWord("verb", name, names);
}

static Error run(ArrayRef<char *> words) {
  if (words.empty()) {
    printUsage(errs());
    return alreadyReported();
  }
  StringRef first = words[0];
  if (first == "--version") {
    outs() << "mlc " MLC_PROJECT_VERSION "\n";
    return Error::success();
  }
  static char helpOption[] = "--help";
  static char *asked[] = {helpOption};
  bool wantsHelp = first == "help" || first == "--help" || first == "-h";
  if (wantsHelp && (words.size() == 1 || StringRef(words[1]) == "help")) {
    printUsage(outs());
    return Error::success();
  }
  Expected<const Verb *> verb = findVerb(wantsHelp ? words[1] : first);
  if (!verb)
    return verb.takeError();
  const auto &[name, arguments, summary, execute] = **verb;
  CommandLine line("mlc " + name, arguments, summary, wantsHelp ? ArrayRef(asked) : words.drop_front());
  return execute(line);
}

/// What was printed must have arrived: in a file on a full disk, for one.
static Error finishOutput() {
  outs().flush();
  std::error_code error = outs().error();
  outs().clear_error(); // an error that is left makes the stream end the process
  return error ? fail("cannot write to the standard output: " + error.message()) : Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  signal(SIGXFSZ, SIG_IGN); // a file that grows too large is an error of writing it, as on a full disk
  registerAllTargets();
  int code = exitCode(run(ArrayRef(argv, argc).drop_front()));
  return std::max(code, exitCode(finishOutput()));
}

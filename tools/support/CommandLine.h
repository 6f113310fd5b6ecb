// The words after a command such as `mlc compile`: its options, its help, and errors that suggest what was meant.
//
//   CommandLine line("mlc compile", "MODEL [options]", "Compile a model.", words);
//   std::string output;
//   line.option("o", "FILE", output, "where to write");
//   if (Error error = line.parse()) return error;
//
// llvm::cl would do, but it knows all options of LLVM as well, holds them in globals, and reports in words of its own.
#pragma once
#include "Errors.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <optional>
#include <vector>

namespace mlc {

class CommandLine {
public:
  /// `arguments` and `summary` are for the help: "MODEL [options]", and a sentence.
  CommandLine(const llvm::Twine &command, llvm::StringRef arguments, llvm::StringRef summary,
              llvm::ArrayRef<char *> words)
      : command(command.str()), arguments(arguments), summary(summary), words(words) {}

  enum class Needs { Word, MaybeAWord };
  /// The one word that is no option; `what` says what it is: "model".
  void positional(llvm::StringRef what, std::string &target, Needs needs = Needs::Word) {
    positionalName = what;
    positionalTarget = &target;
    needsPositional = needs == Needs::Word;
  }
  void flag(llvm::StringRef name, bool &target, llvm::StringRef help);
  /// --name=VALUE or --name VALUE; `value` is what help calls it.
  void option(llvm::StringRef name, llvm::StringRef value, std::string &target, llvm::StringRef help);
  void option(llvm::StringRef name, llvm::StringRef value, int &target, llvm::StringRef help);
  void option(llvm::StringRef name, llvm::StringRef value, double &target, llvm::StringRef help);
  void option(llvm::StringRef name, llvm::StringRef value, std::optional<double> &target, llvm::StringRef help);
  /// May be given many times.
  void option(llvm::StringRef name, llvm::StringRef value, std::vector<std::string> &target, llvm::StringRef help);
  /// `take` reads the value, and fails in words to which the option is added.
  void option(llvm::StringRef name, llvm::StringRef value, std::function<llvm::Error(llvm::StringRef)> take,
              llvm::StringRef help);
  /// --name or --name=VALUE; without a value, `take` gets an empty one.
  void optionalValue(llvm::StringRef name, llvm::StringRef value, std::function<llvm::Error(llvm::StringRef)> take,
                     llvm::StringRef help);
  /// Text under the options in the help, which lists them in the order in which they were told.
  void explain(llvm::StringRef text) { explanation = text; }

  /// Reads the words. Prints help and leaves the process where that was asked for.
  llvm::Error parse();
  /// The error for a command that turns out to need its positional word.
  llvm::Error missingPositional() const { return fail("expects a " + positionalName + advice()); }

private:
  enum class Takes { Nothing, MaybeAValue, AValue };
  struct Option {
    llvm::StringRef name, value, help;
    Takes takes;
    std::function<llvm::Error(llvm::StringRef)> take;

    std::string spelled() const { return (name.size() == 1 ? "-" : "--") + name.str(); }
    std::string usage() const;
  };

  std::string command;
  llvm::StringRef arguments, summary;
  llvm::ArrayRef<char *> words;
  std::vector<Option> options;
  llvm::StringRef positionalName;
  std::string *positionalTarget = nullptr;
  bool needsPositional = false;
  llvm::StringRef explanation;

  llvm::Error takeOption(llvm::StringRef word);
  llvm::Error takePositional(llvm::StringRef word);
  llvm::Expected<const Option *> find(llvm::StringRef word) const;
  std::string advice() const { return "; `" + command + " --help` says more"; }
  void printHelp(llvm::raw_ostream &out) const;
};

} // namespace mlc

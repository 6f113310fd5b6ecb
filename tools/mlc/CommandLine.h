// The words after `mlc VERB`: the options of that verb, its help, and errors that suggest what was meant.
//
//   std::string output;
//   line.option("o", "FILE", output, "where to write");
//   if (Error error = line.parse()) return error;
//
// llvm::cl would do, but it knows all options of LLVM as well, holds them in globals, and reports in words of its own.
#pragma once
#include "support/Errors.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <optional>
#include <vector>

namespace mlc {

class CommandLine;

/// One thing that mlc can do.
struct Verb {
  llvm::StringLiteral name;
  llvm::StringLiteral arguments; ///< "MODEL [options]"
  llvm::StringLiteral summary;
  llvm::Error (*run)(CommandLine &line);
};

class CommandLine {
public:
  CommandLine(const Verb &verb, llvm::ArrayRef<char *> words) : verb(verb), words(words) {}

  enum class Needs { Model, MaybeAModel };
  /// The one word that is no option.
  void positional(std::string &target, Needs needs = Needs::Model) {
    model = &target;
    needsModel = needs == Needs::Model;
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
  /// The error for a verb that turns out to need its model.
  llvm::Error missingModel() const { return fail("expects a model" + advice()); }

private:
  enum class Takes { Nothing, MaybeAValue, AValue };
  struct Option {
    llvm::StringRef name, value, help;
    Takes takes;
    std::function<llvm::Error(llvm::StringRef)> take;

    std::string spelled() const { return (name.size() == 1 ? "-" : "--") + name.str(); }
    std::string usage() const;
  };

  const Verb &verb;
  llvm::ArrayRef<char *> words;
  std::vector<Option> options;
  std::string *model = nullptr;
  bool needsModel = false;
  llvm::StringRef explanation;

  llvm::Error takeOption(llvm::StringRef word);
  llvm::Error takePositional(llvm::StringRef word);
  llvm::Expected<const Option *> find(llvm::StringRef word) const;
  std::string advice() const { return "; `mlc " + verb.name.str() + " --help` says more"; }
  void printHelp(llvm::raw_ostream &out) const;
};

} // namespace mlc

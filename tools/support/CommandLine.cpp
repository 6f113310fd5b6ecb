#include "CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

//===-- What a verb takes ----------------------------------------------------------===//

void CommandLine::option(StringRef name, StringRef value, std::function<Error(StringRef)> take, StringRef help) {
  options.push_back({name, value, help, Takes::AValue, std::move(take)});
}

void CommandLine::optionalValue(StringRef name, StringRef value, std::function<Error(StringRef)> take, StringRef help) {
  options.push_back({name, value, help, Takes::MaybeAValue, std::move(take)});
}

void CommandLine::flag(StringRef name, bool &target, StringRef help) {
  auto take = [&target](StringRef) {
    target = true;
    return Error::success();
  };
  options.push_back({name, "", help, Takes::Nothing, take});
}

void CommandLine::option(StringRef name, StringRef value, std::string &target, StringRef help) {
  auto take = [&target](StringRef text) {
    target = text.str();
    return Error::success();
  };
  option(name, value, take, help);
}

void CommandLine::option(StringRef name, StringRef value, std::vector<std::string> &target, StringRef help) {
  auto take = [&target](StringRef text) {
    target.push_back(text.str());
    return Error::success();
  };
  option(name, value, take, help);
}

void CommandLine::option(StringRef name, StringRef value, int &target, StringRef help) {
  auto take = [&target](StringRef text) {
    return text.getAsInteger(10, target) || target < 0 ? fail("expects a number, got '" + text + "'")
                                                       : Error::success();
  };
  option(name, value, take, help);
}

static Error takeDouble(StringRef text, double &target) {
  return text.getAsDouble(target) || !(target >= 0) ? fail("expects a number of 0 or more, got '" + text + "'")
                                                    : Error::success();
}

void CommandLine::option(StringRef name, StringRef value, double &target, StringRef help) {
  option(name, value, [&target](StringRef text) { return takeDouble(text, target); }, help);
}

void CommandLine::option(StringRef name, StringRef value, std::optional<double> &target, StringRef help) {
  option(name, value, [&target](StringRef text) { return takeDouble(text, target.emplace()); }, help);
}

//===-- Reading --------------------------------------------------------------------===//

static bool asksForHelp(StringRef word) { return word == "--help" || word == "-help" || word == "-h"; }

Error CommandLine::parse() {
  if (any_of(words, asksForHelp)) {
    printHelp(outs());
    outs().flush();
    std::exit(0);
  }
  bool onlyPositional = false;
  while (!words.empty()) {
    StringRef word = words.consume_front();
    if (word == "--" && !onlyPositional)
      onlyPositional = true;
    else if (Error error = word.starts_with("-") && !onlyPositional ? takeOption(word) : takePositional(word))
      return error;
  }
  return needsPositional && positionalTarget->empty() ? missingPositional() : Error::success();
}

Error CommandLine::takePositional(StringRef word) {
  if (!positionalTarget)
    return fail("expects no other words than options, got '" + word + "'" + advice());
  if (!positionalTarget->empty())
    return fail("expects one " + positionalName + ", got '" + *positionalTarget + "' and '" + word + "'" + advice());
  *positionalTarget = word.str();
  return Error::success();
}

Expected<const CommandLine::Option *> CommandLine::find(StringRef word) const {
  StringRef spelled = word.split('=').first, name = spelled.ltrim('-');
  for (const Option &option : options)
    if (option.name == name)
      return &option;
  auto known = map_to_vector(options, [](const Option &option) { return option.spelled(); });
  std::string hint = didYouMean(spelled, SmallVector<StringRef>(known.begin(), known.end()));
  return fail("unknown option '" + spelled + "' of " + command + (hint.empty() ? advice() : hint));
}

Error CommandLine::takeOption(StringRef word) {
  Expected<const Option *> found = find(word);
  if (!found)
    return found.takeError();
  const Option &option = **found;
  bool hasValue = word.contains('=');
  if (hasValue && option.takes == Takes::Nothing)
    return fail(option.spelled() + ": expects no value, got '" + word.split('=').second + "'");
  if (!hasValue && option.takes == Takes::AValue && words.empty())
    return fail(option.spelled() + ": expects a value, " + option.usage());
  bool takesNext = !hasValue && option.takes == Takes::AValue;
  StringRef value = takesNext ? StringRef(words.consume_front()) : word.split('=').second;
  return inContext(option.spelled(), option.take(value));
}

//===-- Help -----------------------------------------------------------------------===//

std::string CommandLine::Option::usage() const {
  if (takes == Takes::Nothing)
    return spelled();
  std::string text = (name.size() == 1 ? " " : "=") + value.str();
  return spelled() + (takes == Takes::MaybeAValue ? "[" + text + "]" : text);
}

void CommandLine::printHelp(raw_ostream &out) const {
  constexpr unsigned column = 26;
  out << "usage: " << command << (arguments.empty() ? "" : " ") << arguments << "\n\n" << summary << "\n";
  if (!options.empty())
    out << "\n";
  for (const Option &option : options) {
    std::string usage = option.usage();
    out << "  " << usage;
    out.indent(usage.size() + 2 < column ? column - usage.size() - 2 : 2) << option.help << "\n";
  }
  if (!explanation.empty())
    out << "\n" << explanation << "\n";
}

} // namespace mlc

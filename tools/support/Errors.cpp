#include "Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

namespace {
/// Carries no text: it has been printed.
class Reported : public ErrorInfo<Reported> {
public:
  static char ID;
  void log(raw_ostream &) const override {}
  std::error_code convertToErrorCode() const override { return inconvertibleErrorCode(); }
};
char Reported::ID;
} // namespace

Error fail(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }
Error inContext(const Twine &prefix, Error error) {
  return error ? fail(prefix + ": " + toString(std::move(error))) : Error::success();
}
Error alreadyReported() { return make_error<Reported>(); }

int exitCode(Error error) {
  if (!error)
    return 0;
  handleAllErrors(
      std::move(error), [](const Reported &) {},
      [](const ErrorInfoBase &info) { errs() << "error: " << info.message() << "\n"; });
  return 1;
}

Error unknownWord(StringRef what, StringRef word, ArrayRef<StringRef> candidates) {
  std::string text = ("unknown " + what + " '" + word + "'").str(), hint = didYouMean(word, candidates);
  return fail(text + (hint.empty() ? "; known are " + join(candidates, ", ") : hint));
}

Error expectFile(StringRef path) {
  if (sys::fs::is_directory(path))
    return fail(path + ": expects a file, got a folder");
  if (sys::fs::exists(path))
    return Error::success();
  StringRef folder = sys::path::parent_path(path);
  std::vector<std::string> names;
  std::error_code error;
  for (sys::fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; entry != end && !error;
       entry.increment(error))
    names.push_back(sys::path::filename(entry->path()).str());
  std::vector<StringRef> candidates(names.begin(), names.end());
  return fail(path + ": no such file" + didYouMean(sys::path::filename(path), candidates));
}

} // namespace mlc

#include "Expectations.h"
#include "support/Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace mlc::conformance {

Expected<Expectations> Expectations::read(StringRef path) {
  Expectations result;
  if (!sys::fs::exists(path))
    return result;
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  if (!file)
    return fail(path + ": " + file.getError().message());
  unsigned number = 0;
  for (StringRef line : split((*file)->getBuffer(), '\n')) {
    ++number;
    if (line.starts_with("#"))
      result.comment += line.str() + "\n";
    if (line.trim().empty() || line.starts_with("#"))
      continue;
    auto [id, rest] = line.split("  ");
    auto [stage, reason] = rest.split(": ");
    if (stage.empty() || reason.empty())
      return fail(path + ":" + Twine(number) + ": expects 'case  stage: reason', got '" + line + "'");
    result.failures[id.str()] = {stage.str(), reason.str()};
  }
  return result;
}

Error Expectations::write(StringRef path) const {
  std::error_code error;
  raw_fd_ostream out(path, error);
  if (error)
    return fail(path + ": " + error.message());
  out << comment;
  for (const auto &[id, outcome] : failures)
    out << id << "  " << outcome.stage << ": " << outcome.reason << "\n";
  return Error::success();
}

void Expectations::learn(StringRef id, const Outcome &outcome) {
  if (outcome.passed()) {
    failures.erase(id.str());
    return;
  }
  auto [known, isNew] = failures.try_emplace(id.str(), outcome);
  if (!isNew && known->second.stage != outcome.stage)
    known->second = outcome;
}

std::vector<std::string> Expectations::strangers(ArrayRef<Case> cases) const {
  StringSet<> ids, kinds;
  for (const Case &test : cases) {
    ids.insert(test.id);
    kinds.insert(test.kind);
  }
  std::vector<std::string> result;
  for (const auto &[id, outcome] : failures)
    if (!ids.contains(id) && kinds.contains(StringRef(id).split('/').first))
      result.push_back(id);
  return result;
}

} // namespace mlc::conformance

#include "Case.h"
#include "support/Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc::conformance {

static std::vector<std::string> foldersIn(StringRef folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error))
    if (sys::fs::is_directory(entry->path()))
      names.push_back(sys::path::filename(entry->path()).str());
  llvm::sort(names);
  return names;
}

static Expected<Case> readCase(StringRef root, StringRef kind, StringRef name) {
  Case result;
  result.kind = kind;
  result.id = (kind + "/" + name).str();
  result.folder = (root + "/" + result.id).str();
  std::string path = result.folder + "/case.json";
  Expected<Tolerances> tolerances = readTolerances(path);
  if (!tolerances)
    return tolerances.takeError();
  result.tolerances = std::move(*tolerances);

  ErrorOr<std::unique_ptr<MemoryBuffer>> text = MemoryBuffer::getFile(path);
  if (!text)
    return fail(path + ": " + text.getError().message());
  Expected<json::Value> description = json::parse((*text)->getBuffer());
  if (!description)
    return inContext(path, description.takeError());
  const json::Object &object = *description->getAsObject(); // it had tolerances
  result.op = object.getString("operator").value_or("");
  result.typesOnly = object.getString("compare") == "types";
  return result;
}

Expected<std::vector<Case>> findCases(StringRef root) {
  std::vector<Case> cases;
  for (const std::string &kind : foldersIn(root))
    for (const std::string &name : foldersIn((root + "/" + kind).str())) {
      Expected<Case> found = readCase(root, kind, name);
      if (!found)
        return found.takeError();
      cases.push_back(std::move(*found));
    }
  if (cases.empty())
    return fail(root + ": expects cases as test/conformance/make_cases.py writes them");
  return cases;
}

} // namespace mlc::conformance

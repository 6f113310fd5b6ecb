#include "DataSets.h"
#include "Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc {

static SmallVector<std::string> numberedFiles(StringRef folder, StringRef stem) {
  SmallVector<std::string> paths;
  for (unsigned i = 0;; ++i) {
    SmallString<128> path(folder);
    sys::path::append(path, stem + "_" + Twine(i) + ".pb");
    if (!sys::fs::exists(path))
      return paths;
    paths.push_back(path.str().str());
  }
}

static DataSet readDataSet(StringRef folder) {
  return {sys::path::filename(folder).str(), numberedFiles(folder, "input"), numberedFiles(folder, "output")};
}

Expected<SmallVector<DataSet>> findDataSets(StringRef folder) {
  if (!sys::fs::is_directory(folder))
    return fail(folder + ": no such folder");
  if (DataSet whole = readDataSet(folder); !whole.outputs.empty())
    return SmallVector<DataSet>{whole};

  SmallVector<std::pair<unsigned, std::string>> numbered;
  std::error_code error;
  for (sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error)) {
    StringRef name = sys::path::filename(entry->path());
    unsigned number;
    if (name.consume_front("test_data_set_") && !name.getAsInteger(10, number))
      numbered.emplace_back(number, entry->path());
  }
  llvm::sort(numbered);
  SmallVector<DataSet> sets;
  for (auto &[number, path] : numbered) {
    sets.push_back(readDataSet(path));
    if (sets.back().outputs.empty())
      return fail(path + ": has no output_0.pb");
  }
  if (sets.empty())
    return fail(folder + ": has neither test_data_set_* nor output_0.pb in it");
  return sets;
}

} // namespace mlc

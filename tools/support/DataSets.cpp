#include "DataSets.h"
#include "Errors.h"
#include "TensorFiles.h"
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

static Expected<std::vector<Tensor>> readValues(ArrayRef<std::string> paths, ArrayRef<mlc_port> ports, StringRef what) {
  if (paths.size() != ports.size())
    return fail("expects " + Twine(ports.size()) + " files " + what + "_N.pb, got " + Twine(paths.size()));
  std::vector<Tensor> tensors;
  for (auto [path, port] : zip(paths, ports)) {
    Expected<Tensor> tensor = readTensor(path, port);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

static Error runValues(const Library &library, Session &session, const DataSet &set,
                       function_ref<void(const mlc_port &, const Tensor &, const Tensor &)> judge) {
  Expected<std::vector<Tensor>> inputs = readValues(set.inputs, library.inputs(), "input");
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<Tensor>> expected = readValues(set.outputs, library.outputs(), "output");
  if (!expected)
    return expected.takeError();
  Expected<std::vector<Tensor>> outputs = session.run(*inputs);
  if (!outputs)
    return outputs.takeError();
  for (auto [port, got, want] : zip(library.outputs(), *outputs, *expected))
    judge(port, got, want);
  return Error::success();
}

Error runDataSet(const Library &library, Session &session, const DataSet &set,
                 function_ref<void(const mlc_port &, const Tensor &, const Tensor &)> judge) {
  return inContext(set.name, runValues(library, session, set, judge));
}

} // namespace mlc

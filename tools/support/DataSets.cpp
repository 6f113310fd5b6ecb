#include "DataSets.h"
#include "Errors.h"
#include "TensorFiles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mlc {

/// The files STEM_N.pb of a folder by their numbers; empty paths where one is left out.
static SmallVector<std::string> numberedFiles(StringRef folder, StringRef stem) {
  constexpr unsigned most = 1 << 16; // a larger number is a stray file's
  SmallVector<std::string> paths;
  std::error_code error;
  for (sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error)) {
    StringRef name = sys::path::filename(entry->path());
    unsigned number;
    if (!name.consume_front(stem) || !name.consume_front("_") || !name.consume_back(".pb") ||
        name.getAsInteger(10, number) || number >= most)
      continue;
    paths.resize(std::max<size_t>(paths.size(), number + 1));
    paths[number] = entry->path();
  }
  return paths;
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
      return fail(path + ": has no output_N.pb");
  }
  if (sets.empty())
    return fail(folder + ": has neither test_data_set_* nor output_N.pb in it");
  return sets;
}

std::optional<int64_t> rankOfInput(const DataSet &set, unsigned input) {
  if (input >= set.inputs.size() || set.inputs[input].empty())
    return std::nullopt;
  mlc_port anyTensor = {};
  Expected<Tensor> tensor = readTensor(set.inputs[input], anyTensor);
  if (!tensor) { // whoever runs the set will say why
    consumeError(tensor.takeError());
    return std::nullopt;
  }
  return tensor->extents.size();
}

static Error wrongCount(size_t expected, StringRef what, size_t got) {
  return fail("expects " + Twine(expected) + " files " + what + "_N.pb, got " + Twine(got));
}

static Error runValues(const Library &library, Session &session, const DataSet &set,
                       function_ref<void(const mlc_port &, const Tensor &, const Tensor *)> judge) {
  ArrayRef<mlc_port> inputPorts = library.inputs(), outputPorts = library.outputs();
  size_t given = llvm::count_if(set.inputs, [](StringRef path) { return !path.empty(); });
  if (given != inputPorts.size() || set.inputs.size() != given)
    return wrongCount(inputPorts.size(), "input", given);
  if (set.outputs.size() > outputPorts.size())
    return wrongCount(outputPorts.size(), "output", set.outputs.size());
  std::vector<Tensor> inputs;
  for (auto [path, port] : zip(set.inputs, inputPorts)) {
    Expected<Tensor> tensor = readTensor(path, port);
    if (!tensor)
      return tensor.takeError();
    inputs.push_back(std::move(*tensor));
  }
  Expected<std::vector<Tensor>> outputs = session.run(inputs);
  if (!outputs)
    return outputs.takeError();
  for (auto [i, port] : enumerate(outputPorts)) {
    if (i >= set.outputs.size() || set.outputs[i].empty()) {
      judge(port, (*outputs)[i], nullptr);
      continue;
    }
    Expected<Tensor> want = readTensor(set.outputs[i], port);
    if (!want)
      return want.takeError();
    judge(port, (*outputs)[i], &*want);
  }
  return Error::success();
}

Error runDataSet(const Library &library, Session &session, const DataSet &set,
                 function_ref<void(const mlc_port &, const Tensor &, const Tensor *)> judge) {
  return inContext(set.name, runValues(library, session, set, judge));
}

} // namespace mlc

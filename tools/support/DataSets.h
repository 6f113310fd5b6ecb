// Inputs and expected outputs in files, laid out as ONNX does: test_data_set_N/{input_M.pb, output_M.pb}.
#pragma once
#include "Library.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlc {

struct DataSet {
  std::string name; ///< "test_data_set_0"
  /// Paths, in the order of the model's; empty for an output that has no file.
  llvm::SmallVector<std::string> inputs, outputs;
};

/// The data sets of a folder, in order; or the one that the folder itself is. Fails where there is none.
llvm::Expected<llvm::SmallVector<DataSet>> findDataSets(llvm::StringRef folder);

/// The rank of the tensor in an input's file; none if there is no such file, or it holds something else.
std::optional<int64_t> rankOfInput(const DataSet &set, unsigned input);

/// Runs a model on a data set, and shows each output to `judge` beside the one that is expected, null where the set has
/// none.
llvm::Error runDataSet(const Library &library, Session &session, const DataSet &set,
                       llvm::function_ref<void(const mlc_port &port, const Tensor &got, const Tensor *want)> judge);

} // namespace mlc

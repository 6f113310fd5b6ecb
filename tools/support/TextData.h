// Inputs and expected outputs that stand in an ONNX text file itself, as comments behind the model:
//
//   <ir_version: 10, opset_import: ["" : 23]>
//   halves (float[N] x) => (float[N] y) { y = Round(x) }
//   #in  x = float[4] {0.5, 1.5, -2.5, nan}
//   #out y = float[4] {0, 2, -2, nan}
//
// A value is written as ONNX text writes an initializer, except that numbers of every float type are numbers and not
// their bits. A sequence is tensors between brackets, `[float[2] {1, 2}; float[0] {}]` or `[] float`, a map is
// `{string[2] {"a", "b"}: float[2] {1, 2}}`, and an optional without element is `absent float`. One line holds one value. Each `#in` behind an `#out` begins another data set. In place of its outputs,
// `#fails TEXT` says that the run ends with an error that contains TEXT. `#tolerance RTOL ATOL` holds for the whole
// file; without it, results are exact.
#pragma once
#include "Compare.h"
#include "Library.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

namespace mlc {

struct TextDataSet {
  std::string name; ///< "line 3", where it begins
  llvm::StringMap<Tensor> inputs, outputs;
  std::string failure; ///< what the run's error contains; empty: the run succeeds
};

struct TextData {
  std::vector<TextDataSet> sets;
  Tolerance tolerance{0, 0};
};

/// Fails, naming the line, where a comment begins like one of those above and cannot be read.
llvm::Expected<TextData> readTextData(llvm::StringRef path);

/// Runs a model on a data set, and shows each output to `judge` beside the one that is expected. Fails where the run
/// ends otherwise than expected, and where values do not belong to the model's inputs and outputs by name.
llvm::Error runTextData(const Library &library, Session &session, const TextDataSet &set,
                        llvm::function_ref<void(const mlc_port &port, const Tensor &got, const Tensor &want)> judge);

} // namespace mlc

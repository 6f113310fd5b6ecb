// Rows of all heads side by side, and heads apart.
#pragma once
#include "onnx/microsoft/Operator.h"

namespace mlc::onnx {

/// Adds `heads` of extents [batch, heads, length, size] for `rows` of extents [batch, length, heads * size].
inline void splitHeads(FunctionBuilder &b, const string &heads, const string &rows, int64_t count) {
  b.Const(heads + "_extents", std::vector<int64_t>{0, 0, count, -1})
      .Add((heads + "_rows = Reshape(" + rows + ", " + heads + "_extents)").c_str())
      .Add((heads + " = Transpose <perm = [0, 2, 1, 3]> (" + heads + "_rows)").c_str());
}

/// The reverse.
inline void joinHeads(FunctionBuilder &b, const string &rows, const string &heads) {
  b.Const(rows + "_extents", std::vector<int64_t>{0, 0, -1})
      .Add((rows + "_heads = Transpose <perm = [0, 2, 1, 3]> (" + heads + ")").c_str())
      .Add((rows + " = Reshape(" + rows + "_heads, " + rows + "_extents)").c_str());
}

} // namespace mlc::onnx

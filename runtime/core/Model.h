// The functions behind the table in mlc.h, and what they ask of a model's description.
#pragma once
#include "mlc/abi.h"

namespace mlc::rt {

mlc_status createSession(const mlc_model *model, const mlc_session_options *options, mlc_session **session,
                         mlc_error *error);
void destroySession(mlc_session *session);
mlc_status run(mlc_session *session, const mlc_input *inputs, uint32_t inputCount, mlc_output *outputs,
               uint32_t outputCount, mlc_error *error);
mlc_status queryMemory(const mlc_model *model, const int64_t *dims, uint64_t *bytes, mlc_error *error);
mlc_status queryOutput(const mlc_model *model, uint32_t output, const int64_t *dims, int64_t *extents,
                       mlc_error *error);
void releaseHandedOver(void *data);
const mlc_kernel_time *kernelTimes(const mlc_session *session);
void resetKernelTimes(mlc_session *session);

/// The table of a model. Constant, so that a library needs no code to run when it is loaded.
constexpr mlc_model tableOf(const mlc_model_data_t &data) {
  return {MLC_VERSION, sizeof(mlc_model), &data.info,        createSession, destroySession,  run,
          queryMemory, queryOutput,       releaseHandedOver, kernelTimes,   resetKernelTimes};
}

/// The compiler's side of a description that came out of a table.
inline const mlc_model_data_t &dataOf(const mlc_model_info &info) {
  static_assert(offsetof(mlc_model_data_t, info) == 0);
  return reinterpret_cast<const mlc_model_data_t &>(info);
}

/// Writes the extents of all outputs, one output after the other. Unknown are those that need a symbol that is
/// MLC_EXTENT_UNKNOWN.
void predictOutputs(const mlc_model_data_t &data, const int64_t *symbols, int64_t *extents);

} // namespace mlc::rt

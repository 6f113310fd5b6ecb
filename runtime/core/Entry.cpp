// The way into a finished model library: its two exported functions and the table that they return.
#include "core/Model.h"

static constinit const mlc_model model = mlc::rt::tableOf(mlc_model_data);

extern "C" {
// Named by the code that the compiler emits for <name>_mlc, which thereby pulls this file out of the archive.
const mlc_model *mlc_rt_entry(uint32_t version) { return version == MLC_VERSION ? &model : nullptr; }

__attribute__((visibility("default"))) const mlc_model *mlc_model_entry(uint32_t version) {
  return mlc_rt_entry(version);
}
}

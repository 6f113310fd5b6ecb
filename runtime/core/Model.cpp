// What can be asked of a model without a session.
#include "core/Model.h"
#include "core/Memory.h"
#include "core/Sequence.h"
#include "core/Status.h"

namespace mlc::rt {

static mlc_status checkDims(const mlc_model_info &info, const int64_t *dims, mlc_error *error) {
  if (!dims && info.symbol_count)
    return refuse(error, MLC_INVALID_ARGUMENT, "dims is null: expects the values of the model's %u symbolic dimensions",
                  info.symbol_count);
  for (uint32_t i = 0; i < info.symbol_count; ++i)
    if (dims[i] < 0)
      return refuse(error, MLC_INVALID_ARGUMENT, "symbolic dimension %u ('%s') expects a value of 0 or more, got %lld",
                    i, info.symbols[i], static_cast<long long>(dims[i]));
  return MLC_OK;
}

mlc_status queryMemory(const mlc_model *model, const int64_t *dims, uint64_t *bytes, mlc_error *error) {
  if (mlc_status status = checkDims(*model->info, dims, error))
    return status;
  if (!bytes)
    return refuse(error, MLC_INVALID_ARGUMENT, "bytes is null: expects a place for the result");
  *bytes = 0;
  const mlc_model_data_t &own = dataOf(*model->info);
  // A session may be on a device or not.
  for (const mlc_model_data_t *data : {&own, own.device}) {
    const int64_t size = data ? data->arena_bytes(dims) : 0;
    if (size < 0)
      return refuse(error, MLC_INVALID_ARGUMENT, "the dims are too large: the memory they need cannot be addressed");
    if (uint64_t(size) > *bytes)
      *bytes = uint64_t(size);
  }
  return accept(error);
}

void predictOutputs(const mlc_model_data_t &data, const int64_t *symbols, int64_t *extents) {
  const mlc_model_info &info = data.info;
  bool allKnown = true;
  for (uint32_t i = 0; i < info.symbol_count; ++i)
    allKnown &= symbols[i] >= 0;
  if (data.output_extents && allKnown)
    return data.output_extents(symbols, extents);
  for (const mlc_port *port = info.outputs; port != info.outputs + info.output_count; ++port)
    for (int32_t axis = 0; axis < axesOf(*port); ++axis) {
      int64_t extent = port->extents[axis];
      *extents++ = MLC_EXTENT_IS_SYMBOL(extent) ? symbols[MLC_EXTENT_SYMBOL(extent)] : extent;
    }
}

mlc_status queryOutput(const mlc_model *model, uint32_t output, const int64_t *dims, int64_t *extents,
                       mlc_error *error) {
  const mlc_model_info &info = *model->info;
  if (output >= info.output_count)
    return refuse(error, MLC_INVALID_ARGUMENT, "output %u does not exist; the model has %u", output, info.output_count);
  if (mlc_status status = checkDims(info, dims, error))
    return status;
  const int32_t rank = axesOf(info.outputs[output]);
  if (!extents && rank)
    return refuse(error, MLC_INVALID_ARGUMENT, "extents is null: expects room for %d values", rank);

  uint64_t before = 0, all = 0;
  for (uint32_t i = 0; i < info.output_count; ++i) {
    before += i < output ? uint64_t(axesOf(info.outputs[i])) : 0;
    all += uint64_t(axesOf(info.outputs[i]));
  }
  auto *every = static_cast<int64_t *>(allocate(all * sizeof(int64_t)));
  if (!every)
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for the extents of the outputs");
  predictOutputs(dataOf(info), dims, every);
  for (int32_t axis = 0; axis < rank; ++axis)
    extents[axis] = every[before + uint64_t(axis)] < 0 ? MLC_EXTENT_UNKNOWN : every[before + uint64_t(axis)];
  release(every);
  return accept(error);
}

void releaseHandedOver(void *data) { release(data); }

} // namespace mlc::rt

// Takes the inputs of a run: every property that emitted code relies on is checked here, each time.
#include "core/Packed.h"
#include "core/Sequence.h"
#include "core/Session.h"
#include "core/Status.h"
#include "core/Strides.h"
#include "core/Strings.h"
#include <string.h>

namespace mlc::rt {

/// What emitted code may point at when there is nothing to read.
alignas(alignment) static const char nothing[alignment] = {};

int64_t portFor(const char *what, const mlc_port *ports, uint32_t count, const char *name, uint32_t place,
                mlc_error *error) {
  if (!name || strcmp(ports[place].name, name) == 0)
    return place;
  int32_t index = mlc_find_port(ports, count, name);
  if (index < 0)
    refuse(error, MLC_INVALID_ARGUMENT, "%s '%s' does not exist; the model has %s", what, name,
           portNames(ports, count).text);
  return index;
}

static mlc_status checkForm(const mlc_model_info &info, const mlc_port &port, const mlc_input &input,
                            mlc_error *error) {
  if (input.type != port.type)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' expects type %s, got %s", port.name,
                  mlc_type_name(port.type), mlc_type_name(input.type));
  if (mlc_type_bits(port.type) == 0)
    return refuse(error, MLC_UNSUPPORTED, "input '%s': tensors of type %s cannot be passed", port.name,
                  mlc_type_name(port.type));
  if (input.rank != port.rank)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' expects %d axes, %s, got %d", port.name, port.rank,
                  declaredShape(info, port).text, input.rank);
  if (!input.extents && input.rank)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': extents is null, expects %d values", port.name, input.rank);
  return MLC_OK;
}

/// Fixed extents must be met, and a symbol must have one value wherever it stands.
static mlc_status checkExtents(Session &session, uint32_t index, mlc_error *error) {
  const mlc_model_info &info = session.data->info;
  const mlc_port &port = info.inputs[index];
  InputState &state = session.inputs[index];
  copyExtents(state.extents, state.given->extents, port.rank);
  for (int32_t axis = 0; axis < port.rank; ++axis) {
    const int64_t declared = port.extents[axis], got = state.extents[axis];
    if (got < 0)
      return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': axis %d has the negative extent %lld", port.name, axis,
                    static_cast<long long>(got));
    if (declared >= 0 && declared != got)
      return refuse(error, MLC_INVALID_ARGUMENT,
                    "input '%s': axis %d expects extent %lld, got %lld (expects %s, got %s)", port.name, axis,
                    static_cast<long long>(declared), static_cast<long long>(got), declaredShape(info, port).text,
                    shape(state.extents, port.rank).text);
    if (!MLC_EXTENT_IS_SYMBOL(declared))
      continue;
    int64_t &symbol = session.symbols[MLC_EXTENT_SYMBOL(declared)];
    if (symbol >= 0 && symbol != got)
      return refuse(error, MLC_INVALID_ARGUMENT,
                    "input '%s': axis %d is dimension '%s', which is %lld elsewhere among the inputs, got %lld "
                    "(expects %s, got %s)",
                    port.name, axis, info.symbols[MLC_EXTENT_SYMBOL(declared)], static_cast<long long>(symbol),
                    static_cast<long long>(got), declaredShape(info, port).text, shape(state.extents, port.rank).text);
    symbol = got;
  }
  return MLC_OK;
}

/// What a kernel reads has the addresses that it is compiled for, and no copy is made on the device.
static mlc_status checkOnDevice(const InputState &state, const mlc_port &port, mlc_error *error) {
  if (!isContiguous(state.extents, state.given->strides, port.rank))
    return refuse(error, MLC_UNSUPPORTED, "input '%s': what is on a device cannot have strides", port.name);
  if (reinterpret_cast<uintptr_t>(state.given->data) % elementAlignment(port.type))
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': expects an address on the device that is a multiple of %u",
                  port.name, unsigned(elementAlignment(port.type)));
  return MLC_OK;
}

static mlc_status checkMemory(const Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.inputs[index];
  const InputState &state = session.inputs[index];
  const mlc_input &input = *state.given;
  const int32_t bits = mlc_type_bits(port.type);
  const int64_t bytes = contiguousBytes(state.extents, port.rank, bits);
  if (bytes < 0 || contiguousBytes(state.extents, port.rank, bitsInCode(port.type)) < 0)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' of shape %s is too large to be addressed", port.name,
                  shape(state.extents, port.rank).text);
  if (bytes > 0 && !input.data)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': data is null, expects %lld bytes", port.name,
                  static_cast<long long>(bytes));
  const int64_t reach = reachedBytes(state.extents, input.strides, port.rank, bits);
  if (reach < 0)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': strides reach further than can be addressed", port.name);
  if (input.bytes && uint64_t(reach) > input.bytes)
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' of shape %s needs %lld bytes, got %llu", port.name,
                  shape(state.extents, port.rank).text, static_cast<long long>(reach),
                  static_cast<unsigned long long>(input.bytes));
  if (bits < 8 && !isContiguous(state.extents, input.strides, port.rank))
    return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': packed elements of type %s cannot have strides", port.name,
                  mlc_type_name(port.type));
  return input.place == MLC_ON_DEVICE ? checkOnDevice(state, port, error) : MLC_OK;
}

/// Points the frame at the caller's memory, or at a contiguous, aligned copy of it, in which packed elements are
/// unpacked. What is on a device has addresses on the host, too, to be named by, and to come to if the host reads it.
static mlc_status place(Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.inputs[index];
  InputState &state = session.inputs[index];
  const mlc_input &input = *state.given;
  const int64_t bytes = contiguousBytes(state.extents, port.rank, bitsInCode(port.type));
  const void *&data = const_cast<const void **>(session.frame.inputs)[index];
  state.begin = state.end = nullptr;
  if (bytes == 0) {
    data = nothing;
    return MLC_OK;
  }
  if (input.place == MLC_ON_HOST && !isPacked(port.type) && isContiguous(state.extents, input.strides, port.rank) &&
      reinterpret_cast<uintptr_t>(input.data) % elementAlignment(port.type) == 0) {
    data = input.data;
    state.begin = static_cast<const char *>(input.data);
    state.end = state.begin + bytes;
    return MLC_OK;
  }
  if (!reserve(state.copy, uint64_t(bytes)))
    return refuse(error, MLC_OUT_OF_MEMORY, "no memory for a contiguous copy of input '%s', which takes %lld bytes",
                  port.name, static_cast<long long>(bytes));
  if (input.place == MLC_ON_DEVICE) {
    data = state.copy.data;
    return MLC_OK;
  }
  if (isPacked(port.type))
    unpack(static_cast<int8_t *>(state.copy.data), static_cast<const uint8_t *>(input.data), bytes, port.type);
  else
    copyStrided(state.copy.data, nullptr, input.data, input.strides, state.extents, port.rank,
                mlc_type_bits(port.type) / 8);
  data = state.copy.data;
  return MLC_OK;
}

/// Strings that say they have bytes must have some.
static mlc_status checkStrings(const Session &session, uint32_t index, mlc_error *error) {
  const mlc_port &port = session.data->info.inputs[index];
  const int64_t bytes = contiguousBytes(session.inputs[index].extents, port.rank, mlc_type_bits(port.type));
  const auto *strings = static_cast<const mlc_string *>(session.frame.inputs[index]);
  const int64_t null = findNullString(strings, bytes / int64_t(sizeof(mlc_string)));
  if (null < 0)
    return MLC_OK;
  return refuse(error, MLC_INVALID_ARGUMENT, "input '%s': string %lld has null data, but size %llu", port.name,
                static_cast<long long>(null), static_cast<unsigned long long>(strings[null].size));
}

mlc_status takeInputs(Session &session, const mlc_input *inputs, uint32_t count, mlc_error *error) {
  const mlc_model_info &info = session.data->info;
  if (count != info.input_count)
    return refuse(error, MLC_INVALID_ARGUMENT, "expects %u inputs (%s), got %u", info.input_count,
                  portNames(info.inputs, info.input_count).text, count);
  if (!inputs && count)
    return refuse(error, MLC_INVALID_ARGUMENT, "inputs is null, expects %u", count);

  for (uint32_t i = 0; i < count; ++i)
    session.inputs[i].given = nullptr;
  for (uint32_t i = 0; i < info.symbol_count; ++i)
    session.symbols[i] = MLC_EXTENT_UNKNOWN;
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t index = portFor("input", info.inputs, count, inputs[i].name, i, error);
    if (index < 0)
      return MLC_INVALID_ARGUMENT;
    const mlc_port &port = info.inputs[index];
    if (session.inputs[index].given)
      return refuse(error, MLC_INVALID_ARGUMENT, "input '%s' is given twice", port.name);
    session.inputs[index].given = &inputs[i];
    if (mlc_status status = checkPlace(session, "input", port, inputs[i].place, error))
      return status;
    if (isHandle(port))
      continue;
    if (mlc_status status = checkForm(info, port, inputs[i], error))
      return status;
    if (mlc_status status = checkExtents(session, uint32_t(index), error))
      return status;
    if (mlc_status status = checkMemory(session, uint32_t(index), error))
      return status;
  }
  // Copies come last: a run that is refused costs none.
  for (uint32_t i = 0; i < count; ++i) {
    const bool isTensor = !isHandle(info.inputs[i]);
    if (mlc_status status = isTensor ? place(session, i, error) : takeSequence(session, i, error))
      return status;
    if (isTensor && info.inputs[i].type == MLC_STRING)
      if (mlc_status status = checkStrings(session, i, error))
        return status;
  }
  return MLC_OK;
}

} // namespace mlc::rt

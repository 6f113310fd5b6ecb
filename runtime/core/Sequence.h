// Sequences, maps and optionals: lists of tensors that never change, in the memory of one run.
//
// Values share what they can. A sequence is a number of the first items in a store; who adds behind the last item that
// is in use writes it into the store, and everybody else makes a new store. So a loop that appends to a sequence, the
// usual one, does not copy what is there, and every older value stays what it was.
//
// An optional tensor is a sequence of one, and what is absent a null pointer. Maps are sequences of their keys and their
// values in turn, as they lie in an array of mlc_map.
#pragma once
#include "core/Session.h"

struct mlc_sequence {
  struct Store {
    int64_t used, capacity;
    mlc_tensor *items; ///< contiguous, elements as emitted code has them
  };
  Store *store;
  int64_t length;

  const mlc_tensor *begin() const { return store->items; }
  const mlc_tensor *end() const { return store->items + length; }
};

namespace mlc::rt {

using Sequence = mlc_sequence;

/// Whether a port is anything but a tensor that is always there, which emitted code has as an mlc_sequence.
inline bool isHandle(const mlc_port &port) { return port.kind != MLC_TENSOR || port.optional; }
inline bool holdsMaps(const mlc_port &port) { return port.kind == MLC_MAP || port.kind == MLC_SEQUENCE_OF_MAPS; }
/// The mlc_type of what a port takes or gives an array of.
inline int32_t elementTypeOf(const mlc_port &port) {
  return port.kind == MLC_TENSOR ? port.type : port.kind == MLC_SEQUENCE ? MLC_ITEM : MLC_MAP_ITEM;
}
/// The axes of a port that is a tensor; none of any other.
inline int32_t axesOf(const mlc_port &port) { return isHandle(port) ? 0 : port.rank; }

/// An empty sequence with room for items. Null when there is no memory.
Sequence *newSequence(Region &region, int64_t capacity);

/// With one more tensor before the one at `position`, which is not copied. Ends the run when there is no memory.
const Sequence *withItem(const Sequence *sequence, int64_t position, const mlc_tensor &item);

/// Checks what the caller passes for a handle, and makes a sequence of it.
mlc_status takeSequence(Session &session, uint32_t index, mlc_error *error);
/// Completes the caller's output of a handle.
mlc_status deliverSequence(Session &session, uint32_t index, mlc_error *error);

} // namespace mlc::rt

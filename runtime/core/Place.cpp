// Where the caller's tensors may be.
#include "core/Packed.h"
#include "core/Sequence.h"
#include "core/Session.h"
#include "core/Status.h"

namespace mlc::rt {

mlc_status checkPlace(Session &session, const char *what, const mlc_port &port, mlc_place place, mlc_error *error) {
  if (place == MLC_ON_HOST)
    return MLC_OK;
  if (place != MLC_ON_DEVICE)
    return refuse(error, MLC_INVALID_ARGUMENT, "%s '%s': place expects an mlc_place, got %d", what, port.name,
                  int(place));
  if (!session.data->program)
    return refuse(error, MLC_INVALID_ARGUMENT,
                  "%s '%s' is on a device, but the session is on the host: the property mlc.target says where it is",
                  what, port.name);
  if (isHandle(port) || isPacked(port.type) || port.type == MLC_STRING)
    return refuse(error, MLC_UNSUPPORTED,
                  "%s '%s' is on a device, where only tensors of numbers of at least 8 bits can be passed", what,
                  port.name);
  session.usesDevice = true;
  return MLC_OK;
}

} // namespace mlc::rt

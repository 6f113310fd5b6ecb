// Calls the functions that operators of the user name.
#include "core/Session.h"
#include "core/Status.h"
#include "mlc/abi.h"

using namespace mlc::rt;

extern "C" void mlc_rt_call_function(mlc_frame *frame, mlc_function *function, const char *name, const char *node,
                                     const mlc_call *call) {
  Session &session = *static_cast<Frame *>(frame)->session;
  if (!function)
    failWith(session,
             refuse(session.error, MLC_UNSUPPORTED,
                    "%s needs the function '%s', which neither the model's library nor this program has; compile "
                    "the model with --link=FILE, or load the function before the model",
                    node, name));
  if (const char *problem = function(call))
    failWith(session, refuse(session.error, MLC_FAILED, "%s: %s", node, problem));
}

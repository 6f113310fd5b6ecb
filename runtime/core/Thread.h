// What emitted code finds on the thread that it runs on: scratch memory, and the way out when it fails.
#pragma once
#include "core/Memory.h"
#include <setjmp.h>

namespace mlc::rt {

struct ThreadContext {
  Buffer *scratch;
  struct Frame *frame; ///< of the run that this thread works for
  bool inParallel;     ///< inside a part of a parallel region
  jmp_buf escape;      ///< where a failure continues; emitted code has nothing to clean up on the way
};

/// Null outside of runs.
extern thread_local constinit ThreadContext *currentThread __attribute__((visibility("hidden")));

/// Calls `code()` with a context of its own; false if it left by leave(). Local variables that `code` changes have no
/// certain value then.
template <typename Code> bool enter(Frame *frame, Buffer &scratch, bool inParallel, Code code) {
  ThreadContext context;
  context.scratch = &scratch;
  context.frame = frame;
  context.inParallel = inParallel;
  ThreadContext *const outer = currentThread;
  bool left = _setjmp(context.escape) != 0;
  if (!left) {
    currentThread = &context;
    code();
  }
  currentThread = outer;
  return !left;
}

/// Continues after the innermost enter() of this thread.
[[noreturn]] inline void leave() { longjmp(currentThread->escape, 1); }

} // namespace mlc::rt

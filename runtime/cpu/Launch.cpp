// Spreads a parallel region over the threads of the session.
#include "core/Session.h"
#include "core/Status.h"

using namespace mlc::rt;

namespace {
struct ParallelRegion : Job {
  Frame *frame;
  int64_t count;
  uint32_t parts;
  void (*body)(void *closure, int64_t begin, int64_t end);
  void *closure;
  Word executed; ///< parts that an executor has run
};
} // namespace

/// Runs one part. A failure in it ends here: the thread that started the region waits for all parts, then fails in
/// their place.
static void runPart(Job &job, uint32_t part, Buffer &scratch) {
  auto &region = static_cast<ParallelRegion &>(job);
  // Equal parts; the first ones take one more while there is a rest.
  const int64_t each = region.count / region.parts, rest = region.count % region.parts;
  const int64_t begin = part * each + (part < rest ? part : rest);
  const int64_t end = begin + each + (part < rest);
  enter(region.frame, scratch, true, [&] { region.body(region.closure, begin, end); });
}

/// Runs all parts as one, on this thread.
static void runInline(Session &session, int64_t count, void (*body)(void *closure, int64_t begin, int64_t end),
                      void *closure) {
  // A failure leaves past this function, together with the context that is changed here.
  ThreadContext &here = *currentThread;
  Buffer *scratch = here.scratch;
  const bool nested = here.inParallel;
  if (!nested)
    here.scratch = &session.partScratch;
  here.inParallel = true;
  body(closure, 0, count);
  here.scratch = scratch;
  here.inParallel = nested;
}

static void runExecutorPart(void *closure, uint32_t part) {
  auto &region = *static_cast<ParallelRegion *>(closure);
  if (part >= region.parts)
    return;
  runPart(region, part, region.frame->session->executorScratch[part]);
  region.executed.fetch_add(1, std::memory_order_release);
}

static void runOnExecutor(Session &session, ParallelRegion &region) {
  if (!session.executorScratch) {
    session.executorScratch = static_cast<Buffer *>(allocate(session.threads * sizeof(Buffer)));
    if (!session.executorScratch)
      failWith(session, refuse(session.error, MLC_OUT_OF_MEMORY, "no memory for the parts of an executor"));
    for (uint32_t i = 0; i < session.threads; ++i)
      session.executorScratch[i] = {};
  }
  session.executor(session.executorContext, region.parts, runExecutorPart, &region);
  const uint32_t executed = region.executed.load(std::memory_order_acquire);
  if (executed != region.parts)
    failWith(session, refuse(session.error, MLC_FAILED, "the executor ran %u of %u parts", executed, region.parts));
}

static void runOnPool(Session &session, ParallelRegion &region) {
  Team &team = session.team;
  if (team.pool && mustGiveBack(team))
    giveBack(team);
  if (!team.pool)
    claim(team, session.threads);
  region.parts = region.count <= team.size ? uint32_t(region.count) : team.size + 1;
  if (region.parts == 1)
    runInline(session, region.count, region.body, region.closure);
  else
    runParts(team, region, region.parts, session.partScratch);
}

extern "C" void mlc_rt_parallel(mlc_frame *handle, int64_t count,
                                void (*body)(void *closure, int64_t begin, int64_t end), void *closure) {
  auto *frame = static_cast<Frame *>(handle);
  Session &session = *frame->session;
  if (count <= 0)
    return;
  if (session.threads == 0)
    session.threads = coresOfProcess();
  if (count == 1 || session.threads == 1 || currentThread->inParallel)
    return runInline(session, count, body, closure);

  const uint32_t most = count < session.threads ? uint32_t(count) : session.threads;
  ParallelRegion region = {{runPart}, frame, count, most, body, closure, {0}};
  if (session.executor)
    runOnExecutor(session, region);
  else
    runOnPool(session, region);
  if (session.status.load(std::memory_order_relaxed) != MLC_OK)
    leave();
}

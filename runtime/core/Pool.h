// The worker threads of the process, and how a graph borrows some of them.
//
// A run claims a team at its first parallel region and keeps it until it ends; regions then cost one store and one load
// for each worker. When other graphs are running, it gets only workers that a free processor is left for, possibly
// none. A worker without work spins for a short time, then sleeps.
//
// Parts of a region are equal and each belongs to one worker. The calling thread does the first, then takes back every
// part that has not been started (a sleeping worker takes long to wake, and the processor may be busy with something
// else), then waits for the others.
//
// The threads run code of the library that created the pool, so that library ends them with its last session; other
// libraries that still compute give their teams back at their next region, and make a pool of their own.
#pragma once
#include "core/Device.h"
#include "core/Memory.h"
#include "core/Process.h"
#include <pthread.h>

namespace mlc::rt {

/// Work cut into parts. It lives on the stack of the thread that waits for all of them.
struct Job {
  void (*work)(Job &job, uint32_t part, Buffer &scratch);
};

struct Pool;

/// In a cache line of its own, so that waiting for one does not slow another down.
struct alignas(alignment) Worker {
  enum State : uint32_t {
    Idle,    ///< awake, and looking for work
    Asleep,  ///< in the kernel
    Posted,  ///< `job` waits for the worker, or to be taken back
    Working, ///< on `job`
    Awaited, ///< working, and its caller sleeps until it is done
    Stopped  ///< told to end
  };
  explicit Worker(Pool &pool) : pool(pool) {}

  Word state{Idle};
  uint32_t part = 0;
  Job *job = nullptr;
  Worker *next = nullptr; ///< in a team, or among those that nobody has claimed
  Worker *older;          ///< the one created before it
  Pool &pool;
  pthread_t thread;
  Buffer scratch; ///< for the parts it runs
};

struct Pool {
  Pool(Process &process, const void *owner, void *(*main)(void *worker)) : process(process), owner(owner), main(main) {}

  Process &process;
  const void *owner; ///< whose code the threads run
  void *(*main)(void *worker);
  bool mayMove = false; ///< workers take `affinity` in place of their creator's
  Affinity affinity;
  Worker *unclaimed = nullptr;
  Worker *newest = nullptr;
  uint32_t size = 0;
  Word teams{0};                    ///< that hold workers of this pool
  std::atomic<bool> closing{false}; ///< teams are to be given back
};

/// The workers of one running graph.
struct Team {
  Pool *pool = nullptr; ///< null: not claimed
  Worker *first = nullptr;
  uint32_t size = 0;
};

/// More threads than this are refused everywhere.
constexpr uint32_t mostThreads = 1024;

/// Gives `team` up to `threads` - 1 workers, starting them if need be. None at all is a success too.
void claim(Team &team, uint32_t threads);
void giveBack(Team &team);
/// Whether the team's pool is about to end.
inline bool mustGiveBack(const Team &team) { return team.pool->closing.load(std::memory_order_relaxed); }

/// Runs parts 0..parts-1 of `job`, where parts <= team.size + 1; `scratch` is for those on the calling thread.
void runParts(Team &team, Job &job, uint32_t parts, Buffer &scratch);

/// Counts the sessions of this library; the last one takes the pool along, if this library made it.
void sessionCreated();
void sessionDestroyed();

} // namespace mlc::rt

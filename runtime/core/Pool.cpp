// The worker threads of the process.
#include "core/Pool.h"
#include <new>
#include <signal.h>
#include <sys/prctl.h>

using namespace mlc::rt;

// The C libraries before glibc 2.34 keep threads in a library of their own. A host that has not loaded it computes on
// one thread.
extern "C" {
extern decltype(pthread_create) pthread_create __attribute__((weak));
extern decltype(pthread_join) pthread_join __attribute__((weak));
}

/// Longer than the gap between two kernels, shorter than anybody would notice on a battery; waking a sleeper takes
/// 20-60 us.
constexpr uint64_t spinNanoseconds = 150000;

/// Its address stands for this library.
static std::atomic<uint32_t> liveSessions;

static uint64_t spinLimit(const Process &process) {
  return process.crowded.load(std::memory_order_relaxed) ? 0 : spinNanoseconds;
}

//===-- The worker's side ---------------------------------------------------------===//

/// Waits until the state is neither Idle nor Asleep, and returns it.
static uint32_t awaitWork(Worker &worker) {
  for (;;) {
    uint32_t state;
    auto hasWork = [&] { return (state = worker.state.load(std::memory_order_acquire)) != Worker::Idle; };
    if (spinUntil(spinLimit(worker.pool.process), hasWork))
      return state;
    uint32_t expected = Worker::Idle;
    if (worker.state.compare_exchange_strong(expected, Worker::Asleep, std::memory_order_acq_rel))
      while (worker.state.load(std::memory_order_acquire) == Worker::Asleep)
        sleepWhile(worker.state, Worker::Asleep);
  }
}

static void *workerMain(void *argument) {
  auto &worker = *static_cast<Worker *>(argument);
  if (worker.pool.mayMove)
    applyAffinity(worker.pool.affinity);
  prctl(PR_SET_NAME, "mlc-worker");
  while (awaitWork(worker) != Worker::Stopped) {
    uint32_t expected = Worker::Posted;
    if (!worker.state.compare_exchange_strong(expected, Worker::Working, std::memory_order_acquire))
      continue; // taken back
    worker.job->work(*worker.job, worker.part, worker.scratch);
    // From here on the job is gone.
    if (worker.state.exchange(Worker::Idle, std::memory_order_acq_rel) == Worker::Awaited)
      wake(worker.state, 1);
  }
  return nullptr;
}

//===-- The caller's side ---------------------------------------------------------===//

static void post(Worker &worker, Job &job, uint32_t part) {
  worker.job = &job;
  worker.part = part;
  if (worker.state.exchange(Worker::Posted, std::memory_order_acq_rel) == Worker::Asleep)
    wake(worker.state, 1);
}

static bool takeBack(Worker &worker) {
  uint32_t expected = Worker::Posted;
  return worker.state.compare_exchange_strong(expected, Worker::Idle, std::memory_order_acq_rel);
}

static void awaitIdle(Worker &worker) {
  auto isIdle = [&] { return worker.state.load(std::memory_order_acquire) <= Worker::Asleep; };
  if (spinUntil(spinLimit(worker.pool.process), isIdle))
    return;
  uint32_t expected = Worker::Working;
  if (worker.state.compare_exchange_strong(expected, Worker::Awaited, std::memory_order_acq_rel))
    while (worker.state.load(std::memory_order_acquire) == Worker::Awaited)
      sleepWhile(worker.state, Worker::Awaited);
}

void mlc::rt::runParts(Team &team, Job &job, uint32_t parts, Buffer &scratch) {
  uint32_t part = 1;
  for (Worker *worker = team.first; part < parts; worker = worker->next)
    post(*worker, job, part++);
  job.work(job, 0, scratch);
  part = 1;
  for (Worker *worker = team.first; part < parts; worker = worker->next, ++part)
    if (takeBack(*worker))
      job.work(job, part, scratch);
  part = 1;
  for (Worker *worker = team.first; part < parts; worker = worker->next, ++part)
    awaitIdle(*worker);
}

//===-- Teams ---------------------------------------------------------------------===//

static void noteCrowd(Process &process) {
  process.crowded.store(process.graphs + process.claimed > process.cpus, std::memory_order_relaxed);
}

/// One more thread; null if the system has none. Under the lock.
static Worker *createWorker(Pool &pool) {
  if (!pthread_create || !pthread_join || pool.size + 1 >= mostThreads)
    return nullptr;
  void *block = allocate(sizeof(Worker));
  if (!block)
    return nullptr;
  auto *worker = new (block) Worker(pool);
  worker->older = pool.newest;

  // Signals of the host are for its own threads; faults stay with the thread that causes them.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF})
    sigdelset(&blocked, fault);
  sigprocmask(SIG_SETMASK, &blocked, &before);
  int failed = pthread_create(&worker->thread, nullptr, pool.main, worker);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (failed) {
    release(worker);
    return nullptr;
  }
  pool.newest = worker;
  ++pool.size;
  return worker;
}

static Pool *createPool(Process &process) {
  void *block = allocate(sizeof(Pool));
  if (!block)
    return nullptr;
  auto *pool = new (block) Pool(process, &liveSessions, workerMain);
  pool->mayMove = findWorkerAffinity(pool->affinity);
  return pool;
}

/// Ends the threads of a pool that nobody can find any more and no team holds.
static void destroyPool(Pool &pool) {
  for (Worker *worker = pool.newest; worker; worker = worker->older)
    if (worker->state.exchange(Worker::Stopped, std::memory_order_acq_rel) == Worker::Asleep)
      wake(worker->state, 1);
  for (Worker *worker = pool.newest; worker;) {
    Worker *older = worker->older;
    pthread_join(worker->thread, nullptr);
    release(worker->scratch);
    release(worker);
    worker = older;
  }
  release(&pool);
}

void mlc::rt::claim(Team &team, uint32_t threads) {
  Process *shared = process();
  if (!shared)
    return;
  uint32_t wanted = threads - 1;
  shared->lock.lock();
  if (!shared->pool)
    shared->pool = createPool(*shared);
  if (Pool *pool = shared->pool) {
    ++shared->graphs;
    ++pool->teams;
    team.pool = pool;
    // Alone, a graph gets what it asks for, even more than there are processors. Beside others, it gets what they
    // leave.
    uint32_t busy = shared->graphs + shared->claimed;
    uint32_t free = busy < shared->cpus ? shared->cpus - busy : 0;
    if (shared->graphs > 1 && wanted > free)
      wanted = free;
    while (team.size < wanted) {
      Worker *worker = pool->unclaimed;
      if (worker)
        pool->unclaimed = worker->next;
      else if (!(worker = createWorker(*pool)))
        break;
      worker->next = team.first;
      team.first = worker;
      ++team.size;
    }
    shared->claimed += team.size;
    noteCrowd(*shared);
  }
  shared->lock.unlock();
}

void mlc::rt::giveBack(Team &team) {
  if (!team.pool)
    return;
  Pool &pool = *team.pool;
  Process &shared = pool.process;
  shared.lock.lock();
  --shared.graphs;
  shared.claimed -= team.size;
  noteCrowd(shared);
  while (Worker *worker = team.first) {
    team.first = worker->next;
    worker->next = pool.unclaimed;
    pool.unclaimed = worker;
  }
  team = {};
  // Under the lock, so that the pool is still there to be woken.
  if (--pool.teams == 0 && pool.closing.load(std::memory_order_relaxed))
    wake(pool.teams);
  shared.lock.unlock();
}

//===-- The end -------------------------------------------------------------------===//

void mlc::rt::sessionCreated() { liveSessions.fetch_add(1, std::memory_order_relaxed); }

/// Takes the pool out of sight if this library made it and has no session; the lock is held.
static Pool *withdrawPool(Process &shared) {
  Pool *pool = shared.pool;
  if (!pool || pool->owner != &liveSessions)
    return nullptr;
  shared.pool = nullptr;
  pool->closing.store(true, std::memory_order_relaxed);
  return pool;
}

void mlc::rt::sessionDestroyed() {
  if (liveSessions.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  Process *shared = knownProcess();
  if (!shared)
    return;
  shared->lock.lock();
  Pool *pool = liveSessions.load(std::memory_order_acquire) == 0 ? withdrawPool(*shared) : nullptr;
  shared->lock.unlock();
  if (!pool)
    return;
  // Graphs of other libraries may still hold teams, until their next region.
  while (uint32_t teams = pool->teams.load(std::memory_order_acquire))
    sleepWhile(pool->teams, teams);
  // Whoever gave the last team back holds the lock until it no longer needs the pool.
  shared->lock.lock();
  shared->lock.unlock();
  destroyPool(*pool);
}

/// A host that unloads the library, or ends, without destroying its sessions: no thread may stay behind in code that is
/// gone. Nothing is waited for here, since a thread that ends the process may have been stopped anywhere.
__attribute__((destructor)) static void endThreads() {
  if (liveSessions.load(std::memory_order_acquire) == 0)
    return;
  Process *shared = knownProcess();
  if (!shared || !shared->lock.tryLock())
    return;
  Pool *pool =
      shared->pool && shared->pool->teams.load(std::memory_order_acquire) == 0 ? withdrawPool(*shared) : nullptr;
  shared->lock.unlock();
  if (pool)
    destroyPool(*pool);
}

// Waiting: short waits by spinning, long ones in the kernel.
#pragma once
#include <atomic>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace mlc::rt {

/// A 32-bit word that threads can wait on.
using Word = std::atomic<uint32_t>;

/// Sleeps while the word holds `value`; may also return earlier.
inline void sleepWhile(Word &word, uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

inline void wake(Word &word, int threads = INT_MAX) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

/// Tells the processor that this is a spin.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#elif defined(__riscv)
  __asm__ volatile(".4byte 0x0100000F" ::: "memory"); // pause, a hint to those that know it
#endif
}

inline uint64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1000000000 + uint64_t(now.tv_nsec);
}

/// Spins until `done()`, for about `limit` nanoseconds at most; whether it was done.
template <typename Done> bool spinUntil(uint64_t limit, Done done) {
  // Reading the clock costs as much as a few pauses, so it is read now and then.
  constexpr int pausesBetweenLooksAtTheClock = 16;
  if (limit == 0)
    return done();
  for (uint64_t end = 0;;) {
    for (int i = 0; i < pausesBetweenLooksAtTheClock; ++i) {
      if (done())
        return true;
      relax();
    }
    uint64_t now = nanoseconds();
    if (end == 0)
      end = now + limit;
    else if (now >= end)
      return done();
  }
}

/// Held for a few dozen instructions at a time, except while threads are created. All zero is unlocked.
class Lock {
public:
  bool tryLock() {
    uint32_t expected = Free;
    return word.compare_exchange_strong(expected, Held, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void lock() {
    if (tryLock())
      return;
    while (word.exchange(Waited, std::memory_order_acquire) != Free)
      sleepWhile(word, Waited);
  }
  void unlock() {
    if (word.exchange(Free, std::memory_order_release) == Waited)
      wake(word, 1);
  }
  /// Forgets who held it: for a child process, where that thread does not exist.
  void reset() { word.store(Free, std::memory_order_relaxed); }

private:
  enum : uint32_t { Free, Held, Waited };
  Word word{Free};
};

} // namespace mlc::rt

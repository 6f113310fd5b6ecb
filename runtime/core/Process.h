// What all mlc models of one process share: who uses how many of its processors, and the pool of worker threads.
//
// Every model library carries its own hidden copy of the runtime, so no variable of the runtime is shared by itself.
// Each copy leaves a note in its file's program headers (a PT_NOTE named "mlc") that says where its pointer to the
// shared block is. The first copy to need the block walks the loaded libraries, takes the pointer from any that has it,
// and otherwise makes the block. The block is never freed, so it belongs to no library, and any of them can be
// unloaded.
//
// Copies of different versions find each other only if `layoutVersion` is equal: change it with anything in Process,
// Pool or Worker, or in how they are used. Where no library can be found (a static program without program headers),
// each copy has its own block, and so its own pool.
#pragma once
#include "core/Futex.h"

namespace mlc::rt {

struct Pool;

constexpr uint32_t layoutVersion = 1;

struct Process {
  Word pid;                  ///< whose threads the rest speaks of
  uint32_t cpus;             ///< logical processors that this process may use
  uint32_t cores;            ///< the same without further threads of one core: what is worth using
  Lock lock;                 ///< for all below
  Pool *pool;                ///< null while nobody has one
  uint32_t graphs;           ///< runs that compute now and may use workers
  uint32_t claimed;          ///< workers that belong to one of them
  std::atomic<bool> crowded; ///< more threads than processors: waiting in the kernel beats spinning
};

/// The block of this process. After fork(), the child finds a block without pool. Null only when there is no memory.
Process *process();
/// Cores that this process may use.
uint32_t coresOfProcess();
/// The same block, but null if this library has not asked for it before.
Process *knownProcess();

} // namespace mlc::rt

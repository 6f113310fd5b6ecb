// What emulated GPUs have for memory, whoever made them: that of the device, and who of a block touches the memory that its
// threads share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace emulated {

/// What a GPU would leave undefined, or what is not known here.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What fresh memory and registers hold: no number that a result could be right with.
constexpr int pattern = 0xCD;

/// Memory that kernels may touch; host pointers are the device's addresses.
class Memory {
public:
  uint64_t allocate(size_t bytes);
  /// False for what has not been allocated.
  bool release(uint64_t address);
  bool contains(uint64_t address, size_t bytes) const;
  void add(uint64_t address, size_t bytes) { blocks[address] = bytes; }
  size_t used() const { return allocated; }

private:
  std::map<uint64_t, size_t> blocks;
  size_t allocated = 0;
};

/// Who has touched each byte of the memory of a block since the last barrier. Who that is, the user says: what runs by
/// itself, a thread or a wave.
class Touches {
public:
  explicit Touches(size_t bytes) : bytes(bytes) {}
  void atBarrier() { ++epoch; }
  /// Notes an access. What another one has done to a byte of it since the last barrier: empty, or a text to end with.
  std::string note(uint64_t offset, size_t count, int32_t who, bool writes);

private:
  struct Byte {
    uint32_t epoch = 0;
    int32_t writer = -1, reader = -1;
    bool hasSeveralReaders = false;
  };
  std::vector<Byte> bytes;
  uint32_t epoch = 1;
};

} // namespace emulated

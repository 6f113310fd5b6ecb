// A block of the host's memory and its twin on a device: which parts of the two are up to date.
#pragma once
#include "core/Memory.h"
#include "device/Device.h"

namespace mlc::rt {

/// Where the last value of a byte is; bits.
enum Fresh : uint8_t { Nowhere = 0, OnHost = 1, OnDevice = 2, OnBoth = 3 };

class Twin {
public:
  /// Starts over with a block of the host's memory. On the device it is in `borrowed`, or in memory of its own, which is
  /// kept if it is large enough. False when there is no memory.
  bool describe(const void *host, uint64_t bytes, Fresh fresh, DeviceMemory borrowed = nullptr);
  void clear();

  bool contains(const void *place, uint64_t size = 1) const {
    const auto *first = static_cast<const char *>(place);
    return first >= host && first < host + bytes && size <= uint64_t(host + bytes - first);
  }
  uint64_t offsetOf(const void *place) const { return uint64_t(static_cast<const char *>(place) - host); }

  /// Calls `act(begin, end)` for each part within [begin, end) that is `fresh`, until it fails.
  template <typename Act> mlc_status forEach(uint64_t begin, uint64_t end, Fresh fresh, Act act) const {
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t first = spans[i].begin < begin ? begin : spans[i].begin,
                     last = spans[i].end < end ? spans[i].end : end;
      if (first < last && spans[i].fresh == fresh)
        if (mlc_status status = act(first, last))
          return status;
    }
    return MLC_OK;
  }
  /// False when there is no memory.
  bool mark(uint64_t begin, uint64_t end, Fresh fresh);

  const char *host = nullptr;
  uint64_t bytes = 0;
  DeviceMemory memory = nullptr; ///< where it is on the device; null until that is needed
  DeviceMemory own = nullptr;    ///< what the twin has allocated
  uint64_t ownBytes = 0;
  bool isStable = false; ///< what the host has does not change while a run lasts

private:
  struct Span {
    uint64_t begin, end;
    Fresh fresh;
  };
  Span *spans = nullptr, *spare = nullptr; ///< in order, without gaps
  uint32_t count = 0, room = 0;
};

} // namespace mlc::rt

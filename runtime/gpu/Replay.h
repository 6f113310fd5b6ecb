// The launches of a session's runs, and graphs of those that repeat.
//
// What a run launches between two waits of the host is a part. A part that was the same in two runs, one after the other,
// to the last argument, becomes a graph of the driver: from then on launches are only compared with it, and at the
// part's end one call launches all of them. Where a run takes another way, what was held back is launched as it was asked
// for, the rest at once, and the graph is gone. So it needs to be known of no model whether its runs are alike.
#pragma once
#include "gpu/Driver.h"
#include "mlc/abi.h"

namespace mlc::rt::gpu {

/// Where launches go.
struct Lane {
  const Driver *driver;
  const mlc_device_program *program;
  const Object *functions; ///< by the numbers of the program's kernels
  Object stream;
};

class Replay {
public:
  Result launch(const Lane &lane, int32_t kernel, const int64_t *blocks, const int64_t *arguments);
  /// Ends a part: before anything else goes to the stream, or is waited for.
  Result submit(const Lane &lane);
  /// Ends the run's last part.
  Result endRun(const Lane &lane);
  void clear(const Lane &lane);

private:
  struct Part {
    int64_t *words; ///< of each launch: its kernel, its blocks, its arguments
    uint32_t used, room, launches;
    uint32_t tries; ///< graphs that have been made of it
    Object graph;   ///< null if there is none
  };
  enum class Mode { Record, Compare, Hold };

  Part *part(const Lane &lane);
  void enter(uint32_t number);
  Result diverge(const Lane &lane, Part &part);
  void makeGraph(const Lane &lane, Part &part);

  Part *parts;
  uint32_t count, room;
  uint32_t current; ///< the part that the run is in
  uint32_t at;      ///< how many of its words have come
  Mode mode;        ///< what becomes of a launch
};

} // namespace mlc::rt::gpu

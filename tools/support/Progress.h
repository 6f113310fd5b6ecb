// One line on a terminal's stderr that says what is being done, once it takes longer than a second.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace mlc {

class Progress {
public:
  /// Shows nothing where stderr is no terminal.
  explicit Progress(llvm::StringRef task);
  /// Wipes the line.
  ~Progress();
  Progress(const Progress &) = delete;
  void step(llvm::StringRef name);

private:
  using Clock = std::chrono::steady_clock;
  std::string task, current;
  Clock::time_point start = Clock::now();
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false, shown = false;
  std::thread ticker;

  void tick();
};

} // namespace mlc

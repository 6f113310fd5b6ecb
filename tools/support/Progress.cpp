#include "Progress.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

Progress::Progress(StringRef task) : task(task) {
  if (sys::Process::StandardErrIsDisplayed())
    ticker = std::thread([this] { tick(); });
}

Progress::~Progress() {
  if (!ticker.joinable())
    return;
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  wake.notify_one();
  ticker.join();
}

void Progress::step(StringRef name) {
  std::lock_guard lock(mutex);
  current = name;
}

void Progress::tick() {
  constexpr std::chrono::milliseconds patience(1000), period(100);
  std::unique_lock lock(mutex);
  wake.wait_for(lock, patience, [this] { return done; });
  while (!done) {
    std::chrono::duration<double> elapsed = Clock::now() - start;
    errs() << "\r\033[K" << task << ": " << current << format(" (%.1f s)", elapsed.count());
    shown = true;
    wake.wait_for(lock, period, [this] { return done; });
  }
  if (shown)
    errs() << "\r\033[K";
}

} // namespace mlc

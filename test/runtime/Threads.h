// The threads of this process, as the system lists them.
#pragma once
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace test {

inline std::string lineOf(const std::filesystem::path &file, const std::string &start) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    if (line.compare(0, start.size(), start) == 0)
      return line.substr(start.size());
  return "";
}

/// One for each worker thread: the processors that it may use.
inline std::vector<std::string> workerAffinities() {
  std::vector<std::string> affinities;
  for (const auto &thread : std::filesystem::directory_iterator("/proc/self/task"))
    if (lineOf(thread.path() / "comm", "") == "mlc-worker")
      affinities.push_back(lineOf(thread.path() / "status", "Cpus_allowed_list:\t"));
  return affinities;
}

inline int workerCount() { return int(workerAffinities().size()); }

/// Waits for workers to appear under their name, which takes them a moment; whether there are as many then.
inline bool workersBecome(int count) {
  for (int milliseconds = 0; milliseconds < 5000 && workerCount() != count; ++milliseconds)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return workerCount() == count;
}

} // namespace test

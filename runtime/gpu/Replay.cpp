#include "gpu/Replay.h"
#include "core/Memory.h"
#include "device/Device.h"
#include <string.h>

namespace mlc::rt::gpu {

namespace {

/// Of fewer launches, a graph costs as much as they do.
constexpr uint32_t leastLaunches = 4;
/// A part that keeps changing is not worth more.
constexpr uint32_t mostTries = 16;
constexpr uint32_t wordsBeforeArguments = 4;

uint32_t wordsOf(const Lane &lane, const int64_t *words) {
  return wordsBeforeArguments + uint32_t(strlen(lane.program->kernels[words[0]].arguments));
}

/// The addresses of a launch's arguments. A number of fewer than 64 bits is in the low ones of its word, where the driver
/// takes it from.
struct Places {
  Places(const Lane &lane, int64_t *words) {
    for (uint32_t i = wordsBeforeArguments; i < wordsOf(lane, words); ++i)
      places[i - wordsBeforeArguments] = &words[i];
  }
  void *places[mostArguments];
};

Result launchNow(const Lane &lane, int64_t *words) {
  const int32_t *threads = lane.program->kernels[words[0]].threads;
  return lane.driver->launch(lane.functions[words[0]], unsigned(words[1]), unsigned(words[2]), unsigned(words[3]),
                             unsigned(threads[0]), unsigned(threads[1]), unsigned(threads[2]),
                             /*dynamicLocalBytes=*/0, lane.stream, Places(lane, words).places, nullptr);
}

Result launchAll(const Lane &lane, int64_t *words, uint32_t count) {
  Result code = success;
  for (uint32_t at = 0; at < count && code == success; at += wordsOf(lane, words + at))
    code = launchNow(lane, words + at);
  return code;
}

/// Room for `more` elements behind `used` of them.
template <typename T> bool grow(T *&elements, uint32_t used, uint32_t &room, uint32_t more) {
  if (room - used >= more)
    return true;
  const uint32_t size = 2 * room + more + 16;
  auto *grown = static_cast<T *>(allocate(size * sizeof(T)));
  if (!grown)
    return false;
  if (used)
    memcpy(static_cast<void *>(grown), static_cast<const void *>(elements), used * sizeof(T));
  release(static_cast<void *>(elements));
  elements = grown, room = size;
  return true;
}

/// Whether graphs can be launched to the stream: not while the caller makes one of what goes there.
bool canReplay(const Lane &lane) {
  int32_t status = 0; // CU_STREAM_CAPTURE_STATUS_NONE
  return lane.driver->getCaptureStatus(lane.stream, &status) == success && status == 0;
}

} // namespace

/// The part that the run is in; null when there is no memory to keep it, or no driver to make a graph of it.
Replay::Part *Replay::part(const Lane &lane) {
  if (!lane.driver->launchGraph)
    return nullptr;
  if (current < count)
    return &parts[current];
  // One without a place is never left out: parts are counted by what is here.
  if (current > count || !grow(parts, count, room, 1))
    return nullptr;
  parts[count] = {};
  return &parts[count++];
}

void Replay::enter(uint32_t number) {
  current = number;
  at = 0;
  mode = number < count && parts[number].used ? (parts[number].graph ? Mode::Hold : Mode::Compare) : Mode::Record;
}

Result Replay::launch(const Lane &lane, int32_t kernel, const int64_t *blocks, const int64_t *arguments) {
  int64_t words[wordsBeforeArguments + mostArguments] = {kernel, blocks[0], blocks[1], blocks[2]};
  const uint32_t size = wordsOf(lane, words);
  memcpy(words + wordsBeforeArguments, arguments, (size - wordsBeforeArguments) * sizeof(int64_t));
  Part *part = this->part(lane);
  if (!part)
    return launchNow(lane, words);
  if (mode != Mode::Record) {
    const bool isAsBefore = at + size <= part->used && memcmp(part->words + at, words, size * sizeof(int64_t)) == 0;
    if (isAsBefore) {
      at += size;
      return mode == Mode::Hold ? success : launchNow(lane, words);
    }
    if (Result code = diverge(lane, *part); code != success)
      return code;
  }
  if (part->tries < mostTries && grow(part->words, part->used, part->room, size)) {
    memcpy(part->words + part->used, words, size * sizeof(int64_t));
    part->used += size;
    ++part->launches;
    at += size;
  } else {
    part->tries = mostTries; // what is known of it is no longer all
  }
  return launchNow(lane, words);
}

/// Goes on without what was there behind the launches that have come.
Result Replay::diverge(const Lane &lane, Part &part) {
  const Result code = mode == Mode::Hold ? launchAll(lane, part.words, at) : success;
  if (part.graph)
    lane.driver->destroyGraphInstance(part.graph);
  part.graph = nullptr;
  part.used = at;
  part.launches = 0;
  for (uint32_t word = 0; word < at; word += wordsOf(lane, part.words + word))
    ++part.launches;
  mode = Mode::Record;
  return code;
}

void Replay::makeGraph(const Lane &lane, Part &part) {
  const Driver &driver = *lane.driver;
  ++part.tries;
  Object graph = nullptr, node = nullptr;
  if (driver.createGraph(&graph, 0) != success)
    return;
  Result code = success;
  for (uint32_t word = 0; word < part.used && code == success; word += wordsOf(lane, part.words + word)) {
    int64_t *words = part.words + word;
    const int32_t *threads = lane.program->kernels[words[0]].threads;
    Places places(lane, words);
    const KernelNode kernel = {lane.functions[words[0]],
                               {unsigned(words[1]), unsigned(words[2]), unsigned(words[3])},
                               {unsigned(threads[0]), unsigned(threads[1]), unsigned(threads[2])},
                               /*dynamicLocalBytes=*/0,
                               places.places,
                               nullptr};
    const Object before = node;
    code = driver.addKernelNode(&node, graph, &before, before ? 1 : 0, &kernel);
  }
  if (code == success && driver.instantiateGraph(&part.graph, graph, 0) != success)
    part.graph = nullptr;
  driver.destroyGraph(graph);
}

Result Replay::submit(const Lane &lane) {
  Part *part = current < count ? &parts[current] : nullptr;
  if (!part || !at)
    return success; // it has not begun
  Result code = success;
  if (at < part->used)
    code = diverge(lane, *part);
  else if (mode == Mode::Hold)
    code = canReplay(lane) ? lane.driver->launchGraph(part->graph, lane.stream) : launchAll(lane, part->words, at);
  else if (mode == Mode::Compare && part->launches >= leastLaunches && part->tries < mostTries)
    makeGraph(lane, *part);
  enter(current + 1);
  return code;
}

Result Replay::endRun(const Lane &lane) {
  const Result code = submit(lane);
  enter(0);
  return code;
}

void Replay::clear(const Lane &lane) {
  for (uint32_t i = 0; i < count; ++i) {
    if (parts[i].graph)
      lane.driver->destroyGraphInstance(parts[i].graph);
    release(static_cast<void *>(parts[i].words));
  }
  release(static_cast<void *>(parts));
  *this = {};
}

} // namespace mlc::rt::gpu

// What a runner and the tool that has started it say to each other.
//
// They talk over a socket, which is the runner's standard input; its standard output stays free for what debuggers and
// emulators print. All is numbers of 64 bits and runs of bytes with their length before them, as they lie in memory:
// both sides are little-endian. The runner begins, with what it has loaded, and then answers requests until the socket
// closes:
//
//   runner  text of an error, empty after success; then the fields of mlc_model_info, in their order
//   tool    Request, its arguments
//   runner  status, text of an error; after success the results
//
// Included by the runner, which is without C++ library, and by the tools.
#pragma once
#include "mlc/mlc.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mlc::runner {

/// Why a library is refused whose ports are not all tensors of numbers.
inline constexpr char onlyTensors[] = "it takes or gives strings, sequences or optionals, which a runner does not pass";

enum class Request : uint64_t {
  CreateSession,  ///< threads -> session
  DestroySession, ///< session -> nothing
  /// session, then of each input its type, rank, extents and bytes -> of each output the same
  Run,
  QueryMemory, ///< a number for each symbol -> bytes
  QueryOutput  ///< output, a number for each symbol -> an extent for each axis
};

/// One end of the socket. After the first failure nothing is sent any more, and all that is received is 0.
class Connection {
public:
  explicit Connection(int socket) : socket(socket) {}
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  bool isOpen() const { return open; }

  void put(uint64_t number) { put(&number, sizeof number); }
  void put(const void *data, size_t bytes) {
    if (pending + bytes > sizeof buffer) {
      flush();
      if (bytes > sizeof buffer)
        return send(static_cast<const char *>(data), bytes);
    }
    if (bytes)
      memcpy(buffer + pending, data, bytes);
    pending += bytes;
  }
  void putText(const char *text) {
    const size_t length = strlen(text);
    put(length);
    put(text, length);
  }

  uint64_t get() {
    uint64_t number;
    get(&number, sizeof number);
    return number;
  }
  void get(void *data, size_t bytes) {
    flush();
    char *to = static_cast<char *>(data);
    while (open && bytes) {
      const ssize_t count = recv(socket, to, bytes, 0);
      if (count < 0 && errno == EINTR)
        continue;
      open = count > 0;
      to += open ? count : 0;
      bytes -= open ? size_t(count) : 0;
    }
    if (bytes)
      memset(to, 0, bytes);
  }

  /// Sends what has been put; reading does so, too.
  void flush() {
    const size_t bytes = pending;
    pending = 0;
    send(buffer, bytes);
  }

private:
  void send(const char *from, size_t bytes) {
    while (open && bytes) {
      const ssize_t count = ::send(socket, from, bytes, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR)
        continue;
      open = count > 0;
      from += open ? count : 0;
      bytes -= open ? size_t(count) : 0;
    }
  }

  int socket;
  bool open = true;
  size_t pending = 0;
  char buffer[4096];
};

} // namespace mlc::runner

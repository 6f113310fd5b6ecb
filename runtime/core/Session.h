// A session: the memory and the threads of one run at a time.
#pragma once
#include "core/Futex.h"
#include "core/Memory.h"
#include "core/Model.h"
#include "core/Pool.h"
#include "core/Thread.h"

namespace mlc::rt {

struct Session;

/// The frame that emitted code sees, and the way back to its session.
struct Frame : mlc_frame {
  Session *session;
};

struct InputState {
  const mlc_input *given;  ///< the caller's, during a run
  int64_t *extents;        ///< as checked; the caller's may change while we run
  const char *begin, *end; ///< of the caller's memory if emitted code reads it, else empty
  Buffer copy;             ///< contiguous, aligned and unpacked, where the caller's is not
};

struct OutputState {
  mlc_output *request; ///< the caller's, during a run
  int64_t *extents;    ///< once the graph has told them
  void *place; ///< where the output goes, which the graph writes itself unless it is packed; null until the graph
               ///< has asked
  int64_t bytes;
  bool contiguousAtCaller;
  bool direct;                  ///< `place` is the caller's memory
  Buffer own;                   ///< the session's memory for it, lent to the caller, or copied into the caller's
  Buffer lent;                  ///< what `own` was, while the caller passes it as an input
  Buffer unpacked;              ///< where the graph writes elements of fewer than 8 bits
  Buffer text;                  ///< the bytes of its strings
  Buffer lastText;              ///< those of the run before, which may be an input of this one
  void *onDevice;               ///< where the device has it, when a run has ended that should leave it there
  const mlc_sequence *sequence; ///< what the graph has given for a sequence or an optional
  bool isGiven;                 ///< it has, if only null
};

/// What a session has on a device; device/Launch.cpp. A model without code for one has none of it.
struct DeviceState;

struct Session : mlc_session {
  const mlc_model_data_t *data;
  mlc_model own; ///< the table of a session that is on a device, where others of the library are not
  Frame frame;
  std::atomic<bool> busy;

  uint32_t threads; ///< 0: one for each core, not counted yet
  mlc_executor executor;
  void *executorContext;
  Team team;
  Buffer scratch;          ///< of the graph function
  Buffer partScratch;      ///< of parts of parallel regions that run on the calling thread
  Buffer *executorScratch; ///< of an executor's parts; `threads` of them, null until needed

  Buffer arena;
  bool arenaIsCallers;
  Region region; ///< for values whose size depends on data
  Lock textLock; ///< for what strings take of it, as any thread of the run may ask
  char *textNext;
  uint64_t textRoom; ///< bytes from textNext on

  InputState *inputs;
  OutputState *outputs;
  int64_t *symbols;
  int64_t *predicted; ///< extents of all outputs, one output after the other

  void *queue;         ///< the caller's, for the device; null: the session makes one
  bool usesDevice;     ///< an input or output of the run is there
  DeviceState *device; ///< null until a run has used the device

  mlc_error *error;               ///< the caller's, during a run; may be null
  std::atomic<mlc_status> status; ///< of the run; the first failure stays

  mlc_kernel_time *kernelTimes; ///< null unless compiled with --profile
  uint64_t kernelStart;
};

/// Whether a tensor of a port can be where the caller says that it is; `what` is "input" or "output". Makes the session
/// remember that one is on the device.
mlc_status checkPlace(Session &session, const char *what, const mlc_port &port, mlc_place place, mlc_error *error);
/// Checks what the caller passes for a run, and sets up the frame's inputs; binds the session's symbols.
mlc_status takeInputs(Session &session, const mlc_input *inputs, uint32_t count, mlc_error *error);
/// Checks the caller's requests against what is known of the outputs.
mlc_status takeOutputs(Session &session, mlc_output *outputs, uint32_t count, mlc_error *error);
/// Completes the caller's outputs, after a run without failure...
mlc_status deliverOutputs(Session &session, mlc_error *error);
/// ...or takes back what the run would have handed over.
void dropOutputs(Session &session);
/// What a block that is handed over takes before the text of strings: the data of an output, then its extents.
uint64_t handedOverBytes(const OutputState &state, int32_t rank);

/// Marks the run as failed; whether it was not before, so that the caller is the one to write the error's text.
bool claimFailure(Session &session, mlc_status status);
/// Ends the run from inside emitted code, on the thread that runs the graph, with an error that has been written.
[[noreturn]] void failWith(Session &session, mlc_status status);

/// The index of the port that the caller's `place`-th tensor is for: by name where it has one. Negative, with an error,
/// if there is none. `what` is "input" or "output".
int64_t portFor(const char *what, const mlc_port *ports, uint32_t count, const char *name, uint32_t place,
                mlc_error *error);

} // namespace mlc::rt

/// What the rest of the runtime asks of the part for devices.
struct mlc_device_services {
  /// Whether there is a driver, and a device that can run the program; makes nothing that has to be given back.
  mlc_status (*find)(const mlc_device_program &program, mlc_error *error);
  /// Opens the device for a run with tensors there. Called as emitted code is: fails by mlc::rt::failWith.
  void (*begin)(mlc::rt::Session &session);
  /// Ends a run: brings the outputs to where they are asked for, unless the run has failed, and waits for the device.
  mlc_status (*finish)(mlc::rt::Session &session, mlc_error *error);
  void (*destroy)(mlc::rt::Session &session);
};

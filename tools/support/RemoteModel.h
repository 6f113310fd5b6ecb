// A compiled model in another process: one for a machine that is emulated, or one under a debugger.
#pragma once
#include "mlc/mlc.h"
#include "runner/Protocol.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/StringSaver.h"
#include <memory>
#include <sys/types.h>

namespace mlc {

/// The runner of a model, seen through the table that models themselves have. It serves what the tools ask: inputs in
/// the model's order and contiguous, outputs in the session's memory.
class RemoteModel {
public:
  /// Starts `command` with two more words: the runner at `runner`, and the model at `path`.
  static llvm::Expected<std::unique_ptr<RemoteModel>> start(llvm::StringRef command, llvm::StringRef runner,
                                                            llvm::StringRef path);
  ~RemoteModel();
  const mlc_model *table() const { return &model.table; }

private:
  struct Session;
  struct Model {
    mlc_model table; ///< first, so that what is handed a table finds its model
    RemoteModel *self;
  };

  RemoteModel(pid_t process, int socket);
  llvm::Error readInfo();
  llvm::StringRef readText();
  llvm::ArrayRef<mlc_port> readPorts();
  /// The status that an answer begins with, reported to `error`; of a runner that has died, why.
  mlc_status readStatus(mlc_error *error);
  std::string describeEnd();

  static RemoteModel &of(const mlc_model *);
  static mlc_status createSession(const mlc_model *, const mlc_session_options *, mlc_session **, mlc_error *);
  static void destroySession(mlc_session *);
  static mlc_status run(mlc_session *, const mlc_input *, uint32_t, mlc_output *, uint32_t, mlc_error *);
  static mlc_status queryMemory(const mlc_model *, const int64_t *, uint64_t *, mlc_error *);
  static mlc_status queryOutput(const mlc_model *, uint32_t, const int64_t *, int64_t *, mlc_error *);

  pid_t process;
  int socket;
  runner::Connection connection;
  llvm::BumpPtrAllocator allocator; ///< of all that info points to
  llvm::StringSaver strings{allocator};
  mlc_model_info info = {};
  Model model;
};

} // namespace mlc

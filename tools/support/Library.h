// A compiled model, through its C interface: in this process, or in one of its own.
#pragma once
#include "RemoteModel.h"
#include "Tensor.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlc {

/// A loaded .so; its sessions must end first.
class Library {
public:
  /// Into this process; or, if `runner` is not empty, into one that this command starts, such as an emulator for the
  /// machine that the model is for.
  static llvm::Expected<Library> load(llvm::StringRef path, llvm::StringRef runner = "");

  const mlc_model *model() const { return entry; }
  const mlc_model_info &info() const { return *entry->info; }
  llvm::ArrayRef<mlc_port> inputs() const { return {info().inputs, info().input_count}; }
  llvm::ArrayRef<mlc_port> outputs() const { return {info().outputs, info().output_count}; }

private:
  struct Close {
    void operator()(void *handle) const;
  };
  std::unique_ptr<void, Close> handle;
  std::unique_ptr<RemoteModel> remote;
  const mlc_model *entry = nullptr;
};

class Session {
public:
  /// `threads` as in mlc_session_options: 0 takes one for each core.
  static llvm::Expected<Session> create(const Library &library, int threads = 0);

  /// Inputs in the order of the model's.
  llvm::Expected<std::vector<Tensor>> run(llvm::ArrayRef<Tensor> inputs);
  /// The same, leaving the outputs in the session's memory, where nobody reads them: what a benchmark times.
  llvm::Error runOnly(llvm::ArrayRef<Tensor> inputs);
  mlc_session *get() const { return session.get(); }

private:
  struct Destroy {
    void operator()(mlc_session *session) const { mlc_session_destroy(session); }
  };
  std::unique_ptr<mlc_session, Destroy> session;

  llvm::Expected<std::vector<mlc_output>> runInSession(llvm::ArrayRef<Tensor> values);
};

/// "float32 batchx3x224x224": the type of a port with the names of its symbolic dimensions, "?" where there is none;
/// "optional sequence of float32 ?x3".
std::string formatPort(const mlc_model_info &info, const mlc_port &port);
/// The name of a symbolic dimension; one that the model leaves nameless is called by its first place, "input.0".
std::string symbolName(const mlc_model_info &info, uint32_t symbol);

} // namespace mlc

#include "OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;

namespace mlc {

/// Whether something is there that a file must not replace: a device, a pipe, a folder.
static bool isNoFile(StringRef path) {
  llvm::sys::fs::file_status status;
  return !llvm::sys::fs::status(path, status) && !llvm::sys::fs::is_regular_file(status);
}

//===-- PendingFile ----------------------------------------------------------------===//

PendingFile::PendingFile(StringRef path, unsigned mode) : target(path) {
  if (isNoFile(path)) {
    error = llvm::sys::fs::is_directory(path) ? "it is a folder" : "it is not a regular file";
    return;
  }
  SmallString<128> model(path);
  model += ".tmp-%%%%%%%%";
  if (std::error_code failed = llvm::sys::fs::createUniqueFile(model, file, temporary, llvm::sys::fs::OF_None, mode)) {
    error = failed.message();
    temporary.clear();
    return;
  }
  llvm::sys::RemoveFileOnSignal(temporary);
}

PendingFile::~PendingFile() {
  if (file >= 0)
    close(file);
  if (temporary.empty())
    return;
  llvm::sys::fs::remove(temporary);
  llvm::sys::DontRemoveFileOnSignal(temporary);
}

std::error_code PendingFile::reopen() {
  close(std::exchange(file, -1));
  file = open(temporary.c_str(), O_RDWR | O_CLOEXEC);
  return file >= 0 ? std::error_code() : std::error_code(errno, std::generic_category());
}

std::error_code PendingFile::commit() {
  std::error_code error = llvm::sys::fs::rename(temporary, target);
  if (error)
    return error;
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return {};
}

//===-- TextFile -------------------------------------------------------------------===//

TextFile::TextFile(StringRef path, Location loc) : path(path), loc(loc) {
  if (path == "-") {
    out = &llvm::outs();
    return;
  }
  if (isNoFile(path)) {
    std::error_code error;
    own = std::make_unique<llvm::raw_fd_ostream>(path, error);
    if (error && failed(check(error.message())))
      return;
  } else {
    pending = std::make_unique<PendingFile>(path, 0666);
    if (failed(check(pending->error)))
      return;
    own = std::make_unique<llvm::raw_fd_ostream>(pending->file, /*shouldClose=*/false);
  }
  out = own.get();
}

llvm::raw_ostream *TextFile::stream() { return out; }

LogicalResult TextFile::check(StringRef error) {
  if (error.empty())
    return success();
  std::string place = path == "-" ? "the standard output" : path;
  return emitError(loc) << "cannot write " << place << ": " << error;
}

LogicalResult TextFile::finish() {
  out->flush();
  std::error_code error = out->error();
  out->clear_error(); // an error that is left makes the stream end the process
  return check(error ? error.message() : "");
}

LogicalResult TextFile::commit() {
  std::error_code error = pending ? pending->commit() : std::error_code();
  return check(error ? error.message() : "");
}

} // namespace mlc

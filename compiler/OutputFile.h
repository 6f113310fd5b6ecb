// A file that is written whole or not at all.
#pragma once
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <system_error>

namespace mlc {

/// A new file beside `path` that becomes `path` in the end, or vanishes, also when the process is interrupted.
class PendingFile {
public:
  explicit PendingFile(llvm::StringRef path, unsigned mode);
  ~PendingFile();
  PendingFile(const PendingFile &) = delete;
  /// After another program has replaced the file by one of its own.
  std::error_code reopen();
  std::error_code commit();

  std::string error; ///< why there is no file
  int file = -1;
  llvm::SmallString<128> temporary;

private:
  llvm::SmallString<128> target;
};

/// Text for `path`; "-" is the standard output. Errors are reported at `loc`.
class TextFile {
public:
  TextFile(llvm::StringRef path, mlir::Location loc);
  /// Null after an error, which has been reported.
  llvm::raw_ostream *stream();
  /// Ends the text; what was written is safe then, but `path` is as it was before.
  llvm::LogicalResult finish();
  /// Makes it appear at `path`.
  llvm::LogicalResult commit();

private:
  std::string path;
  mlir::Location loc;
  std::unique_ptr<PendingFile> pending; ///< none for what is no regular file
  std::unique_ptr<llvm::raw_fd_ostream> own;
  llvm::raw_fd_ostream *out = nullptr;

  llvm::LogicalResult check(llvm::StringRef error);
};

} // namespace mlc

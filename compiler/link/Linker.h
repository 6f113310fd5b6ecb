// LLD, in this process: what links models, and code of devices on its way into them.
#pragma once
#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include <string>

namespace mlc {

/// A file without a name, which the linker finds by way of /proc: nothing to clean up, whatever happens.
class MemoryFile {
public:
  explicit MemoryFile(llvm::StringRef contents);
  MemoryFile(MemoryFile &&other) noexcept : file(std::exchange(other.file, -1)) {}
  ~MemoryFile();
  bool isValid() const { return file >= 0; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file); }

private:
  int file;
};

/// Runs ld.lld with these arguments, of which the first is the program's name. One link at a time in a process: the
/// linker keeps global state. Fails with an error at `loc`.
llvm::LogicalResult runLinker(mlir::Location loc, llvm::ArrayRef<std::string> arguments);

} // namespace mlc

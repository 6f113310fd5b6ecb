// Files for tools that write nothing else.
#pragma once
#include "mlir/Support/LLVM.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include <string>

namespace mlc::gpu {

/// A file that is gone at the end of a scope.
struct Temporary {
  explicit Temporary(llvm::StringRef suffix)
      : error(llvm::sys::fs::createTemporaryFile("mlc", suffix, path)), file(path) {}
  std::string contents() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }
  llvm::SmallString<64> path;
  std::error_code error;
  llvm::FileRemover file;
};

} // namespace mlc::gpu

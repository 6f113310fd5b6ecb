#include "link/Linker.h"
#include "lld/Common/Driver.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace mlc {

MemoryFile::MemoryFile(StringRef contents) : file(memfd_create("mlc", MFD_CLOEXEC)) {
  for (size_t done = 0; file >= 0 && done < contents.size();) {
    ssize_t written = write(file, contents.data() + done, contents.size() - done);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      close(file);
      file = -1;
      break;
    }
    done += written;
  }
}

MemoryFile::~MemoryFile() {
  if (file >= 0)
    close(file);
}

LogicalResult runLinker(Location loc, ArrayRef<std::string> arguments) {
  static std::mutex mutex;
  static bool isUsable = true;
  std::lock_guard lock(mutex);
  if (!isUsable)
    return emitError(loc) << "the linker has failed before and cannot run again in this process";
  SmallVector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string output;
  llvm::raw_string_ostream stream(output);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(pointers, stream, stream, drivers);
  isUsable = result.canRunAgain;
  if (result.retCode) {
    std::replace(output.begin(), output.end(), '\n', ' ');
    return emitError(loc) << "cannot link: " << StringRef(output).trim();
  }
  return success();
}

} // namespace mlc

#include "cuda/Ptxas.h"
#include "gpu/Temporary.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace mlc::cuda {

FailureOr<std::optional<std::string>> assemble(Location loc, StringRef ptx, StringRef chip) {
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName("ptxas");
  if (!program) {
    emitRemark(loc) << "no code for " << chip
                    << " beside the PTX, which the driver will compile: there is no ptxas in PATH";
    return std::optional<std::string>();
  }
  gpu::Temporary input("ptx"), output("cubin"), log("log");
  for (const gpu::Temporary *file : {&input, &output, &log})
    if (file->error)
      return emitError(loc) << "cannot write '" << file->path << "': " << file->error.message(), failure();
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input.path, error);
    stream << ptx;
    stream.close();
    if (stream.has_error()) {
      emitError(loc) << "cannot write '" << input.path << "': " << stream.error().message();
      stream.clear_error();
      return failure();
    }
  }
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(
      *program, {*program, "-arch", chip, "-O3", "-o", output.path, input.path}, /*Env=*/std::nullopt,
      {StringRef(""), StringRef(log.path), StringRef(log.path)}, /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  if (status != 0)
    return emitError(loc) << "'" << *program << "' does not take the PTX for " << chip << ": " << problem
                          << StringRef(log.contents()).trim(),
           failure();
  return std::optional(output.contents());
}

} // namespace mlc::cuda

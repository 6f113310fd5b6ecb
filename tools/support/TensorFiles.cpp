#include "TensorFiles.h"
#include "Errors.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mlc {

static Expected<Tensor> decode(StringRef path, StringRef bytes, const mlc_port &port) {
  std::string ending = sys::path::extension(path).lower();
  if (ending == ".npy")
    return readNpy(bytes);
  if (ending == ".pb")
    return readValueProto(bytes, port);
  if (ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".bmp")
    return readPicture(bytes, port);
  return fail("expects a name that ends with .npy, .pb, .png or .jpg");
}

Expected<Tensor> readTensor(StringRef path, const mlc_port &port) {
  if (Error error = expectFile(path))
    return error;
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail(path + ": " + buffer.getError().message());
  Expected<Tensor> tensor = decode(path, (*buffer)->getBuffer(), port);
  if (!tensor)
    return inContext(path, tensor.takeError());
  return tensor;
}

Error writeTensor(StringRef path, const Tensor &tensor, const mlc_port &port) {
  std::error_code error;
  raw_fd_ostream out(path, error);
  if (error)
    return fail(path + ": " + error.message());
  if (sys::path::extension(path) == ".npy")
    writeNpy(tensor, out);
  else
    writeValueProto(tensor, port, out);
  out.close();
  if (!out.has_error())
    return Error::success();
  error = out.error();
  out.clear_error();
  sys::fs::remove(path); // half a tensor is of no use
  return fail(path + ": " + error.message());
}

} // namespace mlc

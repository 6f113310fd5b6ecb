// Values in files: .npy, .pb (an ONNX TensorProto, SequenceProto or OptionalProto), pictures.
#pragma once
#include "Tensor.h"
#include "llvm/Support/Error.h"

namespace mlc {

/// Reads a file by its ending, for an input of this type. A picture (.png, .jpg) becomes numbers from 0 to 255, of the
/// port's element type:
///   rank 4   1xCxHxW, or 1xHxWxC where the port's last extent is 1, 3 or 4 and its second is not
///   rank 3   the same without the first axis
///   rank 2   HxW in grey, or 1x(C*H*W) where the port's extents are those
/// with C = 1 grey, 3 red green blue, or 4 with alpha; 3 where the port does not fix it. Pictures are not resized.
llvm::Expected<Tensor> readTensor(llvm::StringRef path, const mlc_port &port);

/// Writes a file by its ending, .npy or .pb; the name of the port is kept in a .pb, whose form is the port's.
llvm::Error writeTensor(llvm::StringRef path, const Tensor &tensor, const mlc_port &port);
/// Whether .npy has this element type; .pb has all.
bool npyHolds(mlc_type type);

// One for each format.
llvm::Expected<Tensor> readNpy(llvm::StringRef bytes);
void writeNpy(const Tensor &tensor, llvm::raw_ostream &out);
llvm::Expected<Tensor> readTensorProto(llvm::StringRef bytes);
void writeTensorProto(const Tensor &tensor, llvm::StringRef name, llvm::raw_ostream &out);
/// The same for ports that may be sequences and optionals, which have messages of their own.
llvm::Expected<Tensor> readValueProto(llvm::StringRef bytes, const mlc_port &port);
void writeValueProto(const Tensor &value, const mlc_port &port, llvm::raw_ostream &out);
llvm::Expected<Tensor> readPicture(llvm::StringRef bytes, const mlc_port &port);

/// A picture as 8-bit numbers, rows from the top, `channels` of them for each pixel.
struct Picture {
  int width, height, channels;
  std::vector<unsigned char> pixels;
};
/// Decodes .png, .jpg and the like into this number of channels.
llvm::Expected<Picture> decodePicture(llvm::StringRef bytes, int channels);

} // namespace mlc

// Random numbers: the same ones on every machine and in every run, whatever threads compute them.
//
// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011) makes of a key and a
// counter 128 random bits. The counter is an element's place and, in loops, the iteration, so every element is drawn by
// itself, in vectors. The key is an operator's seed; without one, it is made of the node's name, so that two nodes do not
// draw the same.
#pragma once
#include "onnx/Lowering.h"

namespace mlc::onnx {

/// Draws for each element, in row-major order, a number of a uniform distribution over [0, 1) and stores what `body`
/// makes of it. The body's argument and result have the compute type of `element`, a float.
mlir::Value drawUniform(Lowering &l, llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type element,
                        std::optional<llvm::APFloat> seed, ScalarBody body);
/// The same for the normal distribution of mean 0 and deviation 1.
mlir::Value drawNormal(Lowering &l, llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type element,
                       std::optional<llvm::APFloat> seed, ScalarBody body);

} // namespace mlc::onnx

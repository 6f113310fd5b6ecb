// What all devices with blocks of threads share: from kernels over buffers to functions of one thread.
#pragma once
#include "Target.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Placement.h"

namespace mlc::gpu {

/// Of a contraction: the type of 16 bits that all its factors are numbers of.
inline constexpr llvm::StringLiteral halvesAttrName = "mlc.halves";
/// The module of all functions that the device runs.
inline constexpr llvm::StringLiteral deviceModuleName = "device";
/// Of what a block shares: instructions that move several elements at once want it.
inline constexpr int64_t localAlignment = 128;
/// Threads of a block where nothing asks for another number; every device takes that many.
inline constexpr int64_t threadsOfBlock = 256;

/// Why an operation of a kernel, or what is in it, cannot be written as blocks of threads; empty if it can. Of what is
/// inside of a thread, `Target::hasDeviceForm` decides.
std::string refusal(mlir::Operation *op, const Target &target);

/// Rows for kernels that reduce and go on with the result; null for others (Tile.cpp).
TilingAttr tileRows(mlir::TilingInterface root);

/// Replaces an operation by blocks of threads (FormBlocks.cpp, FormContraction.cpp, FormRows.cpp).
void formLoops(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op);
void formContraction(mlir::RewriterBase &rewriter, ContractOp op, mlir::linalg::LinalgOp epilogue);
/// The elementwise operation behind a contraction that is all there is to read its result; null if there is none.
mlir::linalg::LinalgOp epilogueOf(ContractOp op);
/// A loop over rows holds structured operations.
bool isOverRows(mlir::scf::ForallOp loop);
void formRows(mlir::RewriterBase &rewriter, mlir::scf::ForallOp loop);
/// Whether the threads of a block should share each result of a reduction, as they can.
bool isSharedReduction(mlir::linalg::LinalgOp op);
void formSharedReduction(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op);

/// `scf.forall` over blocks, or over the threads of one, with the mapping that says so. Inside, `body` gets one index for
/// each extent.
mlir::scf::ForallOp buildBlocks(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> extents,
                                llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> body);
mlir::scf::ForallOp buildThreads(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<int64_t> extents,
                                 llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> body);
/// One thread for each of the points in a box; `body` gets the point.
void buildPoints(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> extents,
                 llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange)> body);
/// The iterations of a parallel loop, counted from 0.
struct Iterations {
  Iterations(mlir::OpBuilder &b, mlir::scf::ForallOp loop);
  /// Maps the loop's variables to their values at a point.
  void map(mlir::OpBuilder &b, mlir::ValueRange point, mlir::IRMapping &map);

  mlir::scf::ForallOp loop;
  llvm::SmallVector<mlir::Value> lowers, steps;
  llvm::SmallVector<mlir::OpFoldResult> extents;
};
/// An iteration of a parallel loop is a thread.
void formParallel(mlir::RewriterBase &rewriter, mlir::scf::ForallOp op);
/// The indices by which a point of the loops accesses an operand.
llvm::SmallVector<mlir::Value> indicesAt(mlir::OpBuilder &b, mlir::Location loc, mlir::AffineMap map,
                                         mlir::ValueRange loops);
/// The element of a buffer that a thread has without having to load it.
struct Held {
  mlir::Value buffer, element;
};
/// What the body of `op` gives at a point, with `outs` as what the results held.
llvm::SmallVector<mlir::Value> inlineBody(mlir::OpBuilder &b, mlir::linalg::LinalgOp op, mlir::ValueRange loops,
                                          mlir::ValueRange outs, Held held = {});
/// Stores the results of `op` at the point that `loops` gives of its parallel loops; the others are run.
void storeReduced(mlir::OpBuilder &b, mlir::linalg::LinalgOp op, llvm::SmallVector<mlir::Value> loops, Held held = {});
/// The digits of `number` in the mixed radix of `extents`, the last the fastest.
llvm::SmallVector<mlir::Value> splitIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value number,
                                          llvm::ArrayRef<mlir::OpFoldResult> extents);
mlir::Value asValue(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult value);
/// Puts a buffer, and with it all views of it, into a memory of the device; null is the host's.
void setSpace(mlir::Value buffer, mlir::Attribute space);
mlir::OpFoldResult product(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> factors);
/// The loops that give an operation's results, and how far each runs.
struct ParallelLoops {
  llvm::SmallVector<unsigned> loops;
  llvm::SmallVector<mlir::OpFoldResult> extents;
};
ParallelLoops parallelLoops(mlir::linalg::LinalgOp op, llvm::ArrayRef<mlir::Range> ranges);

/// Splits device and host: the passes of `Target::place`.
void place(mlir::OpPassManager &passes);

} // namespace mlc::gpu

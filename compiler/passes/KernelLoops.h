// How the loops of the operations of one kernel belong together.
#pragma once
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlc {

/// Whether an operation computes each element of its result from elements of its operands alone, with no accumulation.
bool isElementwise(mlir::Operation *op);

/// The operations of a kernel, seen from the loops of its root, the operation that the others feed.
///
/// The root's loop r is the loop l of another operation when a tile of r needs exactly a tile of l. Where an operation
/// has no loop for r (its result is broadcast along r, or it reduces along r before the root), cutting r would compute
/// it again for each tile; such an r stays whole, unless that costs nothing.
class KernelLoops {
public:
  /// Loops of the root or of another member, as loops of the root; -1 for one that only the member has.
  using Loops = llvm::SmallVector<int64_t>;

  explicit KernelLoops(mlir::DestinationStyleOpInterface root);

  bool contains(mlir::Operation *op) const { return members.contains(op); }
  /// Members with their loops, the root first, each before its producers.
  auto begin() const { return members.begin(); }
  auto end() const { return members.end(); }
  size_t size() const { return members.size(); }
  mlir::Operation *root() const { return members.begin()->first; }

  /// The loops that the producer of an operand of a member would have; none if that cannot be told, or if it disagrees
  /// with the loops that it already has by another use.
  std::optional<Loops> loopsOfProducer(mlir::OpOperand &use) const;
  /// Makes a producer a member.
  void add(mlir::Operation *producer, Loops loops) { members.insert({producer, std::move(loops)}); }

  /// The root's loops that may be cut, with one more producer taken as a member if given.
  llvm::SmallBitVector divisible(mlir::Operation *producer = nullptr, llvm::ArrayRef<int64_t> loops = {}) const;

private:
  llvm::MapVector<mlir::Operation *, Loops> members;
};

/// All operations of a kernel function around the one that gives its first result, or what is inserted last into it; none
/// if that is no structured operation.
std::optional<KernelLoops> loopsOfKernel(mlir::Block &body);

} // namespace mlc

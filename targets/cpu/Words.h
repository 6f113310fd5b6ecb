// The words by which users choose a CPU: a chip, and features to add to it or take away. What they mean is each
// family's own.
#pragma once
#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/LLVM.h"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::cpu {

struct Words {
  llvm::StringRef target; ///< "x86"
  /// Chips that mean a set of features, the least first.
  llvm::ArrayRef<llvm::StringLiteral> levels;
  llvm::StringRef examples; ///< of names that LLVM knows
  /// Adds all names that LLVM knows. Levels may be among them.
  void (*addNames)(llvm::SmallVectorImpl<llvm::StringRef> &);
  /// The features that change which instructions are emitted, in LLVM's words. Others (caches, virtualization,
  /// security) would only keep a model from running on machines that lack them.
  llvm::ArrayRef<llvm::StringLiteral> features;
};

/// Levels, then names.
llvm::SmallVector<llvm::StringRef> chipsOf(const Words &);
llvm::SmallVector<llvm::StringRef> featuresOf(const Words &);

/// What is meant by `chip`: "native" where the user says nothing and this machine is of the family, which `isHost`
/// says; the least chip of all where it is of another. Fails, with an error, on "native" there.
llvm::FailureOr<llvm::StringRef> settleChip(mlir::MLIRContext *, const Words &, llvm::StringRef chip, bool isHost);

/// The error about a chip that is unknown.
mlir::InFlightDiagnostic emitUnknownChip(mlir::MLIRContext *, const Words &, llvm::StringRef chip);

/// Calls `change` for each feature of a list like "+avx512vnni,-avx512f". Fails, with an error, on a word that is none.
llvm::LogicalResult readFeatures(mlir::MLIRContext *, const Words &, llvm::StringRef list,
                                 llvm::function_ref<void(llvm::StringRef feature, bool isOn)> change);

/// "+avx,+avx2": the features that are on, as LLVM takes them.
std::string writeFeatures(const Words &, llvm::function_ref<bool(llvm::StringRef feature)> isOn);

} // namespace mlc::cpu
#pragma GCC visibility pop

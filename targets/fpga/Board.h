// What a board has: the budget of a design. Boards are YAML files; those that mlc knows lie in boards/ and in the binary.
//
//   name: zcu104
//   title: AMD ZCU104 evaluation board      optional
//   vendor: amd                             or intel: whose tools compile the text, and what an operation costs
//   multipliers: 1728                       DSP slices of AMD, multipliers of 18 x 19 of Intel: two to a DSP block
//   memory:                                 on the chip; arrays go where least is wasted, among equals to the first
//     - { kind: BRAM, blocks: 312, bytes: 4608, width: 72 }
//   clock: 300                              MHz
//   bandwidth: 19200                        of the memory beside the chip, MB/s
#pragma once
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace mlc::fpga {

enum class Vendor { Amd, Intel };

struct MemoryKind {
  std::string kind;
  int64_t blocks = 0;
  int64_t bytes = 0; ///< of a block
  int64_t width = 0; ///< bits that a block gives in a cycle
};

struct Board {
  std::string name, title;
  Vendor vendor = Vendor::Amd;
  int64_t multipliers = 0;
  std::vector<MemoryKind> memory;
  int64_t clock = 0;     ///< MHz
  int64_t bandwidth = 0; ///< MB/s

  /// What the memory beside the chip gives in a cycle.
  double bytesPerCycle() const { return double(bandwidth) / double(clock); }
};

/// The names of the boards that are in the binary.
llvm::SmallVector<llvm::StringRef> boardNames();
/// The board of that name, or of the file of that name. Fails with an error that lists the known ones, or says which
/// line of the file is wrong and what was expected there.
llvm::FailureOr<Board> readBoard(mlir::MLIRContext *context, llvm::StringRef nameOrFile);

} // namespace mlc::fpga

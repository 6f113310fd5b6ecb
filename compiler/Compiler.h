// The compiler as a library: its phases as one table, its options, and compile().
#pragma once
#include "Sanitize.h"
#include "Target.h"
#include "import/InputShapes.h"
#include "mlir/IR/OwningOpRef.h"
#include <functional>
#include <string>

namespace mlc {

/// In the order in which they run. The same word is the value of --emit= and --from=, and the pipeline `mlc-opt
/// --mlc-<phase>`.
enum class Phase { Import, Simplify, Quantize, Lower, Layout, Fuse, Tile, Bufferize, Target, Link };

struct PhaseInfo {
  Phase phase;
  llvm::StringRef name;
  llvm::StringRef summary;
  /// Adds the passes of the phase; null for import and link, which are no passes.
  void (*build)(mlir::OpPassManager &, const Target &, TargetAttr);
};

/// All phases, in order.
llvm::ArrayRef<PhaseInfo> phases();
const PhaseInfo *findPhase(llvm::StringRef name);

/// One measured phase, for `mlc compile --time`.
struct PhaseTime {
  llvm::StringRef name;
  double seconds;
  uint64_t peakBytes; ///< of the process, at the end of the phase
};

struct Options {
  std::string input;               ///< .onnx, .onnxtxt, or .mlir together with `from`
  std::string output;              ///< the .so, or the printed phase; empty: derived from the input
  std::string header;              ///< the typed header; empty: none
  std::string kernels;             ///< what the device's driver is given, text or code; empty: not written
  std::string target;              ///< empty: that of the text that is read, else this machine's; "x86,opencl": for two
  std::string chip;                ///< empty: the target's usual one
  std::string board;               ///< the chip of a target whose chips are boards: one that it knows, or a file
  std::string features;            ///< additions to the chip's, "+avx512vnni,-avx512f"
  Phase from = Phase::Import;      ///< the phase that reads the input; later than import for .mlir
  Phase emit = Phase::Link;        ///< the last phase that runs
  bool profile = false;            ///< count the time of each kernel
  bool unchecked = false;          ///< leave out the checks that only data can fail
  Sanitizers sanitize;             ///< what the code is to check of itself
  bool elideWeights = false;       ///< print large weights as `__elided__`; such text cannot be compiled on
  InputShapes shapes;              ///< what is known of the inputs beside the model
  std::vector<std::string> linked; ///< objects, archives and shared libraries to link the model with
  std::string printAfter;          ///< a pass name: print the IR after it, as mlir-opt does; empty: none
  /// Called when a phase starts; may be empty.
  std::function<void(llvm::StringRef phase)> progress;
  std::vector<PhaseTime> *times = nullptr;
};

/// The target that is asked for; fails with an error if there is none of that name.
llvm::FailureOr<std::pair<const Target *, TargetAttr>> targetOf(const Options &options, mlir::MLIRContext &context);

/// All dialects and interfaces that any phase needs.
void registerAllDialects(mlir::DialectRegistry &registry);
/// All passes of mlc, the upstream ones it uses, and one pipeline `mlc-<phase>` for each phase.
void registerAllPasses();

/// Runs the phases from options.from to options.emit, and writes the result. Errors have been reported to the context's
/// diagnostic handler when this fails; then no output file is left behind.
llvm::LogicalResult compile(const Options &options, mlir::MLIRContext &context);

/// The pass pipeline of the chosen phases as text, which mlc-opt --pass-pipeline takes.
llvm::FailureOr<std::string> printPipeline(const Options &options, mlir::MLIRContext &context);

} // namespace mlc

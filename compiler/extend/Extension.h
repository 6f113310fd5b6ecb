// What plug-ins of mlc bring: operators that ONNX does not have, and targets. A plug-in is a shared library that
// includes this header:
//
//   MLC_EXTENSION(extension) {
//     extension.op({.domain = "my.ops", .name = "Swish", ...}).shape(...).lower(...);
//     extension.target(std::make_unique<MyTarget>());
//   }
//
// It is code for the very mlc that loads it: both see the same classes. So it says by which version of this interface,
// and with which LLVM, it was compiled, and is refused where these are others.
#pragma once
#include "Target.h"
#include "onnx/Declaration.h"
#include "onnx/Lowering.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Error.h"

/// Changes with every change of a class that plug-ins see: those between `#pragma GCC visibility push(default)` and
/// pop.
#define MLC_EXTENSION_INTERFACE "1"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc {

inline constexpr const char *extensionVersion = "interface " MLC_EXTENSION_INTERFACE ", LLVM " LLVM_VERSION_STRING;

/// Takes what a plug-in brings. What is wrong with it is told to the user once it has been taken; until then it is
/// ignored.
class Extension {
public:
  /// An operator, whose shape and lowering rules are stated on what this returns.
  onnx::RuleOf<onnx::Custom> op(const onnx::Declaration &declaration);
  /// An operator that a C function computes (mlc/function.h); only its shape rule is stated.
  onnx::RuleOf<onnx::Custom> op(const onnx::Declaration &declaration, llvm::StringRef function);
  void target(std::unique_ptr<Target> target);

  /// Of what has been brought; then this is empty. For the loader.
  llvm::Error finish();

private:
  std::string problem; ///< the first one
  std::vector<std::pair<std::string, onnx::Rule *>> operators;
  bool isEmpty = true;
  onnx::Rule ignored;

  void refuse(std::string text);
};

/// What a plug-in's symbol `mlc_extension` is.
struct ExtensionEntry {
  const char *version;
  void (*add)(Extension &extension);
};

} // namespace mlc
#pragma GCC visibility pop

#define MLC_EXTENSION(extension)                                                                                       \
  static void addToMlc(mlc::Extension &extension);                                                                     \
  extern "C" {                                                                                                         \
  extern __attribute__((visibility("default"))) const mlc::ExtensionEntry mlc_extension;                               \
  const mlc::ExtensionEntry mlc_extension = {mlc::extensionVersion, addToMlc};                                         \
  }                                                                                                                    \
  static void addToMlc(mlc::Extension &extension)

namespace mlc {

/// Loads a plug-in, or reads declarations of operators that C functions compute (JSON, FunctionOperator.h). Before
/// anything is compiled; what was loaded stays. The error names the file, and what in it is wrong.
llvm::Error loadExtension(llvm::StringRef path);

} // namespace mlc

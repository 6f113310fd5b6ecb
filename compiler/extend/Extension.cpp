#include "extend/Extension.h"
#include "extend/FunctionOperator.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <dlfcn.h>

using namespace llvm;

namespace mlc {

static Error fail(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }

//===-- What plug-ins bring ----------------------------------------------------------===//

void Extension::refuse(std::string text) {
  if (problem.empty())
    problem = std::move(text);
}

onnx::RuleOf<onnx::Custom> Extension::op(const onnx::Declaration &declaration) {
  isEmpty = false;
  if (std::string wrong = onnx::declare(declaration); !wrong.empty()) {
    refuse(wrong);
    return onnx::RuleOf<onnx::Custom>(ignored);
  }
  auto [rule, added] = addRuleOf(declaration);
  operators.emplace_back(declaration.qualifiedName(), added);
  return rule;
}

onnx::RuleOf<onnx::Custom> Extension::op(const onnx::Declaration &declaration, StringRef function) {
  if (std::string wrong = problemOfFunctionName(function); !wrong.empty())
    refuse("operator '" + declaration.qualifiedName() + "': " + wrong);
  return op(declaration).callsFunction().lower([function = function.str()](onnx::Custom op, onnx::Lowering &l) {
    return lowerToFunction(op, function, l);
  });
}

void Extension::target(std::unique_ptr<Target> target) {
  isEmpty = false;
  if (findTarget(target->name()))
    return refuse(("target '" + target->name() + "' is known already").str());
  registerTarget(std::move(target));
}

Error Extension::finish() {
  for (const auto &[name, rule] : operators)
    if (!rule->shape || !rule->lower)
      refuse("operator '" + name + "' has no " + (rule->shape ? "lowering" : "shape") + " rule");
  if (isEmpty)
    refuse("brings neither operators nor targets");
  operators.clear();
  return problem.empty() ? Error::success() : fail(std::exchange(problem, ""));
}

//===-- Loading ------------------------------------------------------------------------===//

static Error loadPlugin(StringRef path) {
  SmallString<256> absolute(path);
  if (std::error_code error = sys::fs::make_absolute(absolute))
    return fail(error.message());
  // Never closed: what it has brought is used to the end.
  void *library = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail("cannot be loaded as a plug-in of this mlc (" + Twine(extensionVersion) + "): " + dlerror());
  auto *entry = static_cast<const ExtensionEntry *>(dlsym(library, "mlc_extension"));
  if (!entry)
    return fail("is no plug-in of mlc: it has no symbol mlc_extension, which MLC_EXTENSION makes");
  if (StringRef(entry->version) != extensionVersion)
    return fail("is a plug-in of another mlc: expected one for " + Twine(extensionVersion) + ", got one for " +
                entry->version + "; compile it again with the headers of this mlc");
  Extension extension;
  entry->add(extension);
  return extension.finish();
}

Error loadExtension(StringRef path) {
  auto load = [&]() -> Error {
    auto file = MemoryBuffer::getFile(path);
    if (!file)
      return fail("cannot be read: " + file.getError().message());
    return (*file)->getBuffer().starts_with("\x7f"
                                            "ELF")
               ? loadPlugin(path)
               : declareFunctionOperators((*file)->getBuffer());
  };
  Error error = load();
  return error ? fail(path + ": " + toString(std::move(error))) : Error::success();
}

} // namespace mlc

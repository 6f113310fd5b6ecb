#include "HostEvaluation.h"
#include "Compiler.h"
#include "link/Link.h"
#include "mlc/mlc.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "onnx/Constants.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <dlfcn.h>

using namespace mlir;

namespace mlc {

static LogicalResult compileForHost(ModuleOp module, StringRef path) {
  const Target *target = hostTarget();
  if (!target)
    return module.emitError("mlc was built without a target for the machine it runs on, which folding constants needs");
  FailureOr<TargetAttr> attr = target->describe(module.getContext(), "native", "");
  if (failed(attr))
    return failure();
  module->setAttr(targetAttrName, *attr);
  PassManager passes(module.getContext());
  for (const PhaseInfo &phase : phases())
    if (phase.build)
      phase.build(passes, *target, *attr);
  if (failed(passes.run(module)))
    return failure();
  return linkModel(module, *target, *attr, path);
}

FailureOr<SmallVector<ElementsAttr>> evaluateOnHost(ModuleOp module, ArrayRef<ElementsAttr> inputs) {
  auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName);
  SmallVector<Type> resultTypes =
      llvm::to_vector(graph.getResultTypes()); // as ONNX says them; lowering changes the function

  SmallString<128> path;
  int descriptor;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("mlc-fold", "so", descriptor, path))
    return module.emitError("cannot create a temporary file to fold constants: ") << error.message();
  llvm::sys::fs::closeFile(descriptor);
  auto removeFile = llvm::scope_exit([&] { llvm::sys::fs::remove(path); });
  if (failed(compileForHost(module, path)))
    return failure();

  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return module.emitError("cannot load the code that folds constants: ") << dlerror();
  auto closeLibrary = llvm::scope_exit([&] { dlclose(library); });
  auto entry = reinterpret_cast<mlc_entry>(dlsym(library, "mlc_model_entry"));
  const mlc_model *model = entry ? entry(MLC_VERSION) : nullptr;

  mlc_error error = {};
  mlc_session *session = nullptr;
  mlc_session_options options = {};
  options.size = sizeof options;
  options.threads = 1;
  if (mlc_session_create(model, &options, &session, &error) != MLC_OK)
    return module.emitError("cannot run the code that folds constants: ") << error.text;
  auto destroySession = llvm::scope_exit([&] { mlc_session_destroy(session); });

  SmallVector<mlc_input> arguments;
  SmallVector<std::vector<char>> unpacked(inputs.size());
  for (auto [i, input] : llvm::enumerate(inputs)) {
    ArrayRef<char> data = onnx::bytesOf(input, unpacked[i]);
    mlc_input argument = {};
    argument.data = data.data();
    argument.bytes = data.size();
    argument.extents = input.getShapedType().getShape().data();
    argument.rank = input.getShapedType().getRank();
    argument.type = model->info->inputs[i].type;
    arguments.push_back(argument);
  }
  SmallVector<mlc_output> outputs(resultTypes.size(), mlc_output{});
  for (mlc_output &output : outputs)
    output.memory = MLC_MEMORY_SESSION;
  if (mlc_run(session, arguments.data(), arguments.size(), outputs.data(), outputs.size(), &error) != MLC_OK)
    return module.emitError("cannot fold constants: ") << error.text;

  SmallVector<ElementsAttr> results;
  for (auto [type, output] : llvm::zip_equal(resultTypes, outputs)) {
    ArrayRef<int64_t> extents(output.extents, output.rank);
    auto tensor = RankedTensorType::get(extents, cast<TensorType>(type).getElementType());
    results.push_back(onnx::constantOf(tensor, ArrayRef<char>(static_cast<const char *>(output.data), output.bytes)));
  }
  return results;
}

} // namespace mlc

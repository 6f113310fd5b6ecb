// The LLVM dialect of a device -> assembly or an object, by LLVM's back end for it.
#include "gpu/Code.h"
#include "gpu/Gpu.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace mlc::gpu {

static void optimize(llvm::Module &code, llvm::TargetMachine &generator) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&generator);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(code, modules);
}

FailureOr<std::string> writeCode(mlir::gpu::GPUModuleOp device, const Machine &machine, llvm::CodeGenFileType kind) {
  std::string error;
  llvm::Triple triple(machine.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return device.emitError() << error, failure();
  std::unique_ptr<llvm::TargetMachine> generator(
      target->createTargetMachine(triple, machine.chip, /*Features=*/"", llvm::TargetOptions(), llvm::Reloc::PIC_,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(device, context, deviceModuleName);
  if (!code)
    return failure();
  code->setTargetTriple(triple);
  code->setDataLayout(generator->createDataLayout());
  optimize(*code, *generator);
  // No driver links anything in.
  for (llvm::Function &function : *code)
    if (function.isDeclaration() && !function.isIntrinsic())
      return device.emitError("calls '") << function.getName() << "', which the device does not have", failure();

  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (generator->addPassesToEmitFile(passes, stream, nullptr, kind))
    return device.emitError("LLVM cannot write code for ") << machine.triple, failure();
  passes.run(*code);
  return text.str().str();
}

} // namespace mlc::gpu

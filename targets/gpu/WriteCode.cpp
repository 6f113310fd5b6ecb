// Functions of one thread -> assembly or an object, by LLVM's back end for the device.
#include "gpu/Code.h"
#include "gpu/Gpu.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace mlc::gpu {

void registerTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

/// What stands between the functions as they are outlined and convertToLLVM.
static void addExpansions(OpPassManager &functions) {
  functions.addPass(createExpandMath());
  functions.addPass(createCastExpandShapes());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createSCFToControlFlowPass());
}

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

/// A module in the LLVM dialect -> code.
static FailureOr<std::string> generate(mlir::gpu::GPUModuleOp device, const Machine &machine,
                                       llvm::CodeGenFileType kind) {
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

FailureOr<std::string> writeCode(mlir::gpu::GPUModuleOp device, std::unique_ptr<Pass> lower, const Machine &machine,
                                 llvm::CodeGenFileType kind,
                                 function_ref<LogicalResult(OpPassManager &, Operation *)> run) {
  OpBuilder b(device);
  auto copy = cast<mlir::gpu::GPUModuleOp>(b.clone(*device));
  OpPassManager passes(mlir::gpu::GPUModuleOp::getOperationName());
  addExpansions(passes.nest<mlir::gpu::GPUFuncOp>());
  passes.addPass(std::move(lower));
  FailureOr<std::string> code = failure();
  if (succeeded(run(passes, copy)))
    code = generate(copy, machine, kind);
  copy.erase();
  return code;
}

} // namespace mlc::gpu

// The LLVM dialect -> object code.
//
// Kernels are shared out over several LLVM modules of about the same size, which are optimized and compiled at the same
// time. A kernel stays together with the bodies of its parallel loops, which LLVM should see along with it.
#include "Sanitize.h"
#include "cpu/CheckUndefined.h"
#include "cpu/Cpu.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Threading.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"

using namespace mlir;

namespace mlc::cpu {

/// The operations in a module below which it is not worth sharing out.
static constexpr int64_t leastOperations = 2000;

static int64_t countOperations(Operation *op) {
  int64_t count = 0;
  op->walk([&](Operation *) { ++count; });
  return count;
}

//===-- Sharing out --------------------------------------------------------------===//

/// The symbols that `op` names.
static SmallVector<StringRef> symbolsUsedBy(Operation *op) {
  SmallVector<StringRef> names;
  if (std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(op))
    for (const SymbolTable::SymbolUse &use : *uses)
      names.push_back(use.getSymbolRef().getRootReference().getValue());
  return names;
}

/// For each function with a body, the part that it goes to.
static DenseMap<Operation *, unsigned> shareOut(ModuleOp module, unsigned parts) {
  // Functions that only one other names belong to it: the bodies of parallel loops, and the functions around these.
  SymbolTable symbols(module);
  DenseMap<Operation *, SmallVector<Operation *>> users;
  SmallVector<LLVM::LLVMFuncOp> functions;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal())
      continue;
    functions.push_back(function);
    for (StringRef name : symbolsUsedBy(function))
      if (auto callee = symbols.lookup<LLVM::LLVMFuncOp>(name);
          callee && callee != function && !llvm::is_contained(users[callee], function))
        users[callee].push_back(function);
  }
  auto ownerOf = [&](Operation *function) {
    for (unsigned depth = 0; depth < 8; ++depth) {
      ArrayRef<Operation *> callers = users[function];
      if (callers.size() != 1 || callers.front()->hasAttr(graphFunctionName) ||
          cast<LLVM::LLVMFuncOp>(callers.front()).getName() == graphFunctionName || function->hasAttr(kernelAttrName))
        break;
      function = callers.front();
    }
    return function;
  };
  llvm::MapVector<Operation *, int64_t> sizes;
  for (LLVM::LLVMFuncOp function : functions)
    sizes[ownerOf(function)] += countOperations(function);
  SmallVector<std::pair<Operation *, int64_t>> order(sizes.begin(), sizes.end());
  llvm::stable_sort(order, [](auto &a, auto &b) { return a.second > b.second; });
  SmallVector<int64_t> loads(parts, 0);
  DenseMap<Operation *, unsigned> partOfOwner, result;
  for (auto &[owner, size] : order) {
    unsigned part = llvm::min_element(loads) - loads.begin();
    loads[part] += size;
    partOfOwner[owner] = part;
  }
  for (LLVM::LLVMFuncOp function : functions)
    result[function] = partOfOwner[ownerOf(function)];
  return result;
}

/// A constant that all parts see. It lies in the first; of others each part has its own.
static bool isShared(Operation *op) {
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  return global && global.getLinkage() == LLVM::Linkage::External;
}

/// One part as a module of its own: its functions, what they name of others as declarations, and the constants they
/// use.
static OwningOpRef<ModuleOp> extractPart(ModuleOp module, unsigned part,
                                         const DenseMap<Operation *, unsigned> &partOf) {
  SymbolTable symbols(module);
  OwningOpRef<ModuleOp> result = ModuleOp::create(module.getLoc());
  (*result)->setAttrs(module->getAttrDictionary());
  OpBuilder builder = OpBuilder::atBlockBegin(result->getBody());
  SmallVector<Operation *> pending;
  DenseSet<Operation *> seen;
  auto add = [&](Operation *op) {
    if (seen.insert(op).second)
      pending.push_back(op);
  };
  for (Operation &op : *module.getBody()) {
    auto found = partOf.find(&op);
    if (found != partOf.end() ? found->second == part : part == 0 && isShared(&op))
      add(&op);
  }
  for (unsigned i = 0; i < pending.size(); ++i) {
    Operation *op = pending[i];
    auto found = partOf.find(op);
    if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op); function && (function.isExternal() || found->second != part)) {
      auto declaration = cast<LLVM::LLVMFuncOp>(builder.cloneWithoutRegions(*op));
      if (!function.isExternal())
        declaration.setLinkage(LLVM::Linkage::External);
      continue;
    }
    if (part != 0 && isShared(op)) {
      cast<LLVM::GlobalOp>(builder.cloneWithoutRegions(*op)).removeValueAttr();
      continue;
    }
    builder.clone(*op);
    for (StringRef name : symbolsUsedBy(op))
      if (Operation *used = symbols.lookup(name))
        add(used);
  }
  return result;
}

//===-- Compiling one module -----------------------------------------------------===//

static std::unique_ptr<llvm::TargetMachine> createTargetMachine(const llvm::Target *target, TargetAttr attr,
                                                                const Machine &machine) {
  llvm::TargetOptions options;
  options.NoTrapAfterNoreturn = true;
  options.FunctionSections = true;
  std::string features = llvm::join_items(",", machine.baseFeatures, attr.getFeatures());
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(llvm::Triple(machine.triple), machine.chip, features, options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

static void setAttributes(llvm::Module &module, const Machine &machine) {
  for (llvm::Function &function : module) {
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (function.isDeclaration()) {
      if (function.getName() == "mlc_rt_fail") {
        function.addFnAttr(llvm::Attribute::NoReturn);
        function.addFnAttr(llvm::Attribute::Cold);
      }
      // The runtime's are linked in, libm's are not.
      if (function.getName().starts_with("mlc_"))
        function.setVisibility(llvm::GlobalValue::HiddenVisibility);
      continue;
    }
    for (const auto &[name, value] : machine.functionAttributes)
      function.addFnAttr(name, value);
  }
}

/// Has all accesses of the module checked, after it has been optimized. Its global variables are not: they would have to be
/// registered by a constructor, and the weights have no code.
static void sanitizeAddress(llvm::Module &code, llvm::PassBuilder &builder) {
  for (llvm::Function &function : code)
    if (!function.isDeclaration())
      function.addFnAttr(llvm::Attribute::SanitizeAddress);
  for (llvm::GlobalVariable &variable : code.globals()) {
    llvm::GlobalValue::SanitizerMetadata metadata;
    metadata.NoAddress = true;
    variable.setSanitizerMetadata(metadata);
  }
  builder.registerOptimizerLastEPCallback([](llvm::ModulePassManager &passes, auto...) {
    llvm::AddressSanitizerOptions options;
    options.InstrumentationWithCallsThreshold = 0; // faster to compile than checks in line
    passes.addPass(llvm::AddressSanitizerPass(options, /*UseGlobalGC=*/false, /*UseOdrIndicator=*/false,
                                              llvm::AsanDtorKind::None, llvm::AsanCtorKind::None));
  });
}

static FailureOr<std::unique_ptr<llvm::MemoryBuffer>>
compile(ModuleOp module, TargetAttr attr, const llvm::Target *target, const Machine &machine,
        const llvm::StringSet<> &shared, const llvm::StringSet<> &exported, const Sanitizers &sanitize) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> generator = createTargetMachine(target, attr, machine);
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context, "model");
  if (!code)
    return failure();
  code->setTargetTriple(generator->getTargetTriple());
  code->setDataLayout(generator->createDataLayout());
  setAttributes(*code, machine);
  for (llvm::GlobalValue &value : code->global_values()) {
    if (exported.contains(value.getName()))
      continue;
    if (shared.contains(value.getName())) {
      value.setLinkage(llvm::GlobalValue::ExternalLinkage); // a micro-kernel is internal to its module before
      value.setVisibility(llvm::GlobalValue::HiddenVisibility);
    } else if (!value.isDeclaration())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  }

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = tuning.LoopUnrolling = true;
  llvm::PassBuilder builder(generator.get(), tuning);
  if (sanitize.address)
    sanitizeAddress(*code, builder);
  if (sanitize.undefined)
    builder.registerPipelineStartEPCallback(
        [](llvm::ModulePassManager &passes, auto...) { passes.addPass(CheckUndefined()); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(*code, modules);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager codegen;
  if (generator->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                     /*DisableVerify=*/true))
    return emitError(module.getLoc()) << "LLVM cannot write objects for " << machine.triple, failure();
  codegen.run(*code);
  return std::unique_ptr<llvm::MemoryBuffer>(
      std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), "model.o", /*RequiresNullTerminator=*/false));
}

FailureOr<Binary> emit(ModuleOp module, TargetAttr attr, const Machine &machine) {
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);

  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(llvm::Triple(machine.triple), error);
  if (!target)
    return emitError(module.getLoc()) << error, failure();

  unsigned threads = context->isMultithreadingEnabled() ? context->getNumThreads() : 1;
  unsigned parts = std::clamp<int64_t>(countOperations(module) / leastOperations, 1, threads);
  llvm::StringSet<> shared, exported;
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (isShared(global))
      shared.insert(global.getName());
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(exportedAttrName))
      exported.insert(function.getName());
  SmallVector<OwningOpRef<ModuleOp>> modules;
  if (parts > 1) {
    SymbolTable symbols(module);
    DenseMap<Operation *, unsigned> partOf = shareOut(module, parts);
    for (unsigned part = 0; part < parts; ++part) {
      modules.push_back(extractPart(module, part, partOf));
      for (auto function : modules.back()->getOps<LLVM::LLVMFuncOp>())
        if (function.isExternal() && !symbols.lookup<LLVM::LLVMFuncOp>(function.getName()).isExternal())
          shared.insert(function.getName());
    }
  }
  Sanitizers sanitize{.address = module->hasAttr(sanitizeAddressAttrName),
                      .undefined = module->hasAttr(sanitizeUndefinedAttrName)};
  SmallVector<std::unique_ptr<llvm::MemoryBuffer>> objects(parts);
  LogicalResult result = failableParallelForEachN(context, 0, parts, [&](size_t part) {
    ModuleOp code = parts > 1 ? *modules[part] : module;
    auto object = compile(code, attr, target, machine, shared, exported, sanitize);
    if (failed(object))
      return failure();
    objects[part] = std::move(*object);
    return success();
  });
  if (failed(result))
    return failure();
  Binary binary;
  for (auto &object : objects)
    binary.objects.push_back(std::move(object));
  return binary;
}

} // namespace mlc::cpu

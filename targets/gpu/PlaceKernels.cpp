// Decides which kernels run on the device.
//
// A kernel does when each of its operations can be written as blocks of threads, and each scalar operation inside has a
// form on this device (Target::hasDeviceForm). Then its function gets `mlc.device`. Otherwise it stays a function of the
// host, whole, and a remark says of which operation that is; the compiled model says it too, by its properties. A kernel is never half here and half there: its
// intermediates would go back and forth.
#include "gpu/Gpu.h"
#include "gpu/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/Passes.h"
#include "passes/PlanMemory.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace mlc::gpu {
#define GEN_PASS_DEF_PLACEKERNELS
#include "gpu/Passes.h.inc"

/// What the temporaries of a row may take of the 32 kB of local memory that every device has; reductions need the rest.
static constexpr int64_t mostLocalBytes = 24 << 10;

/// The first operation below `op` that a thread cannot compute.
static std::string refusalInThread(Operation *op, const Target &target) {
  std::string reason;
  op->walk([&](Operation *inner) {
    if (inner == op || target.hasDeviceForm(inner))
      return WalkResult::advance();
    reason = ("the device has no form of " + inner->getName().getStringRef()).str();
    for (Type type : inner->getResultTypes())
      if (type.isIntOrFloat())
        llvm::raw_string_ostream(reason) << " of " << type;
    return WalkResult::interrupt();
  });
  return reason;
}

/// Whether the elements of a buffer can be loaded and stored.
static std::string refusalOfBuffers(Operation *op, const Target &target) {
  for (Value value : op->getOperands())
    if (auto type = dyn_cast<MemRefType>(value.getType()); type && !target.hasDeviceForm(type.getElementType())) {
      std::string reason = "the device has no elements of ";
      llvm::raw_string_ostream(reason) << type.getElementType();
      return reason;
    }
  return "";
}

/// A row holds operations, and what lies between them in local memory.
static std::string refusalOfRows(scf::ForallOp rows, const Target &target) {
  int64_t bytes = 0;
  for (Operation &op : rows.getBody()->without_terminator()) {
    if (auto alloca = dyn_cast<memref::AllocaOp>(op)) {
      std::optional<int64_t> own = fixedBytes(alloca.getType());
      if (!own || !target.hasDeviceForm(alloca.getType().getElementType()))
        return "the device has no memory for a row of it";
      bytes += *own;
      continue;
    }
    if (std::string reason = refusal(&op, target); !reason.empty())
      return reason;
  }
  if (bytes > mostLocalBytes)
    return llvm::formatv("a row of it needs {0} bytes of local memory, of which there are {1}", bytes, mostLocalBytes);
  return "";
}

std::string refusal(Operation *op, const Target &target) {
  if (std::string reason = refusalOfBuffers(op, target); !reason.empty())
    return reason;
  if (isa<ContractOp, memref::CopyOp>(op))
    return "";
  if (auto loop = dyn_cast<scf::ForallOp>(op); loop && isOverRows(loop))
    return refusalOfRows(loop, target);
  if (isa<linalg::LinalgOp, scf::ForallOp>(op))
    return refusalInThread(op, target);
  // Loops and conditions of the host around all that.
  if (isa<scf::ForOp, scf::IfOp>(op)) {
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        if (std::string reason = refusal(&inner, target); !reason.empty())
          return reason;
    return "";
  }
  if (isa<memref::GetGlobalOp, memref::DimOp>(op) || (isa<ViewLikeOpInterface>(op) && target.hasDeviceForm(op)) ||
      op->hasTrait<OpTrait::IsTerminator>() || (isPure(op) && op->getNumRegions() == 0))
    return "";
  return ("'" + op->getName().getStringRef() + "' has no threads to be shared among").str();
}

namespace {

/// The names of the nodes that an operation comes from.
void collectNames(Location loc, llvm::SetVector<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc))
    names.insert(name.getName());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      collectNames(part, names);
  else if (auto call = dyn_cast<CallSiteLoc>(loc))
    collectNames(call.getCallee(), names);
}

struct PlaceKernels : impl::PlaceKernelsBase<PlaceKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<std::pair<const Target *, TargetAttr>> target = targetOf(module);
    if (failed(target))
      return signalPassFailure();
    unsigned onDevice = 0, onHost = 0;
    for (auto kernel : module.getOps<func::FuncOp>()) {
      if (!kernel->hasAttr(kernelAttrName) || kernel.isExternal())
        continue;
      std::string reason;
      Operation *cause = nullptr;
      for (Operation &op : kernel.getBody().front()) {
        cause = &op;
        if (!(reason = refusal(&op, *target->first)).empty())
          break;
      }
      if (reason.empty()) {
        kernel->setAttr(deviceAttrName, UnitAttr::get(&getContext()));
        ++onDevice;
        continue;
      }
      ++onHost;
      cause->emitRemark() << "kernel '" << kernel.getName() << "' runs on the host: " << reason;
      llvm::SetVector<StringRef> names;
      kernel.walk([&](Operation *op) { collectNames(op->getLoc(), names); });
      tell(("mlc.on-host." + kernel.getName()).str(), reason + "; of " + llvm::join(names, ", "));
    }
    if (onDevice + onHost == 0)
      return;
    std::string summary = llvm::formatv("{0} kernels on the device, {1} on the host", onDevice, onHost);
    tell("mlc.placement", summary);
    if (onHost)
      module.emitRemark(summary);
    module->setAttr(propertiesAttrName, properties.getDictionary(&getContext()));
  }

  void tell(StringRef name, StringRef text) { properties.set(name, StringAttr::get(&getContext(), text)); }

  NamedAttrList properties;
};

} // namespace

void place(OpPassManager &passes) {
  passes.addPass(createPlaceKernels());
  passes.addPass(createFindHalves());
  passes.addNestedPass<func::FuncOp>(createFormBlocks());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createOutlineBlocks());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

} // namespace mlc::gpu

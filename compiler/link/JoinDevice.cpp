// Two models in the LLVM dialect, one of them for a device -> one module.
//
//   host:   mlc_model_data -> mlc_device_model (declared)
//   device: mlc_model_data -> mlc_program, <name>_mlc
//   =>
//   mlc_model_data -> mlc_device_model (the device's mlc_model_data) -> mlc_program
//
// The library's entry points are the host's; a session that finds a device goes on with the other description.
#include "link/JoinDevice.h"
#include "mlc/Mlc.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/Placement.h"

using namespace mlir;

namespace mlc {

bool hasDeviceCode(ModuleOp device) { return device.lookupSymbol(programSymbolName) != nullptr; }

static bool isDeclaration(Operation *op) {
  if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op))
    return function.isExternal();
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  return global && !global.getValueOrNull() && !global.getInitializerBlock();
}

void joinDevice(ModuleOp host, ModuleOp device) {
  for (auto function : llvm::make_early_inc_range(device.getOps<LLVM::LLVMFuncOp>()))
    if (function->hasAttr(exportedAttrName))
      function.erase();
  SymbolTable ours(host), theirs(device);
  auto rename = [&](Operation *op, const Twine &name) {
    (void)theirs.rename(op, StringAttr::get(host.getContext(), name));
  };
  for (Operation &op : *device.getBody()) {
    auto symbol = dyn_cast<SymbolOpInterface>(op);
    if (!symbol || isDeclaration(&op))
      continue;
    if (symbol.getName() == "mlc_model_data")
      rename(&op, deviceModelSymbolName);
    else if (ours.lookup(symbol.getName()))
      rename(&op, "mlc.device." + symbol.getName());
  }
  for (Operation &op : llvm::make_early_inc_range(*device.getBody())) {
    auto symbol = dyn_cast<SymbolOpInterface>(op);
    Operation *known = symbol ? ours.lookup(symbol.getName()) : nullptr;
    if (known && isDeclaration(&op))
      continue;
    if (known)
      ours.erase(known); // declared there
    op.moveBefore(host.getBody(), host.getBody()->end());
    if (symbol)
      ours.insert(&op);
  }
}

} // namespace mlc

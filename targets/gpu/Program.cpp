#include "gpu/Program.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/Placement.h"
#include "passes/PlanMemory.h"

using namespace mlir;

namespace mlc::gpu {

static bool isStoredTo(Value buffer) {
  return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
    if (isa<ViewLikeOpInterface>(user))
      return llvm::any_of(user->getResults(), isStoredTo);
    auto effects = dyn_cast<MemoryEffectOpInterface>(user);
    return effects && effects.getEffectOnValue<MemoryEffects::Write>(buffer);
  });
}

/// One letter for each argument.
static std::string describeArguments(mlir::gpu::GPUFuncOp function) {
  std::string letters;
  for (BlockArgument argument : function.getArguments())
    letters += !isa<MemRefType>(argument.getType()) ? 'l' : isStoredTo(argument) ? 'w' : 'r';
  return letters;
}

int64_t localBytes(mlir::gpu::GPUFuncOp function) {
  int64_t bytes = 0;
  function.walk([&](memref::AllocaOp alloca) {
    auto space = dyn_cast_if_present<mlir::gpu::AddressSpaceAttr>(alloca.getType().getMemorySpace());
    if (space && space.getValue() == mlir::gpu::AddressSpace::Workgroup)
      bytes += llvm::alignTo(fixedBytes(alloca.getType()).value_or(0), localAlignment);
  });
  return bytes;
}

void emitProgram(ModuleOp module, mlir::gpu::GPUModuleOp device, ArrayRef<Image> images) {
  ImplicitLocOpBuilder b(module.getLoc(), OpBuilder::atBlockEnd(module.getBody()));
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  auto text = [&](const Twine &name, StringRef contents) {
    std::string terminated = contents.str() + '\0';
    LLVM::GlobalOp::create(b, LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size()), /*isConstant=*/true,
                           LLVM::Linkage::Internal, name.str(), b.getStringAttr(terminated));
    return name.str();
  };
  auto global = [&](StringRef name, Type type, function_ref<Value()> value,
                    LLVM::Linkage linkage = LLVM::Linkage::Internal) {
    OpBuilder::InsertionGuard guard(b);
    auto op = LLVM::GlobalOp::create(b, type, /*isConstant=*/true, linkage, name, Attribute());
    b.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(b, value());
  };
  auto number = [&](Type type, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, type, b.getIntegerAttr(type, value));
  };
  auto address = [&](StringRef name) -> Value { return LLVM::AddressOfOp::create(b, pointer, name); };
  auto fill = [&](Type type, ArrayRef<Value> fields) -> Value {
    Value value = LLVM::UndefOp::create(b, type);
    for (auto [i, field] : llvm::enumerate(fields))
      value = LLVM::InsertValueOp::create(b, value, field, i);
    return value;
  };

  auto functions = llvm::to_vector(device.getOps<mlir::gpu::GPUFuncOp>());
  auto triple = LLVM::LLVMArrayType::get(i32, 3);
  auto kernelType = LLVM::LLVMStructType::getLiteral(b.getContext(), {pointer, pointer, triple, i32});
  SmallVector<std::string> names, letters;
  for (auto [i, function] : llvm::enumerate(functions)) {
    function->setAttr("mlc.number", b.getI64IntegerAttr(i));
    names.push_back(text("mlc.device.name." + Twine(i), function.getName()));
    letters.push_back(text("mlc.device.arguments." + Twine(i), describeArguments(function)));
  }
  auto table = [&](StringRef name, Type rowType, size_t count, function_ref<SmallVector<Value>(size_t)> fieldsOf) {
    auto type = LLVM::LLVMArrayType::get(rowType, count);
    global(name, type, [&] {
      SmallVector<Value> rows;
      for (size_t i = 0; i < count; ++i)
        rows.push_back(fill(rowType, fieldsOf(i)));
      return fill(type, rows);
    });
  };
  table("mlc.device.kernels", kernelType, functions.size(), [&](size_t i) -> SmallVector<Value> {
    SmallVector<Value> threads;
    ArrayRef<int32_t> extents = *functions[i].getKnownBlockSize();
    for (int32_t extent : extents)
      threads.push_back(number(i32, extent));
    return {address(names[i]), address(letters[i]), fill(triple, threads), number(i32, localBytes(functions[i]))};
  });
  SmallVector<std::string> chips, codes;
  for (auto [i, image] : llvm::enumerate(images)) {
    chips.push_back(text("mlc.device.chip." + Twine(i), image.chip));
    codes.push_back(text(deviceImagePrefix + Twine(i), image.code));
  }
  auto imageType = LLVM::LLVMStructType::getLiteral(b.getContext(), {pointer, pointer, i64});
  table("mlc.device.images", imageType, images.size(), [&](size_t i) -> SmallVector<Value> {
    return {address(chips[i]), address(codes[i]), number(i64, images[i].code.size())};
  });
  if (Operation *declared = module.lookupSymbol(programSymbolName))
    declared->erase();
  auto programType = LLVM::LLVMStructType::getLiteral(b.getContext(), {pointer, pointer, i32, i32, pointer});
  constexpr llvm::StringLiteral services = "mlc_rt_device_services";
  LLVM::GlobalOp::create(b, LLVM::LLVMArrayType::get(b.getI8Type(), 0), /*isConstant=*/true, LLVM::Linkage::External,
                         services, Attribute());
  // One for all parts that the host's code is compiled in.
  global(
      programSymbolName, programType,
      [&] {
        return fill(programType, {address("mlc.device.images"), address("mlc.device.kernels"),
                                  number(i32, images.size()), number(i32, functions.size()), address(services)});
      },
      LLVM::Linkage::External);
}

} // namespace mlc::gpu

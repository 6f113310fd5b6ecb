// Adds what the runtime sees of a model (runtime/include/mlc/abi.h):
//
//   mlc_model_data     the description: ports, symbols, properties, and the three functions below
//   mlc_model_run      (frame) -> ()                 makes buffers of the frame's inputs and calls the graph function
//   mlc_arena_bytes    (symbols) -> bytes            what @model_arena says
//   mlc_output_extents (symbols, extents) -> ()      what @model_output_extents says; only if the ports do not say it
//   all <name>_mlc         (version) -> model            exported
//
// With `mlc.profile` on the module, every call of a kernel is put between mlc_rt_kernel_begin and mlc_rt_kernel_end.
#include "mlc/abi.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "onnx/Onnx.h"
#include "passes/ConvertMlcToLLVM.h"
#include "passes/Passes.h"
#include "passes/Placement.h"
#include "passes/PlanMemory.h"
#include "passes/Ports.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA1.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace mlc {
#define GEN_PASS_DEF_EMITENTRYPOINT
#include "passes/Passes.h.inc"

/// The number of a type in ONNX, which is mlc_type; those of 6 bits come from elsewhere, and have none there.
static int32_t mlcType(Type type) {
  int64_t number = onnx::elementTypeNumber(type);
  return number <= MLC_INT2 ? number : MLC_UNDEFINED;
}

namespace {

/// Writes constants of the C structures in abi.h as globals.
class Constants {
public:
  Constants(ModuleOp module)
      : builder(module.getLoc(), OpBuilder::atBlockEnd(module.getBody())),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  /// A global `type`, filled by `fill(value so far) -> value`; its address can be had by name.
  template <typename F>
  std::string global(StringRef name, Type type, F fill, LLVM::Linkage linkage = LLVM::Linkage::Internal) {
    OpBuilder::InsertionGuard guard(builder);
    auto global = LLVM::GlobalOp::create(builder, type, /*isConstant=*/true, linkage, name, Attribute());
    builder.createBlock(&global.getInitializerRegion());
    Value value = LLVM::UndefOp::create(builder, type);
    LLVM::ReturnOp::create(builder, fill(value));
    return name.str();
  }
  std::string freshName() { return "mlc.data." + std::to_string(next++); }

  /// `count` things in a row; an empty name if there are none.
  template <typename F> std::string array(Type element, size_t count, F write) {
    if (count == 0)
      return "";
    Type type = LLVM::LLVMArrayType::get(element, count);
    return global(freshName(), type, [&](Value value) {
      for (size_t i = 0; i < count; ++i)
        value = LLVM::InsertValueOp::create(builder, value, write(i), i);
      return value;
    });
  }

  std::string string(StringRef text) {
    auto found = strings.find(text);
    if (found != strings.end())
      return found->second;
    OpBuilder::InsertionGuard guard(builder);
    if (Operation *around = outermost())
      builder.setInsertionPoint(around);
    std::string name = freshName();
    std::string terminated = text.str() + '\0';
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size());
    LLVM::GlobalOp::create(builder, type, true, LLVM::Linkage::Internal, name, builder.getStringAttr(terminated));
    strings[text] = name;
    return name;
  }

  Value address(StringRef name) {
    if (name.empty())
      return LLVM::ZeroOp::create(builder, pointer);
    return LLVM::AddressOfOp::create(builder, pointer, name);
  }
  /// Of a function that is not in the LLVM dialect yet; null if there is none.
  Value functionAddress(StringRef name) {
    auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(builder.getBlock()->getParentOp(),
                                                                       builder.getStringAttr(name));
    if (!function)
      return address("");
    Value constant = func::ConstantOp::create(builder, function.getFunctionType(), name);
    return UnrealizedConversionCastOp::create(builder, pointer, constant).getResult(0);
  }
  Value text(StringRef text) { return address(string(text)); }
  Value number(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, type, builder.getIntegerAttr(type, value));
  }

  ImplicitLocOpBuilder builder;
  Type pointer;

private:
  /// The global that is being filled, before which others can be put; null if there is none.
  Operation *outermost() {
    Operation *op = builder.getBlock()->getParentOp();
    return isa<ModuleOp>(op) ? nullptr : op;
  }
  unsigned next = 0;
  llvm::StringMap<std::string> strings;
};

struct EmitEntryPoint : impl::EmitEntryPointBase<EmitEntryPoint> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto graph = module.lookupSymbol<func::FuncOp>(graphFunctionName);
    if (!graph)
      return;
    if (graph.getNumArguments() == 0 || !isa<LLVM::LLVMPointerType>(graph.getArgumentTypes()[0])) {
      graph.emitOpError("expects the frame as first argument; mlc-pass-frame adds it");
      return signalPassFailure();
    }
    Ports ports = portsOf(graph);
    SmallVector<std::string> kernels;
    if (module->hasAttr(profileAttrName))
      kernels = markKernels(graph);
    module->setAttr(interfaceAttrName, describePorts(ports, &getContext()));
    emitRun(graph, ports);
    emitSymbolFunction(module, arenaFunctionName, "mlc_arena_bytes", ports);
    if (module.lookupSymbol(outputExtentsFunctionName))
      emitSymbolFunction(module, outputExtentsFunctionName, "mlc_output_extents", ports);
    emitData(module, graph, ports, kernels);
    // It is all in the tables now, and LLVM does not know of it.
    for (unsigned i = 0; i < graph.getNumArguments(); ++i)
      for (StringRef name : {"onnx.name", "onnx.dims", "onnx.type"})
        graph.removeArgAttr(i, name);
  }

  LLVM::LLVMFuncOp declare(ImplicitLocOpBuilder &builder, StringRef name, Type result, ArrayRef<Type> arguments) {
    ModuleOp module = getOperation();
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    return LLVM::LLVMFuncOp::create(builder, name, LLVM::LLVMFunctionType::get(result, arguments));
  }

  SmallVector<std::string> markKernels(func::FuncOp graph) {
    SmallVector<std::string> names;
    ImplicitLocOpBuilder builder(graph.getLoc(), graph.getContext());
    Type none = LLVM::LLVMVoidType::get(graph.getContext()), pointer = LLVM::LLVMPointerType::get(graph.getContext());
    graph.walk([&](func::CallOp call) {
      auto kernel = getOperation().lookupSymbol<func::FuncOp>(call.getCallee());
      if (!kernel || !kernel->hasAttr(kernelAttrName))
        return;
      auto found = llvm::find(names, call.getCallee());
      int64_t number = found - names.begin();
      if (found == names.end())
        names.push_back(call.getCallee().str());
      builder.setInsertionPoint(call);
      Value index = LLVM::ConstantOp::create(builder, builder.getI32Type(), builder.getI32IntegerAttr(number));
      SmallVector<Value> operands = {graph.getArgument(0), index};
      LLVM::CallOp::create(builder, declare(builder, "mlc_rt_kernel_begin", none, {pointer, builder.getI32Type()}),
                           operands);
      builder.setInsertionPointAfter(call);
      LLVM::CallOp::create(builder, declare(builder, "mlc_rt_kernel_end", none, {pointer, builder.getI32Type()}),
                           operands);
    });
    return names;
  }

  void emitRun(func::FuncOp graph, const Ports &ports) {
    ImplicitLocOpBuilder builder(graph.getLoc(), graph.getContext());
    builder.setInsertionPointAfter(graph);
    auto pointer = LLVM::LLVMPointerType::get(graph.getContext());
    auto run = func::FuncOp::create(builder, "mlc_model_run", builder.getFunctionType({pointer}, {}));
    builder.setInsertionPointToStart(run.addEntryBlock());
    Type i64 = builder.getI64Type();
    LLVMTypeConverter converter(graph.getContext());
    addValueConversions(converter);
    Value frame = run.getArgument(0);
    auto element = [&](Value array, Type type, int64_t index) -> Value {
      Value place = LLVM::GEPOp::create(builder, pointer, type, array, ArrayRef<LLVM::GEPArg>{(int32_t)index});
      return LLVM::LoadOp::create(builder, type, place);
    };
    Value inputs = element(frame, pointer, offsetof(mlc_frame, inputs) / 8);
    Value allExtents = element(frame, pointer, offsetof(mlc_frame, input_extents) / 8);
    SmallVector<Value> operands = {frame};
    for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes().drop_front())) {
      Value data = element(inputs, pointer, i), extents;
      if (isa<SequenceType>(type)) {
        operands.push_back(UnrealizedConversionCastOp::create(builder, type, data).getResult(0));
        continue;
      }
      auto memref = cast<MemRefType>(type);
      SmallVector<Value> sizes(memref.getRank()), strides(memref.getRank());
      Value stride = LLVM::ConstantOp::create(builder, i64, builder.getI64IntegerAttr(1));
      for (int64_t axis = memref.getRank() - 1; axis >= 0; --axis) {
        strides[axis] = stride;
        if (memref.isDynamicDim(axis)) {
          if (!extents)
            extents = element(allExtents, pointer, i);
          sizes[axis] = element(extents, i64, axis);
        } else
          sizes[axis] = LLVM::ConstantOp::create(builder, i64, builder.getI64IntegerAttr(memref.getDimSize(axis)));
        stride = LLVM::MulOp::create(builder, stride, sizes[axis]);
      }
      auto descriptor = MemRefDescriptor::poison(builder, graph.getLoc(), converter.convertType(memref));
      descriptor.setAllocatedPtr(builder, graph.getLoc(), data);
      descriptor.setAlignedPtr(builder, graph.getLoc(), data);
      descriptor.setConstantOffset(builder, graph.getLoc(), 0);
      for (int64_t axis = 0; axis < memref.getRank(); ++axis) {
        descriptor.setSize(builder, graph.getLoc(), axis, sizes[axis]);
        descriptor.setStride(builder, graph.getLoc(), axis, strides[axis]);
      }
      operands.push_back(UnrealizedConversionCastOp::create(builder, memref, Value(descriptor)).getResult(0));
    }
    func::CallOp::create(builder, graph, operands);
    func::ReturnOp::create(builder);
  }

  /// `name(const int64_t *symbols[, int64_t *results])` for `function(symbols...) -> (results...)`; without the second
  /// argument it returns the first result.
  void emitSymbolFunction(ModuleOp module, StringRef function, StringRef name, const Ports &ports) {
    auto callee = module.lookupSymbol<func::FuncOp>(function);
    ImplicitLocOpBuilder builder(module.getLoc(), OpBuilder::atBlockEnd(module.getBody()));
    auto pointer = LLVM::LLVMPointerType::get(module.getContext());
    Type i64 = builder.getI64Type(), index = builder.getIndexType();
    bool writes = function != arenaFunctionName;
    auto type = writes ? builder.getFunctionType({pointer, pointer}, {}) : builder.getFunctionType({pointer}, {i64});
    auto wrapper = func::FuncOp::create(builder, name, type);
    builder.setInsertionPointToStart(wrapper.addEntryBlock());
    auto place = [&](Value array, size_t i) -> Value {
      return LLVM::GEPOp::create(builder, pointer, i64, array, ArrayRef<LLVM::GEPArg>{(int32_t)i});
    };
    SmallVector<Value> symbols, results;
    for (size_t i = 0; i < ports.symbols.size(); ++i) {
      Value symbol = LLVM::LoadOp::create(builder, i64, place(wrapper.getArgument(0), i));
      symbols.push_back(arith::IndexCastOp::create(builder, index, symbol));
    }
    for (Value result : func::CallOp::create(builder, callee, symbols).getResults())
      results.push_back(arith::IndexCastOp::create(builder, i64, result));
    if (!writes) {
      func::ReturnOp::create(builder, results.front());
      return;
    }
    for (auto [i, result] : llvm::enumerate(results))
      LLVM::StoreOp::create(builder, result, place(wrapper.getArgument(1), i));
    func::ReturnOp::create(builder);
  }

  static mlc_kind kindOf(const Port &port) {
    if (port.key)
      return port.isSequence ? MLC_SEQUENCE_OF_MAPS : MLC_MAP;
    return port.isSequence ? MLC_SEQUENCE : MLC_TENSOR;
  }

  std::string portArray(Constants &c, ArrayRef<Port> ports) {
    Type i32 = c.builder.getI32Type(), i64 = c.builder.getI64Type();
    SmallVector<std::string> extents;
    for (const Port &port : ports)
      extents.push_back(c.array(i64, port.shape().size(), [&](size_t axis) {
        const Dimension &dimension = port.shape()[axis];
        return c.number(i64, dimension.fixed    ? *dimension.fixed
                             : dimension.symbol ? -1 - (int64_t)*dimension.symbol
                                                : MLC_EXTENT_UNKNOWN);
      }));
    auto type =
        LLVM::LLVMStructType::getLiteral(c.builder.getContext(), {c.pointer, c.pointer, i32, i32, i32, i32, i32});
    static_assert(sizeof(mlc_port) == 2 * 8 + 6 * 4 && offsetof(mlc_port, key) == 2 * 8 + 4 * 4);
    return c.array(type, ports.size(), [&](size_t i) {
      const Port &port = ports[i];
      return makeStruct(c, type,
                        {c.text(port.name), c.address(extents[i]),
                         c.number(i32, port.isRanked ? (int64_t)port.shape().size() : MLC_RANK_UNKNOWN),
                         c.number(i32, mlcType(port.element)), c.number(i32, kindOf(port)),
                         c.number(i32, port.isOptional), c.number(i32, port.key ? mlcType(port.key) : MLC_UNDEFINED)});
    });
  }

  static Value makeStruct(Constants &c, Type type, ArrayRef<Value> fields) {
    Value value = LLVM::UndefOp::create(c.builder, type);
    for (auto [i, field] : llvm::enumerate(fields))
      value = LLVM::InsertValueOp::create(c.builder, value, field, i);
    return value;
  }

  /// The model's own properties in order, then mlc's.
  SmallVector<std::pair<std::string, std::string>> properties(ModuleOp module, func::FuncOp graph) {
    SmallVector<std::pair<std::string, std::string>> result;
    for (Operation *op : {module.getOperation(), graph.getOperation()})
      if (auto own = op->getAttrOfType<DictionaryAttr>("onnx.properties"))
        for (NamedAttribute property : own)
          if (auto text = dyn_cast<StringAttr>(property.getValue()))
            result.emplace_back(property.getName().str(), text.str());
    result.emplace_back("mlc.producer", "mlc " MLC_VERSION_TEXT);
    if (auto target = module->getAttrOfType<TargetAttr>(targetAttrName)) {
      result.emplace_back("mlc.target", target.getName().str());
      result.emplace_back("mlc.features", target.getFeatures().str());
    }
    if (auto device = module->getAttrOfType<StringAttr>(deviceModelAttrName))
      result.emplace_back("mlc.device", device.getValue().str());
    if (auto own = module->getAttrOfType<DictionaryAttr>(propertiesAttrName))
      for (NamedAttribute property : own)
        result.emplace_back(property.getName().str(), cast<StringAttr>(property.getValue()).str());
    result.emplace_back("mlc.hash", hash(module));
    return result;
  }

  /// Of the code as it is printed, and of the weights.
  static std::string hash(ModuleOp module) {
    struct HashStream : llvm::raw_ostream {
      llvm::SHA1 sha;
      uint64_t position = 0;
      HashStream() { SetUnbuffered(); }
      void write_impl(const char *data, size_t size) override {
        sha.update(StringRef(data, size));
        position += size;
      }
      uint64_t current_pos() const override { return position; }
    } stream;
    stream.SetBufferSize(1 << 16);
    // One operation at a time: to print the module itself would first print all weights to memory, elided or not.
    AsmState state(module, OpPrintingFlags().elideLargeElementsAttrs(16));
    llvm::SetVector<Attribute> weights;
    for (Operation &op : *module.getBody()) {
      op.print(stream, state);
      op.walk([&](Operation *inner) {
        for (NamedAttribute attribute : inner->getAttrs())
          if (isa<DenseResourceElementsAttr, DenseElementsAttr>(attribute.getValue()))
            weights.insert(attribute.getValue());
      });
    }
    for (Attribute weight : weights) {
      ArrayRef<char> bytes;
      if (auto resource = dyn_cast<DenseResourceElementsAttr>(weight)) {
        if (const AsmResourceBlob *blob = resource.getRawHandle().getBlob())
          bytes = blob->getData();
      } else {
        bytes = cast<DenseElementsAttr>(weight).getRawData();
      }
      stream << llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size())) << ' ';
    }
    stream.flush();
    return llvm::toHex(stream.sha.final(), /*LowerCase=*/true);
  }

  void emitData(ModuleOp module, func::FuncOp graph, const Ports &ports, ArrayRef<std::string> kernels) {
    SmallVector<std::pair<std::string, std::string>> all = properties(module, graph);
    Constants c(module);
    Type i32 = c.builder.getI32Type(), p = c.pointer;
    MLIRContext *context = module.getContext();
    std::string inputs = portArray(c, ports.inputs), outputs = portArray(c, ports.outputs);
    std::string symbols = c.array(p, ports.symbols.size(), [&](size_t i) { return c.text(ports.symbols[i]); });
    auto pair = LLVM::LLVMStructType::getLiteral(context, {p, p});
    std::string properties = c.array(
        pair, all.size(), [&](size_t i) { return makeStruct(c, pair, {c.text(all[i].first), c.text(all[i].second)}); });
    std::string kernelNames = c.array(p, kernels.size(), [&](size_t i) { return c.text(kernels[i]); });
    std::string name = module.getSymName().value_or("model").str();

    // mlc_model_data_t
    auto info = LLVM::LLVMStructType::getLiteral(context, {i32, i32, i32, i32, i32, i32, p, p, p, p, p, p});
    auto type = LLVM::LLVMStructType::getLiteral(context, {info, p, p, p, p, p});
    static_assert(sizeof(mlc_model_info) == 6 * 4 + 6 * 8 &&
                  sizeof(mlc_model_data_t) == sizeof(mlc_model_info) + 5 * 8);
    auto declareData = [&](StringRef symbol) {
      LLVM::GlobalOp::create(c.builder, type, /*isConstant=*/true, LLVM::Linkage::External, symbol, Attribute());
    };
    bool hasDevice = module->hasAttr(deviceModelAttrName), hasProgram = module->hasAttr(deviceCodeAttrName);
    if (hasDevice)
      declareData(deviceModelSymbolName);
    if (hasProgram)
      declareData(programSymbolName); // which the target writes later
    c.global(
        "mlc_model_data", type,
        [&](Value value) {
          auto count = [&](size_t n) { return c.number(i32, n); };
          Value infoValue = makeStruct(c, info,
                                       {count(MLC_CODE_ABI), count(ports.inputs.size()), count(ports.outputs.size()),
                                        count(ports.symbols.size()), count(all.size()), count(kernels.size()),
                                        c.address(inputs), c.address(outputs), c.address(symbols),
                                        c.address(properties), c.address(kernelNames), c.text(name)});
          return makeStruct(c, type,
                            {infoValue, c.functionAddress("mlc_arena_bytes"), c.functionAddress("mlc_model_run"),
                             c.functionAddress("mlc_output_extents"), c.address(hasProgram ? programSymbolName : ""),
                             c.address(hasDevice ? deviceModelSymbolName : "")});
        },
        LLVM::Linkage::External);

    // The entry of programs that link several models.
    ImplicitLocOpBuilder &builder = c.builder;
    auto getter = declare(builder, "mlc_rt_entry", p, {i32});
    builder.setInsertionPointToEnd(module.getBody());
    auto entry = LLVM::LLVMFuncOp::create(builder, identifier(name) + "_mlc", LLVM::LLVMFunctionType::get(p, {i32}));
    entry->setAttr(exportedAttrName, builder.getUnitAttr());
    builder.setInsertionPointToStart(entry.addEntryBlock(builder));
    auto call = LLVM::CallOp::create(builder, getter, entry.getArgument(0));
    LLVM::ReturnOp::create(builder, call.getResult());
  }
};

} // namespace
} // namespace mlc

// Functions of the device -> OpenCL C text.
//
// What is in a function is structured: loops, conditions, loads, stores and scalars. Each value becomes a variable, each
// loop a loop. A buffer is never a value in the text, but a pointer, and an offset and strides that are expressions;
// views only change these.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "opencl/OpenCL.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mlc::opencl {
namespace {

/// Elements of memory as a view sees them.
struct View {
  StringRef space = "__global";
  std::string pointer, offset = "0";
  SmallVector<std::string> sizes, strides;
};

bool isNumber(StringRef text) { return !text.empty() && llvm::all_of(text, llvm::isDigit); }

std::string times(StringRef a, StringRef b) {
  if (a == "0" || b == "0")
    return "0";
  if (a == "1")
    return b.str();
  if (b == "1")
    return a.str();
  int64_t x, y;
  if (isNumber(a) && isNumber(b) && !a.getAsInteger(10, x) && !b.getAsInteger(10, y))
    return std::to_string(x * y);
  return ("(" + a + ") * (" + b + ")").str();
}

std::string plus(StringRef a, StringRef b) {
  if (a == "0")
    return b.str();
  if (b == "0")
    return a.str();
  int64_t x, y;
  if (isNumber(a) && isNumber(b) && !a.getAsInteger(10, x) && !b.getAsInteger(10, y))
    return std::to_string(x + y);
  return (a + " + " + b).str();
}

class Writer {
public:
  explicit Writer(llvm::raw_ostream &out) : out(out) {}
  LogicalResult write(mlir::gpu::GPUFuncOp function);

private:
  LogicalResult write(Block &block);
  LogicalResult write(Operation *op);
  LogicalResult write(scf::ForOp op);
  LogicalResult write(scf::IfOp op);
  LogicalResult write(scf::WhileOp op);
  bool writeView(Operation *op);
  void writeAlloca(memref::AllocaOp op);

  llvm::raw_ostream &line() { return out.indent(depth * 2); }
  std::string fresh(StringRef stem) { return (stem + Twine(next++)).str(); }
  /// A variable of the value's type, declared, and set if `init` is not empty.
  std::string declare(Value value, StringRef init, bool isConstant = true) {
    std::string name = fresh("v");
    line() << (isConstant ? "const " : "") << typeName(value.getType()) << " " << name;
    if (!init.empty())
      out << " = " << init;
    out << ";\n";
    names[value] = name;
    return name;
  }
  /// `expression` as a name or a number.
  std::string bind(std::string expression) {
    if (llvm::all_of(expression, [](char c) { return llvm::isAlnum(c) || c == '_'; }))
      return expression;
    std::string name = fresh("n");
    line() << "const long " << name << " = " << expression << ";\n";
    return name;
  }
  std::string name(Value value);
  std::string name(OpFoldResult value) {
    if (auto fixed = getConstantIntValue(value))
      return std::to_string(*fixed);
    return name(cast<Value>(value));
  }
  std::string element(Value buffer, ValueRange indices);
  /// Sets `targets` to `values`, all at once.
  void assign(ArrayRef<std::string> targets, ValueRange values);
  void fillContiguous(View &view);

  llvm::raw_ostream &out;
  unsigned depth = 0, next = 0;
  DenseMap<Value, std::string> names;
  DenseMap<Value, View> views;
};

std::string Writer::name(Value value) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return literal(constant.getValue());
  return names.lookup(value);
}

std::string Writer::element(Value buffer, ValueRange indices) {
  const View &view = views[buffer];
  std::string place = view.offset;
  for (auto [index, stride] : llvm::zip(indices, view.strides))
    place = plus(place, times(name(index), stride));
  return view.pointer + "[" + place + "]";
}

void Writer::assign(ArrayRef<std::string> targets, ValueRange values) {
  SmallVector<std::string> temporaries;
  for (Value value : values) {
    if (targets.size() == 1) {
      temporaries.push_back(name(value));
      continue;
    }
    temporaries.push_back(fresh("t"));
    line() << "const " << typeName(value.getType()) << " " << temporaries.back() << " = " << name(value) << ";\n";
  }
  for (auto [target, value] : llvm::zip(targets, temporaries))
    line() << target << " = " << value << ";\n";
}

void Writer::fillContiguous(View &view) {
  std::string stride = "1";
  view.strides.resize(view.sizes.size());
  for (size_t axis = view.sizes.size(); axis-- > 0;) {
    view.strides[axis] = stride;
    stride = bind(times(stride, view.sizes[axis]));
  }
}

//===-- Views ---------------------------------------------------------------------===//

bool Writer::writeView(Operation *op) {
  View view;
  if (auto cast = dyn_cast<memref::CastOp>(op)) {
    view = views[cast.getSource()];
  } else if (auto shaped = dyn_cast<memref::ReinterpretCastOp>(op)) {
    view.space = views[shaped.getSource()].space;
    view.pointer = views[shaped.getSource()].pointer;
    view.offset = name(shaped.getMixedOffsets().front());
    for (auto [size, stride] : llvm::zip(shaped.getMixedSizes(), shaped.getMixedStrides())) {
      view.sizes.push_back(name(size));
      view.strides.push_back(name(stride));
    }
  } else if (auto part = dyn_cast<memref::SubViewOp>(op)) {
    const View source = views[part.getSource()];
    view.space = source.space;
    view.pointer = source.pointer;
    view.offset = source.offset;
    llvm::SmallBitVector dropped = part.getDroppedDims();
    for (auto [axis, offset] : llvm::enumerate(part.getMixedOffsets())) {
      view.offset = plus(view.offset, times(name(offset), source.strides[axis]));
      if (dropped.test(axis))
        continue;
      view.sizes.push_back(name(part.getMixedSizes()[axis]));
      view.strides.push_back(bind(times(source.strides[axis], name(part.getMixedStrides()[axis]))));
    }
    view.offset = bind(view.offset);
  } else if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
    const View source = views[collapse.getSrc()];
    view.space = source.space;
    view.pointer = source.pointer;
    view.offset = source.offset;
    for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
      std::string size = "1", stride = source.strides[group.back()];
      for (int64_t axis : group)
        size = times(size, source.sizes[axis]);
      // An axis of one element has a stride without meaning.
      for (int64_t axis : llvm::reverse(group))
        if (source.sizes[axis] != "1") {
          stride = source.strides[axis];
          break;
        }
      view.sizes.push_back(bind(size));
      view.strides.push_back(stride);
    }
  } else if (auto expand = dyn_cast<memref::ExpandShapeOp>(op)) {
    const View source = views[expand.getSrc()];
    view.space = source.space;
    view.pointer = source.pointer;
    view.offset = source.offset;
    for (OpFoldResult size : expand.getMixedOutputShape())
      view.sizes.push_back(name(size));
    view.strides.resize(view.sizes.size());
    for (auto [axis, group] : llvm::enumerate(expand.getReassociationIndices())) {
      std::string stride = source.strides[axis];
      for (int64_t inner : llvm::reverse(group)) {
        view.strides[inner] = stride;
        stride = bind(times(stride, view.sizes[inner]));
      }
    }
  } else if (auto typed = dyn_cast<memref::ViewOp>(op)) {
    MemRefType type = typed.getType();
    const View source = views[typed.getSource()];
    StringRef element = typeName(type.getElementType());
    view.space = source.space;
    view.pointer = fresh("b");
    line() << view.space << " " << element << " *" << view.pointer << " = (" << view.space << " " << element << " *)("
           << source.pointer << " + " << plus(source.offset, name(typed.getByteShift())) << ");\n";
    unsigned dynamic = 0;
    for (int64_t size : type.getShape())
      view.sizes.push_back(ShapedType::isDynamic(size) ? name(typed.getSizes()[dynamic++]) : std::to_string(size));
    fillContiguous(view);
  } else {
    return false;
  }
  views[op->getResult(0)] = std::move(view);
  return true;
}

void Writer::writeAlloca(memref::AllocaOp op) {
  MemRefType type = op.getType();
  auto space = dyn_cast_if_present<mlir::gpu::AddressSpaceAttr>(type.getMemorySpace());
  bool isLocal = space && space.getValue() == mlir::gpu::AddressSpace::Workgroup;
  View view;
  view.space = isLocal ? "__local" : "__private";
  view.pointer = fresh(isLocal ? "tile" : "own");
  for (int64_t size : type.getShape())
    view.sizes.push_back(std::to_string(size));
  line() << (isLocal ? "__local " : "") << typeName(type.getElementType()) << " " << view.pointer << "["
         << std::max<int64_t>(type.getNumElements(), 1) << "];\n";
  fillContiguous(view);
  views[op] = std::move(view);
}

//===-- Control -------------------------------------------------------------------===//

LogicalResult Writer::write(scf::ForOp op) {
  SmallVector<std::string> carried;
  for (auto [init, argument] : llvm::zip(op.getInitArgs(), op.getRegionIterArgs()))
    carried.push_back(declare(argument, name(init), /*isConstant=*/false));
  std::string index = fresh("i");
  names[op.getInductionVar()] = index;
  line() << "for (" << typeName(op.getInductionVar().getType()) << " " << index << " = " << name(op.getLowerBound())
         << "; " << index << " < " << name(op.getUpperBound()) << "; " << index << " += " << name(op.getStep())
         << ") {\n";
  ++depth;
  if (failed(write(*op.getBody())))
    return failure();
  assign(carried, op.getBody()->getTerminator()->getOperands());
  --depth;
  line() << "}\n";
  for (auto [result, variable] : llvm::zip(op.getResults(), carried))
    names[result] = variable;
  return success();
}

LogicalResult Writer::write(scf::IfOp op) {
  SmallVector<std::string> results;
  for (Value result : op.getResults())
    results.push_back(declare(result, "", /*isConstant=*/false));
  line() << "if (" << name(op.getCondition()) << ") {\n";
  for (Region *region : {&op.getThenRegion(), &op.getElseRegion()}) {
    if (region->empty())
      continue;
    if (region == &op.getElseRegion())
      line() << "} else {\n";
    ++depth;
    if (failed(write(region->front())))
      return failure();
    assign(results, region->front().getTerminator()->getOperands());
    --depth;
  }
  line() << "}\n";
  return success();
}

LogicalResult Writer::write(scf::WhileOp op) {
  SmallVector<std::string> before, after;
  for (auto [init, argument] : llvm::zip(op.getInits(), op.getBeforeArguments()))
    before.push_back(declare(argument, name(init), /*isConstant=*/false));
  for (auto [result, argument] : llvm::zip(op.getResults(), op.getAfterArguments())) {
    after.push_back(declare(result, "", /*isConstant=*/false));
    names[argument] = after.back();
  }
  line() << "for (;;) {\n";
  ++depth;
  if (failed(write(*op.getBeforeBody())))
    return failure();
  scf::ConditionOp condition = op.getConditionOp();
  std::string goesOn = fresh("c");
  line() << "const bool " << goesOn << " = " << name(condition.getCondition()) << ";\n";
  assign(after, condition.getArgs());
  line() << "if (!" << goesOn << ")\n";
  out.indent(depth * 2 + 2) << "break;\n";
  if (failed(write(*op.getAfterBody())))
    return failure();
  assign(before, op.getYieldOp().getOperands());
  --depth;
  line() << "}\n";
  return success();
}

//===-- Operations ----------------------------------------------------------------===//

LogicalResult Writer::write(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(write(&op)))
      return failure();
  return success();
}

LogicalResult Writer::write(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return success(); // a literal where it is used
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return write(loop);
  if (auto condition = dyn_cast<scf::IfOp>(op))
    return write(condition);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return write(loop);
  if (writeView(op))
    return success();
  if (auto alloca = dyn_cast<memref::AllocaOp>(op)) {
    writeAlloca(alloca);
  } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
    declare(load, element(load.getMemRef(), load.getIndices()));
  } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
    line() << element(store.getMemRef(), store.getIndices()) << " = " << name(store.getValue()) << ";\n";
  } else if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> axis = dim.getConstantIndex();
    if (!axis)
      return op->emitOpError("expects a constant axis");
    declare(dim, views[dim.getSource()].sizes[*axis]);
  } else if (auto id = dyn_cast<mlir::gpu::ThreadIdOp>(op)) {
    declare(id, "get_local_id(" + std::to_string((int)id.getDimension()) + ")");
  } else if (auto id = dyn_cast<mlir::gpu::BlockIdOp>(op)) {
    declare(id, "get_group_id(" + std::to_string((int)id.getDimension()) + ")");
  } else if (isa<mlir::gpu::BarrierOp>(op)) {
    line() << "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n";
  } else {
    std::string text = expression(op, [&](Value operand) { return name(operand); });
    if (text.empty())
      return op->emitOpError("has no form in OpenCL C");
    declare(op->getResult(0), text);
  }
  return success();
}

LogicalResult Writer::write(mlir::gpu::GPUFuncOp function) {
  ArrayRef<int32_t> threads = *function.getKnownBlockSize();
  out << "\n__kernel __attribute__((reqd_work_group_size(" << threads[0] << ", " << threads[1] << ", " << threads[2]
      << ")))\nvoid " << function.getName() << "(";
  llvm::interleaveComma(llvm::enumerate(function.getArguments()), out, [&](auto argument) {
    if (isa<MemRefType>(argument.value().getType()))
      out << "__global uchar *p" << argument.index() << ", long o" << argument.index();
    else
      out << "long x" << argument.index();
  });
  out << ") {\n";
  depth = 1;
  for (BlockArgument argument : function.getArguments()) {
    std::string number = std::to_string(argument.getArgNumber());
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type) {
      StringRef name = typeName(argument.getType());
      unsigned bits = argument.getType().isIndex() ? 64 : argument.getType().getIntOrFloatBitWidth();
      declare(argument, isa<FloatType>(argument.getType()) && bits >= 32
                            ? ("as_" + name + "((" + (bits == 32 ? "int" : "long") + ")x" + number + ")").str()
                            : ("(" + name + ")x" + number).str());
      continue;
    }
    StringRef element = typeName(type.getElementType());
    if (element.empty())
      return function.emitOpError("has a buffer that OpenCL C cannot address: ") << type;
    // A bool is a byte in memory.
    line() << "__global " << element << " *a" << number << " = (__global " << element << " *)(p" << number << " + o"
           << number << ");\n";
    View view;
    view.pointer = "a" + number;
    for (int64_t size : type.getShape())
      view.sizes.push_back(std::to_string(size));
    fillContiguous(view);
    views[argument] = std::move(view);
  }
  if (failed(write(function.getBody().front())))
    return failure();
  out << "}\n";
  return success();
}

} // namespace

FailureOr<std::string> writeProgram(mlir::gpu::GPUModuleOp device) {
  std::string text = prologue.str();
  llvm::raw_string_ostream out(text);
  for (auto function : device.getOps<mlir::gpu::GPUFuncOp>())
    if (failed(Writer(out).write(function)))
      return failure();
  return text;
}

} // namespace mlc::opencl

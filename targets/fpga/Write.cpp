// A design as text: its table, the macros, and a function for each layer.
#include "fpga/Write.h"
#include "fpga/WriteStage.h"
#include "opencl/OpenCL.h"
#include "passes/Placement.h"

using namespace mlir;

namespace mlc::fpga {
namespace {

/// Names of a kernel's arguments by what they are.
DenseMap<Value, std::string> nameArguments(const Layer &layer) {
  DenseMap<Value, std::string> names;
  llvm::StringMap<unsigned> taken;
  mlir::gpu::GPUFuncOp function = layer.function;
  auto name = [&](Value buffer, StringRef stem) {
    if (!isa<BlockArgument>(buffer) || names.contains(buffer))
      return;
    unsigned count = taken[stem]++;
    names[buffer] = count ? (stem + Twine(count + 1)).str() : stem.str();
  };
  for (const Stage &stage : layer.stages) {
    if (isa<ContractOp>(stage.op)) {
      name(stage.inputs[0].buffer, "input");
      name(stage.inputs[1].buffer, "weights");
    }
    // What a later stage of the kernel reads, and nobody else.
    for (const Access &result : stage.results) {
      auto argument = cast<BlockArgument>(result.buffer);
      name(result.buffer, function.getArgAttr(argument.getArgNumber(), temporaryAttrName) ? "between" : "output");
    }
  }
  for (BlockArgument argument : function.getArguments())
    name(argument, isa<MemRefType>(argument.getType()) ? "operand" : "x");
  return names;
}

void writeKernel(llvm::raw_ostream &out, const Layer &layer, const Board &board) {
  mlir::gpu::GPUFuncOp function = layer.function;
  DenseMap<Value, std::string> names = nameArguments(layer);
  llvm::DenseSet<Value> written;
  for (const Stage &stage : layer.stages)
    for (const Access &result : stage.results)
      written.insert(result.buffer);
  out << "\n// About " << layer.cycles(board) << " cycles, " << layer.multipliers(board) << " multipliers.\n";
  out << "MLC_TASK void " << function.getName() << "(\n    ";
  llvm::interleave(
      function.getArguments(), out,
      [&](BlockArgument argument) {
        const std::string &name = names[argument];
        auto type = dyn_cast<MemRefType>(argument.getType());
        if (!type) {
          out << "long " << name << "_bits";
          return;
        }
        bool isAlone = function.getArgAttr(argument.getArgNumber(), "llvm.noalias") != nullptr;
        out << "__global " << (written.contains(argument) ? "" : "const ") << opencl::typeName(type.getElementType())
            << " *" << (isAlone ? "restrict " : "") << name << ", long " << name << "_bytes";
      },
      ",\n    ");
  out << ") {\n";
  for (BlockArgument argument : function.getArguments()) {
    const std::string &name = names[argument];
    if (auto type = dyn_cast<MemRefType>(argument.getType())) {
      unsigned bytes = type.getElementTypeBitWidth() / 8;
      out << "  const long " << name << "_at = " << name << "_bytes" << (bytes > 1 ? " / " + std::to_string(bytes) : "")
          << ";\n";
      continue;
    }
    StringRef type = opencl::typeName(argument.getType());
    out << "  const " << type << " " << name << " = "
        << (argument.getType().isF32() ? "as_float((uint)" + name + "_bits)"
                                       : ("(" + type + ")" + name + "_bits").str())
        << ";\n";
  }
  for (auto [number, plan] : llvm::enumerate(layer.plans))
    writeStage(out, plan, names, number);
  out << "}\n";
}

} // namespace

std::string writeProgram(const Schedule &schedule) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "// Written by mlc for board '" << schedule.board.name << "'"
      << (schedule.board.title.empty() ? "" : ", " + schedule.board.title) << ".\n//\n// " << schedule.summary()
      << ".\n//\n";
  SmallVector<StringRef> lines;
  std::string report = schedule.report();
  StringRef(report).rtrim().split(lines, '\n');
  for (StringRef line : lines)
    out << "// " << line.rtrim() << "\n";
  out << "//\n// The layers run one after the other, in the order that the library starts them, and hand tensors on in "
         "the memory\n"
         "// beside the chip. Numbers of multipliers and cycles are estimates.\n";
  out << prologue;
  for (const Layer &layer : schedule.layers)
    writeKernel(out, layer, schedule.board);
  return text;
}

} // namespace mlc::fpga

#include "hip/CodeObject.h"
#include "gpu/Program.h"
#include "gpu/Temporary.h"
#include "link/Linker.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/BinaryFormat/MsgPackDocument.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/Errno.h"

using namespace mlir;

namespace mlc::hip {

FailureOr<std::string> linkCodeObject(Location loc, StringRef object) {
  MemoryFile input(object);
  if (!input.isValid())
    return emitError(loc) << "cannot hold the code of the device: " << llvm::sys::StrError(), failure();
  gpu::Temporary output("hsaco");
  if (output.error)
    return emitError(loc) << "cannot write '" << output.path << "': " << output.error.message(), failure();
  // Not by mapping the file: a page that a full disk cannot hold would end the process.
  if (failed(runLinker(loc, {"ld.lld", "-shared", "--no-undefined", "--strip-debug", "--threads=1",
                             "--no-mmap-output-file", "-o", output.path.str().str(), input.path()})))
    return failure();
  return output.contents();
}

namespace {

/// The note of a code object: "User Guide for AMDGPU Backend", code object V3 and later metadata.
class Metadata {
public:
  /// Empty on success, else what is wrong.
  std::string read(StringRef code) {
    auto file = llvm::object::ELFFile<llvm::object::ELF64LE>::create(code);
    if (!file)
      return toString(file.takeError());
    auto segments = file->program_headers();
    if (!segments)
      return toString(segments.takeError());
    for (const auto &segment : *segments) {
      if (segment.p_type != llvm::ELF::PT_NOTE)
        continue;
      llvm::Error error = llvm::Error::success();
      StringRef found;
      for (const auto &note : file->notes(segment, error))
        if (note.getName() == "AMDGPU" && note.getType() == llvm::ELF::NT_AMDGPU_METADATA)
          found = note.getDescAsStringRef(segment.p_align);
      if (error)
        return toString(std::move(error));
      if (!found.empty() && document.readFromBlob(found, /*Multi=*/false) && document.getRoot().isMap())
        return "";
    }
    return "it has no note that describes its functions";
  }

  /// That of a function; empty if there is none.
  llvm::msgpack::DocNode kernel(StringRef name) {
    llvm::msgpack::DocNode kernels = document.getRoot().getMap()["amdhsa.kernels"];
    if (kernels.isArray())
      for (llvm::msgpack::DocNode &kernel : kernels.getArray())
        if (kernel.isMap() && text(kernel, ".name") == name)
          return kernel;
    return document.getEmptyNode();
  }

  static int64_t number(llvm::msgpack::DocNode &map, StringRef key) {
    llvm::msgpack::DocNode value = map.getMap()[key];
    return value.getKind() == llvm::msgpack::Type::UInt  ? int64_t(value.getUInt())
           : value.getKind() == llvm::msgpack::Type::Int ? value.getInt()
                                                         : -1;
  }
  static StringRef text(llvm::msgpack::DocNode &map, StringRef key) {
    llvm::msgpack::DocNode value = map.getMap()[key];
    return value.isString() ? value.getString() : "";
  }
  static llvm::msgpack::ArrayDocNode list(llvm::msgpack::DocNode &map, StringRef key) {
    return map.getMap()[key].getArray(/*Convert=*/true);
  }

private:
  llvm::msgpack::Document document;
};

/// Compares what a function's metadata says with what it is launched with.
class Check {
public:
  Check(mlir::gpu::GPUFuncOp function, llvm::msgpack::DocNode kernel) : function(function), kernel(kernel) {}

  LogicalResult run(const Chip &chip) {
    ArrayRef<int32_t> threads = *function.getKnownBlockSize();
    expect("lanes of a wave", Metadata::number(kernel, ".wavefront_size"), chip.lanes);
    expect("threads of a block", Metadata::number(kernel, ".max_flat_workgroup_size"), llvm::product_of(threads));
    llvm::msgpack::ArrayDocNode required = Metadata::list(kernel, ".reqd_workgroup_size");
    for (auto [axis, extent] : llvm::enumerate(threads))
      expect("threads along an axis", axis < required.size() ? int64_t(required[axis].getUInt()) : -1, extent);
    // Variables that nothing uses are gone.
    int64_t local = Metadata::number(kernel, ".group_segment_fixed_size");
    if (local < 0 || local > gpu::localBytes(function))
      expect("bytes of local memory", local, gpu::localBytes(function));
    arguments();
    return success(isFine);
  }

private:
  void arguments() {
    llvm::msgpack::ArrayDocNode arguments = Metadata::list(kernel, ".args");
    int64_t count = 0, end = 0;
    for (llvm::msgpack::DocNode &argument : arguments) {
      if (Metadata::text(argument, ".value_kind").starts_with("hidden_"))
        continue; // which the driver fills in
      if (count < int64_t(function.getNumArguments())) {
        Type type = function.getArgument(count).getType();
        bool isBuffer = isa<MemRefType>(type);
        int64_t bytes = isBuffer || type.isIndex() ? 8 : llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
        expect("buffers as an argument", Metadata::text(argument, ".value_kind") == "global_buffer", isBuffer);
        expect("bytes of an argument", Metadata::number(argument, ".size"), bytes);
        end = Metadata::number(argument, ".offset") + bytes;
      }
      ++count;
    }
    expect("arguments", count, function.getNumArguments());
    if (int64_t all = Metadata::number(kernel, ".kernarg_segment_size"); all < end)
      expect("bytes of all arguments", all, end);
  }

  void expect(StringRef what, int64_t found, int64_t expected) {
    if (found == expected || !isFine)
      return;
    function.emitError("the linked code of '")
        << function.getName() << "' has another number of " << what << " than it is launched with: expected "
        << expected << ", got " << found;
    isFine = false;
  }

  mlir::gpu::GPUFuncOp function;
  llvm::msgpack::DocNode kernel;
  bool isFine = true;
};

} // namespace

LogicalResult checkCodeObject(mlir::gpu::GPUModuleOp device, StringRef code, const Chip &chip) {
  Metadata metadata;
  if (std::string problem = metadata.read(code); !problem.empty())
    return device.emitError("cannot read the code object for ") << chip.name << ": " << problem;
  for (auto function : device.getOps<mlir::gpu::GPUFuncOp>()) {
    llvm::msgpack::DocNode kernel = metadata.kernel(function.getName());
    if (kernel.isEmpty())
      return function.emitError("the code object for ") << chip.name << " lacks '" << function.getName() << "'";
    if (failed(Check(function, kernel).run(chip)))
      return failure();
  }
  return success();
}

} // namespace mlc::hip

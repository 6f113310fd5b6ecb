// Objects, weights and the runtime -> one shared library.
//
// Weights go straight from their blobs into the finished file. The linker only reserves addresses for them, in a
// segment of their own at the end, which takes no room in the file it writes; afterwards the file is made longer by the
// weights, and the segment is told where they are. So linking takes as long, and as much memory, as the code alone, and
// the addresses of code are near each other however large a model is.
#include "link/Link.h"
#include "OutputFile.h"
#include "Sanitize.h"
#include "link/Linker.h"
#include "link/Weights.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir;

namespace mlc {
/// Fails, with errno, unless the disk has room for the linker's output. The linker maps the file that it writes, and a
/// page that a full disk cannot hold would end the process.
static LogicalResult expectRoom(int file, uint64_t bytes) {
  if (fallocate(file, 0, 0, bytes))
    return success(errno == EOPNOTSUPP); // not every file system can tell
  return success(!ftruncate(file, 0));
}

/// The layout of the library: what lld does by itself, and the segment of the weights after all others.
static std::string linkerScript(uint64_t weightBytes, ArrayRef<std::string> exported) {
  std::string script = R"(
PHDRS {
  headers PT_LOAD FILEHDR PHDRS FLAGS(4);
  code PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);)";
  if (weightBytes)
    script += "\n  weights PT_LOAD FLAGS(4);";
  script += R"(
  thread PT_TLS FLAGS(4);
  dynamic PT_DYNAMIC FLAGS(6);
  relro PT_GNU_RELRO FLAGS(4);
  frames PT_GNU_EH_FRAME FLAGS(4);
  stack PT_GNU_STACK FLAGS(6);
  notes PT_NOTE FLAGS(4);
}
SECTIONS {
  . = SIZEOF_HEADERS;
  .note.mlc : { *(.note.mlc) } :headers :notes
  .gnu.hash : { *(.gnu.hash) } :headers
  .dynsym : { *(.dynsym) } :headers
  .gnu.version : { *(.gnu.version) } :headers
  .gnu.version_d : { *(.gnu.version_d) } :headers
  .gnu.version_r : { *(.gnu.version_r) } :headers
  .dynstr : { *(.dynstr) } :headers
  .rela.dyn : { *(.rela.dyn) } :headers
  .rela.plt : { *(.rela.plt) } :headers
  .rodata : { *(.rodata .rodata.* .srodata .srodata.*) } :headers
  .eh_frame_hdr : { *(.eh_frame_hdr) } :headers :frames
  .eh_frame : { *(.eh_frame) } :headers
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .text : { *(.text .text.*) } :code
  .init : { *(.init) } :code
  .fini : { *(.fini) } :code
  .plt : { *(.plt) } :code
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .tdata : { *(.tdata .tdata.*) } :data :thread :relro
  .tbss : { *(.tbss .tbss.*) } :data :thread :relro
  .fini_array : { *(.fini_array .fini_array.*) } :data :relro
  .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) } :data :relro
  .dynamic : { *(.dynamic) } :data :dynamic :relro
  .got : { *(.got) } :data :relro
  .got.plt : { *(.got.plt) } :data :relro
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .data : { *(.data .data.* .sdata .sdata.*) } :data
  .bss : { *(.sbss .sbss.* .bss .bss.* COMMON) } :data
)";
  if (weightBytes)
    script += "  . = ALIGN(CONSTANT(MAXPAGESIZE));\n  .mlc_weights (NOLOAD) : { HIDDEN(" + weightsSymbolName.str() +
              " = .); . += " + std::to_string(weightBytes) + "; } :weights\n";
  script += "  /DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.property) }\n}\nVERSION { { global:";
  for (const std::string &name : exported)
    script += " " + name + ";";
  return script + " local: *; }; }\n";
}

std::string runtimeFile(StringRef runtime, StringRef file) {
  static int anchor;
  SmallString<256> executable(llvm::sys::fs::getMainExecutable(nullptr, &anchor));
  SmallString<256> path(llvm::sys::path::parent_path(llvm::sys::path::parent_path(executable)));
  llvm::sys::path::append(path, "lib", "mlc", runtime, file);
  return path.str().str();
}

static FailureOr<std::string> findRuntime(ModuleOp module, const Target &target) {
  std::string archive = runtimeFile(target.runtime(), "libmlc_runtime.a");
  if (!llvm::sys::fs::exists(archive))
    return emitError(module.getLoc()) << "cannot find the runtime of target " << target.name() << ": expected "
                                      << archive;
  return archive;
}

/// Appends the weights to a linked library and points their segment at them.
static LogicalResult appendWeights(ModuleOp module, int file, const Weights &weights, StringRef path) {
  using namespace llvm::ELF;
  auto fail = [&](const Twine &what) { return emitError(module.getLoc()) << "cannot write " << path << ": " << what; };
  struct stat status;
  if (fstat(file, &status))
    return fail(llvm::sys::StrError());
  Elf64_Ehdr header;
  if (pread(file, &header, sizeof header, 0) != sizeof header)
    return fail("its header is short");
  SmallVector<Elf64_Phdr> segments(header.e_phnum);
  ssize_t bytes = segments.size() * sizeof(Elf64_Phdr);
  if (pread(file, segments.data(), bytes, header.e_phoff) != bytes)
    return fail("its program headers are short");
  Elf64_Phdr *segment = nullptr;
  for (Elf64_Phdr &candidate : segments)
    if (candidate.p_type == PT_LOAD && candidate.p_filesz == 0 && candidate.p_memsz >= weights.bytes)
      segment = &candidate;
  if (!segment)
    return fail("it has no segment for weights");
  // An offset in the file and the address it is mapped to agree within a page.
  uint64_t page = std::max<uint64_t>(segment->p_align, 4096);
  uint64_t offset = llvm::alignTo(status.st_size, page) + segment->p_vaddr % page;
  segment->p_offset = offset;
  segment->p_filesz = segment->p_memsz;
  if (pwrite(file, segments.data(), bytes, header.e_phoff) != bytes)
    return fail(llvm::sys::StrError());

  SmallVector<Elf64_Shdr> sections(header.e_shnum);
  bytes = sections.size() * sizeof(Elf64_Shdr);
  if (pread(file, sections.data(), bytes, header.e_shoff) != bytes)
    return fail("its section headers are short");
  for (Elf64_Shdr &section : sections)
    if (section.sh_type == SHT_NOBITS && section.sh_addr == segment->p_vaddr && section.sh_size == segment->p_memsz) {
      section.sh_type = SHT_PROGBITS;
      section.sh_flags = SHF_ALLOC;
      section.sh_offset = offset;
    }
  if (pwrite(file, sections.data(), bytes, header.e_shoff) != bytes)
    return fail(llvm::sys::StrError());

  if (ftruncate(file, offset + segment->p_filesz))
    return fail(llvm::sys::StrError());
  for (const Weight &weight : weights.list)
    if (failed(writeElements(file, offset + weight.offset, weight.value)))
      return fail(Twine("weights: ") + llvm::sys::StrError());
  return success();
}

/// The functions of the user that the code calls, if they are there.
static SmallVector<std::string> functionsOfUser(ModuleOp module) {
  SmallVector<std::string> names;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function.getLinkage() == LLVM::Linkage::ExternWeak)
      names.push_back(function.getName().str());
  return names;
}

LogicalResult linkModel(ModuleOp module, const Target &target, TargetAttr attr, StringRef path,
                        ArrayRef<std::string> linked) {
  FailureOr<std::string> runtime = findRuntime(module, target);
  if (failed(runtime))
    return failure();
  PendingFile output(path, 0777);
  if (!output.error.empty())
    return emitError(module.getLoc()) << "cannot write " << path << ": " << output.error;

  Weights weights = takeWeights(module);
  SmallVector<std::string> exported = {"mlc_model_entry"};
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(exportedAttrName))
      exported.push_back(function.getName().str());
  SmallVector<std::string> functions = functionsOfUser(module);
  FailureOr<Binary> binary = target.emit(module, attr);
  if (failed(binary))
    return failure();

  SmallVector<MemoryFile> files;
  for (auto &object : binary->objects)
    files.emplace_back(object->getBuffer());
  files.emplace_back(linkerScript(weights.bytes, exported));
  if (llvm::any_of(files, [](const MemoryFile &file) { return !file.isValid(); }))
    return emitError(module.getLoc()) << "cannot hold the objects to link: " << llvm::sys::StrError();
  SmallVector<std::string> arguments = {"ld.lld",
                                        "-shared",
                                        "-o",
                                        output.temporary.str().str(),
                                        "--gc-sections",
                                        "--build-id=none",
                                        "--strip-debug",
                                        "-O1",
                                        "-soname",
                                        llvm::sys::path::filename(path).str(),
                                        "-u",
                                        "mlc_model_entry",
                                        "--hash-style=gnu",
                                        "-z",
                                        "now",
                                        "--as-needed",
                                        "--eh-frame-hdr",
                                        "--threads=1"};
  for (const MemoryFile &file : files) {
    if (&file == &files.back())
      arguments.push_back("-T");
    arguments.push_back(file.path());
  }
  if (linked.empty()) {
    // What reports for a sanitizer is the process's own.
    if (!module->hasAttr(sanitizeAddressAttrName) && !module->hasAttr(sanitizeUndefinedAttrName))
      arguments.push_back("--no-undefined");
  } else {
    // What else the user's code needs of system libraries is found when the library is loaded. A weak symbol does not
    // fetch a member of an archive, nor make a shared library needed.
    for (const std::string &function : functions)
      arguments.push_back("--undefined-glob=" + function);
    arguments.push_back("--no-as-needed");
    llvm::append_range(arguments, linked);
    arguments.push_back("--as-needed");
  }
  arguments.push_back(*runtime);
  // Names without code lie beside the runtime, so that models can be linked where no system libraries are.
  for (StringRef library : {"libc.so.6", "libm.so.6"}) {
    SmallString<256> stub(llvm::sys::path::parent_path(*runtime));
    llvm::sys::path::append(stub, library);
    arguments.push_back(stub.str().str());
  }
  uint64_t most = 1 << 16; // headers, tables and padding
  for (const std::string &file : llvm::concat<const std::string>(ArrayRef(*runtime), linked)) {
    llvm::sys::fs::file_status status;
    if (!llvm::sys::fs::status(file, status))
      most += status.getSize();
  }
  for (auto &object : binary->objects)
    most += object->getBufferSize();
  if (failed(expectRoom(output.file, most)))
    return emitError(module.getLoc()) << "cannot write " << path << ": " << llvm::sys::StrError();
  if (failed(runLinker(module.getLoc(), arguments)))
    return failure();

  if (std::error_code error = output.reopen())
    return emitError(module.getLoc()) << "cannot write " << path << ": " << error.message();
  if (weights.bytes && failed(appendWeights(module, output.file, weights, path)))
    return failure();
  if (std::error_code error = output.commit())
    return emitError(module.getLoc()) << "cannot write " << path << ": " << error.message();
  return success();
}

} // namespace mlc

#include "Library.h"
#include "Errors.h"
#include "Target.h"
#include "link/Link.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <algorithm>
#include <dlfcn.h>

using namespace llvm;

namespace mlc {

void Library::Close::operator()(void *handle) const { dlclose(handle); }

namespace {
/// A kind of machine that models are compiled for.
struct Machine {
  uint16_t elf;
  StringRef name, runtime;
  StringRef emulator; ///< how Debian runs its programs elsewhere
};
} // namespace

static const Machine machines[] = {
    {ELF::EM_X86_64, "x86-64", "x86", "qemu-x86_64 -L /usr/x86_64-linux-gnu"},
    {ELF::EM_AARCH64, "AArch64", "arm", "qemu-aarch64 -L /usr/aarch64-linux-gnu"},
    {ELF::EM_RISCV, "RISC-V", "riscv", "qemu-riscv64 -L /usr/riscv64-linux-gnu"},
};

/// Whether all that the loader will map is in the file; then the machine that it is for. The loader maps what is
/// announced, and touching a page behind the end of the file ends the process.
static Expected<const Machine *> checkFile(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return fail(path + ": " + file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  ELF::Elf64_Ehdr header;
  if (!bytes.starts_with(ELF::ElfMagic) || bytes.size() < sizeof header)
    return fail(path + ": not a shared library that can be loaded: it is no ELF file");
  memcpy(&header, bytes.data(), sizeof header);
  uint64_t end = header.e_phoff + uint64_t(header.e_phnum) * sizeof(ELF::Elf64_Phdr);
  for (unsigned i = 0; i < header.e_phnum && end >= header.e_phoff && end <= bytes.size(); ++i) {
    ELF::Elf64_Phdr segment;
    memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == ELF::PT_LOAD)
      end = std::max(end, SaturatingAdd(segment.p_offset, segment.p_filesz));
  }
  if (end < header.e_phoff || end > bytes.size())
    return fail(path + ": not a shared library that can be loaded: it is damaged, its segments take " + Twine(end) +
                " bytes and it has " + Twine(bytes.size()));
  const Machine *machine = find_if(machines, [&](const Machine &machine) { return machine.elf == header.e_machine; });
  if (machine == std::end(machines))
    return fail(path + ": not a shared library that can be loaded: it is for a machine that mlc does not know");
  return machine;
}

Expected<Library> Library::load(StringRef path, StringRef runner) {
  Expected<const Machine *> machine = checkFile(path);
  if (!machine)
    return machine.takeError();
  SmallString<128> absolute(path); // dlopen looks up bare names elsewhere
  sys::fs::make_absolute(absolute);
  Library library;
  if (!runner.empty()) {
    auto remote = RemoteModel::start(runner, runtimeFile((*machine)->runtime, "mlc-runner"), absolute);
    if (!remote)
      return inContext(path, remote.takeError());
    library.remote = std::move(*remote);
    library.entry = library.remote->table();
    return library;
  }
  if ((*machine)->runtime != hostTargetName())
    return fail(path + ": compiled for " + (*machine)->name + ", which this machine is not; `mlc run --runner='" +
                (*machine)->emulator + "'` runs it in an emulator");
  library.handle.reset(dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library.handle)
    return fail(path + ": not a shared library that can be loaded: " + dlerror());
  auto entry = reinterpret_cast<mlc_entry>(dlsym(library.handle.get(), "mlc_model_entry"));
  if (!entry)
    return fail(path + ": not a compiled model: it has no mlc_model_entry");
  library.entry = entry(MLC_VERSION);
  if (!library.entry)
    return fail(path + ": compiled for another version of the interface than " + std::to_string(MLC_VERSION));
  return library;
}

Expected<Session> Session::create(const Library &library, int threads) {
  mlc_session_options options = {};
  options.size = sizeof options;
  options.threads = threads;
  mlc_session *created = nullptr;
  mlc_error error;
  if (mlc_session_create(library.model(), &options, &created, &error) != MLC_OK)
    return fail(error.text);
  Session session;
  session.session.reset(created);
  return session;
}

Expected<std::vector<mlc_output>> Session::runInSession(ArrayRef<Tensor> inputs) {
  std::vector<mlc_input> given(inputs.size());
  for (auto [slot, tensor] : zip(given, inputs)) {
    slot.data = tensor.data.data();
    slot.bytes = tensor.data.size();
    slot.extents = tensor.extents.data();
    slot.rank = tensor.extents.size();
    slot.type = tensor.type;
  }
  std::vector<mlc_output> outputs(session->model->info->output_count);
  for (mlc_output &output : outputs)
    output.memory = MLC_MEMORY_SESSION;
  mlc_error error;
  if (mlc_run(session.get(), given.data(), given.size(), outputs.data(), outputs.size(), &error) != MLC_OK)
    return fail(error.text);
  return outputs;
}

Expected<std::vector<Tensor>> Session::run(ArrayRef<Tensor> inputs) {
  Expected<std::vector<mlc_output>> outputs = runInSession(inputs);
  if (!outputs)
    return outputs.takeError();
  std::vector<Tensor> tensors;
  for (const mlc_output &output : *outputs) {
    auto type = static_cast<mlc_type>(output.type);
    ArrayRef<int64_t> extents(output.extents, output.rank);
    if (!byteCount(type, extents))
      return fail("outputs of type " + Twine(mlc_type_name(type)) + " cannot be read yet");
    Tensor &tensor = tensors.emplace_back(type, extents);
    std::copy_n(static_cast<const char *>(output.data), tensor.data.size(), tensor.data.begin());
  }
  return tensors;
}

Error Session::runOnly(ArrayRef<Tensor> inputs) { return runInSession(inputs).takeError(); }

//===-- Text -----------------------------------------------------------------------===//

std::string symbolName(const mlc_model_info &info, uint32_t symbol) {
  if (*info.symbols[symbol])
    return info.symbols[symbol];
  for (const mlc_port &port : ArrayRef(info.inputs, info.input_count))
    for (auto [axis, extent] : enumerate(ArrayRef(port.extents, port.rank)))
      if (MLC_EXTENT_IS_SYMBOL(extent) && MLC_EXTENT_SYMBOL(extent) == symbol)
        return (port.name + Twine('.') + Twine(axis)).str();
  return "?";
}

std::string formatPort(const mlc_model_info &info, const mlc_port &port) {
  std::string extents = join(map_range(ArrayRef(port.extents, port.rank),
                                       [&](int64_t extent) -> std::string {
                                         if (extent == MLC_EXTENT_UNKNOWN)
                                           return "?";
                                         return MLC_EXTENT_IS_SYMBOL(extent)
                                                    ? symbolName(info, MLC_EXTENT_SYMBOL(extent))
                                                    : std::to_string(extent);
                                       }),
                             "x");
  return std::string(mlc_type_name(port.type)) + " " + (port.rank ? extents : "scalar");
}

} // namespace mlc

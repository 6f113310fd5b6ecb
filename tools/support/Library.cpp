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
#include <list>

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
  if (*error.text)
    errs() << "remark: " << error.text << "\n";
  Session session;
  session.session.reset(created);
  return session;
}

//===-- Values as the interface takes and gives them ---------------------------------===//

namespace {
/// Inputs of a run, which refer to values that outlive them.
class GivenInputs {
public:
  explicit GivenInputs(ArrayRef<Tensor> values) {
    for (const Tensor &value : values)
      inputs.push_back(input(value));
  }
  std::vector<mlc_input> inputs;

private:
  /// An array of tensors, in pairs of maps; `count` elements of `type`, or one that is no sequence.
  mlc_input array(std::vector<mlc_tensor> &items, std::optional<size_t> count, mlc_type type) {
    int64_t &extent = counts.emplace_back(count.value_or(1));
    return {nullptr, items.data(), items.size() * sizeof(mlc_tensor), &extent, nullptr, count ? 1 : 0,
            type,    MLC_ON_HOST};
  }

  mlc_input input(const Tensor &value) {
    if (value.kind == Tensor::IsAbsent)
      return {nullptr, nullptr, 0, nullptr, nullptr, MLC_ABSENT, value.type, MLC_ON_HOST};
    if (value.kind == Tensor::IsTensor) {
      mlc_tensor whole = tensor(value);
      return {nullptr, whole.data, whole.bytes, whole.extents, nullptr, whole.rank, whole.type, MLC_ON_HOST};
    }
    std::vector<mlc_tensor> &items = sequences.emplace_back();
    bool holdsMaps = value.kind == Tensor::IsMap;
    for (const Tensor &item : value.items) {
      if (item.kind == Tensor::IsTensor) {
        items.push_back(tensor(item));
        continue;
      }
      holdsMaps = true;
      for (const Tensor &part : item.items)
        items.push_back(tensor(part));
    }
    if (value.kind == Tensor::IsMap)
      return array(items, std::nullopt, MLC_MAP_ITEM);
    return array(items, value.items.size(), holdsMaps ? MLC_MAP_ITEM : MLC_ITEM);
  }

  mlc_tensor tensor(const Tensor &value) {
    auto rank = static_cast<int32_t>(value.extents.size());
    if (value.type != MLC_STRING)
      return {value.data.data(), value.data.size(), value.extents.data(), rank, value.type};
    std::vector<mlc_string> &list = strings.emplace_back();
    for (const std::string &text : value.strings)
      list.push_back({text.data(), text.size()});
    return {list.data(), list.size() * sizeof(mlc_string), value.extents.data(), rank, value.type};
  }

  // Lists, since addresses in them are handed out.
  std::list<std::vector<mlc_tensor>> sequences;
  std::list<std::vector<mlc_string>> strings;
  std::list<int64_t> counts;
};
} // namespace

static Expected<Tensor> copyTensor(const mlc_tensor &tensor) {
  auto type = static_cast<mlc_type>(tensor.type);
  ArrayRef<int64_t> extents(tensor.extents, tensor.rank);
  if (!byteCount(type, extents))
    return fail("outputs of type " + Twine(mlc_type_name(type)) + " cannot be read");
  Tensor copy(type, extents);
  std::copy_n(static_cast<const char *>(tensor.data), copy.data.size(), copy.data.begin());
  for (auto [i, text] : enumerate(copy.strings)) {
    const mlc_string &string = static_cast<const mlc_string *>(tensor.data)[i];
    text.assign(string.data, string.size);
  }
  return copy;
}

static Expected<Tensor> copyMap(const mlc_map &map) {
  Expected<Tensor> keys = copyTensor(map.keys);
  if (!keys)
    return keys;
  Expected<Tensor> values = copyTensor(map.values);
  if (!values)
    return values;
  return Tensor::map(std::move(*keys), std::move(*values));
}

static Expected<Tensor> copyOutput(const mlc_port &port, const mlc_output &output) {
  auto type = static_cast<mlc_type>(port.type);
  if (output.rank == MLC_ABSENT)
    return Tensor::absent(type);
  if (port.kind == MLC_TENSOR)
    return copyTensor({output.data, output.bytes, output.extents, output.rank, output.type});
  if (port.kind == MLC_MAP)
    return copyMap(*static_cast<const mlc_map *>(output.data));
  std::vector<Tensor> items;
  if (port.kind == MLC_SEQUENCE_OF_MAPS) {
    for (const mlc_map &map : ArrayRef(static_cast<const mlc_map *>(output.data), output.extents[0])) {
      Expected<Tensor> copy = copyMap(map);
      if (!copy)
        return copy.takeError();
      items.push_back(std::move(*copy));
    }
    return Tensor::sequence(type, std::move(items));
  }
  for (const mlc_tensor &item : ArrayRef(static_cast<const mlc_tensor *>(output.data), output.extents[0])) {
    Expected<Tensor> copy = copyTensor(item);
    if (!copy)
      return copy.takeError();
    items.push_back(std::move(*copy));
  }
  return Tensor::sequence(type, std::move(items));
}

Expected<std::vector<mlc_output>> Session::runInSession(ArrayRef<Tensor> values) {
  GivenInputs given(values);
  std::vector<mlc_output> outputs(session->model->info->output_count);
  for (mlc_output &output : outputs)
    output.memory = MLC_MEMORY_SESSION;
  mlc_error error;
  if (mlc_run(session.get(), given.inputs.data(), given.inputs.size(), outputs.data(), outputs.size(), &error) !=
      MLC_OK)
    return fail(error.text);
  return outputs;
}

Expected<std::vector<Tensor>> Session::run(ArrayRef<Tensor> inputs) {
  Expected<std::vector<mlc_output>> outputs = runInSession(inputs);
  if (!outputs)
    return outputs.takeError();
  std::vector<Tensor> tensors;
  for (auto [i, output] : enumerate(*outputs)) {
    Expected<Tensor> tensor = copyOutput(session->model->info->outputs[i], output);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

Error Session::runOnly(ArrayRef<Tensor> inputs) { return runInSession(inputs).takeError(); }

//===-- Text -----------------------------------------------------------------------===//

std::string symbolName(const mlc_model_info &info, uint32_t symbol) {
  if (*info.symbols[symbol])
    return info.symbols[symbol];
  for (const mlc_port &port : ArrayRef(info.inputs, info.input_count))
    for (auto [axis, extent] : enumerate(ArrayRef(port.extents, std::max(port.rank, 0))))
      if (MLC_EXTENT_IS_SYMBOL(extent) && MLC_EXTENT_SYMBOL(extent) == symbol)
        return (port.name + Twine('.') + Twine(axis)).str();
  return "?";
}

std::string formatPort(const mlc_model_info &info, const mlc_port &port) {
  std::string extents = join(map_range(ArrayRef(port.extents, std::max(port.rank, 0)),
                                       [&](int64_t extent) -> std::string {
                                         if (extent == MLC_EXTENT_UNKNOWN)
                                           return "?";
                                         return MLC_EXTENT_IS_SYMBOL(extent)
                                                    ? symbolName(info, MLC_EXTENT_SYMBOL(extent))
                                                    : std::to_string(extent);
                                       }),
                             "x");
  bool isSequence = port.kind == MLC_SEQUENCE || port.kind == MLC_SEQUENCE_OF_MAPS;
  std::string text = std::string(port.optional ? "optional " : "") + (isSequence ? "sequence of " : "");
  if (port.key != MLC_UNDEFINED)
    return text + (isSequence ? "maps" : "map") + " from " + mlc_type_name(port.key) + " to " +
           mlc_type_name(port.type);
  return text + mlc_type_name(port.type) + (port.rank < 0 ? " of any rank" : " " + (port.rank ? extents : "scalar"));
}

} // namespace mlc

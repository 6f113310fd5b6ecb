// Reads a code object: its segments, the note that describes its kernels, and what their descriptors say.
#include "Gcn.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/BinaryFormat/MsgPackDocument.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"
#include <algorithm>
#include <cstring>

namespace gcn {

namespace {

using Elf = llvm::object::ELFFile<llvm::object::ELF64LE>;

template <typename Value> Value check(llvm::Expected<Value> value) {
  if (!value)
    throw Error("not a code object: " + toString(value.takeError()));
  return std::move(*value);
}

uint64_t number(llvm::msgpack::DocNode node) {
  return node.getKind() == llvm::msgpack::Type::UInt ? node.getUInt() : 0;
}

Kernel describe(llvm::msgpack::MapDocNode map) {
  Kernel kernel;
  kernel.name = map[".name"].getString().str();
  kernel.argumentBytes = uint32_t(number(map[".kernarg_segment_size"]));
  kernel.localBytes = uint32_t(number(map[".group_segment_fixed_size"]));
  kernel.privateBytes = uint32_t(number(map[".private_segment_fixed_size"]));
  kernel.lanes = uint32_t(number(map[".wavefront_size"]));
  kernel.mostThreads = uint32_t(number(map[".max_flat_workgroup_size"]));
  if (map.find(".reqd_workgroup_size") != map.end())
    for (int axis = 0; axis < 3; ++axis)
      kernel.threads[axis] = uint32_t(number(map[".reqd_workgroup_size"].getArray()[size_t(axis)]));
  if (map.find(".args") != map.end())
    for (llvm::msgpack::DocNode &node : map[".args"].getArray()) {
      llvm::msgpack::MapDocNode argument = node.getMap();
      kernel.arguments.push_back({argument[".value_kind"].getString().str(), uint32_t(number(argument[".offset"])),
                                  uint32_t(number(argument[".size"]))});
    }
  return kernel;
}

/// How many registers a lane has, which is said in units of 8, and where accumulators begin in them, in units of 4. How floats
/// round is what the emulator does.
void readRegisters(const llvm::amdhsa::kernel_descriptor_t &descriptor, Generation generation, Kernel &kernel) {
  using namespace llvm::amdhsa;
  auto field = [](uint32_t word, uint32_t mask) { return (word & mask) / (mask & -mask); };
  kernel.vectors = 8 * (field(descriptor.compute_pgm_rsrc1, COMPUTE_PGM_RSRC1_GRANULATED_WORKITEM_VGPR_COUNT) + 1);
  if (generation == Generation::Gfx9) {
    const uint32_t all = kernel.vectors,
                   offset = 4 * (field(descriptor.compute_pgm_rsrc3, COMPUTE_PGM_RSRC3_GFX90A_ACCUM_OFFSET) + 1);
    kernel.vectors = std::min(all, offset);
    kernel.accumulators = all - kernel.vectors;
  }
  for (uint32_t mode : {COMPUTE_PGM_RSRC1_FLOAT_DENORM_MODE_32, COMPUTE_PGM_RSRC1_FLOAT_DENORM_MODE_16_64})
    if (field(descriptor.compute_pgm_rsrc1, mode) != FLOAT_DENORM_MODE_FLUSH_NONE)
      throw Error("kernel '" + kernel.name + "' takes subnormal floats as zero");
}

/// The size of a file of ELF, of which only the beginning is known: its sections' table stands last.
size_t sizeOf(const char *code) {
  if (memcmp(code, llvm::ELF::ElfMagic, 4) != 0)
    throw Error("not a code object: it does not begin as a file of ELF");
  const auto &header = *reinterpret_cast<const llvm::ELF::Elf64_Ehdr *>(code);
  return header.e_shoff + size_t(header.e_shentsize) * header.e_shnum;
}

} // namespace

std::unique_ptr<Module> load(const char *code) {
  const llvm::StringRef text(code, sizeOf(code));
  Elf file = check(Elf::create(text));
  if (file.getHeader().e_machine != llvm::ELF::EM_AMDGPU)
    throw Error("not a code object: it is for another machine");
  auto module = std::make_unique<Module>();
  llvm::msgpack::Document document;
  size_t end = 0;
  for (const auto &segment : check(file.program_headers()))
    if (segment.p_type == llvm::ELF::PT_LOAD)
      end = std::max<size_t>(end, segment.p_vaddr + segment.p_memsz);
  module->image.assign(end, 0);
  for (const auto &segment : check(file.program_headers())) {
    if (segment.p_type == llvm::ELF::PT_LOAD)
      memcpy(module->image.data() + segment.p_vaddr, code + segment.p_offset, segment.p_filesz);
    if (segment.p_type != llvm::ELF::PT_NOTE)
      continue;
    llvm::Error error = llvm::Error::success();
    for (const auto &note : file.notes(segment, error))
      if (note.getName() == "AMDGPU" && note.getType() == llvm::ELF::NT_AMDGPU_METADATA)
        document.readFromBlob(note.getDescAsStringRef(segment.p_align), /*Multi=*/false);
    if (error)
      throw Error("not a code object: " + toString(std::move(error)));
  }
  if (!document.getRoot().isMap())
    throw Error("a code object without a description");
  llvm::msgpack::MapDocNode root = document.getRoot().getMap();
  module->chip = root["amdhsa.target"].getString().rsplit('-').second.split(':').first.str();
  module->generation = module->chip.starts_with("gfx12")  ? Generation::Gfx12
                       : module->chip.starts_with("gfx1") ? Generation::Gfx11
                                                          : Generation::Gfx9;
  for (llvm::msgpack::DocNode &node : root["amdhsa.kernels"].getArray()) {
    Kernel kernel = describe(node.getMap());
    module->kernels[kernel.name] = std::move(kernel);
  }
  for (const auto &section : check(file.sections())) {
    if (section.sh_type != llvm::ELF::SHT_DYNSYM)
      continue;
    const llvm::StringRef names = check(file.getStringTableForSymtab(section));
    for (const auto &symbol : check(file.symbols(&section))) {
      llvm::StringRef name = check(symbol.getName(names));
      if (!name.consume_back(".kd") || !module->kernels.count(name.str()))
        continue;
      Kernel &kernel = module->kernels[name.str()];
      llvm::amdhsa::kernel_descriptor_t descriptor;
      memcpy(&descriptor, module->image.data() + symbol.st_value, sizeof descriptor);
      kernel.resources2 = descriptor.compute_pgm_rsrc2;
      kernel.properties = descriptor.kernel_code_properties;
      if (descriptor.group_segment_fixed_size != kernel.localBytes ||
          descriptor.private_segment_fixed_size != kernel.privateBytes ||
          descriptor.kernarg_size != kernel.argumentBytes)
        throw Error("the descriptor of '" + kernel.name + "' says otherwise than its metadata");
      kernel.entry = reinterpret_cast<uint64_t>(module->image.data()) + symbol.st_value +
                     uint64_t(descriptor.kernel_code_entry_byte_offset);
      readRegisters(descriptor, module->generation, kernel);
      disassemble(*module, kernel);
    }
  }
  for (const auto &[name, kernel] : module->kernels)
    if (!kernel.entry)
      throw Error("kernel '" + name + "' has no descriptor");
  return module;
}

} // namespace gcn

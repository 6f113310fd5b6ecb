// Runs blocks, one after the other: each wave as far as the next barrier, and then the others.
#include "Wave.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"
#include <algorithm>

namespace gcn {

void fail(const Instruction &instruction, const std::string &what) {
  throw Error("'" + instruction.text + "' " + what);
}

uint64_t Wave::bits(const Instruction &instruction, const Operand &operand, uint32_t lane, unsigned width,
                    bool isFloat) {
  switch (operand.kind) {
  case Operand::Vector:
  case Operand::Accumulator: {
    const uint32_t shift = &operand == &instruction.operands[instruction.results] ? indexedSource : 0;
    uint64_t value = word(operand, lane, shift);
    if (width == 64)
      value |= uint64_t(word(operand, lane, shift + 1)) << 32;
    return width == 16 ? (operand.half == 1 ? value >> 16 : value & 0xffff) : value;
  }
  case Operand::Scalar:
    if (operand.index == null)
      return 0;
    return width == 64 && operand.words > 1 ? scalars[operand.index] | uint64_t(scalars[operand.index + 1]) << 32
                                            : scalars[operand.index];
  case Operand::Integer: {
    // What fits into the instruction itself is a number of any width; a constant beside it has 32 bits, the high ones of a
    // float of 64.
    const bool isInline = operand.value >= -16 && operand.value <= 64;
    if (width == 64)
      return isFloat && !isInline ? uint64_t(operand.value) << 32 : uint64_t(operand.value);
    return width == 32 ? uint32_t(operand.value) : uint16_t(operand.value);
  }
  case Operand::Float:
    if (width == 64)
      return std::bit_cast<uint64_t>(operand.number);
    return width == 32 ? std::bit_cast<uint32_t>(float(operand.number)) : toHalf(float(operand.number)).bits;
  case Operand::None:
    break;
  }
  fail(instruction, "has an operand without a value");
}

namespace {

using namespace llvm::amdhsa;

/// "User Guide for AMDGPU Backend", initial kernel execution state.
void begin(Wave &wave, const uint32_t (&block)[3], const uint32_t (&threads)[3], uint64_t arguments) {
  wave.clear();
  const Kernel &kernel = wave.block.kernel;
  const auto has = [&](uint32_t bit) { return kernel.properties & bit; };
  uint32_t next = 0;
  auto pass = [&](uint32_t count, uint64_t value) {
    wave.scalars[next] = uint32_t(value);
    if (count > 1)
      wave.scalars[next + 1] = uint32_t(value >> 32);
    next += count;
  };
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_BUFFER))
    pass(4, 0);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_PTR))
    pass(2, 0);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_QUEUE_PTR))
    pass(2, 0);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_KERNARG_SEGMENT_PTR))
    pass(2, arguments);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_ID))
    pass(2, 0);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_FLAT_SCRATCH_INIT))
    pass(2, 0);
  if (has(KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_SIZE))
    pass(1, kernel.privateBytes);
  if (wave.block.module.generation == Generation::Gfx12) {
    wave.scalars[ttmp + 9] = block[0];
    wave.scalars[ttmp + 7] = block[1] | block[2] << 16;
  } else {
    const uint32_t bits[] = {COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_X, COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Y,
                             COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Z};
    // Behind as many as the kernel says, which are more than have been passed where it aligns them.
    next = (kernel.resources2 & COMPUTE_PGM_RSRC2_GFX6_GFX120_USER_SGPR_COUNT) >>
           COMPUTE_PGM_RSRC2_GFX6_GFX120_USER_SGPR_COUNT_SHIFT;
    for (int axis = 0; axis < 3; ++axis)
      if (kernel.resources2 & bits[axis])
        pass(1, block[axis]);
    pass(1, 0); // where the wave's private memory begins
  }
  const uint32_t count = threads[0] * threads[1] * threads[2], lanes = wave.lanes(), first = wave.number * lanes;
  uint64_t active = 0;
  for (uint32_t lane = 0; lane < lanes && first + lane < count; ++lane) {
    const uint32_t thread = first + lane;
    const uint32_t x = thread % threads[0], y = thread / threads[0] % threads[1], z = thread / threads[0] / threads[1];
    // In one register, but in RDNA 2 in as many as the kernel asks for.
    if (wave.block.module.chip.starts_with("gfx10")) {
      const uint32_t places[] = {x, y, z}, last = (kernel.resources2 & COMPUTE_PGM_RSRC2_ENABLE_VGPR_WORKITEM_ID) >>
                                                  COMPUTE_PGM_RSRC2_ENABLE_VGPR_WORKITEM_ID_SHIFT;
      for (uint32_t axis = 0; axis <= last && axis < 3; ++axis)
        wave.vectors[axis * lanes + lane] = places[axis];
    } else {
      wave.vectors[lane] = x | y << 10 | z << 20;
    }
    active |= uint64_t(1) << lane;
  }
  wave.scalars[exec + 1] = 0;
  wave.setMask(exec, active);
  wave.scalars[vcc] = wave.scalars[vcc + 1] = 0;
  wave.next = kernel.first;
}

void step(Wave &wave) {
  const Module &module = wave.block.module;
  const Instruction &instruction = module.code[wave.next];
  const size_t here = wave.next;
  if (!instruction.second) {
    instruction.execute(wave, instruction);
  } else {
    std::vector<Wave::Pending> pending;
    wave.pending = &pending;
    instruction.execute(wave, instruction);
    instruction.second->execute(wave, *instruction.second);
    wave.pending = nullptr;
    for (const Wave::Pending &write : pending)
      *write.place = write.value;
  }
  if (wave.next == here && wave.state != Wave::Done)
    wave.next = here + 1 < module.code.size() && module.code[here + 1].address == instruction.next
                    ? here + 1
                    : module.places.at(instruction.next);
}

void run(Block &block, std::vector<Wave> &waves) {
  for (;;) {
    size_t done = 0, waiting = 0;
    for (Wave &wave : waves) {
      while (wave.state == Wave::Running)
        step(wave);
      done += wave.state == Wave::Done;
      waiting += wave.state == Wave::AtBarrier;
    }
    if (done == waves.size())
      return;
    if (waiting != waves.size())
      throw Error("some waves wait at a barrier that the others do not reach");
    for (Wave &wave : waves)
      wave.state = Wave::Running;
    block.touches.atBarrier();
  }
}

/// The arguments as the driver lays them out. What kernels get from it besides, ours do not read.
std::vector<char> layOut(const Kernel &kernel, void *const *arguments) {
  // What is loaded at once may be more than there is, within an aligned part.
  std::vector<char> all((kernel.argumentBytes + 63) / 64 * 64, char(emulated::pattern));
  size_t next = 0;
  for (const Argument &argument : kernel.arguments)
    if (!argument.kind.starts_with("hidden_"))
      memcpy(all.data() + argument.offset, arguments[next++], argument.bytes);
  return all;
}

} // namespace

void launch(const Module &module, const Kernel &kernel, const uint32_t (&blocks)[3], const uint32_t (&threads)[3],
            void *const *arguments, const Memory &memory) {
  const uint32_t count = threads[0] * threads[1] * threads[2];
  if (count > kernel.mostThreads || (kernel.threads[0] && !std::equal(threads, threads + 3, kernel.threads)))
    throw Error("kernel '" + kernel.name + "' is compiled for another number of threads");
  std::vector<char> passed = layOut(kernel, arguments);
  Memory all = memory;
  all.add(reinterpret_cast<uint64_t>(passed.data()), passed.size());
  all.add(reinterpret_cast<uint64_t>(module.image.data()), module.image.size());
  Block block = {module, kernel, all, std::vector<char>(kernel.localBytes)};
  std::vector<Wave> waves;
  for (uint32_t i = 0; i < (count + kernel.lanes - 1) / kernel.lanes; ++i)
    waves.emplace_back(block, uint16_t(i));
  for (uint32_t z = 0; z < blocks[2]; ++z)
    for (uint32_t y = 0; y < blocks[1]; ++y)
      for (uint32_t x = 0; x < blocks[0]; ++x) {
        std::fill(block.local.begin(), block.local.end(), char(emulated::pattern));
        block.touches.atBarrier();
        for (Wave &wave : waves)
          begin(wave, {x, y, z}, threads, reinterpret_cast<uint64_t>(passed.data()));
        try {
          run(block, waves);
        } catch (const Error &error) {
          throw Error("kernel '" + kernel.name + "', block (" + std::to_string(x) + ", " + std::to_string(y) + ", " +
                      std::to_string(z) + "): " + error.what());
        }
      }
}

} // namespace gcn

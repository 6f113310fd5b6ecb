#include "hip/Chips.h"
#include "ClosestWord.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mlc::hip {

// That matrix cores of CDNA 2 take subnormal f16 and bf16 as zero, and those of f32 do not: "MI200 matrix fused
// multiply-add (MFMA) behavior specifics" in AMD's documentation of MIOpen.
ArrayRef<Chip> knownChips() {
  using enum MatrixCores;
  static const Chip chips[] = {
      {"gfx90a", 64, Mfma, /*flushesHalves=*/true},
      {"gfx942", 64, Mfma, /*flushesHalves=*/false, /*hasWideInt8=*/true, /*hasXf32=*/true},
      {"gfx950", 64, Mfma, /*flushesHalves=*/false, /*hasWideInt8=*/true},
      {"gfx1030", 32},
      {"gfx1100", 32, Wmma11},
      {"gfx1101", 32, Wmma11},
      {"gfx1102", 32, Wmma11},
      {"gfx1103", 32, Wmma11},
      {"gfx1150", 32, Wmma11},
      {"gfx1151", 32, Wmma11},
      {"gfx1200", 32, Wmma12},
      {"gfx1201", 32, Wmma12},
  };
  return chips;
}

SmallVector<StringRef> chipNames() {
  return llvm::map_to_vector(knownChips(), [](const Chip &chip) { return chip.name; });
}

const Chip *findChip(StringRef name) {
  const Chip *chip = llvm::find_if(knownChips(), [&](const Chip &known) { return known.name == name; });
  return chip == knownChips().end() ? nullptr : chip;
}

FailureOr<Chips> readChips(MLIRContext *context, StringRef text) {
  Chips chips;
  Location nowhere = UnknownLoc::get(context);
  auto [list, options] = text.split(':');
  SmallVector<StringRef> words;
  list.split(words, ',');
  for (StringRef word : words) {
    const Chip *chip = findChip(word.trim());
    if (!chip)
      return emitError(nowhere) << "unknown chip '" << word.trim() << "' of target hip"
                                << didYouMean(word.trim(), chipNames()) << "; known are "
                                << llvm::join(chipNames(), ", ")
                                << ", several of them separated by commas, and :xf32 or :flush-halves after the last";
    if (!llvm::is_contained(chips.list, chip))
      chips.list.push_back(chip);
  }
  words.clear();
  options.split(words, ':', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef word : words) {
    if (word != "xf32" && word != "flush-halves")
      return emitError(nowhere) << "unknown option '" << word
                                << "' of the chips of target hip; known are xf32 and flush-halves, as in gfx942:xf32";
    bool Chip::*has = word == "xf32" ? &Chip::hasXf32 : &Chip::flushesHalves;
    if (llvm::none_of(chips.list, [&](const Chip *chip) { return chip->*has; }))
      return emitError(nowhere) << "the chips '" << list << "' have no " << word << ": expected "
                                << llvm::find_if(knownChips(), [&](const Chip &known) { return known.*has; })->name
                                << " among them";
    (word == "xf32" ? chips.useXf32 : chips.flushHalves) = true;
  }
  return chips;
}

} // namespace mlc::hip

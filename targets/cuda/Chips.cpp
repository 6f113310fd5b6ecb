#include "cuda/Chips.h"
#include "ClosestWord.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mlc::cuda {

ArrayRef<StringRef> chipNames() {
  static constexpr StringRef names[] = {"sm_75",      "sm_80",       "sm_86",       "sm_87",       "sm_89",
                                        "sm_90",      "sm_100",      "sm_103",      "sm_120",      "sm_121",
                                        "compute_75", "compute_80",  "compute_86",  "compute_87",  "compute_89",
                                        "compute_90", "compute_100", "compute_103", "compute_120", "compute_121"};
  return names;
}

FailureOr<Chips> readChips(MLIRContext *context, StringRef text) {
  Chips chips;
  auto [list, option] = text.split(':');
  if (!option.empty() && option != "tf32")
    return emitError(UnknownLoc::get(context))
           << "unknown option '" << option << "' of the chips of target cuda; known is tf32, as in sm_80:tf32";
  chips.useTf32 = !option.empty();
  SmallVector<StringRef> words;
  list.split(words, ',');
  for (StringRef word : words) {
    word = word.trim();
    if (!llvm::is_contained(chipNames(), word))
      return emitError(UnknownLoc::get(context))
             << "unknown chip '" << word << "' of target cuda" << didYouMean(word, chipNames()) << "; known are "
             << llvm::join(chipNames(), ", ") << ", several of them separated by commas, and :tf32 after the last";
    Chip chip = {0, word.consume_front("compute_")};
    word.consume_front("sm_");
    word.getAsInteger(10, chip.number);
    if (chips.useTf32 && chip.number < 80)
      return emitError(UnknownLoc::get(context))
             << "chip '" << machineName(chip) << "' has no tf32: expected sm_80 or a later one";
    chips.list.push_back(chip);
  }
  return chips;
}

std::string machineName(const Chip &chip) { return "sm_" + std::to_string(chip.number); }
std::string virtualName(const Chip &chip) { return "compute_" + std::to_string(chip.number); }

} // namespace mlc::cuda

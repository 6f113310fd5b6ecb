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

FailureOr<SmallVector<Chip>> readChips(MLIRContext *context, StringRef list) {
  SmallVector<StringRef> words;
  list.split(words, ',');
  SmallVector<Chip> chips;
  for (StringRef word : words) {
    word = word.trim();
    if (!llvm::is_contained(chipNames(), word))
      return emitError(UnknownLoc::get(context))
             << "unknown chip '" << word << "' of target cuda" << didYouMean(word, chipNames()) << "; known are "
             << llvm::join(chipNames(), ", ") << ", and several of them separated by commas";
    Chip chip = {0, word.consume_front("compute_")};
    word.consume_front("sm_");
    word.getAsInteger(10, chip.number);
    chips.push_back(chip);
  }
  return chips;
}

std::string machineName(const Chip &chip) { return "sm_" + std::to_string(chip.number); }
std::string virtualName(const Chip &chip) { return "compute_" + std::to_string(chip.number); }

} // namespace mlc::cuda

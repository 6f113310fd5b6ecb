#include "cpu/Words.h"
#include "ClosestWord.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mlc::cpu {

static SmallVector<StringRef> listOf(ArrayRef<StringLiteral> words) { return {words.begin(), words.end()}; }

SmallVector<StringRef> chipsOf(const Words &words) {
  SmallVector<StringRef> chips = listOf(words.levels), names;
  words.addNames(names);
  llvm::copy_if(names, std::back_inserter(chips),
                [&](StringRef name) { return !llvm::is_contained(words.levels, name); });
  return chips;
}

SmallVector<StringRef> featuresOf(const Words &words) { return listOf(words.features); }

static InFlightDiagnostic error(MLIRContext *context) { return emitError(UnknownLoc::get(context)); }

FailureOr<StringRef> settleChip(MLIRContext *context, const Words &words, StringRef chip, bool isHost) {
  if (chip.empty())
    return isHost ? StringRef("native") : StringRef(words.levels.front());
  if (chip == "native" && !isHost)
    return error(context) << "chip 'native' is this machine, which is none of target " << words.target
                          << ": expected one such as " << words.levels.front() << ", " << words.examples;
  return chip;
}

InFlightDiagnostic emitUnknownChip(MLIRContext *context, const Words &words, StringRef chip) {
  auto diagnostic = error(context) << "unknown chip '" << chip << "' of target " << words.target
                                   << didYouMean(chip, chipsOf(words));
  diagnostic << "; known are native, " << llvm::join(listOf(words.levels), ", ") << " and those that `mlc targets "
             << words.target << "` lists, such as " << words.examples;
  return diagnostic;
}

LogicalResult readFeatures(MLIRContext *context, const Words &words, StringRef list,
                           function_ref<void(StringRef feature, bool isOn)> change) {
  SmallVector<StringRef> parts;
  list.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    part = part.trim();
    StringRef feature = part.drop_front();
    bool isOn = part.starts_with("+");
    if ((isOn || part.starts_with("-")) && llvm::is_contained(words.features, feature)) {
      change(feature, isOn);
      continue;
    }
    return error(context) << "unknown feature '" << part << "' of target " << words.target
                          << ": expected + or - and one of " << llvm::join(listOf(words.features), ", ")
                          << didYouMean(feature, listOf(words.features));
  }
  return success();
}

std::string writeFeatures(const Words &words, function_ref<bool(StringRef feature)> isOn) {
  std::string list;
  for (StringRef feature : words.features)
    if (isOn(feature))
      list += (list.empty() ? "+" : ",+") + feature.str();
  return list;
}

} // namespace mlc::cpu

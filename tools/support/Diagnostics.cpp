#include "Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/Format.h"

using namespace mlir;

namespace mlc {

namespace {
/// What a location says to a user: the innermost name, and the file position if there is one.
struct Place {
  std::string node, position;
};
} // namespace

static void describe(Location location, Place &place) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    if (place.node.empty())
      place.node = name.getName().str();
    describe(name.getChildLoc(), place);
  } else if (auto line = dyn_cast<FileLineColLoc>(location)) {
    if (!place.position.empty())
      return;
    place.position = line.getFilename().str();
    if (line.getLine())
      place.position += ":" + std::to_string(line.getLine()) + ":" + std::to_string(line.getColumn());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      describe(part, place);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    describe(call.getCallee(), place);
  }
}

/// Names come from files that may come from anywhere: nothing in them reaches the terminal as a command to it, and a
/// diagnostic is one line.
static std::string withoutControls(StringRef text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  for (unsigned char c : text)
    if (c < ' ' || c == 0x7f)
      stream << llvm::format("\\x%02x", c);
    else
      stream << c;
  return result;
}

std::string formatDiagnostic(Diagnostic &diagnostic, StringRef file) {
  Place place;
  describe(diagnostic.getLocation(), place);
  if (place.position.empty())
    place.position = file.str();
  std::string text;
  if (!place.position.empty())
    text += place.position + ": ";
  if (!place.node.empty())
    text += "node '" + place.node + "': ";
  return withoutControls(text + diagnostic.str());
}

static StringRef nameOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("all severities are above");
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, StringRef file, llvm::raw_ostream &out)
    : handler(&context, [this, file = file.str(), &out](Diagnostic &diagnostic) {
        errors |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
        if (out.is_displayed())
          out << "\r\033[K"; // over a line of Progress
        out << nameOf(diagnostic.getSeverity()) << ": " << formatDiagnostic(diagnostic, file) << "\n";
        for (Diagnostic &note : diagnostic.getNotes())
          out << "note: " << formatDiagnostic(note, file) << "\n";
        return success();
      }) {}

} // namespace mlc

#include "fpga/Board.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLTraits.h"

using namespace mlir;
using mlc::fpga::Board;
using mlc::fpga::MemoryKind;
using mlc::fpga::Vendor;

LLVM_YAML_IS_SEQUENCE_VECTOR(MemoryKind)

namespace llvm::yaml {

template <> struct ScalarEnumerationTraits<Vendor> {
  static void enumeration(IO &io, Vendor &vendor) {
    io.enumCase(vendor, "amd", Vendor::Amd);
    io.enumCase(vendor, "intel", Vendor::Intel);
  }
};

template <> struct MappingTraits<MemoryKind> {
  static void mapping(IO &io, MemoryKind &memory) {
    io.mapRequired("kind", memory.kind);
    io.mapRequired("blocks", memory.blocks);
    io.mapRequired("bytes", memory.bytes);
    io.mapRequired("width", memory.width);
  }
  static std::string validate(IO &io, MemoryKind &memory) {
    if (io.error())
      return "";
    if (memory.blocks < 1 || memory.bytes < 1 || memory.width < 1)
      return "expected 'blocks', 'bytes' and 'width' of at least 1 in 'memory'";
    return "";
  }
};

template <> struct MappingTraits<Board> {
  static void mapping(IO &io, Board &board) {
    io.mapRequired("name", board.name);
    io.mapOptional("title", board.title);
    io.mapRequired("vendor", board.vendor);
    io.mapRequired("multipliers", board.multipliers);
    io.mapRequired("memory", board.memory);
    io.mapRequired("clock", board.clock);
    io.mapRequired("bandwidth", board.bandwidth);
  }
  static std::string validate(IO &io, Board &board) {
    if (io.error())
      return "";
    auto atLeastOne = [](StringRef field, int64_t value) {
      return value < 1 ? ("expected '" + field + "' of at least 1, got " + Twine(value)).str() : std::string();
    };
    for (const std::string &problem : {atLeastOne("multipliers", board.multipliers), atLeastOne("clock", board.clock),
                                       atLeastOne("bandwidth", board.bandwidth)})
      if (!problem.empty())
        return problem;
    if (board.memory.empty())
      return "expected at least one kind of blocks in 'memory', got none";
    return "";
  }
};

} // namespace llvm::yaml

namespace mlc::fpga {

namespace {
struct KnownBoard {
  StringRef name, text;
};
} // namespace

static const KnownBoard known[] = {
#include "fpga/Boards.inc"
};

SmallVector<StringRef> boardNames() {
  return llvm::map_to_vector(known, [](const KnownBoard &board) { return board.name; });
}

/// What LLVM's reader says of a mistake, with what the field takes.
static std::string expectation(StringRef message) {
  if (message == "unknown enumerated scalar")
    return "unknown word, expected amd or intel";
  if (message == "invalid number")
    return "expected a whole number";
  if (message.starts_with("unknown key"))
    return (message + ", expected name, title, vendor, multipliers, memory, clock, bandwidth, and in memory: kind, "
                      "blocks, bytes, width")
        .str();
  return message.str();
}

static FailureOr<Board> parse(MLIRContext *context, StringRef text, StringRef path) {
  auto report = [](const llvm::SMDiagnostic &diagnostic, void *where) {
    auto loc = FileLineColLoc::get(static_cast<MLIRContext *>(where), diagnostic.getFilename(), diagnostic.getLineNo(),
                                   diagnostic.getColumnNo() + 1);
    emitError(loc) << "board file: " << expectation(diagnostic.getMessage());
  };
  llvm::yaml::Input input(llvm::MemoryBufferRef(text, path), /*Ctxt=*/nullptr, report, context);
  Board board;
  input >> board;
  if (input.error())
    return failure();
  return board;
}

FailureOr<Board> readBoard(MLIRContext *context, StringRef nameOrFile) {
  for (const KnownBoard &board : known)
    if (board.name == nameOrFile)
      return parse(context, board.text, board.name);
  Location nowhere = UnknownLoc::get(context);
  std::string names = llvm::join(boardNames(), ", ");
  if (nameOrFile.empty())
    return emitError(nowhere) << "target fpga expects --board=NAME, one of " << names << ", or --board=FILE";
  if (!llvm::sys::fs::exists(nameOrFile))
    return emitError(nowhere) << "unknown board '" << nameOrFile << "': no file has this name, and known are " << names;
  auto file = llvm::MemoryBuffer::getFile(nameOrFile, /*IsText=*/true);
  if (!file)
    return emitError(nowhere) << "board file '" << nameOrFile << "': " << file.getError().message();
  return parse(context, (*file)->getBuffer(), nameOrFile);
}

} // namespace mlc::fpga

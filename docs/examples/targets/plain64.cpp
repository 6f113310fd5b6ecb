// A plug-in of mlc with a target: libraries that run on every x86-64 there is, whatever machine they are compiled on, by
// what all of them have: vectors of 16 bytes, and no fused multiplication.
//
//   clang++-22 -std=c++20 -O1 -fPIC -shared $(llvm-config-22 --cppflags) -I dialects -I compiler -I targets \
//     -I build/dialects -I build/compiler docs/examples/targets/plain64.cpp -o plain64.so
//   mlc compile examples/digits/digits.onnx --load-target=plain64.so --target=plain64 -o digits.so
#include "cpu/Cpu.h"
#include "extend/Extension.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace mlir;

namespace {
class Plain64 : public mlc::cpu::CpuTarget {
public:
  StringRef name() const override { return "plain64"; }
  StringRef summary() const override { return "any CPU of the x86-64 family, by its common instructions"; }
  SmallVector<StringRef> chips() const override { return {"x86-64"}; }
  FailureOr<mlc::TargetAttr> describe(MLIRContext *context, StringRef chip, StringRef features) const override;
  StringRef runtime() const override { return "x86"; } // the archive is the same

protected:
  mlc::cpu::RegisterTiles registerTiles(mlc::TargetAttr) const override;
  mlc::cpu::Machine machine(mlc::TargetAttr) const override;
};
} // namespace

FailureOr<mlc::TargetAttr> Plain64::describe(MLIRContext *context, StringRef chip, StringRef features) const {
  Location nowhere = UnknownLoc::get(context);
  if (!chip.empty() && chip != "x86-64")
    return emitError(nowhere) << "unknown chip '" << chip << "' of target plain64, which is for all of them: x86-64";
  if (!features.empty())
    return emitError(nowhere) << "target plain64 has no features to add or take away, got '" << features << "'";
  return mlc::TargetAttr::get(context, name(), "x86-64", /*features=*/"", /*vectorBytes=*/16);
}

// 16 vector registers: 4 rows of 2 vectors hold 8 sums, and leave room for the operands of a product.
mlc::cpu::RegisterTiles Plain64::registerTiles(mlc::TargetAttr) const {
  static const int64_t rows[] = {8, 4};
  mlc::cpu::RegisterTiles tiles = {rows, /*panelVectors=*/2, /*rowStep=*/8};
  tiles.multiplication.fused = false;
  return tiles;
}

mlc::cpu::Machine Plain64::machine(mlc::TargetAttr) const {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  return {"x86_64-unknown-linux-gnu", "x86-64", "", {}};
}

MLC_EXTENSION(extension) { extension.target(std::make_unique<Plain64>()); }

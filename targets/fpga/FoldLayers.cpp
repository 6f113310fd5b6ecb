// Decides the schedule of a design, and says what it takes.
#include "fpga/Passes.h"
#include "fpga/Schedule.h"
#include "passes/Placement.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace mlc::fpga {
#define GEN_PASS_DEF_FOLDLAYERS
#include "fpga/Passes.h.inc"

namespace {

struct FoldLayers : impl::FoldLayersBase<FoldLayers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Schedule> schedule = Schedule::read(module);
    if (failed(schedule) || schedule->layers.empty())
      return failed(schedule) ? signalPassFailure() : void();
    if (failed(schedule->fold()))
      return signalPassFailure();
    module.emitRemark(schedule->summary());
    NamedAttrList properties(module->getAttrOfType<DictionaryAttr>(propertiesAttrName));
    auto tell = [&](const Twine &name, const Twine &text) {
      properties.set(name.str(), StringAttr::get(&getContext(), text));
    };
    tell("mlc.placement", schedule->summary());
    for (auto [number, row] : llvm::enumerate(schedule->reports()))
      tell(llvm::formatv("mlc.layer.{0,0+3}.{1}", number, row.layer).str(),
           llvm::formatv("{0} multipliers, {1}, {2} cycles, {3} runs a second; {4}", row.multipliers, row.blocks,
                         row.cycles, row.rate, row.circuits)
               .str());
    module->setAttr(propertiesAttrName, properties.getDictionary(&getContext()));
  }
};

} // namespace
} // namespace mlc::fpga

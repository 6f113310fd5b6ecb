// What passes each phase is made of.
#pragma once
#include "Target.h"

namespace mlc {

void buildSimplify(mlir::OpPassManager &, const Target &, TargetAttr);
void buildQuantize(mlir::OpPassManager &, const Target &, TargetAttr);
void buildLower(mlir::OpPassManager &, const Target &, TargetAttr);
void buildLayout(mlir::OpPassManager &, const Target &, TargetAttr);
void buildFuse(mlir::OpPassManager &, const Target &, TargetAttr);
void buildTile(mlir::OpPassManager &, const Target &, TargetAttr);
void buildBufferize(mlir::OpPassManager &, const Target &, TargetAttr);
void buildTarget(mlir::OpPassManager &, const Target &, TargetAttr);

} // namespace mlc

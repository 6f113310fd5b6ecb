// mlc-opt: runs passes of mlc on IR, as mlir-opt does for upstream's.
#include "AllTargets.h"
#include "Compiler.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlc::registerAllDialects(registry);
  mlc::registerAllTargets();
  mlc::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "mlc's pass driver\n", registry));
}

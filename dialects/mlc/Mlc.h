// The mlc dialect: what upstream MLIR cannot say. See Mlc.td.
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlc {
/// How the right-hand side of an mlc.contract lies in panels.
struct PanelDims {
  int64_t width;  ///< columns of a panel
  int64_t group;  ///< neighbouring terms of the depth that lie side by side for each column
  unsigned first; ///< the dimension that counts panels; then come the depth, the columns of a panel and a group
};
} // namespace mlc

#pragma GCC visibility push(default) // for plug-ins
#include "mlc/MlcDialect.h.inc"
#include "mlc/MlcEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mlc/MlcAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "mlc/MlcTypes.h.inc"

#define GET_OP_CLASSES
#include "mlc/MlcOps.h.inc"

namespace mlc {
/// Lets mlc.contract become an operation on buffers.
void registerBufferizableOpInterfaceExternalModels(mlir::DialectRegistry &registry);

/// The module attribute that holds the TargetAttr.
inline constexpr llvm::StringLiteral targetAttrName = "mlc.target";
/// The attribute of a kernel's root operation that holds its TilingAttr.
inline constexpr llvm::StringLiteral tilingAttrName = "mlc.tiling";
/// The unit attribute of a function that is a kernel.
inline constexpr llvm::StringLiteral kernelAttrName = "mlc.kernel";
/// Unit attributes of the module: count the time of kernels; leave out the checks that only data can fail.
inline constexpr llvm::StringLiteral profileAttrName = "mlc.profile";
inline constexpr llvm::StringLiteral uncheckedAttrName = "mlc.unchecked";
/// The unit attribute of a module that is part of a model, compiled to fold constants; nothing is folded in it again.
inline constexpr llvm::StringLiteral foldingAttrName = "mlc.folding";
/// The attribute of an scf.forall that says what one iteration costs, roughly in nanoseconds: little work is not worth a second thread.
inline constexpr llvm::StringLiteral workAttrName = "mlc.work";
/// The unit attribute of an LLVM function that stays visible in the finished library.
inline constexpr llvm::StringLiteral exportedAttrName = "mlc.exported";
/// The name of the graph function.
inline constexpr llvm::StringLiteral graphFunctionName = "model";
} // namespace mlc
#pragma GCC visibility pop

// Shapes as expressions: what is known of every value's extents before the model runs.
//
// An extent is an mlir::AffineExpr over the symbols of an ExtentMath: a fixed number, a named dimension of the model's
// inputs, or arithmetic on them. A shape rule states an operator's result extents once, in terms of its operands'; the
// same expression is then read three ways: with constants it is the inferred type, compared it is the verifier,
// materialized it is the extent at run time. Small integer tensors are followed element by element in the same way, so
// `Shape -> Gather -> Concat -> Reshape` does not lose the symbols.
#pragma once
#include "mlir/IR/AffineExpr.h"
#include "onnx/Onnx.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <string>

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

/// A non-negative integer, or an element of an integer tensor (then of any sign), over the symbols of an ExtentMath.
using Extent = mlir::AffineExpr;
using Extents = llvm::SmallVector<Extent>;

/// What is known of one value.
struct Facts {
  std::optional<Extents> extents;  ///< none: the rank is unknown, or the value is no tensor
  std::optional<Extents> elements; ///< of a small integer or bool tensor of fixed extents, in row-major order
  /// Of a sequence or an optional: a tensor type that all tensors in it have, ranked if they are of one rank, with the
  /// extents that are the same; NoneType while there are no tensors that it could be of. Null for tensors.
  mlir::Type items;

  Facts() = default;
  Facts(Extents extents) : extents(std::move(extents)) {}
  Facts(Extents extents, std::optional<Extents> elements)
      : extents(std::move(extents)), elements(std::move(elements)) {}
};

/// Where the number behind a symbol comes from.
struct Symbol {
  enum Kind {
    ExtentOf,  ///< extent `index` of `value`
    ElementOf, ///< element `index` of `value`, an integer tensor of fixed extents, in row-major order
    Min,
    Max,
    FloorDiv,  ///< lhs floordiv rhs, where rhs is not constant; rounds towards minus infinity
    Mod,       ///< lhs mod rhs, where rhs is not constant; has the sign of rhs
    Broadcast, ///< the common extent of two that are equal or of which one is 1
    Overflow,  ///< what 64 bits cannot hold, or may not, once factors are multiplied out
  };
  Kind kind;
  mlir::Value value;
  unsigned index = 0;
  Extent lhs, rhs;
  std::string name; ///< the model's own name of the dimension, or empty
  bool isExtent() const { return kind == ExtentOf || kind == Broadcast; }
};

/// Arithmetic on extents. Results are simplified, so that equal expressions compare equal where that can be seen. They
/// are exact: where a constant in them would not fit into 64 bits, they are the symbol Overflow or built on it.
class ExtentMath {
public:
  explicit ExtentMath(mlir::MLIRContext *context) : context(context) {}

  Extent constant(int64_t value) const;
  Extents constants(llvm::ArrayRef<int64_t> values) const;
  /// The same symbol for the same source.
  Extent extentOf(mlir::Value value, unsigned index, llvm::StringRef name = "");
  Extent elementOf(mlir::Value value, unsigned index);

  Extent add(Extent a, Extent b);
  Extent sub(Extent a, Extent b);
  Extent mul(Extent a, Extent b);
  Extent floorDiv(Extent a, Extent b);
  Extent ceilDiv(Extent a, Extent b);
  /// Division as ONNX integers have it: towards zero.
  Extent truncDiv(Extent a, Extent b);
  Extent mod(Extent a, Extent b);
  Extent min(Extent a, Extent b);
  Extent max(Extent a, Extent b);
  Extent product(llvm::ArrayRef<Extent> factors);
  /// The extent of a and b broadcast against each other; none if both are fixed and do not fit.
  std::optional<Extent> broadcast(Extent a, Extent b);
  /// The same for whole shapes of any rank, aligned at the last axis.
  std::optional<Extents> broadcast(llvm::ArrayRef<Extent> a, llvm::ArrayRef<Extent> b);

  /// a == b for all values of the symbols; false may also mean that it cannot be told.
  bool isEqual(Extent a, Extent b) { return sub(a, b) == constant(0); }
  /// Whether a == b for some values of the symbols, as far as it can be seen.
  bool mayBeEqual(Extent a, Extent b) {
    std::optional<int64_t> difference = asConstant(sub(a, b));
    return !difference || *difference == 0;
  }
  static std::optional<int64_t> asConstant(Extent e);
  static bool isConstant(Extent e, int64_t value) { return asConstant(e) == value; }
  static std::optional<llvm::SmallVector<int64_t>> asConstants(llvm::ArrayRef<Extent> list);
  /// Whether the symbol Overflow is in it: it must not become a type or code.
  bool overflows(Extent e) const;
  /// Whether e >= 0 for all values of its symbols, as far as it can be seen from its form.
  bool isNonNegative(Extent e) const;

  llvm::ArrayRef<Symbol> symbols() const { return table; }
  std::string print(Extent e) const;

  /// Emits the value of `e` as an `index`. `source` gives the value that stands, at the builder's place, for a symbol's
  /// value (after lowering it is another one); an Extent symbol becomes tensor.dim, an element tensor.extract.
  mlir::OpFoldResult materialize(Extent e, mlir::OpBuilder &builder, mlir::Location loc,
                                 llvm::function_ref<mlir::Value(mlir::Value)> source) const;

private:
  Extent simplified(Extent e) const;
  Extent overflow();
  /// Whether a >= b for all values of the symbols, as far as it can be seen.
  bool isAtLeast(Extent a, Extent b) const;
  Extent symbol(Symbol s);
  Extent derived(Symbol::Kind kind, Extent a, Extent b);

  mlir::MLIRContext *context;
  llvm::SmallVector<Symbol> table;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, Extent> extentSymbols, elementSymbols;
};

/// The names of a graph argument's dimensions; "" for one without.
llvm::SmallVector<llvm::StringRef> dimensionNames(mlir::BlockArgument argument);

} // namespace mlc::onnx
#pragma GCC visibility pop

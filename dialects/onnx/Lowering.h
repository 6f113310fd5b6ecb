// What lowering rules are written with: the values and extents of an operator's operands after lowering, and the few
// forms that most operators are made of (elementwise, reduction, views, checks).
//
// What a tensor holds (storage types) and what a body sees (compute types) is described in Scalars.h; `elementwise` and
// `reduce` convert between the two at the border of their bodies, so a body never sees storage.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "onnx/Rules.h"
#include "onnx/Scalars.h"

#pragma GCC visibility push(default) // for plug-ins
namespace mlc::onnx {

/// A lowered value whose axes run along some of the result's: axis i along `axes[i]`, or broadcast where its extent
/// is 1.
struct Along {
  mlir::Value value;
  mlir::Type element; ///< of ONNX
  llvm::SmallVector<int64_t> axes;
};

/// What the factors of a sum of products are: of the type of the sum, or integers of 8 or 16 bits that are extended to
/// the i32 of the sum, those on the left as unsigned or as signed ones, those on the right as signed ones.
enum class Factors { Same, Signed, UnsignedBySigned };

class Lowering {
public:
  Lowering(mlir::OpBuilder &b, Known &known, mlir::IRMapping &lowered) : b(b), known(known), lowered(lowered) {}

  mlir::OpBuilder &b;
  Known &known;
  mlir::Operation *op = nullptr; ///< the operation being lowered
  mlir::Location loc() const { return op->getLoc(); }

  //===-- Operands and extents ----------------------------------------------===//

  /// The lowered value of an onnx value; null for an absent operand.
  mlir::Value operator()(mlir::Value value) const { return value ? lowered.lookup(value) : nullptr; }
  /// The element type of a value, as ONNX says it (ui8, i1, ...).
  static mlir::Type element(mlir::Value value) {
    return llvm::cast<mlir::TensorType>(value.getType()).getElementType();
  }
  int64_t rank(mlir::Value value) { return known.rank(value); }
  /// The extents of a value, fixed or computed here.
  llvm::SmallVector<mlir::OpFoldResult> extents(mlir::Value value) { return materialize(known.extents(value)); }
  mlir::OpFoldResult materialize(Extent extent);
  llvm::SmallVector<mlir::OpFoldResult> materialize(llvm::ArrayRef<Extent> extents);
  mlir::Value index(mlir::OpFoldResult value);
  mlir::Value index(int64_t value);
  /// The lowered type of a value, with the extents that are known to be fixed.
  mlir::RankedTensorType type(mlir::Value value);
  /// A tensor of these extents and this storage type, contents undefined.
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type storage);
  /// A destination for result `value` of the operation.
  mlir::Value empty(mlir::Value value) { return empty(extents(value), storageType(element(value))); }
  /// A destination filled with a scalar of the storage type.
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Value scalar);
  /// A constant of a storage type.
  mlir::Value scalar(double value, mlir::Type storage);
  /// A tensor of the elements of an attribute, in their storage type.
  llvm::FailureOr<mlir::Value> constant(mlir::ElementsAttr value);
  /// Element `index` of an integer tensor operand, sign- or zero-extended to an index.
  mlir::Value elementAsIndex(mlir::Value value, int64_t index);
  /// The only element of a tensor operand of rank 0, or rank 1 and length 1, in its compute type.
  mlir::Value onlyElement(mlir::Value value);
  /// The same as it is stored.
  mlir::Value storedElement(mlir::Value value);

  //===-- Forms ---------------------------------------------------------------===//

  /// result[i...] = body(operands[i...]) with numpy broadcasting of the operands to the result's extents. `operands`
  /// are onnx values; the body's arguments and result have compute types (of each operand's and the result's element
  /// type).
  mlir::Value elementwise(mlir::Value result, mlir::ValueRange operands, ScalarBody body);
  /// The same for lowered values of storage types, whose ONNX element types are `elements`; `resultElement` is the
  /// result's.
  mlir::Value elementwise(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type resultElement,
                          mlir::ValueRange operands, mlir::TypeRange elements, ScalarBody body);
  /// The same for operands whose axes are named.
  mlir::Value elementwise(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type resultElement,
                          llvm::ArrayRef<Along> operands, ScalarBody body);
  /// The lowered value of an operand, ready to be read with broadcasting to the extents `common`: along each axis its
  /// extent is 1, or the common one as far as the analysis knows. It is copied where only the run tells which, and
  /// checked there.
  mlir::Value broadcastable(mlir::Value operand, llvm::ArrayRef<Extent> common);
  /// The same for a lowered value of extents `own`.
  mlir::Value broadcastable(mlir::Value value, llvm::ArrayRef<Extent> own, llvm::ArrayRef<Extent> common);
  /// A lowered value that is ready for it, copied to the extents.
  mlir::Value broadcast(mlir::Value operand, llvm::ArrayRef<mlir::OpFoldResult> extents);

  /// Folds `operand` (lowered; ONNX element type `element`) along `axes` by `combine(accumulator, element)`, starting
  /// from `init`; both have the accumulator type, `accumulator`, to which each element is converted by `load`, or if
  /// that is null, by computeType. The result keeps its rank, with extent 1 along the axes, and holds `accumulator`.
  mlir::Value reduce(mlir::Value operand, mlir::Type element, llvm::ArrayRef<int64_t> axes, mlir::Type accumulator,
                     mlir::Value init, ScalarBody load, ScalarBody combine);
  /// The same without the axes in the result.
  mlir::Value fold(mlir::Value operand, mlir::Type element, llvm::ArrayRef<int64_t> axes, mlir::Type accumulator,
                   mlir::Value init, ScalarBody load, ScalarBody combine);

  /// result = sum over the reduction loops of lhs * rhs: matrix products and convolutions of all kinds. Both are of the
  /// accumulator's type (f32, f64 or an integer), or, for i32, of narrower integers. `maps` are those of lhs, rhs and the
  /// result, whose extents are given.
  mlir::Value sumOfProducts(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Value lhs, mlir::Value rhs,
                            llvm::ArrayRef<mlir::AffineMap> maps, llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                            Factors factors = Factors::Same);

  /// A linalg.generic on lowered values: indexing maps of inputs then of the result.
  mlir::Value generic(mlir::Value init, mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                      llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                      llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> body);

  /// result[i...] = body(i...) for each index; the body gives what is stored.
  mlir::Value generate(llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::Type storage,
                       llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)> body);
  /// The indexing map of a value whose axes are loops `first`, `first` + 1, ... of `loops`.
  mlir::AffineMap consecutive(int64_t loops, int64_t first, int64_t count);

  mlir::Value transpose(mlir::Value operand, llvm::ArrayRef<int64_t> permutation);
  /// A view of the same elements in row-major order with other extents; the element counts are equal.
  mlir::Value reshape(mlir::Value operand, llvm::ArrayRef<mlir::OpFoldResult> extents);
  /// The same where the extents are known as expressions; axes that the two shapes share stay axes of their own.
  mlir::Value reshape(mlir::Value operand, llvm::ArrayRef<Extent> from, llvm::ArrayRef<Extent> to);
  mlir::Value slice(mlir::Value operand, llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes, llvm::ArrayRef<mlir::OpFoldResult> strides);
  /// `into` with the elements of `part`, which has the extents `sizes`, from `offsets` on.
  mlir::Value insert(mlir::Value part, mlir::Value into, llvm::ArrayRef<mlir::OpFoldResult> offsets,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// Adds `low` and `high` elements of `value` (storage type) along each axis; negative amounts are not allowed.
  mlir::Value pad(mlir::Value operand, llvm::ArrayRef<mlir::OpFoldResult> low, llvm::ArrayRef<mlir::OpFoldResult> high,
                  mlir::Value value);
  /// Each element converted from one ONNX element type to another, as ONNX's Cast does it.
  mlir::Value cast(mlir::Value operand, mlir::Type from, mlir::Type to, Narrowing narrowing = {});

  //===-- Arithmetic on index values --------------------------------------------===//

  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult sub(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// An index as a scalar of type `type`.
  mlir::Value number(mlir::OpFoldResult index, mlir::Type type);

  //===-- Failure ---------------------------------------------------------------===//

  /// Ends the run with an error that starts with the node's name and operator, unless `condition` holds. `message` may
  /// hold %0, %1...
  void check(mlir::Value condition, llvm::Twine message, mlir::ValueRange values);
  /// Checks that extents which come from data are not negative, and that a tensor of them can be addressed.
  void checkExtents(llvm::ArrayRef<mlir::OpFoldResult> extents);
  void checkExtents(llvm::ArrayRef<Extent> extents);
  /// Checks that an extent of an operand is the expected one, unless the analysis can tell; `what` names it.
  void expectExtent(Extent actual, Extent expected, llvm::Twine what);
  /// "'onnx.X' op is not supported: why", at the node; fails.
  llvm::LogicalResult unsupported(llvm::Twine why) { return op->emitOpError("is not supported: ") << why; }

  /// Lowers the operations of a region's only block at the builder's place; gives the lowered operands of its
  /// terminator.
  llvm::FailureOr<llvm::SmallVector<mlir::Value>> lowerBlock(mlir::Block &block);

  /// A tensor of a value's known elements; null if they are not known, or are too many to compute one by one.
  mlir::Value fromElements(mlir::Value value);

  /// Says what an onnx value has become.
  void define(mlir::Value value, mlir::Value result) { lowered.map(value, result); }

private:
  mlir::IRMapping &lowered;
};

/// Says of an operator that stays, because its function does not know the form that it has, what the function expects:
/// its lowering ends with that.
void noteUnknownForm(mlir::Operation &op, llvm::StringRef expectation);

/// Lowers all operations of a block, in order, at the builder's place; operands of the terminator stay for the caller.
/// Those that do not depend on one that fails are lowered all the same, so that all errors are said.
llvm::LogicalResult lowerOperations(mlir::Block &block, Lowering &lowering);

/// What a constant holds, or nothing.
std::optional<mlir::ElementsAttr> constantValue(mlir::Value value);
/// The number that a constant holds, if it is a single one (or many that are equal).
std::optional<double> constantNumber(mlir::Value value);

/// `axis` made non-negative; none if it is out of range for `rank`.
std::optional<int64_t> normalizedAxis(int64_t axis, int64_t rank);
/// The axes of an operator, normalized and sorted, for an attribute or constants; error at op if out of range or twice.
llvm::FailureOr<llvm::SmallVector<int64_t>> normalizedAxes(mlir::Operation *op, llvm::ArrayRef<int64_t> axes,
                                                           int64_t rank);

} // namespace mlc::onnx
#pragma GCC visibility pop

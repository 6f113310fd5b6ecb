// Graphs of a model -> operations: names become values, nodes of any opset become operations of the pinned one.
#pragma once
#include "import/Tensor.h"
#include "mlir/IR/Builders.h"
#include "onnx/Rules.h"
#include "onnx/Schemas.h"
#include "llvm/ADT/StringMap.h"
#include <onnx/onnx_pb.h>

namespace mlc::importer {

/// Opset versions by domain; "ai.onnx" is spelled "".
using Opsets = llvm::StringMap<int64_t>;
Opsets opsetsOf(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports);

/// Graph attributes by name.
using Graphs = std::map<std::string, const ::onnx::GraphProto *>;

/// The attributes of a call, which the body of the called function refers to.
struct Arguments {
  mlir::NamedAttrList values;
  Graphs graphs;
};

/// One place where nodes stand: the names that they can see, and how they are read.
struct Scope {
  const Scope *outer;                      ///< the surrounding graph, whose names a nested one sees as well
  llvm::StringMap<mlir::Value> names = {}; ///< null for an operand that a function's caller leaves out
  const Opsets &opsets;
  const Arguments *call = nullptr; ///< inside a function's body
  std::string prefix = {};         ///< of node names, "gelu_3/"
  int calls = 0;                   ///< functions around

  /// None if nothing of that name is defined.
  std::optional<mlir::Value> find(llvm::StringRef name) const;
};

using Values = llvm::SmallVector<mlir::Value>;

class GraphImporter {
public:
  /// The model, and what `tensors` reads from, outlive this.
  GraphImporter(const ::onnx::ModelProto &model, llvm::StringRef path, TensorReader &tensors,
                mlir::MLIRContext &context);

  /// Where messages place something of the model: a name, in a file.
  mlir::Location location(llvm::StringRef name) const;

  /// Appends a graph to the block: its constants, and its nodes in an order in which they can run. The graph's inputs
  /// are defined in `scope` already. Gives the values of the graph's outputs.
  mlir::FailureOr<Values> importGraph(const ::onnx::GraphProto &graph, Scope &scope, mlir::OpBuilder &builder);

private:
  using Nodes = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;
  using Regions = llvm::SmallVector<std::unique_ptr<mlir::Region>>;

  //===-- Graph.cpp: names ----------------------------------------------------===//

  mlir::LogicalResult define(llvm::StringRef name, mlir::Value value, Scope &scope, mlir::Location loc);
  mlir::LogicalResult importInitializers(const ::onnx::GraphProto &graph, Scope &scope, mlir::OpBuilder &builder);
  mlir::LogicalResult importNodes(const Nodes &nodes, Scope &scope, mlir::OpBuilder &builder);
  mlir::Location location(const ::onnx::NodeProto &node, int index, const Scope &scope) const;

  //===-- Node.cpp: one node --------------------------------------------------===//

  /// Gives a value for each of the node's outputs, null for one that is not there.
  mlir::FailureOr<Values> importNode(const ::onnx::NodeProto &proto, Scope &scope, mlir::ImplicitLocOpBuilder &builder);
  mlir::FailureOr<mlir::Attribute> readAttribute(const ::onnx::AttributeProto &proto, mlir::Location loc);
  mlir::FailureOr<Arguments> readAttributes(const ::onnx::NodeProto &proto, const Scope &scope, mlir::Location loc);
  mlir::FailureOr<Values> importOperator(onnx::Node &node, const Graphs &graphs, Scope &scope);
  mlir::FailureOr<Values> createOperation(onnx::Node &node, const ::onnx::OpSchema &schema, Regions regions);
  mlir::FailureOr<Values> createCustom(onnx::Node &node, const ::onnx::OpSchema &schema, const onnx::Domain &domain);
  mlir::FailureOr<Values> createBatchedScan(onnx::Node &node, const ::onnx::OpSchema &schema, Regions regions);
  mlir::FailureOr<Regions> importRegions(const onnx::Node &node, const ::onnx::OpSchema &schema, const Graphs &graphs,
                                         Scope &scope);
  mlir::FailureOr<std::unique_ptr<mlir::Region>> importRegion(const onnx::Node &node, const ::onnx::GraphProto &graph,
                                                              Scope &scope);

  //===-- Functions.cpp: calls of the model's functions, and of those that schemas are made of ----===//

  const ::onnx::FunctionProto *findFunction(const ::onnx::NodeProto &node) const;
  /// Appends the function's body where the builder is. `caller` is the scope that the call stands in.
  mlir::FailureOr<Values> call(const ::onnx::FunctionProto &function, mlir::ValueRange operands, Arguments arguments,
                               const Opsets &opsets, const Scope &caller, mlir::ImplicitLocOpBuilder &builder);
  mlir::FailureOr<Values> callOfModel(const ::onnx::FunctionProto &function, mlir::ValueRange operands,
                                      Arguments arguments, const Scope &caller, mlir::ImplicitLocOpBuilder &builder);
  /// The rank of a tensor, as far as the shape rules of what has been imported so far tell it; otherwise -1.
  int rankOf(mlir::Value value);
  /// Appends the body that the schema gives an operator; none if it gives none for these operands and attributes, of
  /// which `unknownForm` says what it expects, if the schema does.
  mlir::FailureOr<std::optional<Values>> expand(const onnx::Node &node, const ::onnx::OpSchema &schema,
                                                const Graphs &graphs, const Scope &caller, std::string &unknownForm);

  const ::onnx::ModelProto &model;
  std::string path;
  TensorReader &tensors;
  mlir::MLIRContext &context;
  llvm::StringMap<const ::onnx::FunctionProto *> functions;
  int64_t nodesLeft; ///< that functions may still expand to
  onnx::Known known;
  mlir::Operation *lastKnown = nullptr; ///< the last operation of the graph function that `known` has seen
};

} // namespace mlc::importer

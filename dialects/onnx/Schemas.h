// The vocabulary: which operators mlc knows, in which version, and what their schemas are.
//
// The schemas of ai.onnx and ai.onnx.ml are libonnx's own; those of com.microsoft are written in microsoft/. The
// dialect is generated from them (onnx-tblgen) and the importer reads models by them, so this header knows nothing of
// MLIR. Everything here may throw what libonnx throws.
#pragma once
#include <deque>
#include <onnx/defs/schema.h>
#include <string>
#include <vector>

namespace mlc::onnx {

/// Operators of one domain, as of the one opset that the dialect speaks.
struct Domain {
  std::string name;   ///< as in libonnx and, apart from "ai.onnx" for "", in model files
  std::string prefix; ///< of the operations: "ml" gives onnx.ml.Scaler and MlScalerOp
  int opset;
  bool isDeclared = false; ///< it was not there before an operator of it was declared; of any opset
};

/// Those that mlc knows by itself, then those of declared operators (Declaration.h).
const std::deque<Domain> &domains();
/// Null if mlc does not know the domain. "ai.onnx" is another name of "".
const Domain *findDomain(const std::string &name);

/// The schema that the dialect's operation is generated from; null if the pinned opset has no such operator.
const ::onnx::OpSchema *pinnedSchema(const std::string &type, const Domain &domain);
/// The schema as of an opset; null if that has no such operator.
const ::onnx::OpSchema *schemaOf(const std::string &type, const Domain &domain, int opset);
/// All operators of a domain, by name.
std::vector<const ::onnx::OpSchema *> pinnedSchemas(const Domain &domain);

/// "onnx.Conv", "onnx.ml.Scaler"
std::string operationName(const std::string &type, const Domain &domain);

/// The domain that a declared operator is of, made if there is none. Throws std::invalid_argument for a name that cannot
/// be one.
const Domain &domainToExtend(const std::string &name);
/// Adds the schema of a declared operator, whose domain is there.
void registerDeclared(::onnx::OpSchema schema);
/// Whether the operator was declared: the dialect has no operation of its own for it, but onnx.Custom.
bool isDeclared(const std::string &type, const Domain &domain);

/// Attributes in the order of the generated operation's: by name. Graph attributes become regions in this order.
std::vector<const ::onnx::OpSchema::Attribute *> sortedAttributes(const ::onnx::OpSchema &schema);

} // namespace mlc::onnx

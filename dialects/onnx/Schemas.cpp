#include "onnx/Schemas.h"
#include "onnx/Microsoft.h"
#include <algorithm>
#include <map>

using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;

namespace mlc::onnx {

const std::vector<Domain> &domains() {
  static const std::vector<Domain> all = {{"", "", 28},
                                          {"ai.onnx.ml", "ml", 5},
                                          {"ai.onnx.preview", "preview", 1},
                                          {"ai.onnx.preview.training", "training", 1},
                                          {"com.microsoft", "microsoft", 1}};
  static const bool registered = (registerMicrosoftSchemas(), true);
  (void)registered;
  return all;
}

const Domain *findDomain(const std::string &name) {
  for (const Domain &domain : domains())
    if (domain.name == (name == "ai.onnx" ? "" : name))
      return &domain;
  return nullptr;
}

const OpSchema *schemaOf(const std::string &type, const Domain &domain, int opset) {
  const OpSchema *schema = OpSchemaRegistry::Schema(type, opset, domain.name);
  return schema && !schema->Deprecated() ? schema : nullptr;
}

const OpSchema *pinnedSchema(const std::string &type, const Domain &domain) {
  const OpSchema *schema = OpSchemaRegistry::Schema(type, domain.opset, domain.name);
  // ai.onnx.ml deprecates its old tree ensembles, but their successor has neither classes nor base values: the old ones
  // stay.
  if (schema && schema->Deprecated() && domain.name == "ai.onnx.ml")
    return schemaOf(type, domain, schema->SinceVersion() - 1);
  return schema && !schema->Deprecated() ? schema : nullptr;
}

std::vector<const OpSchema *> pinnedSchemas(const Domain &domain) {
  std::map<std::string, const OpSchema *> byName;
  for (const OpSchema &schema : OpSchemaRegistry::get_all_schemas_with_history())
    if (schema.domain() == domain.name)
      if (const OpSchema *pinned = pinnedSchema(schema.Name(), domain))
        byName[schema.Name()] = pinned;
  std::vector<const OpSchema *> result;
  for (const auto &[name, schema] : byName)
    result.push_back(schema);
  return result;
}

std::string operationName(const std::string &type, const Domain &domain) {
  return "onnx." + (domain.prefix.empty() ? "" : domain.prefix + ".") + type;
}

std::vector<const OpSchema::Attribute *> sortedAttributes(const OpSchema &schema) {
  std::vector<const OpSchema::Attribute *> result;
  for (const auto &[name, attribute] : schema.attributes())
    result.push_back(&attribute);
  std::sort(result.begin(), result.end(), [](auto *a, auto *b) { return a->name < b->name; });
  return result;
}

} // namespace mlc::onnx

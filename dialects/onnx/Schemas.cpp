#include "onnx/Schemas.h"
#include "onnx/Microsoft.h"
#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;

namespace mlc::onnx {

/// What pointers are handed out to stays where it is.
static std::deque<Domain> &allDomains() {
  static std::deque<Domain> all = {{"", "", 28},
                                   {"ai.onnx.ml", "ml", 5},
                                   {"ai.onnx.preview", "preview", 1},
                                   {"ai.onnx.preview.training", "training", 1},
                                   {"com.microsoft", "microsoft", 1}};
  static const bool registered = (registerMicrosoftSchemas(), true);
  (void)registered;
  return all;
}

const std::deque<Domain> &domains() { return allDomains(); }

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

//===-- Declared operators ---------------------------------------------------------===//

static std::set<std::string> &declaredOperations() {
  static std::set<std::string> names;
  return names;
}

const Domain &domainToExtend(const std::string &name) {
  if (const Domain *known = findDomain(name))
    return *known;
  for (const Domain &domain : domains())
    if (domain.prefix == name)
      throw std::invalid_argument("'" + name + "' cannot be a domain, since it is short for " + domain.name);
  if (name.find_first_of(" \t\n\"':") != std::string::npos)
    throw std::invalid_argument("'" + name + "' cannot be a domain");
  constexpr int anyOpset = std::numeric_limits<int>::max() - 1;
  OpSchemaRegistry::DomainToVersionRange::Instance().AddDomainToVersion(name, 1, anyOpset);
  return allDomains().emplace_back(Domain{name, name, anyOpset, /*isDeclared=*/true});
}

void registerDeclared(OpSchema schema) {
  std::string name = operationName(schema.Name(), *findDomain(schema.domain()));
  ::onnx::RegisterSchema(std::move(schema), /*opset_version_to_load=*/0, /*fail_duplicate_schema=*/true,
                         /*fail_with_exception=*/true);
  declaredOperations().insert(name);
}

bool isDeclared(const std::string &type, const Domain &domain) {
  return declaredOperations().count(operationName(type, domain)) != 0;
}

//===-- Attributes -----------------------------------------------------------------===//

std::vector<const OpSchema::Attribute *> sortedAttributes(const OpSchema &schema) {
  std::vector<const OpSchema::Attribute *> result;
  for (const auto &[name, attribute] : schema.attributes())
    result.push_back(&attribute);
  std::sort(result.begin(), result.end(), [](auto *a, auto *b) { return a->name < b->name; });
  return result;
}

} // namespace mlc::onnx

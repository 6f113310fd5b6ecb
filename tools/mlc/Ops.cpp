// mlc ops: the operators of ONNX, and what mlc has for each.
#include "Verbs.h"
#include "onnx/Rules.h"
#include "onnx/Schemas.h"
#include "support/Table.h"

using namespace llvm;

namespace mlc {

static std::string howItIsLowered(const onnx::Rule *rule) {
  if (rule && rule->lower)
    return "rule";
  if (rule && rule->expands)
    return "its function";
  return "-";
}

Error runOps(CommandLine &line) {
  bool markdown = false, missing = false;
  line.flag("markdown", markdown, "print a table for docs/reference");
  line.flag("missing", missing, "only operators that cannot be lowered");
  line.explain(
      "Columns: the operator with its domain; the opset of its newest definition; whether shapes of its\n"
      "results are inferred; and how it is lowered: by a rule of mlc, or by the body that ONNX defines for it.");
  if (Error error = line.parse())
    return error;

  using enum Table::Align;
  Table table({Left, Right, Left, Left}, {"operator", "since", "shape", "lowered by"});
  unsigned all = 0, lowered = 0;
  for (const onnx::Domain &domain : onnx::domains())
    for (const ::onnx::OpSchema *schema : onnx::pinnedSchemas(domain)) {
      const onnx::Rule *rule = onnx::allRules().find(onnx::operationName(schema->Name(), domain));
      std::string how = howItIsLowered(rule);
      ++all;
      lowered += how != "-";
      if (missing && how != "-")
        continue;
      std::string name = (domain.name.empty() ? "" : domain.name + ".") + schema->Name();
      table.row({name, std::to_string(schema->SinceVersion()), rule && rule->shape ? "yes" : "-", how});
    }
  std::string summary = std::to_string(lowered) + " of " + std::to_string(all) + " operators can be lowered.";
  if (markdown) {
    outs() << "# Operators\n\n" << summary << "\n\n";
    table.printMarkdown(outs());
  } else {
    table.print(outs());
    outs() << summary << "\n";
  }
  return Error::success();
}

} // namespace mlc

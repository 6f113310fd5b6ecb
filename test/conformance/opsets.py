"""Nodes of the official suite as older opsets have them: of each operator, each of its versions that ONNX Runtime takes
with the same operands and attributes, which tells whether the meaning of what they leave open is read as it was then."""
import collections
import functools

import onnx
from onnx import helper

from element_types import official_nodes
from one_node import Case

EACH = 2  # of an operator's version
# The official cases of these contradict ONNX Runtime.
CONTESTED = {"MaxUnpool": {"output_shape"}, "Resize": {"align_corners"}}


@functools.cache
def histories():
    """The versions of each operator, by its name and domain."""
    all_versions = collections.defaultdict(set)
    for schema in onnx.defs.get_all_schemas_with_history():
        all_versions[schema.name, schema.domain].add(schema.since_version)
    return all_versions


def is_contested(schema, node, attributes):
    contested = CONTESTED.get(schema.name, set())
    given = {formal.name for formal, name in zip(schema.inputs, node.input) if name}
    return bool(contested & (given | {value.decode() for value in attributes.values() if isinstance(value, bytes)}))


def opset_cases():
    """(name, case, answer) of each operator's older versions."""
    found = collections.Counter()
    for node, schema, _, inputs in official_nodes():
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if not inputs or is_contested(schema, node, attributes):
            continue
        for version in sorted(histories()[schema.name, schema.domain]):
            key = f"{schema.name}_{version}"
            if version >= schema.since_version or found[key] == EACH:
                continue
            case = Case(schema.name, inputs, attributes, [bool(name) for name in node.output], schema.domain, version)
            for answer in case.answers_of([case.of_runtime]):
                found[key] += 1
                yield f"{key}_{found[key]}", case, answer

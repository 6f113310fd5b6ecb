#!/usr/bin/env python3
"""Run operators of ai.onnx.ml on random inputs in mlc and in ONNX Runtime.

    build/venv/bin/python test/fuzz/ml.py --seed 1 --count 500

Each case is a valid model of one node: forests, machines, lists of labels that hold what the specification allows, ties,
repeated keys and leaves without votes included. mlc must give what the text of the specification says; where that is
silent, what ONNX Runtime gives; where that refuses the model, what the reference evaluator of onnx gives. Where ONNX
Runtime contradicts the text, `contradictions` names it, and what the text says is computed here.
"""
import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.reference.ops.aionnxml import _common_classifier as common
from one_node import Case, main

TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
KERNELS = ["LINEAR", "POLY", "RBF", "SIGMOID"]
NUMBERS = [np.float32, np.float64, np.int64, np.int32]


def coarse(c, shape):
    """Halves, which tie and are zero now and then."""
    return c.integers(-4, 4, shape) / 2


def rows(c, features, kinds=NUMBERS):
    shape = [features] if c.rarely() else [c.number(0, 4) if c.rarely() else c.number(1, 20), features]
    x = coarse(c, shape).astype(c.one_of(kinds))
    if np.issubdtype(x.dtype, np.floating) and c.rarely():
        x = np.where(c.integers(0, 3, shape) == 0, np.asarray(c.one_of([np.nan, np.inf, 40]), x.dtype), x)
    return x


def weights(c, count):
    scale = c.one_of([1, 1, 0.25, 8])  # exact, so that no tie depends on the order of a sum
    values = coarse(c, count) * scale
    return (np.abs(values) if c.number(0, 3) == 0 else values).astype(np.float32).tolist()


def labels(c, count, integers):
    """Names or numbers, in no order, as the attribute for them."""
    names = c.rng.permutation(9)[:count].tolist()
    return {integers: names} if c.number(0, 1) else {integers.rpartition("_")[0] + "_strings": [f"class {n}" for n in names]}


# Linear models and support vector machines


def linear_classifier(c):
    targets, features = c.number(1, 3), c.number(1, 3)
    classes = targets if targets > 1 else c.number(1, 2)
    attributes = labels(c, classes, "classlabels_ints") | {"coefficients": weights(c, targets * features)}
    if c.number(0, 3):
        attributes["intercepts"] = weights(c, targets)
    attributes |= {"post_transform": c.one_of(TRANSFORMS), "multi_class": c.number(0, 1)}
    return "LinearClassifier", [rows(c, features)], attributes


def linear_regressor(c):
    targets, features = c.number(1, 3), c.number(1, 3)
    attributes = {"targets": targets, "coefficients": weights(c, targets * features)}
    if c.number(0, 3):
        attributes["intercepts"] = weights(c, targets)
    return "LinearRegressor", [rows(c, features)], attributes | {"post_transform": c.one_of(TRANSFORMS)}


def kernel(c):
    return {"kernel_type": c.one_of(KERNELS), "kernel_params": [c.one_of([0.5, 0.25, 1.0]), c.one_of([0.0, 1.0]), float(c.number(1, 3))]}


def svm_classifier(c):
    classes, features = c.number(1, 4), c.number(1, 3)
    attributes = labels(c, classes, "classlabels_ints") | {"post_transform": c.one_of(TRANSFORMS)}
    if classes == 1 or c.number(0, 3) == 0:  # linear, without vectors
        return "SVMClassifier", [rows(c, features)], attributes | kernel(c) | {
            "coefficients": weights(c, classes * features), "rho": weights(c, c.one_of([1, classes]))}
    counts = [c.number(1, 2) for _ in range(classes)]
    vectors, pairs = sum(counts), classes * (classes - 1) // 2
    attributes |= kernel(c) | {
        "vectors_per_class": counts, "support_vectors": weights(c, vectors * features),
        "coefficients": weights(c, vectors * (classes - 1)), "rho": weights(c, pairs)}
    if attributes["post_transform"] != "PROBIT" and c.number(0, 1):  # which has no limits near 0 and 1
        attributes |= {"prob_a": weights(c, pairs), "prob_b": weights(c, pairs)}
    return "SVMClassifier", [rows(c, features)], attributes


def svm_regressor(c):
    features, vectors = c.number(1, 3), c.number(0, 3)
    attributes = kernel(c) | {"post_transform": c.one_of(TRANSFORMS), "rho": weights(c, 1), "n_supports": vectors}
    if c.number(0, 2) == 0:
        attributes["one_class"] = 1
    attributes["coefficients"] = weights(c, vectors or features)
    if vectors:
        attributes["support_vectors"] = weights(c, vectors * features)
    return "SVMRegressor", [rows(c, features, [np.float32])], attributes


# Trees


class Trees:
    """A forest as lists of its nodes and leaves, and rows for it."""

    def __init__(self, c, kinds=NUMBERS):
        self.c, self.features = c, c.number(1, 3)
        self.rows = rows(c, self.features, kinds)
        self.nodes, self.leaves = [], []  # (tree, id, mode, feature, value, yes, no), (tree, id)
        self.modes = MODES if c.number(0, 1) else [c.one_of(MODES)]
        if np.isnan(self.rows).any():  # of NaN, ONNX Runtime says that it is not equal, whatever is to be done with it
            self.modes = [mode for mode in self.modes if mode != "BRANCH_NEQ"] or ["BRANCH_LEQ"]
        self.count = c.number(1, 6)
        for tree in range(self.count):
            self.ids = 0
            self.grow(tree, c.number(0, 3))

    def grow(self, tree, depth):
        own = self.ids
        self.ids += 1
        if depth == 0 or self.c.number(0, 4) == 0:
            self.nodes.append((tree, own, "LEAF", 0, 0.0, 0, 0))
            self.leaves.append((tree, own))
            return own
        place = len(self.nodes)
        self.nodes.append(None)
        yes, no = self.grow(tree, depth - 1), self.grow(tree, depth - 1)
        value = float(coarse(self.c, []))
        self.nodes[place] = (tree, own, self.c.one_of(self.modes), self.c.number(0, self.features - 1), value, yes, no)
        return own

    def attributes(self):
        tree, own, mode, feature, value, yes, no = map(list, zip(*self.nodes))
        attributes = {"nodes_treeids": tree, "nodes_nodeids": own, "nodes_modes": mode, "nodes_featureids": feature,
                      "nodes_values": value, "nodes_truenodeids": yes, "nodes_falsenodeids": no}
        if self.c.number(0, 1):
            attributes["nodes_missing_value_tracks_true"] = self.c.integers(0, 1, len(tree)).tolist()
        return attributes

    def votes(self, targets, prefix):
        """(tree, node, target, weight) of each: some leaves have none, some several."""
        chosen = []
        style = self.c.number(0, 3)
        only = self.c.number(0, targets - 1)
        for tree, node in self.leaves:
            if style == 0:
                voted = [only]
            elif style == 1:
                voted = [tree % targets]
            else:
                voted = self.c.rng.permutation(targets)[:self.c.number(1 - (style == 3), targets)].tolist()
            chosen += [(tree, node, target) for target in voted]
        chosen = chosen or [(*self.leaves[0], only)]
        tree, node, target = map(list, zip(*chosen))
        return {f"{prefix}_treeids": tree, f"{prefix}_nodeids": node, f"{prefix}_ids": target,
                f"{prefix}_weights": weights(self.c, len(tree))}


def tree_classifier(c):
    classes, trees = c.number(1, 3), Trees(c)
    attributes = trees.attributes() | trees.votes(classes, "class") | labels(c, classes, "classlabels_int64s")
    if c.number(0, 2) == 0:
        attributes["base_values"] = weights(c, classes)
    return "TreeEnsembleClassifier", [trees.rows], attributes | {"post_transform": c.one_of(TRANSFORMS)}


def tree_regressor(c):
    targets, trees = c.number(1, 3), Trees(c)
    attributes = trees.attributes() | trees.votes(targets, "target") | {"n_targets": targets}
    if c.number(0, 2) == 0:
        attributes["base_values"] = weights(c, targets)
    attributes |= {"aggregate_function": c.one_of(["SUM", "AVERAGE", "MIN", "MAX"]), "post_transform": c.one_of(TRANSFORMS)}
    return "TreeEnsembleRegressor", [trees.rows], attributes


def tree_ensemble(c):
    targets, kind = c.number(1, 3), c.one_of([np.float32, np.float64])
    trees = Trees(c, [kind])
    inner = {node[:2]: place for place, node in enumerate(n for n in trees.nodes if n[2] != "LEAF")}
    leaves = {leaf: place for place, leaf in enumerate(trees.leaves)}
    rows_of_nodes, roots, members = [], [], []
    for tree, own, mode, feature, value, yes, no in trees.nodes:
        if mode == "LEAF":
            continue
        if own == 0:
            roots.append(inner[tree, own])
        number = MODES.index(mode)
        if c.number(0, 4) == 0:
            number, chosen = 6, coarse(c, c.number(1, 3)).tolist()
            members += chosen + [np.nan]
        row = [feature, number, value]
        for child in (yes, no):
            is_leaf = (tree, child) in leaves
            row += [(leaves if is_leaf else inner)[tree, child], int(is_leaf)]
        rows_of_nodes.append(row)
    for tree, own, mode, *_ in trees.nodes:  # a tree that is a leaf asks a question without a difference
        if mode == "LEAF" and own == 0:
            roots.append(len(rows_of_nodes))
            rows_of_nodes.append([0, 0, 0.0, leaves[tree, own], 1, leaves[tree, own], 1])
    feature, number, split, yes, yes_leaf, no, no_leaf = map(list, zip(*rows_of_nodes))
    def tensor(values, dtype):
        return numpy_helper.from_array(np.array(values, dtype))

    attributes = {
        "n_targets": targets, "aggregate_function": c.number(0, 3), "post_transform": c.number(0, 4), "tree_roots": roots,
        "nodes_featureids": feature, "nodes_modes": tensor(number, np.uint8), "nodes_splits": tensor(split, kind),
        "nodes_truenodeids": yes, "nodes_trueleafs": yes_leaf, "nodes_falsenodeids": no, "nodes_falseleafs": no_leaf,
        "leaf_targetids": c.integers(0, targets - 1, len(leaves)).tolist(),
        "leaf_weights": tensor(weights(c, len(leaves)), kind)}
    if members:
        attributes["membership_values"] = tensor(members, kind)
        trees.rows = np.trunc(trees.rows)  # ONNX Runtime looks for the integer parts of numbers among the members
    if c.number(0, 1):
        attributes["nodes_missing_value_tracks_true"] = c.integers(0, 1, len(feature)).tolist()
    return "TreeEnsemble", [trees.rows.reshape(-1, trees.features)], attributes


# Labels and categories


def some(c, kind, count):
    """Keys of few different values."""
    if kind is str:
        return [c.one_of(["", "a", "b", "ab", "ba"]) for _ in range(count)]
    if kind is int:
        return c.integers(-2, 2, count).tolist()
    values = coarse(c, count)
    values[c.integers(0, 4, count) == 0] = c.one_of([np.nan, -0.0, np.inf])
    return values.astype(np.float32).tolist()


SUFFIX = {str: "strings", int: "int64s", float: "floats"}
DTYPE = {str: object, int: np.int64, float: np.float32}


def label_encoder(c):
    key, value, count = c.one_of(list(SUFFIX)), c.one_of(list(SUFFIX)), c.number(1, 5)
    attributes = {f"keys_{SUFFIX[key]}": some(c, key, count), f"values_{SUFFIX[value]}": some(c, value, count)}
    if c.number(0, 1):
        attributes[f"default_{SUFFIX[value][:-1]}"] = some(c, value, 1)[0]
    shape = c.shape()
    return "LabelEncoder", [np.array(some(c, key, int(np.prod(shape))), DTYPE[key]).reshape(shape)], attributes


def category_mapper(c):
    count, shape, kind = c.number(1, 5), c.shape(), c.one_of([str, int])
    attributes = {"cats_strings": some(c, str, count), "cats_int64s": some(c, int, count)}
    attributes |= {"default_int64": -9} if kind is str else {"default_string": "other"}
    return "CategoryMapper", [np.array(some(c, kind, int(np.prod(shape))), DTYPE[kind]).reshape(shape)], attributes


def one_hot_encoder(c):
    count, shape, kind = c.number(1, 5), c.shape(1), c.one_of([str, int])
    x = np.array(some(c, kind, int(np.prod(shape))), DTYPE[kind]).reshape(shape)
    if kind is int:
        x = x.astype(c.one_of(NUMBERS))
        if np.issubdtype(x.dtype, np.floating) and c.number(0, 1):
            x = x + x.dtype.type(0.5)
    return "OneHotEncoder", [x], {f"cats_{SUFFIX[kind]}": some(c, kind, count), "zeros": c.number(0, 1)}


# Features


def scaler(c):
    features = c.number(1, 3)
    attributes = {name: weights(c, c.one_of([1, features])) for name in ("offset", "scale")}
    if len(attributes["offset"]) != len(attributes["scale"]):
        attributes["offset"] = weights(c, len(attributes["scale"]))
    return "Scaler", [rows(c, features)], attributes


def imputer(c):
    features, kind = c.number(1, 3), c.one_of([np.float32, np.int64])
    count = c.one_of([1, features])
    x = rows(c, features, [kind])
    if kind is np.float32:
        return "Imputer", [x], {"imputed_value_floats": weights(c, count), "replaced_value_float": c.one_of([np.nan, 0.0, 0.5])}
    return "Imputer", [x], {"imputed_value_int64s": c.integers(-9, 9, count).tolist(), "replaced_value_int64": c.number(-1, 1)}


def normalizer(c):
    return "Normalizer", [rows(c, c.number(0, 3))], {"norm": c.one_of(["MAX", "L1", "L2"])}


def binarizer(c):
    return "Binarizer", [rows(c, c.number(1, 3), [np.float32])], {"threshold": float(coarse(c, []))}


def feature_vectorizer(c):
    count, kind, widths, inputs = c.number(1, 4), c.one_of(NUMBERS), [], []
    for _ in range(c.number(1, 3)):
        shape = [count, c.number(1, 3)]
        inputs.append(coarse(c, shape).astype(kind))
        widths.append(shape[1] + (c.number(-1, 1) if c.rarely() else 0))
    return "FeatureVectorizer", inputs, {"inputdimensions": widths}


def feature_extractor(c):
    shape = c.shape(1)
    extent = shape[-1]
    indices = c.integers(-c.rarely(), max(0, extent - 1 + c.rarely()), c.shape(1, 2))
    return "ArrayFeatureExtractor", [coarse(c, shape).astype(c.one_of(NUMBERS)), indices], {}


# Maps


def zip_map(c):
    classes = c.number(1, 4)
    x = rows(c, classes, [np.float32]).reshape(-1, classes)
    return "ZipMap", [x], labels(c, classes, "classlabels_int64s")


MAPPED = {int: np.int64, float: np.float32, "double": np.float64, str: object}


def dictionary(c, key, value, least):
    """A map of a few keys; the values that ONNX has there are numbers of one type, or texts."""
    names = list(dict.fromkeys(some(c, key, c.number(1, 5))))
    names = [abs(name) + least for name in names] if key is int and least >= 0 else names
    numbers = some(c, str if value is str else int, len(names))
    kind = MAPPED[value]
    return {name: number if kind is object else kind(number) / kind(1 if value is int else 2) for name, number in zip(names, numbers)}


def dict_vectorizer(c):
    key = c.one_of([str, int])
    value = c.one_of([int, float, "double"] if key is str else [str, float, "double"])
    vocabulary = list(dict.fromkeys(some(c, key, c.number(1, 5))))
    name = "string_vocabulary" if key is str else "int64_vocabulary"
    return "DictVectorizer", [whole(dictionary(c, key, value, -1), value)], {name: vocabulary}


def cast_map(c):
    value = c.one_of([str, float])
    x = dictionary(c, int, value, 0)
    if value is str:
        x = {key: c.one_of(["1", "-2.5", "0", "7"]) for key in x}
    attributes = {"cast_to": c.one_of(["TO_FLOAT", "TO_STRING", "TO_INT64"]), "map_form": c.one_of(["DENSE", "SPARSE"])}
    if attributes["cast_to"] == "TO_INT64" and value is str:
        x = {key: c.one_of(["1", "-2", "0"]) for key in x}
    if attributes["map_form"] == "SPARSE":
        attributes["max_map"] = c.number(1, 4)
    return "CastMap", [whole(x, value)], attributes


def whole(mapping, value):
    """The map with values of the type that it is declared with."""
    return {key: number if value is str else MAPPED[value](number) for key, number in mapping.items()}


CASES = [
    zip_map, dict_vectorizer, cast_map, linear_classifier, linear_regressor, svm_classifier, svm_regressor, tree_classifier, tree_regressor, tree_ensemble,
    label_encoder, category_mapper, one_hot_encoder, scaler, imputer, normalizer, binarizer, feature_vectorizer,
    feature_extractor
]
OUTPUTS = {"LinearClassifier": 2, "SVMClassifier": 2, "TreeEnsembleClassifier": 2}
OPSETS = {"TreeEnsemble": 5, "LabelEncoder": 4}


# What the text of the specification says


def transformed(scores, transform):
    scores = scores.astype(np.float32)
    functions = {"SOFTMAX": common.softmax, "LOGISTIC": common.logistic, "SOFTMAX_ZERO": common.softmax_zero, "PROBIT": probit}
    return functions[transform](scores).astype(np.float32) if transform != "NONE" and scores.size else scores


def probit(scores):
    """With infinities at the ends, which the reference evaluator makes zeros."""
    return np.where((scores == 0) | (scores == 1), np.copysign(np.inf, scores - 0.5), common.probit(scores))


def both(score, whole):
    return np.stack([whole - score, score], axis=1)


def names(a):
    key = next(key for key in a if key.startswith("classlabels_"))
    return np.array(a[key], np.int64 if "int" in key else object)


def of_linear_classifier(case):
    """Of two classes with one score: the scores of both are transformed."""
    label, scores = case.with_attributes(post_transform="NONE").of_runtime()
    transform = case.attributes["post_transform"]
    if is_one_score(case):
        scores = both(scores[:, 1], float(transform in ("NONE", "PROBIT")))
    return label, transformed(scores, transform)


def is_one_score(case):
    return len(names(case.attributes)) == 2 and len(case.attributes["coefficients"]) == case.feeds["i0"].shape[-1]


def of_svm_classifier(case):
    label, scores = case.with_attributes(post_transform="NONE").of_runtime()
    return label, transformed(scores, case.attributes["post_transform"])


def of_regressor(case):
    """All scores are transformed, also a single one; all targets have their base values."""
    base = case.attributes.get("base_values", [])
    plain = {key: value for key, value in case.attributes.items() if key != "base_values"}
    (scores,) = case.of(case.operator, case.feeds.values(), plain | {"post_transform": "NONE"}).of_runtime()
    return (transformed(scores + np.array(base or 0, np.float32), case.attributes["post_transform"]),)


def of_tree_ensemble(case):
    """The transforms are numbered NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT."""
    (scores,) = case.with_attributes(post_transform=0).of_runtime()
    transform = TRANSFORMS[case.attributes["post_transform"]]
    return (scores if transform == "NONE" else transformed(scores, transform).astype(scores.dtype),)


def of_tree_classifier(case):
    """The top class is that of the highest score; all scores are transformed."""
    a, x = dict(case.attributes), case.feeds["i0"]
    labels, base, transform = names(a), a.pop("base_values", []), a["post_transform"]
    ids = set(a["class_ids"])
    sums = {("target" + key[5:] if key in VOTES else key): value for key, value in a.items() if not key.startswith("classlabels")}
    x = x.reshape(-1, x.shape[-1]).astype(np.float64 if x.dtype == np.float64 else np.float32)
    sums |= {"n_targets": len(labels), "aggregate_function": "SUM", "post_transform": "NONE"}
    (scores,) = MlCase.of("TreeEnsembleRegressor", [x], sums).of_runtime()
    is_sure = min(a["class_weights"]) >= 0
    if len(labels) == 1:  # whether the only label holds
        score = scores[:, 0] + np.float32(sum(base))
        holds = (score > 0).astype(int)
        words = np.array([0, 1]) if labels.dtype == np.int64 else np.array(["", labels[0]], object)
        return words[holds], transformed(score[:, None], transform)
    if len(labels) == 2 and len(ids) == 1 and len(base) < 2:  # the scores of one class only
        score = scores[:, max(ids)]
        chosen = (score > (0.5 if is_sure else 0)).astype(int)
        if ids == {0}:  # which is the second one
            scores = both(score, float(transform == "PROBIT" or (is_sure and transform == "NONE")))
        return labels[chosen], transformed(scores, transform)
    scores = scores + np.array(base, np.float32) if base else scores
    return labels[np.argmax(scores, axis=1)], transformed(scores, transform)


def of_dict_vectorizer(case):
    """The values in the order of the vocabulary, and nothing for what the map lacks."""
    mapping, a = case.feeds["i0"], case.attributes
    values = np.array(list(mapping.values()), object if isinstance(next(iter(mapping.values())), str) else None)
    nothing = "" if values.dtype == object else values.dtype.type(0)
    vocabulary = a.get("string_vocabulary") or a["int64_vocabulary"]
    return (np.array([[mapping.get(key, nothing) for key in vocabulary]], values.dtype),)


def of_cast_map(case):
    """Values in the order of their keys, or at the places that they name. Numbers are written as Cast writes them."""
    mapping, a = case.feeds["i0"], case.attributes
    is_text = isinstance(next(iter(mapping.values())), str)
    if not is_text and a["cast_to"] != "TO_STRING":
        return case.of_runtime()
    convert, kind = {"TO_FLOAT": (float, np.float32), "TO_STRING": (str, object), "TO_INT64": (int, np.int64)}[a["cast_to"]]
    row = [convert(mapping[key]) for key in sorted(mapping)]
    if a["map_form"] == "SPARSE":
        row = [convert(mapping[key]) if key in mapping else "" if kind is object else 0 for key in range(a["max_map"])]
    return (np.array([row], kind),)


VOTES = ("class_treeids", "class_nodeids", "class_ids", "class_weights")
TEXTS = {"LinearClassifier": of_linear_classifier, "SVMClassifier": of_svm_classifier, "LinearRegressor": of_regressor,
         "SVMRegressor": of_regressor, "TreeEnsembleRegressor": of_regressor, "TreeEnsemble": of_tree_ensemble,
         "TreeEnsembleClassifier": of_tree_classifier, "DictVectorizer": of_dict_vectorizer, "CastMap": of_cast_map}


def contradicts(case):
    """Whether ONNX Runtime contradicts the text in this case."""
    a = case.attributes
    if case.operator == "LabelEncoder":  # of a repeated key, the last counts
        keys = [str(key) for name in a if name.startswith("keys_") for key in a[name]]
        return len(set(keys)) < len(keys)
    if case.operator == "TreeEnsembleClassifier":
        return True
    if case.operator == "CastMap":  # writes numbers with six digits behind the point, unlike its Cast
        return True
    transform = a.get("post_transform", "NONE")
    if transform == "SOFTMAX_ZERO" or a.get("base_values"):  # gives NaN of zeros; leaves out some base values
        return True
    if transform in ("NONE", 0):
        return False
    if case.operator == "LinearClassifier":
        return is_one_score(case)
    if case.operator == "SVMClassifier":
        return len(names(a)) < 3 and "prob_a" not in a
    return case.operator in TEXTS


class MlCase(Case):
    @classmethod
    def random(cls, chance, make=None, is_dynamic=None):
        operator, inputs, attributes = (make or chance.one_of(CASES))(chance)
        unknown = chance.number(0, 2) > 0
        return cls.of(operator, inputs, attributes, is_dynamic=unknown if is_dynamic is None else is_dynamic)

    @classmethod
    def of(cls, operator, inputs, attributes, is_dynamic=False):
        return cls(operator, inputs, attributes, OUTPUTS.get(operator, 1), domain="ai.onnx.ml",
                   opset=OPSETS.get(operator, 3), is_dynamic=is_dynamic)

    def with_attributes(self, **attributes):
        return self.of(self.operator, self.feeds.values(), self.attributes | attributes)

    def expected(self):
        evaluators = [self.of_text] if contradicts(self) else [self.of_runtime, self.of_text]
        return self.answers_of(evaluators)[:1]

    def of_runtime(self):
        """What ONNX Runtime gives; what has no kernel there for integers, as floats, and with intercepts, which it wants."""
        try:
            results = super().of_runtime()
            if self.operator == "ZipMap":  # in which Python has floats of its own
                results = [[{key: np.float32(score) for key, score in row.items()} for row in rows] for rows in results]
            return results
        except Exception:
            x = self.feeds["i0"]
            if isinstance(x, dict):
                raise
            if self.operator == "OneHotEncoder" and x.dtype == np.int32:
                return super(MlCase, self.of(self.operator, [x.astype(np.int64)], self.attributes)).of_runtime()
            intercepts = {"intercepts": [0.0] * len(names(self.attributes))} if self.operator == "LinearClassifier" else {}
            if self.operator not in TEXTS or (x.dtype == np.float32 and x.ndim == 2 and not intercepts):
                raise
            rows = x.reshape(-1, x.shape[-1]).astype(np.float32)
            return super(MlCase, self.of(self.operator, [rows], intercepts | self.attributes)).of_runtime()

    def of_text(self):
        with np.errstate(all="ignore"):
            return TEXTS[self.operator](self) if self.operator in TEXTS else self.of_reference()


if __name__ == "__main__":
    main(__doc__, MlCase.random)

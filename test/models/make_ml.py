"""Classic machine learning: models that scikit-learn, LightGBM and XGBoost have trained, as ONNX.

    python3 -m venv build/venv-ml && build/venv-ml/bin/pip install -r test/models/ml-requirements.txt
    build/venv-ml/bin/python test/models/make_ml.py build/test/ml

Trains each estimator on a data set that comes with scikit-learn, converts it by skl2onnx or onnxmltools, and writes a
folder with model.onnx and test_data_set_0, whose outputs are what the library itself predicts: labels exactly,
probabilities within 1e-6, values of models in double precision within 1e-12, other values as tolerance.json says. What
no converter writes (CastMap, CategoryMapper, FeatureVectorizer, TreeEnsemble) is written here. Ends with an error
unless every operator of ai.onnx.ml is in some model.
"""

import json
import os
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
import skl2onnx.sklapi.register  # noqa: F401, for TraceableTfidfVectorizer
from skl2onnx.common.data_types import DictionaryType, FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.sklapi import TraceableTfidfVectorizer
from sklearn import datasets, ensemble, gaussian_process, linear_model, naive_bayes, neighbors, neural_network
from sklearn import preprocessing, svm, tree
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

warnings.filterwarnings("ignore")
OPSETS = {"": 18, "ai.onnx.ml": 3}
seen = set()  # operators of ai.onnx.ml


def map_proto(value):
    """A MapProto of a dictionary, as the official tests have them: each value a tensor."""
    proto = onnx.MapProto()
    if isinstance(next(iter(value)), str):
        proto.key_type = TensorProto.STRING
        proto.string_keys.extend(key.encode() for key in value)
    else:
        proto.key_type = TensorProto.INT64
        proto.keys.extend(int(key) for key in value)
    proto.values.elem_type = onnx.SequenceProto.TENSOR
    proto.values.tensor_values.extend(numpy_helper.from_array(np.array(item)) for item in value.values())
    return proto


def proto_of(value, name):
    """The message that has a value: a dictionary, a list of them, or an array."""
    if isinstance(value, dict):
        proto = map_proto(value)
    elif isinstance(value, list):
        proto = onnx.SequenceProto(elem_type=onnx.SequenceProto.MAP)
        proto.map_values.extend(map_proto(item) for item in value)
    else:
        value = np.asarray(value)
        text = value.dtype.kind in "UO"
        proto = numpy_helper.from_array(value.astype(object) if text else np.ascontiguousarray(value))
    proto.name = name
    return proto


def save(folder, name, model, inputs, outputs, rtol=1e-6, atol=1e-6):
    """Writes the model and one set of data; values are in the order of the model's ports."""
    path = os.path.join(folder, name)
    data = os.path.join(path, "test_data_set_0")
    os.makedirs(data, exist_ok=True)
    onnx.save(model, os.path.join(path, "model.onnx"))
    seen.update(node.op_type for node in model.graph.node if node.domain == "ai.onnx.ml")
    for kind, values, ports in (("input", inputs, model.graph.input), ("output", outputs, model.graph.output)):
        for i, (value, port) in enumerate(zip(values, ports, strict=True)):
            with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                file.write(proto_of(value, port.name).SerializeToString())
    with open(os.path.join(path, "tolerance.json"), "w") as file:
        json.dump({"rtol": rtol, "atol": atol}, file)
    print(name, flush=True)


def scores_of(estimator, x):
    scores = estimator.predict_proba(x) if hasattr(estimator, "predict_proba") else estimator.decision_function(x)
    return scores.astype(x.dtype if getattr(x, "dtype", None) == np.float64 else np.float32)


def labels_of(estimator, x):
    labels = estimator.predict(x)
    return labels.astype(np.int64) if labels.dtype.kind in "iu" else labels


def maps_of(estimator, scores):
    """What ZipMap makes of scores."""
    return [dict(zip(estimator.classes_.tolist(), row)) for row in scores]


def classifier(folder, name, estimator, x, y, zipmap=False, **tolerance):
    estimator.fit(x, y)
    model = to_onnx(estimator, x[:1], options={id(estimator): {"zipmap": zipmap}}, target_opset=OPSETS)
    scores = scores_of(estimator, x)
    outputs = [labels_of(estimator, x), maps_of(estimator, scores) if zipmap else scores]
    save(folder, name, model, [x], outputs, **tolerance)


def regressor(folder, name, estimator, x, y, rtol=1e-5, atol=1e-4):
    estimator.fit(x, y)
    model = to_onnx(estimator, x[:1], target_opset=OPSETS)
    values = estimator.predict(x).astype(x.dtype)
    save(folder, name, model, [x], [values.reshape(len(x), -1)], rtol, atol)


def transformer(folder, name, estimator, x, rtol=1e-6, atol=1e-6):
    estimator.fit(x)
    model = to_onnx(estimator, x[:1], target_opset=OPSETS)
    save(folder, name, model, [x], [estimator.transform(x).astype(x.dtype)], rtol, atol)


def main(folder):
    iris = datasets.load_iris()
    cancer = datasets.load_breast_cancer()
    diabetes = datasets.load_diabetes()
    digits = datasets.load_digits()
    f32 = lambda data: data.data.astype(np.float32)
    three, two, many, real = (f32(iris), iris.target), (f32(cancer), cancer.target), (f32(digits), digits.target), (
        f32(diabetes), diabetes.target)

    scaled = preprocessing.StandardScaler().fit_transform(cancer.data).astype(np.float32), cancer.target

    classifier(folder, "decision-tree", tree.DecisionTreeClassifier(random_state=0), *three)
    classifier(folder, "random-forest-binary", ensemble.RandomForestClassifier(50, random_state=0), *two)
    classifier(folder, "random-forest-digits", ensemble.RandomForestClassifier(100, random_state=0), *many)
    classifier(folder, "extra-trees", ensemble.ExtraTreesClassifier(30, random_state=0), *three)
    classifier(folder, "gradient-boosting-binary", ensemble.GradientBoostingClassifier(random_state=0), *two)
    classifier(folder, "gradient-boosting", ensemble.GradientBoostingClassifier(random_state=0), *three)
    classifier(folder, "logistic-regression", linear_model.LogisticRegression(max_iter=2000), *three)
    classifier(folder, "logistic-regression-binary", linear_model.LogisticRegression(max_iter=5000), *scaled)
    regressor(folder, "linear-regression", linear_model.LinearRegression(), *real)
    regressor(folder, "lasso", linear_model.Lasso(), *real)
    regressor(folder, "decision-tree-regressor", tree.DecisionTreeRegressor(random_state=0), *real)
    regressor(folder, "random-forest-regressor", ensemble.RandomForestRegressor(50, random_state=0), *real)
    regressor(folder, "gradient-boosting-regressor", ensemble.GradientBoostingRegressor(random_state=0), *real)
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        classifier(folder, f"svm-{kernel}", svm.SVC(kernel=kernel, probability=True, random_state=0), *three)
        regressor(folder, f"svm-regressor-{kernel}", svm.SVR(kernel=kernel), scaled[0], cancer.data[:, 0], atol=1e-3)
    classifier(folder, "svm-binary", svm.SVC(probability=True, random_state=0), *scaled)
    classifier(folder, "svm-digits", svm.SVC(gamma=0.001, probability=True, random_state=0), *many)
    targets = np.stack([diabetes.target, -diabetes.target, diabetes.target**0.5], axis=1)
    forest = ensemble.RandomForestRegressor(20, random_state=0)
    regressor(folder, "forest-of-three-targets", forest, f32(diabetes), targets)
    regressor(folder, "linear-of-three-targets", linear_model.LinearRegression(), f32(diabetes), targets)

    transformer(folder, "standard-scaler", preprocessing.StandardScaler(), f32(cancer))
    transformer(folder, "min-max-scaler", preprocessing.MinMaxScaler(), f32(cancer))
    transformer(folder, "max-abs-scaler", preprocessing.MaxAbsScaler(), f32(cancer))
    for norm in ("l1", "l2", "max"):
        transformer(folder, f"normalizer-{norm}", preprocessing.Normalizer(norm), f32(cancer))
    transformer(folder, "binarizer", preprocessing.Binarizer(threshold=0.25), f32(iris))
    missing = f32(iris).copy()
    missing[::7, 1] = np.nan
    transformer(folder, "imputer", SimpleImputer(), missing)
    transformer(folder, "variance-threshold", VarianceThreshold(0.5), f32(digits))
    logistic = linear_model.LogisticRegression(max_iter=2000)
    pipeline = make_pipeline(SimpleImputer(), preprocessing.StandardScaler(), logistic)
    classifier(folder, "pipeline", pipeline, missing, iris.target)

    boosted(folder, three, two, real)
    of_names(folder, iris, cancer)
    of_words(folder, iris)
    in_double(folder, iris, diabetes)
    written_here(folder, iris, diabetes)
    missing = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == "ai.onnx.ml"} - seen
    assert not missing, f"no model has {missing}"


def boosted(folder, three, two, real):
    import lightgbm
    import xgboost
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    kinds = (
        ("lightgbm", lightgbm.LGBMClassifier, lightgbm.LGBMRegressor, convert_lightgbm, {"verbose": -1}),
        ("xgboost", xgboost.XGBClassifier, xgboost.XGBRegressor, convert_xgboost, {}),
    )
    for name, classify, regress, convert, options in kinds:
        for suffix, (x, y) in (("", three), ("-binary", two)):
            estimator = classify(n_estimators=60, random_state=0, **options).fit(x, y)
            port = [("x", FloatTensorType([None, x.shape[1]]))]
            more = {"zipmap": False} if name == "lightgbm" else {}
            model = convert(estimator, initial_types=port, target_opset=15, **more)
            outputs = [estimator.predict(x).astype(np.int64), estimator.predict_proba(x).astype(np.float32)]
            save(folder, name + suffix, model, [x], outputs)
        x, y = real
        estimator = regress(n_estimators=60, random_state=0, **options).fit(x, y)
        model = convert(estimator, initial_types=[("x", FloatTensorType([None, x.shape[1]]))], target_opset=15)
        values = estimator.predict(x).astype(np.float32).reshape(-1, 1)
        save(folder, name + "-regressor", model, [x], [values], 1e-5, 1e-4)


def of_names(folder, iris, cancer):
    """Classes that are strings, and ZipMap."""
    x, y = iris.data.astype(np.float32), iris.target_names[iris.target]
    x2, y2 = preprocessing.scale(cancer.data).astype(np.float32), cancer.target_names[cancer.target]
    forest = lambda: ensemble.RandomForestClassifier(20, random_state=0)
    classifier(folder, "names-forest", forest(), x, y, zipmap=True)
    classifier(folder, "names-forest-binary", forest(), x2, y2)
    boosting = ensemble.GradientBoostingClassifier(random_state=0)
    classifier(folder, "names-boosting-binary", boosting, x2, y2, zipmap=True)
    classifier(folder, "names-logistic", linear_model.LogisticRegression(max_iter=2000), x, y, zipmap=True)
    classifier(folder, "names-logistic-binary", linear_model.LogisticRegression(max_iter=2000), x2, y2)
    classifier(folder, "names-svm", svm.SVC(probability=True, random_state=0), x, y, zipmap=True)
    classifier(folder, "names-svm-binary", svm.SVC(probability=True, random_state=0), x2, y2)
    classifier(folder, "names-naive-bayes", naive_bayes.GaussianNB(), x, y)
    classifier(folder, "names-neighbours", neighbors.KNeighborsClassifier(5), x, y, zipmap=True)
    classifier(folder, "zipmap-forest", forest(), x, iris.target, zipmap=True)
    classifier(folder, "zipmap-of-columns", forest(), x[:20], iris.target[:20] + np.arange(20) % 3)


def of_words(folder, iris):
    """Features that are words, dictionaries and texts."""
    random = np.random.RandomState(0)
    colours, sizes = np.array(["red", "green", "", "dark blue"]), np.array([1, 2, 10], dtype=np.int64)
    words = colours[random.randint(0, 4, (60, 2))].astype(object)
    numbers = sizes[random.randint(0, 3, (60, 1))]
    words_port = [("x", StringTensorType([None, 2]))]

    encoder = preprocessing.OneHotEncoder(sparse_output=False).fit(words)
    model = to_onnx(encoder, initial_types=words_port, target_opset=OPSETS)
    save(folder, "one-hot-words", model, [words], [encoder.transform(words).astype(np.float32)])
    encoder = preprocessing.OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encoder.fit(numbers[numbers != 10].reshape(-1, 1))
    model = to_onnx(encoder, initial_types=[("x", Int64TensorType([None, 1]))], target_opset=OPSETS)
    save(folder, "one-hot-numbers", model, [numbers], [encoder.transform(numbers).astype(np.float32)])
    encoder = preprocessing.OrdinalEncoder(dtype=np.int64).fit(words)
    model = to_onnx(encoder, initial_types=words_port, target_opset=OPSETS)
    save(folder, "ordinal-words", model, [words], [encoder.transform(words)])
    encoder = preprocessing.LabelEncoder().fit(words[:, 0])
    model = to_onnx(encoder, initial_types=[("x", StringTensorType([None]))], target_opset=OPSETS)
    save(folder, "label-encoder", model, [words[:, 0]], [encoder.transform(words[:, 0]).astype(np.int64)])

    row = {"red": np.float32(0.5), "blue": np.float32(-2), "unknown": np.float32(7)}
    vectorizer = DictVectorizer(sparse=False).fit([{"red": 1.0, "green": 2.0}, {"blue": 3.0}])
    model = to_onnx(
        vectorizer,
        initial_types=[("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))],
        target_opset=OPSETS,
    )
    save(folder, "dict-vectorizer", model, [row], [vectorizer.transform([row]).astype(np.float32)])

    y = np.array(["small", "large"])[(words[:, 0] == "red").astype(int) | (numbers[:, 0] == 10)]
    columns = ColumnTransformer([("words", preprocessing.OneHotEncoder(), [0, 1]), ("numbers", "passthrough", [2])])
    table = np.concatenate([words, numbers.astype(object)], axis=1)
    pipeline = make_pipeline(columns, linear_model.LogisticRegression()).fit(table, y)
    model = to_onnx(
        pipeline,
        initial_types=[("words", StringTensorType([None, 2])), ("numbers", Int64TensorType([None, 1]))],
        options={id(pipeline): {"zipmap": True}},
        target_opset=OPSETS,
    )
    scores = pipeline.predict_proba(table).astype(np.float32)
    save(folder, "pipeline-of-words", model, [words, numbers], [pipeline.predict(table), maps_of(pipeline, scores)])

    texts = np.array([line for line in iris.DESCR.splitlines() if line.strip()], dtype=object)
    letters, parts = "[a-zA-Z]+", "[^ ]+"
    for name, options, conversion in (
        ("text", {"token_pattern": "(?a)\\w+"}, {"tokenexp": "[a-zA-Z0-9_]+"}),
        ("text-pairs", {"token_pattern": letters, "ngram_range": (1, 2), "max_features": 200}, {"tokenexp": letters}),
        ("text-parts", {"token_pattern": parts, "lowercase": False}, {"tokenexp": None, "separators": [" +"]}),
    ):
        # Of n-grams the plain one keeps texts, which cannot be told into tokens again.
        vectorizer = (TraceableTfidfVectorizer if "ngram_range" in options else TfidfVectorizer)(**options).fit(texts)
        port = [("x", StringTensorType([None, 1]))]
        model = to_onnx(vectorizer, initial_types=port, options={type(vectorizer): conversion}, target_opset=OPSETS)
        save(folder, name, model, [texts.reshape(-1, 1)], [vectorizer.transform(texts).toarray().astype(np.float32)])


def in_double(folder, iris, diabetes):
    exact = {"rtol": 1e-12, "atol": 1e-12}
    x, y, real = iris.data, iris.target, (diabetes.data, diabetes.target)
    transformer(folder, "double-standard-scaler", preprocessing.StandardScaler(), x, **exact)
    transformer(folder, "double-min-max-scaler", preprocessing.MinMaxScaler(), x, **exact)
    transformer(folder, "double-normalizer", preprocessing.Normalizer(), x, **exact)
    process = gaussian_process.GaussianProcessRegressor(alpha=1.0)
    regressor(folder, "double-gaussian-process", process, x, x[:, 0], **exact)
    regressor(folder, "double-linear-regression", linear_model.LinearRegression(), *real, **exact)
    regressor(folder, "double-neighbours", neighbors.KNeighborsRegressor(5), *real, **exact)
    network = neural_network.MLPClassifier(random_state=0, max_iter=500)
    classifier(folder, "double-mlp", network, x, y, **exact)


def written_here(folder, iris, diabetes):
    """Operators that no converter writes, with what the libraries do in their place."""
    string, int64, float32 = TensorProto.STRING, TensorProto.INT64, TensorProto.FLOAT
    words = np.array(["red", "green", "blue", "red"], dtype=object)
    encoder = preprocessing.LabelEncoder().fit(words)
    numbers = encoder.transform(words).astype(np.int64)
    cats = {"cats_strings": list(encoder.classes_), "cats_int64s": list(range(3))}
    model = model_of("CategoryMapper", [(string, [None])], int64, [None], cats)
    save(folder, "category-mapper", model, [words], [numbers])
    model = model_of("CategoryMapper", [(int64, [None])], string, [None], cats)
    save(folder, "category-mapper-back", model, [numbers], [encoder.inverse_transform(numbers)])

    x = iris.data.astype(np.float32)
    parts = [x[:, :3], x[:, 3:]]
    ports = [(float32, [None, part.shape[1]]) for part in parts]
    model = model_of("FeatureVectorizer", ports, float32, [None, 4], {"inputdimensions": [3, 1]})
    save(folder, "feature-vectorizer", model, parts, [np.column_stack(parts)])

    scalar = helper.make_tensor_type_proto(float32, [])
    ports = [helper.make_value_info("x0", helper.make_map_type_proto(int64, scalar))]
    row = {3: np.float32(0.5), 0: np.float32(-1.25), 9: np.float32(4)}
    model = model_of("CastMap", ports, float32, [1, None], {})
    save(folder, "cast-map", model, [row], [np.array([[row[key] for key in sorted(row)]])])
    model = model_of("CastMap", ports, float32, [1, 12], {"map_form": "SPARSE", "max_map": 12})
    named = lambda key: f"{key:02}"  # in whose order DictVectorizer puts columns
    vectorizer = DictVectorizer(sparse=False, dtype=np.float32).fit([{named(key): 1 for key in range(12)}])
    columns = vectorizer.transform([{named(key): value for key, value in row.items()}])
    save(folder, "cast-map-sparse", model, [row], [columns])

    for dtype, tolerance in ((np.float32, {"rtol": 1e-6}), (np.float64, {"rtol": 1e-12, "atol": 1e-12})):
        # Features that 32 bits hold, which is what scikit-learn's trees look at.
        features = diabetes.data.astype(np.float32).astype(dtype)
        targets = np.stack([diabetes.target, diabetes.data[:, 2]], axis=1)
        forest = ensemble.RandomForestRegressor(20, random_state=0).fit(features, targets)
        values = forest.predict(features).astype(dtype)
        save(folder, f"tree-ensemble-{dtype.__name__}", tree_ensemble(forest, dtype), [features], [values], **tolerance)


def model_of(operator, ports, element, shape, attributes, ml=3):
    """A model of one operator; ports are (element type, shape), or what ONNX has them as."""
    inputs = [
        helper.make_tensor_value_info(f"x{i}", *port) if isinstance(port, tuple) else port
        for i, port in enumerate(ports)
    ]
    node = helper.make_node(operator, [port.name for port in inputs], ["y"], domain="ai.onnx.ml", **attributes)
    output = helper.make_tensor_value_info("y", element, shape)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", ml)]
    return helper.make_model(helper.make_graph([node], operator, inputs, [output]), opset_imports=opsets, ir_version=9)


def tree_ensemble(forest, dtype):
    """TreeEnsemble of a forest of regressors. A leaf votes for one target only, so each target has all trees."""
    nodes = {f"nodes_{name}": [] for name in ("featureids", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")}
    splits, weights, targets, roots = [], [], [], []
    for target in range(forest.n_outputs_):
        for t in (estimator.tree_ for estimator in forest.estimators_):
            is_leaf = t.children_left < 0
            places = np.where(is_leaf, len(weights) + np.cumsum(is_leaf), len(splits) + np.cumsum(~is_leaf)) - 1
            roots.append(int(places[0]))
            for side, children in (("true", t.children_left[~is_leaf]), ("false", t.children_right[~is_leaf])):
                nodes[f"nodes_{side}nodeids"] += places[children].tolist()
                nodes[f"nodes_{side}leafs"] += is_leaf[children].astype(int).tolist()
            nodes["nodes_featureids"] += t.feature[~is_leaf].tolist()
            splits += t.threshold[~is_leaf].tolist()
            weights += (t.value[is_leaf, target, 0] / len(forest.estimators_)).tolist()
            targets += [target] * int(is_leaf.sum())
    exact, rounded = np.array(splits), np.array(splits).astype(dtype)
    # No number of the type is between a threshold and the largest one that is not above it.
    rounded = np.where(rounded > exact, np.nextafter(rounded, dtype(-np.inf)), rounded)
    attributes = {
        **nodes,
        "nodes_splits": numpy_helper.from_array(rounded),
        "nodes_modes": numpy_helper.from_array(np.zeros(len(splits), dtype=np.uint8)),  # <=
        "leaf_targetids": targets,
        "leaf_weights": numpy_helper.from_array(np.array(weights, dtype=dtype)),
        "tree_roots": roots,
        "n_targets": forest.n_outputs_,
        "aggregate_function": 1,  # the sum
        "post_transform": 0,
    }
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ports = [(element, [None, forest.n_features_in_])]
    return model_of("TreeEnsemble", ports, element, [None, forest.n_outputs_], attributes, ml=5)


if __name__ == "__main__":
    main(sys.argv[1])

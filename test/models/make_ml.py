"""Classic machine learning: models that scikit-learn, LightGBM and XGBoost have trained, as ONNX.

    python3 -m venv build/venv-ml && build/venv-ml/bin/pip install -r test/models/ml-requirements.txt
    build/venv-ml/bin/python test/models/make_ml.py build/test/ml

Trains each estimator on a data set that comes with scikit-learn, converts it by skl2onnx or onnxmltools, and writes a
folder with model.onnx and test_data_set_0, whose outputs are what the library itself predicts: labels bit for bit,
probabilities and values within the tolerance in tolerance.json.
"""

import json
import os
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from sklearn import datasets, ensemble, linear_model, preprocessing, svm, tree
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from skl2onnx import to_onnx

warnings.filterwarnings("ignore")


def save(folder, name, model, inputs, outputs, rtol=1e-5, atol=1e-6):
    """Writes the model and one set of data; outputs whose names the caller does not know are in the model's order."""
    path = os.path.join(folder, name)
    data = os.path.join(path, "test_data_set_0")
    os.makedirs(data, exist_ok=True)
    onnx.save(model, os.path.join(path, "model.onnx"))
    for kind, values, ports in (("input", inputs, model.graph.input), ("output", outputs, model.graph.output)):
        for i, (value, port) in enumerate(zip(values, ports, strict=True)):
            with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                file.write(numpy_helper.from_array(np.ascontiguousarray(value), port.name).SerializeToString())
    with open(os.path.join(path, "tolerance.json"), "w") as file:
        json.dump({"rtol": rtol, "atol": atol}, file)
    print(name, flush=True)


def classifier(folder, name, estimator, x, y, options=None):
    estimator.fit(x, y)
    options = {id(estimator): {"zipmap": False, **(options or {})}}
    model = to_onnx(estimator, x[:1], options=options, target_opset={"": 18, "ai.onnx.ml": 3})
    scores = estimator.predict_proba(x) if hasattr(estimator, "predict_proba") else estimator.decision_function(x)
    save(folder, name, model, [x], [estimator.predict(x).astype(np.int64), scores.astype(np.float32)])


def regressor(folder, name, estimator, x, y, rtol=1e-5, atol=1e-4):
    estimator.fit(x, y)
    model = to_onnx(estimator, x[:1], target_opset={"": 18, "ai.onnx.ml": 3})
    values = estimator.predict(x).astype(np.float32)
    save(folder, name, model, [x], [values.reshape(len(x), -1)], rtol, atol)


def transformer(folder, name, estimator, x, rtol=1e-5, atol=1e-6):
    estimator.fit(x)
    model = to_onnx(estimator, x[:1], target_opset={"": 18, "ai.onnx.ml": 3})
    save(folder, name, model, [x], [estimator.transform(x).astype(np.float32)], rtol, atol)


def main(folder):
    iris = datasets.load_iris()
    cancer = datasets.load_breast_cancer()
    diabetes = datasets.load_diabetes()
    digits = datasets.load_digits()
    f32 = lambda data: data.data.astype(np.float32)
    three, two, many, real = (f32(iris), iris.target), (f32(cancer), cancer.target), (f32(digits), digits.target), (
        f32(diabetes), diabetes.target)

    classifier(folder, "decision-tree", tree.DecisionTreeClassifier(random_state=0), *three)
    classifier(folder, "random-forest-binary", ensemble.RandomForestClassifier(50, random_state=0), *two)
    classifier(folder, "random-forest-digits", ensemble.RandomForestClassifier(100, random_state=0), *many)
    classifier(folder, "extra-trees", ensemble.ExtraTreesClassifier(30, random_state=0), *three)
    classifier(folder, "gradient-boosting-binary", ensemble.GradientBoostingClassifier(random_state=0), *two)
    classifier(folder, "gradient-boosting", ensemble.GradientBoostingClassifier(random_state=0), *three)
    classifier(folder, "logistic-regression", linear_model.LogisticRegression(max_iter=2000), *three)
    classifier(folder, "logistic-regression-binary", linear_model.LogisticRegression(max_iter=5000), *two)
    regressor(folder, "linear-regression", linear_model.LinearRegression(), *real)
    regressor(folder, "lasso", linear_model.Lasso(), *real)
    regressor(folder, "decision-tree-regressor", tree.DecisionTreeRegressor(random_state=0), *real)
    regressor(folder, "random-forest-regressor", ensemble.RandomForestRegressor(50, random_state=0), *real)
    regressor(folder, "gradient-boosting-regressor", ensemble.GradientBoostingRegressor(random_state=0), *real)
    scaled = preprocessing.StandardScaler().fit_transform(cancer.data).astype(np.float32), cancer.target
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        classifier(folder, f"svm-{kernel}", svm.SVC(kernel=kernel, probability=True, random_state=0), *three)
        regressor(folder, f"svm-regressor-{kernel}", svm.SVR(kernel=kernel), scaled[0], cancer.data[:, 0], atol=1e-3)
    classifier(folder, "svm-binary", svm.SVC(probability=True, random_state=0), *scaled)
    classifier(folder, "svm-digits", svm.SVC(gamma=0.001, probability=True, random_state=0), *many)
    targets = np.stack([diabetes.target, -diabetes.target, diabetes.target**0.5], axis=1)
    regressor(folder, "forest-of-three-targets", ensemble.RandomForestRegressor(20, random_state=0), f32(diabetes), targets)
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
    pipeline = make_pipeline(SimpleImputer(), preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=2000))
    classifier(folder, "pipeline", pipeline, missing, iris.target)

    boosted(folder, three, two, real)


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
        save(folder, name + "-regressor", model, [x], [estimator.predict(x).astype(np.float32).reshape(-1, 1)], 1e-5, 1e-4)


if __name__ == "__main__":
    main(sys.argv[1])

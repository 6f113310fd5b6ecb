// RUN: mlc-opt %s -split-input-file -verify-diagnostics --mlc-simplify --mlc-lower

// A circle would never end.
func.func @model(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  // expected-error @+1 {{expects trees, got nodes that lead in a circle}}
  %y = onnx.ml.TreeEnsembleRegressor(%x) {aggregate_function = "SUM", post_transform = "NONE", n_targets = 1, nodes_treeids = [0, 0, 0], nodes_nodeids = [0, 1, 2], nodes_featureids = [0, 0, 0],
    nodes_modes = ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"], nodes_values = [0.0, 0.0, 0.0], nodes_truenodeids = [1, 0, 0], nodes_falsenodeids = [2, 2, 0],
    target_treeids = [0], target_nodeids = [2], target_ids = [0], target_weights = [1.0]} : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

func.func @model(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  // expected-error @+1 {{expects node 7 of tree 0, which is named, among the nodes}}
  %y = onnx.ml.TreeEnsembleRegressor(%x) {aggregate_function = "SUM", post_transform = "NONE", n_targets = 1, nodes_treeids = [0, 0], nodes_nodeids = [0, 1], nodes_featureids = [0, 0],
    nodes_modes = ["BRANCH_LEQ", "LEAF"], nodes_values = [0.0, 0.0], nodes_truenodeids = [1, 0], nodes_falsenodeids = [7, 0],
    target_treeids = [0], target_nodeids = [1], target_ids = [0], target_weights = [1.0]} : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

func.func @model(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  // expected-error @+1 {{expects 2 entries of nodes_values, got 1}}
  %y = onnx.ml.TreeEnsembleRegressor(%x) {aggregate_function = "SUM", post_transform = "NONE", n_targets = 1, nodes_treeids = [0, 0], nodes_nodeids = [0, 1], nodes_featureids = [0, 0],
    nodes_modes = ["BRANCH_LEQ", "LEAF"], nodes_values = [0.0], nodes_truenodeids = [1, 0], nodes_falsenodeids = [1, 0],
    target_treeids = [0], target_nodeids = [1], target_ids = [0], target_weights = [1.0]} : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// RUN: mlc-opt %s --mlc-emit-entry-point | FileCheck %s
// RUN: mlc-opt %s --mlc-emit-entry-point --mlc-convert-cpu-to-llvm --reconcile-unrealized-casts | FileCheck %s --check-prefix=LLVM

// CHECK: module @"my-model" attributes {mlc.interface = {inputs = [{dimensions = ["batch", 8], element = i1, is_handle = false, name = "x"}]
module @"my-model" attributes {mlc.target = #mlc.target<"x86", chip = "c", features = "+avx2", vector_bytes = 32>,
                               onnx.properties = {author = "someone"}} {
func.func private @model_arena(%batch: index) -> index {
  return %batch : index
}
func.func @model(%frame: !llvm.ptr, %x: memref<?x8xi8> {onnx.name = "x", onnx.dims = ["batch", ""], onnx.type = tensor<?x8xi1>})
    attributes {mlc.outputs = [{mlc.type = memref<?xf32>, onnx.name = "y"}]} {
  return
}
// CHECK-LABEL: func.func @mlc_model_run(%{{.*}}: !llvm.ptr)
// CHECK: %[[X:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?x8xi8>
// CHECK: call @model(%{{.*}}, %[[X]])
// CHECK-LABEL: func.func @mlc_arena_bytes(%{{.*}}: !llvm.ptr) -> i64
// LLVM: llvm.mlir.global internal constant @{{.*}}("author\00")
// LLVM: llvm.mlir.global internal constant @{{.*}}("+avx2\00")
// LLVM: llvm.mlir.global external constant @mlc_model_data()
// LLVM: llvm.func @my_model_mlc(%{{.*}}: i32) -> !llvm.ptr attributes {mlc.exported}
// LLVM: llvm.call @mlc_rt_entry
}

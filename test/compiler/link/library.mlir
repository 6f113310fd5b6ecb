// A library needs nothing but libc and libm, offers its two entry points, and keeps its weights in a read-only segment of their own.
// RUN: rm -rf %t && mkdir %t
// RUN: mlc compile %s --from=bufferize -o %t/model.so --header=%t/model.h
// RUN: llvm-readelf -dW --dyn-syms %t/model.so | FileCheck %s --implicit-check-not=NEEDED
// RUN: llvm-readelf -SW %t/model.so | FileCheck %s --check-prefix=SECTIONS
// RUN: llvm-readelf -lW %t/model.so | FileCheck %s --check-prefix=SEGMENTS
// RUN: ls %t | FileCheck %s --check-prefix=FILES
// RUN: FileCheck %s --input-file=%t/model.h --check-prefix=HEADER

// CHECK: (NEEDED) {{.*}} [libc.so.6]
// CHECK-DAG: GLOBAL DEFAULT {{.*}} mlc_model_entry
// CHECK-DAG: GLOBAL DEFAULT {{.*}} scale_mlc

// Two constants with equal contents are one: 256 bytes of 512.
// SECTIONS: .mlc_weights PROGBITS {{[0-9a-f]+}} {{[0-9a-f]+}} 000100 00 A
// SEGMENTS: LOAD {{.*}} 0x000100 0x000100 R 0x1000
// SEGMENTS-NOT: RWE

// FILES: model.h
// FILES-NEXT: model.so
// FILES-NOT: model

// HEADER: const mlc_model *scale_mlc(uint32_t version);
// HEADER: enum { scale_dim_batch = 0 };
// HEADER: x: float32[batch, 64]
// HEADER: static inline mlc_status scale_run(mlc_session *session, int64_t batch, const float *x, float *y, mlc_error *error)

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
module @scale attributes {mlc.target = #mlc.target<"x86", chip = "x86-64-v2", features = "+sse4.2", vector_bytes = 16>} {
func.func private @mul(%x: tensor<?x64xf32>, %w: tensor<64xf32>, %out: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {mlc.kernel} {
  %0 = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
func.func @model(%x: tensor<?x64xf32> {onnx.name = "x", onnx.dims = ["batch", ""]}) -> (tensor<?x64xf32> {onnx.name = "y", onnx.dims = ["batch", ""]}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %w = arith.constant dense_resource<half> : tensor<64xf32>
  %u = arith.constant dense_resource<half_again> : tensor<64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %0 = call @mul(%x, %w, %e) : (tensor<?x64xf32>, tensor<64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %f = tensor.empty(%n) : tensor<?x64xf32>
  %1 = call @mul(%0, %u, %f) : (tensor<?x64xf32>, tensor<64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}
}
{-# dialect_resources: { builtin: {
  half: "0x400000000000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f",
  half_again: "0x400000000000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f"
} } #-}

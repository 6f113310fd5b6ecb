// RUN: mlc-opt %s | mlc-opt | FileCheck %s
// RUN: mlc-opt %s --mlc-bufferize-tensors | FileCheck %s --check-prefix=BUFFERS

// CHECK-LABEL: @texts
func.func @texts() -> !mlc.string {
  %offset = arith.constant 1 : i64
  // CHECK: %[[TEXT:.*]] = mlc.text "abc"
  %text = mlc.text "abc"
  // CHECK: %[[PART:.*]] = mlc.substring %[[TEXT]] from %{{.*}} size %{{.*}}
  %part = mlc.substring %text from %offset size %offset
  // CHECK: mlc.service "string_concat"(%[[TEXT]], %[[PART]]) : (!mlc.string, !mlc.string) -> !mlc.string
  %both = mlc.service "string_concat"(%text, %part) : (!mlc.string, !mlc.string) -> !mlc.string
  return %both : !mlc.string
}

// What a sequence gives is its own memory: who changes it gets a copy. What it takes, it copies.
// BUFFERS-LABEL: @model
// CHECK-LABEL: @model
func.func @model(%s: !mlc.sequence, %i: i64, %n: index, %f: f32) -> (!mlc.sequence, tensor<?xf32>) {
  %zero = arith.constant 0 : index
  // CHECK: mlc.at %{{.*}}[%{{.*}}] sizes(%{{.*}}) : tensor<?xf32>
  // BUFFERS: %[[OWN:.*]] = mlc.at %{{.*}} : memref<?xf32>
  %x = mlc.at %s[%i] sizes(%n) : tensor<?xf32>
  // BUFFERS: %[[COPY:.*]] = memref.alloc
  // BUFFERS: memref.copy %[[OWN]], %[[COPY]]
  // BUFFERS: memref.store %{{.*}}, %[[COPY]]
  %y = tensor.insert %f into %x[%zero] : tensor<?xf32>
  // CHECK: mlc.insert %{{.*}} into %{{.*}} at %{{.*}} type 1 : tensor<?xf32>
  // BUFFERS: mlc.insert %[[OWN]] into
  %t = mlc.insert %x into %s at %i type 1 : tensor<?xf32>
  return %t, %y : !mlc.sequence, tensor<?xf32>
}

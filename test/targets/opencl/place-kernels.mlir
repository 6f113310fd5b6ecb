// RUN: mlc-opt %s -mlc-place-kernels -verify-diagnostics | FileCheck %s

// expected-remark @+1 {{1 kernels on the device, 2 on the host}}
module attributes {mlc.target = #mlc.target<"opencl", chip = "x86-64", features = "", vector_bytes = 16>} {
  // CHECK: func.func private @fill{{.*}} attributes {mlc.device, mlc.kernel}
  func.func private @fill(%out: memref<8xf32>) attributes {mlc.kernel} {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%out : memref<8xf32>)
    return
  }

  // CHECK: func.func private @small_floats{{.*}} attributes {mlc.kernel}
  func.func private @small_floats(%in: memref<8xf8E4M3FN>, %out: memref<8xf8E4M3FN>) attributes {mlc.kernel} {
    // expected-remark @+1 {{kernel 'small_floats' runs on the host: the device has no elements of f8E4M3FN}}
    memref.copy %in, %out : memref<8xf8E4M3FN> to memref<8xf8E4M3FN>
    return
  }

  // CHECK: func.func private @one_store{{.*}} attributes {mlc.kernel}
  func.func private @one_store(%out: memref<8xf32>, %i: index) attributes {mlc.kernel} {
    %zero = arith.constant 0.0 : f32
    // expected-remark @+1 {{kernel 'one_store' runs on the host: 'memref.store' has no threads to be shared among}}
    memref.store %zero, %out[%i] : memref<8xf32>
    return
  }
}

// RUN: mlc-opt %s -mlc-place-kernels -verify-diagnostics | FileCheck %s

#id = affine_map<(i) -> (i)>
// expected-remark @+1 {{1 kernels on the device, 2 on the host}}
module attributes {mlc.target = #mlc.target<"hip", chip = "gfx942", features = "", vector_bytes = 16>} {
  // Halves are numbers here; elementary functions are arithmetic.
  // CHECK: func.func private @halves{{.*}} attributes {mlc.device, mlc.kernel}
  func.func private @halves(%in: memref<8xbf16>, %out: memref<8xbf16>) attributes {mlc.kernel} {
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%in : memref<8xbf16>) outs(%out : memref<8xbf16>) {
    ^bb0(%x: bf16, %y: bf16):
      %0 = arith.addf %x, %x : bf16
      %1 = math.exp %0 : bf16
      linalg.yield %1 : bf16
    }
    return
  }

  // There is no library to call.
  // CHECK: func.func private @exponentials{{.*}} attributes {mlc.kernel}
  func.func private @exponentials(%in: memref<8xf64>, %out: memref<8xf64>) attributes {mlc.kernel} {
    // expected-remark @+1 {{kernel 'exponentials' runs on the host: the device has no form of math.exp of f64}}
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%in : memref<8xf64>) outs(%out : memref<8xf64>) {
    ^bb0(%x: f64, %y: f64):
      %0 = math.exp %x : f64
      linalg.yield %0 : f64
    }
    return
  }

  // CHECK: func.func private @small_floats{{.*}} attributes {mlc.kernel}
  func.func private @small_floats(%in: memref<8xf8E4M3FN>, %out: memref<8xf8E4M3FN>) attributes {mlc.kernel} {
    // expected-remark @+1 {{kernel 'small_floats' runs on the host: the device has no elements of f8E4M3FN}}
    memref.copy %in, %out : memref<8xf8E4M3FN> to memref<8xf8E4M3FN>
    return
  }
}

// RUN: mlc-opt %s -split-input-file -verify-diagnostics -mlc-fold-layers

#map = affine_map<(i) -> (i)>
module attributes {mlc.target = #mlc.target<"fpga", chip = "zcu104", features = "", vector_bytes = 16>} {
  gpu.module @device {
    gpu.func @few(%x: memref<8xf32>) kernel {
      %zero = arith.constant 0.0 : f32
      // expected-error @+1 {{expects in 'fpga.folding' an array 'unroll' of 1 numbers, one for each loop}}
      linalg.fill {fpga.folding = {unroll = array<i64: 1, 1>}} ins(%zero : f32) outs(%x : memref<8xf32>)
      gpu.return
    }
  }
}

// -----

module attributes {mlc.target = #mlc.target<"fpga", chip = "zcu104", features = "", vector_bytes = 16>} {
  gpu.module @device {
    gpu.func @three(%x: memref<8xf32>) kernel {
      %zero = arith.constant 0.0 : f32
      // expected-error @+1 {{expects a divisor of 8 to unroll loop 0 by, got 3}}
      linalg.fill {fpga.folding = {unroll = array<i64: 3>}} ins(%zero : f32) outs(%x : memref<8xf32>)
      gpu.return
    }
  }
}

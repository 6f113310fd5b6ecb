// Contractions of many kinds against plain loops, on whole numbers so that they must agree in every bit.
// RUN: mlc-opt %s -pass-pipeline='builtin.module(func.func(mlc-lower-contract),mlc-build-micro-kernels)' \
// RUN:   | mlir-opt -convert-linalg-to-loops -expand-strided-metadata -lower-affine -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-runner -O2 -e main -entry-point-result=void -shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so | FileCheck %s
// RUN: mlc-opt %s -pass-pipeline='builtin.module(func.func(mlc-lower-contract{vector-bytes=32 rows=6,6,4 depth-block=16}),mlc-build-micro-kernels)' \
// RUN:   | mlir-opt -convert-linalg-to-loops -expand-strided-metadata -lower-affine -canonicalize -convert-scf-to-cf -convert-vector-to-llvm -finalize-memref-to-llvm -convert-func-to-llvm -convert-arith-to-llvm -convert-index-to-llvm -convert-cf-to-llvm -reconcile-unrealized-casts \
// RUN:   | mlir-runner -O2 -e main -entry-point-result=void -shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so | FileCheck %s

// Small whole numbers that repeat with a period.
func.func private @fill(%m: memref<?xf32>, %period: index) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%m : memref<?xf32>) {
  ^bb0(%old: f32):
    %i = linalg.index 0 : index
    %r = arith.remui %i, %period : index
    %c = arith.index_cast %r : index to i32
    %three = arith.constant 3 : i32
    %d = arith.subi %c, %three : i32
    %f = arith.sitofp %d : i32 to f32
    linalg.yield %f : f32
  }
  return
}

// What panels hold beyond the last column must not matter.
func.func private @pack(%w: memref<?x?xf32, strided<[?, 1]>>, %panels: memref<?x?x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(p, k, j) -> (p, k, j)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%panels : memref<?x?x32xf32>) {
  ^bb0(%old: f32):
    %p = linalg.index 0 : index
    %k = linalg.index 1 : index
    %j = linalg.index 2 : index
    %width = arith.constant 32 : index
    %one = arith.constant 1 : index
    %first = arith.muli %p, %width : index
    %n = arith.addi %first, %j : index
    %columns = memref.dim %w, %one : memref<?x?xf32, strided<[?, 1]>>
    %exists = arith.cmpi ult, %n, %columns : index
    %v = scf.if %exists -> f32 {
      %r = memref.load %w[%k, %n] : memref<?x?xf32, strided<[?, 1]>>
      scf.yield %r : f32
    } else {
      %nan = arith.constant 0x7FC00000 : f32
      scf.yield %nan : f32
    }
    linalg.yield %v : f32
  }
  return
}

func.func private @printDifferences(%a: memref<?xf32>, %b: memref<?xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %size = memref.dim %a, %zero : memref<?xf32>
  %none = arith.constant 0 : i64
  %count = scf.for %i = %zero to %size step %one iter_args(%n = %none) -> i64 {
    %x = memref.load %a[%i] : memref<?xf32>
    %y = memref.load %b[%i] : memref<?xf32>
    %differ = arith.cmpf une, %x, %y : f32
    %bit = arith.extui %differ : i1 to i64
    %next = arith.addi %n, %bit : i64
    scf.yield %next : i64
  }
  vector.print %count : i64
  return
}

func.func private @product(%m: index, %n: index, %k: index) {
  %three = arith.constant 3 : index
  %seven = arith.constant 7 : index
  %five = arith.constant 5 : index
  %width = arith.constant 32 : index
  %mk = arith.muli %m, %k : index
  %kn = arith.muli %k, %n : index
  %mn = arith.muli %m, %n : index
  %flatX = memref.alloc(%mk) : memref<?xf32>
  %flatW = memref.alloc(%kn) : memref<?xf32>
  %flatY = memref.alloc(%mn) : memref<?xf32>
  %flatZ = memref.alloc(%mn) : memref<?xf32>
  call @fill(%flatX, %seven) : (memref<?xf32>, index) -> ()
  call @fill(%flatW, %five) : (memref<?xf32>, index) -> ()
  call @fill(%flatY, %three) : (memref<?xf32>, index) -> ()
  call @fill(%flatZ, %three) : (memref<?xf32>, index) -> ()
  %x = memref.reinterpret_cast %flatX to offset: [0], sizes: [%m, %k], strides: [%k, 1] : memref<?xf32> to memref<?x?xf32, strided<[?, 1]>>
  %w = memref.reinterpret_cast %flatW to offset: [0], sizes: [%k, %n], strides: [%n, 1] : memref<?xf32> to memref<?x?xf32, strided<[?, 1]>>
  %y = memref.reinterpret_cast %flatY to offset: [0], sizes: [%m, %n], strides: [%n, 1] : memref<?xf32> to memref<?x?xf32, strided<[?, 1]>>
  %z = memref.reinterpret_cast %flatZ to offset: [0], sizes: [%m, %n], strides: [%n, 1] : memref<?xf32> to memref<?x?xf32, strided<[?, 1]>>
  %panelCount = arith.ceildivui %n, %width : index
  %panels = memref.alloc(%panelCount, %k) : memref<?x?x32xf32>
  call @pack(%w, %panels) : (memref<?x?xf32, strided<[?, 1]>>, memref<?x?x32xf32>) -> ()
  linalg.matmul ins(%x, %w : memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32, strided<[?, 1]>>) outs(%z : memref<?x?xf32, strided<[?, 1]>>)
  mlc.contract accumulate ins(%x, %panels : memref<?x?xf32, strided<[?, 1]>>, memref<?x?x32xf32>) outs(%y : memref<?x?xf32, strided<[?, 1]>>)
    {lhs_map = affine_map<(m, n, k) -> (m, k)>, rhs_map = affine_map<(m, n, k) -> (n floordiv 32, k, n mod 32)>}
  call @printDifferences(%flatY, %flatZ) : (memref<?xf32>, memref<?xf32>) -> ()

  // The same with the right-hand side in rows.
  call @fill(%flatY, %three) : (memref<?xf32>, index) -> ()
  mlc.contract accumulate ins(%x, %w : memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32, strided<[?, 1]>>) outs(%y : memref<?x?xf32, strided<[?, 1]>>)
    {lhs_map = affine_map<(m, n, k) -> (m, k)>, rhs_map = affine_map<(m, n, k) -> (k, n)>}
  call @printDifferences(%flatY, %flatZ) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

// A strided, dilated convolution of 3 x 3, 8 channels to 37.
func.func private @convolution() {
  %seven = arith.constant 7 : index
  %five = arith.constant 5 : index
  %flatX = memref.alloc() : memref<2888xf32>
  %flatW = memref.alloc() : memref<2664xf32>
  %flatY = memref.alloc() : memref<2072xf32>
  %flatZ = memref.alloc() : memref<2072xf32>
  %anyX = memref.cast %flatX : memref<2888xf32> to memref<?xf32>
  %anyW = memref.cast %flatW : memref<2664xf32> to memref<?xf32>
  %anyY = memref.cast %flatY : memref<2072xf32> to memref<?xf32>
  %anyZ = memref.cast %flatZ : memref<2072xf32> to memref<?xf32>
  call @fill(%anyX, %seven) : (memref<?xf32>, index) -> ()
  call @fill(%anyW, %five) : (memref<?xf32>, index) -> ()
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%flatZ : memref<2072xf32>)
  %x = memref.expand_shape %flatX [[0, 1, 2, 3]] output_shape [1, 19, 19, 8] : memref<2888xf32> into memref<1x19x19x8xf32>
  %w2 = memref.expand_shape %flatW [[0, 1]] output_shape [72, 37] : memref<2664xf32> into memref<72x37xf32>
  %w = memref.expand_shape %w2 [[0, 1, 2], [3]] output_shape [3, 3, 8, 37] : memref<72x37xf32> into memref<3x3x8x37xf32>
  %y = memref.expand_shape %flatY [[0, 1, 2, 3]] output_shape [1, 8, 7, 37] : memref<2072xf32> into memref<1x8x7x37xf32>
  %z = memref.expand_shape %flatZ [[0, 1, 2, 3]] output_shape [1, 8, 7, 37] : memref<2072xf32> into memref<1x8x7x37xf32>
  %panels = memref.alloc() : memref<2x72x32xf32>
  %anyPanels = memref.cast %panels : memref<2x72x32xf32> to memref<?x?x32xf32>
  %anyW2 = memref.cast %w2 : memref<72x37xf32> to memref<?x?xf32, strided<[?, 1]>>
  call @pack(%anyW2, %anyPanels) : (memref<?x?xf32, strided<[?, 1]>>, memref<?x?x32xf32>) -> ()
  linalg.generic {indexing_maps = [affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x * 2 + j * 3, c)>,
                                   affine_map<(b, y, x, n, i, j, c) -> (i, j, c, n)>,
                                   affine_map<(b, y, x, n, i, j, c) -> (b, y, x, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    ins(%x, %w : memref<1x19x19x8xf32>, memref<3x3x8x37xf32>) outs(%z : memref<1x8x7x37xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %s, %p : f32
    linalg.yield %t : f32
  }
  mlc.contract ins(%x, %panels : memref<1x19x19x8xf32>, memref<2x72x32xf32>) outs(%y : memref<1x8x7x37xf32>)
    {lhs_map = affine_map<(b, y, x, n, i, j, c) -> (b, y * 2 + i, x * 2 + j * 3, c)>,
     rhs_map = affine_map<(b, y, x, n, i, j, c) -> (n floordiv 32, i * 24 + j * 8 + c, n mod 32)>}
  call @printDifferences(%anyY, %anyZ) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

// A depthwise convolution of 3 x 3 on 37 channels.
func.func private @depthwise() {
  %seven = arith.constant 7 : index
  %five = arith.constant 5 : index
  %flatX = memref.alloc() : memref<2997xf32>
  %flatW = memref.alloc() : memref<333xf32>
  %flatY = memref.alloc() : memref<1813xf32>
  %flatZ = memref.alloc() : memref<1813xf32>
  %anyX = memref.cast %flatX : memref<2997xf32> to memref<?xf32>
  %anyW = memref.cast %flatW : memref<333xf32> to memref<?xf32>
  %anyY = memref.cast %flatY : memref<1813xf32> to memref<?xf32>
  %anyZ = memref.cast %flatZ : memref<1813xf32> to memref<?xf32>
  call @fill(%anyX, %seven) : (memref<?xf32>, index) -> ()
  call @fill(%anyW, %five) : (memref<?xf32>, index) -> ()
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%flatZ : memref<1813xf32>)
  %x = memref.expand_shape %flatX [[0, 1, 2, 3]] output_shape [1, 9, 9, 37] : memref<2997xf32> into memref<1x9x9x37xf32>
  %w2 = memref.expand_shape %flatW [[0, 1]] output_shape [9, 37] : memref<333xf32> into memref<9x37xf32>
  %w = memref.expand_shape %w2 [[0, 1], [2]] output_shape [3, 3, 37] : memref<9x37xf32> into memref<3x3x37xf32>
  %y = memref.expand_shape %flatY [[0, 1, 2, 3]] output_shape [1, 7, 7, 37] : memref<1813xf32> into memref<1x7x7x37xf32>
  %z = memref.expand_shape %flatZ [[0, 1, 2, 3]] output_shape [1, 7, 7, 37] : memref<1813xf32> into memref<1x7x7x37xf32>
  %panels = memref.alloc() : memref<2x9x32xf32>
  %anyPanels = memref.cast %panels : memref<2x9x32xf32> to memref<?x?x32xf32>
  %anyW2 = memref.cast %w2 : memref<9x37xf32> to memref<?x?xf32, strided<[?, 1]>>
  call @pack(%anyW2, %anyPanels) : (memref<?x?xf32, strided<[?, 1]>>, memref<?x?x32xf32>) -> ()
  linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : memref<1x9x9x37xf32>, memref<3x3x37xf32>) outs(%z : memref<1x7x7x37xf32>)
  mlc.contract ins(%x, %panels : memref<1x9x9x37xf32>, memref<2x9x32xf32>) outs(%y : memref<1x7x7x37xf32>)
    {lhs_map = affine_map<(b, y, x, n, i, j) -> (b, y + i, x + j, n)>,
     rhs_map = affine_map<(b, y, x, n, i, j) -> (n floordiv 32, i * 3 + j, n mod 32)>}
  call @printDifferences(%anyY, %anyZ) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

// Heads of scores times values, laid out as attention has them.
func.func private @batches() {
  %seven = arith.constant 7 : index
  %five = arith.constant 5 : index
  %flatX = memref.alloc() : memref<1020xf32>
  %flatW = memref.alloc() : memref<510xf32>
  %flatY = memref.alloc() : memref<600xf32>
  %flatZ = memref.alloc() : memref<600xf32>
  %anyX = memref.cast %flatX : memref<1020xf32> to memref<?xf32>
  %anyW = memref.cast %flatW : memref<510xf32> to memref<?xf32>
  %anyY = memref.cast %flatY : memref<600xf32> to memref<?xf32>
  %anyZ = memref.cast %flatZ : memref<600xf32> to memref<?xf32>
  call @fill(%anyX, %seven) : (memref<?xf32>, index) -> ()
  call @fill(%anyW, %five) : (memref<?xf32>, index) -> ()
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%flatZ : memref<600xf32>)
  %x = memref.expand_shape %flatX [[0, 1, 2]] output_shape [3, 20, 17] : memref<1020xf32> into memref<3x20x17xf32>
  %w = memref.expand_shape %flatW [[0, 1, 2]] output_shape [17, 3, 10] : memref<510xf32> into memref<17x3x10xf32>
  %y = memref.expand_shape %flatY [[0, 1, 2]] output_shape [20, 3, 10] : memref<600xf32> into memref<20x3x10xf32>
  %z = memref.expand_shape %flatZ [[0, 1, 2]] output_shape [20, 3, 10] : memref<600xf32> into memref<20x3x10xf32>
  linalg.fill ins(%zero : f32) outs(%flatY : memref<600xf32>)
  linalg.generic {indexing_maps = [affine_map<(s, h, n, k) -> (h, s, k)>, affine_map<(s, h, n, k) -> (k, h, n)>, affine_map<(s, h, n, k) -> (s, h, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<3x20x17xf32>, memref<17x3x10xf32>) outs(%z : memref<20x3x10xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %s, %p : f32
    linalg.yield %t : f32
  }
  mlc.contract ins(%x, %w : memref<3x20x17xf32>, memref<17x3x10xf32>) outs(%y : memref<20x3x10xf32>)
    {lhs_map = affine_map<(s, h, n, k) -> (h, s, k)>, rhs_map = affine_map<(s, h, n, k) -> (k, h, n)>}
  call @printDifferences(%anyY, %anyZ) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c13 = arith.constant 13 : index
  %c64 = arith.constant 64 : index
  %c77 = arith.constant 77 : index
  // CHECK-COUNT-13: {{^0$}}
  call @product(%c13, %c77, %c64) : (index, index, index) -> ()
  call @product(%c1, %c13, %c77) : (index, index, index) -> ()
  call @product(%c77, %c64, %c1) : (index, index, index) -> ()
  call @product(%c64, %c1, %c13) : (index, index, index) -> ()
  call @product(%c13, %c13, %c0) : (index, index, index) -> ()
  call @convolution() : () -> ()
  call @depthwise() : () -> ()
  call @batches() : () -> ()
  // CHECK-NOT: {{[0-9]}}
  return
}

// RUN: mlc-opt %s --split-input-file --mlc-plan-memory --canonicalize --cse | FileCheck %s

func.func private @k(%in: memref<1024xf32>, %out: memref<1024xf32>) attributes {mlc.kernel}

// The third buffer lies where the first one did; the last is the output itself.
// CHECK-LABEL: func.func private @model_arena() -> index
// CHECK: %[[BYTES:.*]] = arith.constant 8192 : index
// CHECK: return %[[BYTES]]
// CHECK-LABEL: func.func @model(
// CHECK-SAME: attributes {mlc.outputs = [{mlc.type = memref<1024xf32>, onnx.name = "y"}]}
// CHECK: %[[ARENA:.*]] = mlc.arena
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%[[AT_A:.*]]][]
// CHECK: call @k(%{{.*}}, %[[A]])
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%[[AT_B:.*]]][]
// CHECK: call @k(%[[A]], %[[B]])
// The same view: the first one is not needed any more.
// CHECK: call @k(%[[B]], %[[A]])
// CHECK: %[[Y:.*]] = mlc.output 0 extents(%{{.*}}) : memref<1024xf32>
// CHECK: call @k(%[[A]], %[[Y]])
// CHECK-NEXT: return
func.func @model(%x: memref<1024xf32>) -> (memref<1024xf32> {onnx.name = "y"}) {
  %a = memref.alloc() : memref<1024xf32>
  call @k(%x, %a) : (memref<1024xf32>, memref<1024xf32>) -> ()
  %b = memref.alloc() : memref<1024xf32>
  call @k(%a, %b) : (memref<1024xf32>, memref<1024xf32>) -> ()
  %c = memref.alloc() : memref<1024xf32>
  call @k(%b, %c) : (memref<1024xf32>, memref<1024xf32>) -> ()
  %y = memref.alloc() : memref<1024xf32>
  call @k(%c, %y) : (memref<1024xf32>, memref<1024xf32>) -> ()
  return %y : memref<1024xf32>
}

// -----

// A buffer that lives across a loop is not shared with what the loop makes, though its last use in the text comes first.
func.func private @k(%in: memref<16xf32>, %out: memref<16xf32>) attributes {mlc.kernel}
// CHECK-LABEL: func.func private @model_arena() -> index
// CHECK: %[[BYTES:.*]] = arith.constant 128 : index
// CHECK: return %[[BYTES]]
func.func @model(%x: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %a = memref.alloc() : memref<16xf32>
  call @k(%x, %a) : (memref<16xf32>, memref<16xf32>) -> ()
  scf.for %i = %c0 to %c8 step %c1 {
    %t = memref.alloc() : memref<16xf32>
    func.call @k(%a, %t) : (memref<16xf32>, memref<16xf32>) -> ()
    %u = memref.alloc() : memref<16xf32>
    func.call @k(%t, %x) : (memref<16xf32>, memref<16xf32>) -> ()
    func.call @k(%x, %u) : (memref<16xf32>, memref<16xf32>) -> ()
  }
  return
}

// -----

// Sizes that follow from the inputs' extents are a formula; 64-bit overflow makes it -1.
func.func private @k(%in: memref<?x8xf32>, %out: memref<?x8xf32>) attributes {mlc.kernel}
// CHECK-LABEL: func.func private @model_arena(%{{.*}}: index) -> (index, index, index)
// CHECK: llvm.intr.smul.with.overflow
// CHECK: %[[BYTES:.*]] = arith.select %{{.*}}, %c-1, %{{.*}} : index
// CHECK: return %[[BYTES]],
// CHECK-LABEL: func.func @model(
// CHECK: %[[PLAN:.*]]:3 = call @model_arena(%[[N:.*]]) : (index) -> (index, index, index)
// CHECK: memref.view %{{.*}}[%[[PLAN]]#{{[12]}}][%[[N]]]
// CHECK: memref.view %{{.*}}[%[[PLAN]]#{{[12]}}][%[[N]]]
func.func @model(%x: memref<?x8xf32> {onnx.name = "x", onnx.dims = ["batch", ""]}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %a = memref.alloc(%n) : memref<?x8xf32>
  call @k(%x, %a) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  %b = memref.alloc(%n) : memref<?x8xf32>
  call @k(%a, %b) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  call @k(%b, %a) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// A size that comes out of the data is asked for when it is known.
func.func private @k(%in: memref<?xf32>) attributes {mlc.kernel}
// CHECK-LABEL: func.func @model(
// CHECK: %[[N:.*]] = memref.load
// CHECK: mlc.allocate(%[[N]]) : memref<?xf32>
func.func @model(%count: memref<index>) {
  %n = memref.load %count[] : memref<index>
  %a = memref.alloc(%n) : memref<?xf32>
  call @k(%a) : (memref<?xf32>) -> ()
  return
}

// -----

// What is returned under another shape is written under its own; an input that is returned is copied.
func.func private @k(%in: memref<?x8xf32>, %out: memref<?x8xf32>) attributes {mlc.kernel}
// CHECK-LABEL: func.func private @model_output_extents
// CHECK-LABEL: func.func @model(
// CHECK: %[[SIZE:.*]] = arith.muli
// CHECK: %[[Y:.*]] = mlc.output 0 extents(%[[SIZE]]) sizes(%[[N:.*]]) : memref<?x8xf32>
// CHECK: call @k(%[[X:.*]], %[[Y]])
// CHECK: %[[Z:.*]] = mlc.output 1 extents(%[[N]], %c8) sizes(%[[N]]) : memref<?x8xf32>
// CHECK: memref.copy %[[X]], %[[Z]]
func.func @model(%x: memref<?x8xf32>) -> (memref<?xf32>, memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %a = memref.alloc(%n) : memref<?x8xf32>
  call @k(%x, %a) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  %flat = memref.collapse_shape %a [[0, 1]] : memref<?x8xf32> into memref<?xf32>
  return %flat, %x : memref<?xf32>, memref<?x8xf32>
}

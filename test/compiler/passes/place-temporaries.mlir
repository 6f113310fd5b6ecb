// RUN: mlc-opt %s --mlc-place-temporaries --canonicalize --split-input-file | FileCheck %s

func.func private @use(memref<?xf32>)

// A small one lies on the stack, of the body that uses it.
// CHECK-LABEL: func.func private @small
// CHECK: scf.forall
// CHECK-NEXT: memref.alloca() {alignment = 64 : i64} : memref<128xf32>
func.func private @small(%x: memref<128xf32>) attributes {mlc.kernel} {
  scf.forall (%i) in (16) {
    %t = memref.alloc() : memref<128xf32>
    memref.copy %x, %t : memref<128xf32> to memref<128xf32>
    memref.copy %t, %x : memref<128xf32> to memref<128xf32>
  }
  return
}

// A large one is brought by the caller.
// CHECK-LABEL: func.func private @large
// CHECK-SAME: %[[N:.*]]: index, %{{.*}}: memref<?xf32>, %[[T:.*]]: memref<?x1024xf32> {llvm.noalias, mlc.temporary})
// CHECK-NOT: alloc
func.func private @large(%n: index, %x: memref<?xf32>) attributes {mlc.kernel} {
  %c0 = arith.constant 0 : index
  %t = memref.alloc(%n) : memref<?x1024xf32>
  %v = memref.load %t[%c0, %c0] : memref<?x1024xf32>
  memref.store %v, %x[%c0] : memref<?xf32>
  return
}
// CHECK-LABEL: func.func @model
// CHECK: %[[T:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x1024xf32>
// CHECK: call @large(%{{.*}}, %{{.*}}, %[[T]])
func.func @model(%n: index, %x: memref<?xf32>) {
  call @large(%n, %x) : (index, memref<?xf32>) -> ()
  return
}

// -----

// Large ones in a parallel body share the thread's scratch memory.
// CHECK-LABEL: func.func private @scratch
// CHECK: scf.forall
// CHECK: %[[MEMORY:.*]] = mlc.scratch %{{.*}} : memref<?xi8>
// CHECK: memref.view %[[MEMORY]]
// CHECK: memref.view %[[MEMORY]]
func.func private @scratch(%x: memref<100000xf32>) attributes {mlc.kernel} {
  scf.forall (%i) in (16) {
    %t = memref.alloc() : memref<100000xf32>
    %u = memref.alloc() : memref<100000xf32>
    memref.copy %x, %t : memref<100000xf32> to memref<100000xf32>
    memref.copy %t, %u : memref<100000xf32> to memref<100000xf32>
    memref.copy %u, %x : memref<100000xf32> to memref<100000xf32>
  }
  return
}

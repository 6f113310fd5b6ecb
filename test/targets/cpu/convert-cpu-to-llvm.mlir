// RUN: mlc-opt %s -mlc-convert-cpu-to-llvm | FileCheck %s

// bfloat16 is moved as integers where a mask says which elements: not every back end of LLVM can otherwise.
// CHECK-LABEL: llvm.func @narrow
// CHECK: %[[LOADED:.*]] = llvm.intr.masked.load {{.*}} -> vector<8xi16>
// CHECK: %[[FLOATS:.*]] = llvm.bitcast %[[LOADED]] : vector<8xi16> to vector<8xbf16>
// CHECK: llvm.fadd %[[FLOATS]], %[[FLOATS]] : vector<8xbf16>
// CHECK: llvm.intr.masked.store {{.*}} : vector<8xi16>
func.func @narrow(%x: memref<?xbf16>, %mask: vector<8xi1>, %rest: vector<8xbf16>, %i: index) {
  %v = vector.maskedload %x[%i], %mask, %rest : memref<?xbf16>, vector<8xi1>, vector<8xbf16> into vector<8xbf16>
  %s = arith.addf %v, %v : vector<8xbf16>
  vector.maskedstore %x[%i], %mask, %s : memref<?xbf16>, vector<8xi1>, vector<8xbf16>
  return
}

// CHECK-LABEL: llvm.func @spread
// CHECK: llvm.intr.masked.gather {{.*}} -> vector<8xi16>
// CHECK: llvm.bitcast {{.*}} : vector<8xi16> to vector<8xbf16>
// CHECK: llvm.intr.masked.scatter {{.*}} : vector<8xi16>
func.func @spread(%x: memref<?xbf16>, %places: vector<8xindex>, %mask: vector<8xi1>, %rest: vector<8xbf16>, %i: index) {
  %v = vector.gather %x[%i] [%places], %mask, %rest : memref<?xbf16>, vector<8xindex>, vector<8xi1>, vector<8xbf16> into vector<8xbf16>
  vector.scatter %x[%i] [%places], %mask, %v : memref<?xbf16>, vector<8xindex>, vector<8xi1>, vector<8xbf16>
  return
}

// Others stay what they are.
// CHECK-LABEL: llvm.func @half
// CHECK: llvm.intr.masked.load {{.*}} -> vector<8xf16>
// CHECK-NOT: bitcast
func.func @half(%x: memref<?xf16>, %mask: vector<8xi1>, %rest: vector<8xf16>, %i: index) -> vector<8xf16> {
  %v = vector.maskedload %x[%i], %mask, %rest : memref<?xf16>, vector<8xi1>, vector<8xf16> into vector<8xf16>
  return %v : vector<8xf16>
}

// Which zero is larger is left open; that NaN wins is not.
// CHECK-LABEL: llvm.func @extremes
// CHECK: llvm.intr.maximum(%arg0, %arg1) {fastmathFlags = #llvm.fastmath<nsz>}
// CHECK: llvm.intr.minimum({{.*}}) {fastmathFlags = #llvm.fastmath<nsz>}
func.func @extremes(%x: vector<16xf32>, %y: vector<16xf32>) -> vector<16xf32> {
  %most = arith.maximumf %x, %y : vector<16xf32>
  %least = arith.minimumf %most, %y : vector<16xf32>
  return %least : vector<16xf32>
}

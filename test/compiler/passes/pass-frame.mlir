// RUN: mlc-opt %s --mlc-pass-frame | FileCheck %s

// CHECK: func.func private @body(%{{.*}}: index, %{{.*}}: index)
func.func private @body(%begin: index, %end: index) {
  return
}
// CHECK: func.func private @needs(%{{.*}}: !llvm.ptr, %{{.*}}: index)
func.func private @needs(%n: index) attributes {mlc.kernel} {
  mlc.parallel @body count(%n)
  return
}
// CHECK: func.func private @plain(%{{.*}}: index)
func.func private @plain(%n: index) attributes {mlc.kernel} {
  return
}
// CHECK: func.func @model(%[[FRAME:.*]]: !llvm.ptr, %[[N:.*]]: index)
// CHECK: call @needs(%[[FRAME]], %[[N]])
// CHECK: call @plain(%[[N]])
func.func @model(%n: index) {
  call @needs(%n) : (index) -> ()
  call @plain(%n) : (index) -> ()
  return
}

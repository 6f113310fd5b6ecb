// RUN: mlc-opt %s -mlc-outline-layers -mlc-fold-layers -mlc-emit-fpga 2>/dev/null | sed 's/\\0A/\n/g;s/\\22/"/g' | FileCheck %s

#window = affine_map<(b, y, x, n, i, j, c) -> (b, y + i, x + j, c)>
#panels = affine_map<(b, y, x, n, i, j, c) -> (n floordiv 4, i * 12 + j * 4 + c, n mod 4)>
#all = affine_map<(b, y, x, n) -> (b, y, x, n)>
#rows = affine_map<(m, n, k) -> (m, k)>
#floats = affine_map<(m, n, k) -> (n floordiv 4, k, n mod 4)>

module attributes {mlc.target = #mlc.target<"fpga", chip = "zcu104", features = "", vector_bytes = 16>} {
  // A line buffer of three rows, of which one is new for each row of results; weights are brought once. What was decided of
  // unrolling stays: two columns, and four terms of each sum, which are added before.
  // CHECK: MLC_TASK void conv(
  // CHECK-NEXT: __global const char *input, long input_bytes,
  // CHECK: y 6, x 6, o 4 by 2 at once, sums over ky 3, sums over kx 3, sums over c 4 by 4 at once; an iteration every 1 cycle
  // CHECK: MLC_ON_CHIP char weights_here[9][2][8] MLC_WORD(3);
  // CHECK: MLC_ON_CHIP char input_rows[3][8][4] MLC_WORD(3);
  // CHECK: MLC_ON_CHIP int sums[2] MLC_WORD(1);
  // CHECK: weights_here[n1][n2][n1_lane * 2 + n2_lane] = weights[
  // CHECK: for (int y = 0; y < 6; ++y) {
  // CHECK: // 1 of the 3 rows that the window covers are new.
  // CHECK: for (int n1 = y == 0 ? 0 : 2; n1 < 3; ++n1) {
  // CHECK: MLC_NEST(4)
  // CHECK-NEXT: for (int x = 0; x < 6; ++x) {
  // CHECK-NEXT: for (int o = 0; o < 2; ++o) {
  // CHECK-NEXT: for (int ky = 0; ky < 3; ++ky) {
  // CHECK-NEXT: MLC_PIPELINE(1)
  // CHECK-NEXT: for (int kx = 0; kx < 3; ++kx) {
  // CHECK-NEXT: MLC_UNROLL
  // CHECK-NEXT: for (int o_lane = 0; o_lane < 2; ++o_lane) {
  // CHECK-NEXT: int sum = ky == 0 && kx == 0 ? 0 : sums[o_lane];
  // CHECK-NEXT: int products = 0;
  // CHECK-NEXT: MLC_UNROLL
  // CHECK-NEXT: for (int c_lane = 0; c_lane < 4; ++c_lane) {
  // CHECK-NEXT: products = {{.*}}(int)input_rows[(input_rows_top + ky < 3 ? input_rows_top + ky : input_rows_top + ky - 3)][x + kx][c_lane] * (int)weights_here[ky * 3 + kx][o][c_lane * 2 + o_lane]
  // CHECK: if (ky == 2 && kx == 2) {
  // CHECK-NEXT: output[output_at + y * 24 + x * 4 + o * 2 + o_lane] = sum;
  func.func private @conv(%x: memref<1x8x8x4xi8>, %w: memref<1x36x4xi8>, %y: memref<1x6x6x4xi32>) attributes {mlc.kernel} {
    mlc.contract ins(%x, %w : memref<1x8x8x4xi8>, memref<1x36x4xi8>) outs(%y : memref<1x6x6x4xi32>) {lhs_map = #window, rhs_map = #panels, fpga.folding = {unroll = array<i64: 1, 1, 1, 2, 1, 1, 4>}}
    return
  }

  // Sums of floats are not done when the next term comes: the loops of results are inside, so that another sum is next. In
  // an array of 2 x 2, each factor that is read goes to two multipliers.
  // CHECK: MLC_TASK void product(
  // CHECK: An array of 4 x 1 multipliers
  // CHECK: A term takes several cycles to be added; 8 sums are on their way meanwhile
  // CHECK: MLC_ON_CHIP float sums[4][2][4] MLC_WORD(3);
  // CHECK: for (int k = 0; k < 5; ++k) {
  // CHECK-NEXT: for (int row = 0; row < 4; ++row) {
  // CHECK-NEXT: MLC_PIPELINE(1)
  // CHECK-NEXT: MLC_APART(sums, 8)
  // CHECK-NEXT: for (int o = 0; o < 2; ++o) {
  // CHECK: sum = fma({{.*}}, sum);
  func.func private @product(%x: memref<8x5xf32>, %w: memref<1x5x4xf32>, %y: memref<8x4xf32>) attributes {mlc.kernel} {
    mlc.contract ins(%x, %w : memref<8x5xf32>, memref<1x5x4xf32>) outs(%y : memref<8x4xf32>) {lhs_map = #rows, rhs_map = #floats, fpga.folding = {unroll = array<i64: 2, 2, 1>}}
    return
  }
}

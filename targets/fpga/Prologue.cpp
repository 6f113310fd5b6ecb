// The macros before all kernels: what each compiler of the text takes for the same words.
//
// AMD: attributes of UG1393, "OpenCL Attributes". Intel: pragmas and attributes of the FPGA SDK for OpenCL (UG-OCL002). A driver
// of OpenCL, such as PoCL, and a compiler of C++ see plain loops and arrays.
#include "fpga/Write.h"

namespace mlc::fpga {

const llvm::StringLiteral prologue = R"(
// MLC_TASK          before a kernel, which is one work item
// MLC_PIPELINE(n)   before the innermost loop of a pipeline: an iteration starts every n cycles
// MLC_NEST(n)       before the outermost of n loops that are one pipeline, without statements between them
// MLC_UNROLL        before a loop that becomes as many circuits
// MLC_APART(a, n)   before a loop: an element of array a is not read again within n iterations of its being written
// MLC_ON_CHIP       before an array in memory on the chip
// MLC_WORD(d)       behind such an array: what differs in dimension d alone is one word, read or written in one cycle
#if defined(__cplusplus)
// Functional simulation: compile with -ffp-contract=off.
#include <cmath>
#include <cstring>
using std::acos; using std::acosh; using std::asin; using std::asinh; using std::atan; using std::atan2; using std::atanh;
using std::cbrt; using std::ceil; using std::copysign; using std::cos; using std::cosh; using std::erf; using std::erfc;
using std::exp; using std::exp2; using std::expm1; using std::fabs; using std::floor; using std::fma; using std::fmax;
using std::fmin; using std::fmod; using std::isfinite; using std::isinf; using std::isnan; using std::log; using std::log10;
using std::log1p; using std::log2; using std::pow; using std::rint; using std::round; using std::sin; using std::sinh;
using std::sqrt; using std::tan; using std::tanh; using std::trunc;
static_assert(sizeof(long) == 8 && char(-1) < 0, "expects long of 64 bits and signed char: -fsigned-char");
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
static inline float as_float(uint bits) { float value; std::memcpy(&value, &bits, 4); return value; }
static inline int as_int(float value) { int bits; std::memcpy(&bits, &value, 4); return bits; }
static inline int clz(uint x) { return x ? __builtin_clz(x) : 32; }
static inline long clz(ulong x) { return x ? __builtin_clzl(x) : 64; }
static inline int popcount(uint x) { return __builtin_popcount(x); }
static inline long popcount(ulong x) { return __builtin_popcountl(x); }
#define mad fma
#define __global
#define restrict __restrict__
#define MLC_TASK extern "C"
#define MLC_PIPELINE(n)
#define MLC_NEST(n)
#define MLC_UNROLL
#define MLC_APART(a, n)
#define MLC_ON_CHIP static
#define MLC_WORD(d)
#elif defined(INTELFPGA_CL) || defined(ALTERA_CL)
#define MLC_PRAGMA(text) _Pragma(#text)
#define MLC_TASK __attribute__((max_global_work_dim(0))) __kernel
#define MLC_PIPELINE(n) MLC_PRAGMA(ii n)
#define MLC_NEST(n) MLC_PRAGMA(loop_coalesce n)
#define MLC_UNROLL MLC_PRAGMA(unroll)
#define MLC_APART(a, n) MLC_PRAGMA(ivdep array(a) safelen(n))
#define MLC_ON_CHIP
#define MLC_WORD(d)
#elif defined(__xilinx__) || defined(MLC_VITIS)
#define MLC_TASK __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define MLC_PIPELINE(n) __attribute__((xcl_pipeline_loop(n)))
#define MLC_NEST(n)
#define MLC_UNROLL __attribute__((opencl_unroll_hint))
#define MLC_APART(a, n)
#define MLC_ON_CHIP
#define MLC_WORD(d) __attribute__((xcl_array_reshape(complete, d)))
#else
#pragma OPENCL FP_CONTRACT OFF
#define MLC_TASK __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define MLC_PIPELINE(n)
#define MLC_NEST(n)
#define MLC_UNROLL
#define MLC_APART(a, n)
#define MLC_ON_CHIP
#define MLC_WORD(d)
#endif
)";

} // namespace mlc::fpga

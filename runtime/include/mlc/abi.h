/* The contract between the code that the mlc compiler emits and the runtime that is linked beside it into one .so.
 *
 * Applications never include this header: they include <mlc/mlc.h>. The compiler includes it to agree on layouts.
 *
 *   compiler emits   mlc_model_data        one constant: the description of the model and its functions
 *   runtime offers   mlc_rt_*              the services that emitted code calls
 *
 * All of these symbols are hidden in the finished .so.
 */
#ifndef MLC_ABI_H
#define MLC_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a structure or a service below does. */
#define MLC_CODE_ABI 1

/* An extent that is neither fixed nor a symbol: known only when the output has been computed. */
#define MLC_EXTENT_UNKNOWN INT64_MIN

/* One input or output of the model. */
typedef struct mlc_port {
  const char *name;
  const int64_t *extents; /* rank entries: n >= 0 is fixed, -1-k is symbol k, or MLC_EXTENT_UNKNOWN */
  int32_t rank;
  int32_t type; /* ONNX TensorProto.DataType */
} mlc_port;

typedef struct mlc_property {
  const char *key;
  const char *value;
} mlc_property;

typedef struct mlc_frame mlc_frame;

/* Everything that the compiler knows of a model. */
typedef struct mlc_model_data_t {
  uint32_t code_abi; /* MLC_CODE_ABI */
  uint32_t input_count;
  uint32_t output_count;
  uint32_t symbol_count;
  uint32_t property_count;
  uint32_t kernel_count; /* names for profiles; 0 unless compiled with --profile */
  const mlc_port *inputs;
  const mlc_port *outputs;
  const char *const *symbols; /* names of the symbolic dimensions */
  const mlc_property *properties; /* metadata_props, and mlc's own: "mlc.producer", "mlc.target", "mlc.features", "mlc.hash" */
  const char *const *kernels;
  const char *name;
  /* Bytes of the arena for these values of the symbols (symbol_count entries); pure. */
  int64_t (*arena_bytes)(const int64_t *symbols);
  /* Runs the model; returns normally, or leaves by mlc_rt_fail. Reads the frame, keeps nothing. */
  void (*run)(mlc_frame *frame);
} mlc_model_data_t;

extern const mlc_model_data_t mlc_model_data;

/* One execution. The runtime owns it; a session has one and runs one at a time. Fields after these are the runtime's own. */
struct mlc_frame {
  const void *const *inputs; /* contiguous row-major, at least element-aligned */
  const int64_t *const *input_extents;
  void *arena; /* arena_bytes(symbols) bytes, 64-byte aligned */
};

/* Where output `index` goes, now that its extents are known. Contiguous row-major, at least 64 bytes aligned unless the caller
 * brought the buffer. Called once for each output. Fails (does not return) when the caller's buffer is too small. */
void *mlc_rt_output(mlc_frame *frame, int32_t index, const int64_t *extents);

/* Memory for a value whose size depends on data; 64-byte aligned; lives until the run ends. Fails when there is none. */
void *mlc_rt_allocate(mlc_frame *frame, int64_t bytes);

/* Memory private to the calling thread until it asks again; 64-byte aligned; contents undefined. */
void *mlc_rt_scratch(int64_t bytes);

/* Ends the run with an error. `format` holds `%0`..`%9` where `values` go. Only on the thread that runs the graph, never
 * inside a parallel body. */
__attribute__((noreturn)) void mlc_rt_fail(mlc_frame *frame, const char *format, const int64_t *values, int32_t count);

/* Calls body(closure, begin, end) so that each of 0..count-1 is covered once; returns when all are done. May run on several
 * threads; `count` <= 1 or a single-threaded session runs inline. Bodies do not nest parallel calls. */
void mlc_rt_parallel(mlc_frame *frame, int64_t count, void (*body)(void *closure, int64_t begin, int64_t end), void *closure);

/* Marks the start and the end of kernel `index`; only called when compiled with --profile. */
void mlc_rt_kernel_begin(mlc_frame *frame, int32_t index);
void mlc_rt_kernel_end(mlc_frame *frame, int32_t index);

#ifdef __cplusplus
}
#endif

#endif

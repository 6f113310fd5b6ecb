/* Compiled models: the C interface of every shared library that `mlc compile` writes.
 *
 *   const mlc_model *model = mlc_model_entry(MLC_VERSION);     the entry point, found by dlsym, or <name>_mlc when linked
 *   mlc_session_create(model, &options, &session, &error);     memory and threads for runs, one at a time
 *   mlc_run(session, &input, 1, &output, 1, &error);
 *   mlc_session_destroy(session);
 *
 * The functions here are inline and only call through the table in `mlc_model`, so nothing needs to be linked.
 * docs/embedding.md holds whole programs. `#include <mlc/mlc.hpp>` for C++ classes over this.
 *
 * Threads. A model is constant: any thread may use it at any time, and all of its sessions share its weights. A session
 * runs one graph at a time; a second concurrent mlc_run on it returns MLC_BUSY. Different sessions are independent.
 * Worker threads start at the first run that can use them, serve all mlc models of the process, and end with the last
 * session of the model that started them. After fork(), the child may use sessions that were not running; it starts
 * workers of its own.
 *
 * Lifetime. Destroy all sessions of a model before dlclose.
 *
 * Errors. Functions return a status; where `error` is not null it receives the status and a text that names what was
 * expected and what was found. Bad arguments are found on every run and never crash, as long as the pointers given
 * point to what they say.
 */
#ifndef MLC_MLC_H
#define MLC_MLC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It changes only when something here changes its meaning; additions to the end of a
 * structure that carries its size do not count. */
#define MLC_VERSION 3u

typedef enum mlc_status {
  MLC_OK = 0,
  MLC_INVALID_ARGUMENT = 1, /* a null pointer, a wrong name, count, type, rank or extent */
  MLC_BUFFER_TOO_SMALL = 2, /* an output does not fit; its extents have been set */
  MLC_OUT_OF_MEMORY = 3,
  MLC_UNSUPPORTED = 4, /* this machine cannot run this model */
  MLC_BUSY = 5,        /* the session is running on another thread */
  MLC_FAILED = 6       /* the model met data that it cannot compute, such as an index out of range */
} mlc_status;

typedef struct mlc_error {
  mlc_status status;
  char text[1020]; /* one line of UTF-8, empty after success */
} mlc_error;

/* Element types, numbered as ONNX does. Elements of fewer than 8 bits are packed, the first one in the lowest bits. */
typedef enum mlc_type {
  MLC_UNDEFINED = 0,
  MLC_FLOAT32 = 1,
  MLC_UINT8 = 2,
  MLC_INT8 = 3,
  MLC_UINT16 = 4,
  MLC_INT16 = 5,
  MLC_INT32 = 6,
  MLC_INT64 = 7,
  MLC_STRING = 8,
  MLC_BOOL = 9, /* one byte, 0 or 1 */
  MLC_FLOAT16 = 10,
  MLC_FLOAT64 = 11,
  MLC_UINT32 = 12,
  MLC_UINT64 = 13,
  MLC_COMPLEX64 = 14,
  MLC_COMPLEX128 = 15,
  MLC_BFLOAT16 = 16,
  MLC_FLOAT8E4M3FN = 17,
  MLC_FLOAT8E4M3FNUZ = 18,
  MLC_FLOAT8E5M2 = 19,
  MLC_FLOAT8E5M2FNUZ = 20,
  MLC_UINT4 = 21,
  MLC_INT4 = 22,
  MLC_FLOAT4E2M1 = 23,
  MLC_FLOAT8E8M0 = 24,
  MLC_UINT2 = 25,
  MLC_INT2 = 26,
  /* Only for what goes into a run or comes out: */
  MLC_ITEM = 256,    /* mlc_tensor: the elements of a sequence */
  MLC_MAP_ITEM = 257 /* mlc_map: the only element of a map, the elements of a sequence of maps */
} mlc_type;

/*===-- What a model is ----------------------------------------------------------------------------------------------*/

/* An extent of a port is its value when it is not negative; MLC_EXTENT_UNKNOWN when only a run can tell it; otherwise
 * it is that of a symbolic dimension. */
#define MLC_EXTENT_UNKNOWN INT64_MIN
#define MLC_EXTENT_IS_SYMBOL(extent) ((extent) < 0 && (extent) != MLC_EXTENT_UNKNOWN)
#define MLC_EXTENT_SYMBOL(extent) (-1 - (extent)) /* index into mlc_model_info.symbols */

/* What a port takes or gives. */
typedef enum mlc_kind {
  MLC_TENSOR = 0,
  MLC_SEQUENCE = 1, /* any number of tensors of one element type, each with extents of its own */
  MLC_MAP = 2,      /* from keys, integers or strings, to values, of which each is one element */
  MLC_SEQUENCE_OF_MAPS = 3
} mlc_kind;

/* The rank of a port whose tensors may have any; only of sequences and optionals. */
#define MLC_RANK_UNKNOWN (-1)

/* One input or output. */
typedef struct mlc_port {
  const char *name;
  const int64_t *extents; /* `rank` of them; of a sequence, those of each of its tensors */
  int32_t rank;           /* of maps 0 */
  int32_t type;           /* mlc_type of the elements; of maps, of the values */
  int32_t kind;           /* mlc_kind */
  int32_t optional;       /* 1: may be absent */
  int32_t key;            /* of maps, mlc_type of the keys; else MLC_UNDEFINED */
} mlc_port;

typedef struct mlc_property {
  const char *key;
  const char *value;
} mlc_property;

/* All that can be known of a model without running it. Constant, and valid while the library is loaded. */
typedef struct mlc_model_info {
  uint32_t code_abi; /* between the compiler and the runtime; of no use to callers */
  uint32_t input_count;
  uint32_t output_count;
  uint32_t symbol_count;
  uint32_t property_count;
  uint32_t kernel_count; /* 0 unless compiled with --profile */
  const mlc_port *inputs;
  const mlc_port *outputs;
  const char *const *symbols; /* names of the symbolic dimensions; "" where the model gives none */
  /* The model's metadata_props, and mlc's own: "mlc.producer", "mlc.target", "mlc.features", "mlc.hash"; "mlc.device",
   * the target that sessions prefer where the library is for two. */
  const mlc_property *properties;
  const char *const *kernels;
  const char *name;
} mlc_model_info;

/*===-- What a run takes and gives -----------------------------------------------------------------------------------*/

/* An element of type MLC_STRING: UTF-8, without a zero at the end. Of an input, the bytes stay the caller's like the
 * tensor itself. Those of an output are the session's until its next run even where the caller brought the tensor's
 * memory; or, where the output was handed over, in its block. `data` may be null when `size` is 0. */
typedef struct mlc_string {
  const char *data;
  uint64_t size;
} mlc_string;

/* One tensor of a sequence, contiguous, last axis fastest. */
typedef struct mlc_tensor {
  const void *data; /* may be null when there are no elements */
  uint64_t bytes;   /* readable from `data` on; 0: not said */
  const int64_t *extents;
  int32_t rank;
  int32_t type; /* mlc_type */
} mlc_tensor;

/* A map: value i belongs to key i. Both have rank 1 and one length. Keys may come in any order, and should differ. */
typedef struct mlc_map {
  mlc_tensor keys, values;
} mlc_map;

/* Where the elements of an input or output are. */
typedef enum mlc_place {
  MLC_ON_HOST = 0,
  /* In memory of the device that the session is on, as its driver names it: a CUdeviceptr, a pointer of HIP, a cl_mem.
   * Only of tensors that are contiguous and neither packed nor strings. CUDA's must belong to the primary context of the
   * device, which is that of its runtime API; OpenCL's to the context of mlc_session_options.queue. */
  MLC_ON_DEVICE = 1
} mlc_place;

/* The rank that says that an optional input or output is not there; then nothing else of it counts. */
#define MLC_ABSENT (-1)

/* One input of a run. All of it stays the caller's and is only read, until mlc_run returns. A sequence has rank 1
 * and elements of type MLC_ITEM, which are its tensors; a map has rank 0, a sequence of maps rank 1, and elements of type
 * MLC_MAP_ITEM. */
typedef struct mlc_input {
  const char *name; /* null: the input at this place in mlc_model_info.inputs */
  const void *data; /* the element at index 0, 0...; may be null when there are no elements */
  uint64_t bytes;   /* readable from `data` on, checked against extents and strides; 0: not said */
  const int64_t *extents;
  const int64_t *strides; /* in elements, may be negative or 0; null: contiguous, last axis fastest */
  int32_t rank;
  int32_t type;    /* mlc_type */
  mlc_place place; /* where `data` is */
} mlc_input;

typedef enum mlc_memory {
  MLC_MEMORY_CALLER = 0, /* the caller brings `data` with room for `bytes` */
  /* The session brings it: valid until the session's next run or destruction. */
  MLC_MEMORY_SESSION = 1,
  /* A new block for the caller to keep, until mlc_release. Its extents live in the block too. */
  MLC_MEMORY_HANDED_OVER = 2
} mlc_memory;

/* One output of a run. `mlc_output output = {.memory = MLC_MEMORY_SESSION};` is a whole request. Sequences and maps
 * are given as they are taken, with all that their tensors hold, of which maps may share keys; they and optionals cannot be
 * in the caller's memory. */
typedef struct mlc_output {
  const char *name; /* null: the output at this place in mlc_model_info.outputs */
  void *data;       /* set by the run unless the memory is the caller's */
  uint64_t bytes;   /* room at `data`; set by the run unless the memory is the caller's */
  /* Only for the caller's memory: in elements, one for each axis; null: contiguous, last axis fastest. */
  const int64_t *strides;
  /* Set by the run, also when it returns MLC_BUFFER_TOO_SMALL. Valid as long as MLC_MEMORY_SESSION's data, or in the
   * block. */
  const int64_t *extents;
  int32_t rank;      /* set by the run */
  int32_t type;      /* the expected mlc_type, or MLC_UNDEFINED; set by the run */
  mlc_memory memory; /* who brings `data` */
  mlc_place place;   /* where `data` is, or is to be; what is handed over is on the host */
} mlc_output;

/* Calls work(closure, part) once for each part below `parts`, on any threads, and returns when all have returned. */
typedef void (*mlc_executor)(void *context, uint32_t parts, void (*work)(void *closure, uint32_t part), void *closure);

typedef struct mlc_session_options {
  uint32_t size;         /* sizeof(mlc_session_options) */
  int32_t threads;       /* that compute at a time, the calling one included; 1: no others; 0: one for each core of this
                            process */
  mlc_executor executor; /* the caller's threads, in place of the process-wide pool; null: the pool */
  void *executor_context;
  void *arena; /* memory for intermediate values, 64-byte aligned, the caller's; null: the session allocates */
  uint64_t arena_bytes;
  /* The caller's queue of the device, which outlives the session: a CUstream, a hipStream_t, an in-order
   * cl_command_queue; null: the session makes one. All work of the session goes there, in the order of its runs. A run
   * whose inputs and outputs are all on the device then returns when its work is in the queue; its outputs are there,
   * and its inputs may be written again, for what comes later in the queue. A session on the host has no use for it. */
  void *queue;
} mlc_session_options;

typedef struct mlc_kernel_time {
  uint64_t calls;
  uint64_t nanoseconds;
} mlc_kernel_time;

/*===-- The table ----------------------------------------------------------------------------------------------------*/

typedef struct mlc_model mlc_model;

typedef struct mlc_session {
  const mlc_model *model;
  /* the runtime's own follows */
} mlc_session;

/* What an entry point returns. Call through the functions below. */
struct mlc_model {
  uint32_t version; /* MLC_VERSION of the runtime in this library */
  uint32_t size;    /* of this table; it may grow at its end */
  const mlc_model_info *info;
  mlc_status (*session_create)(const mlc_model *, const mlc_session_options *, mlc_session **, mlc_error *);
  void (*session_destroy)(mlc_session *);
  mlc_status (*run)(mlc_session *, const mlc_input *, uint32_t, mlc_output *, uint32_t, mlc_error *);
  mlc_status (*query_memory)(const mlc_model *, const int64_t *, uint64_t *, mlc_error *);
  mlc_status (*query_output)(const mlc_model *, uint32_t, const int64_t *, int64_t *, mlc_error *);
  void (*release)(void *);
  const mlc_kernel_time *(*kernel_times)(const mlc_session *);
  void (*reset_kernel_times)(mlc_session *);
};

/* The type of the two entry points of a library: `mlc_model_entry`, for dlsym, and `<name>_mlc`, unique to the model,
 * for programs that link several models. Null when the library does not know `version`. */
typedef const mlc_model *(*mlc_entry)(uint32_t version);

/*===-- Functions ----------------------------------------------------------------------------------------------------*/

/* Writes `status` and `text` to `error` unless it is null; returns `status`. */
static inline mlc_status mlc_report(mlc_error *error, mlc_status status, const char *text) {
  if (error) {
    error->status = status;
    strncpy(error->text, text, sizeof error->text - 1);
    error->text[sizeof error->text - 1] = 0;
  }
  return status;
}

/* Creates a session. `options` may be null: all cores, own memory. A library that was compiled for a device and its host
 * has the session on the device where there is one: the property "mlc.target" in session->model->info says where it is;
 * and where there is none, the text of `error` says why, though the status is MLC_OK. */
static inline mlc_status mlc_session_create(const mlc_model *model, const mlc_session_options *options,
                                            mlc_session **session, mlc_error *error) {
  if (!model)
    return mlc_report(error, MLC_INVALID_ARGUMENT,
                      "the model is null: its library offers another version of this interface");
  return model->session_create(model, options, session, error);
}

/* Ends a session that is not running, and frees its memory. Null is ignored. */
static inline void mlc_session_destroy(mlc_session *session) {
  if (session)
    session->model->session_destroy(session);
}

/* Runs the model once. Inputs and outputs are all of the model's, in its order or by their names. After an error, the
 * contents of the caller's output buffers are undefined, and nothing has been handed over. An output may overlap an
 * input. */
static inline mlc_status mlc_run(mlc_session *session, const mlc_input *inputs, uint32_t input_count,
                                 mlc_output *outputs, uint32_t output_count, mlc_error *error) {
  if (!session)
    return mlc_report(error, MLC_INVALID_ARGUMENT, "the session is null");
  return session->model->run(session, inputs, input_count, outputs, output_count, error);
}

/* The exact size of the memory for intermediate values, given the values of the symbolic dimensions in the order of
 * mlc_model_info.symbols. It does not include values whose size only a run can tell, outputs in the session's memory,
 * or copies of strided inputs and outputs. */
static inline mlc_status mlc_query_memory(const mlc_model *model, const int64_t *dims, uint64_t *bytes,
                                          mlc_error *error) {
  if (!model)
    return mlc_report(error, MLC_INVALID_ARGUMENT, "the model is null");
  return model->query_memory(model, dims, bytes, error);
}

/* The extents of one output, given the values of the symbolic dimensions; MLC_EXTENT_UNKNOWN where only a run can tell.
 * Nothing can be told of sequences, maps and optionals, and nothing is written. */
static inline mlc_status mlc_query_output(const mlc_model *model, uint32_t output, const int64_t *dims,
                                          int64_t *extents, mlc_error *error) {
  if (!model)
    return mlc_report(error, MLC_INVALID_ARGUMENT, "the model is null");
  return model->query_output(model, output, dims, extents, error);
}

/* Frees the data of an output that was handed over. Null is ignored. */
static inline void mlc_release(const mlc_model *model, void *data) {
  if (model)
    model->release(data);
}

/* What each kernel in mlc_model_info.kernels has taken since the session began or the last reset; null unless compiled
 * with --profile. */
static inline const mlc_kernel_time *mlc_kernel_times(const mlc_session *session) {
  return session ? session->model->kernel_times(session) : NULL;
}

static inline void mlc_reset_kernel_times(mlc_session *session) {
  if (session)
    session->model->reset_kernel_times(session);
}

/* The value of a property; null if the model has none of this key. */
static inline const char *mlc_find_property(const mlc_model_info *info, const char *key) {
  for (uint32_t i = 0; i < info->property_count; ++i)
    if (strcmp(info->properties[i].key, key) == 0)
      return info->properties[i].value;
  return NULL;
}

/* The index of the symbolic dimension of this name; -1 if there is none. */
static inline int32_t mlc_find_symbol(const mlc_model_info *info, const char *name) {
  for (uint32_t i = 0; i < info->symbol_count; ++i)
    if (strcmp(info->symbols[i], name) == 0)
      return (int32_t)i;
  return -1;
}

/* The index of the port of this name among `count`; -1 if there is none. */
static inline int32_t mlc_find_port(const mlc_port *ports, uint32_t count, const char *name) {
  for (uint32_t i = 0; i < count; ++i)
    if (strcmp(ports[i].name, name) == 0)
      return (int32_t)i;
  return -1;
}

/* Bits of one element; 0 for what is no type. */
static inline int32_t mlc_type_bits(int32_t type) {
  static const uint8_t bits[] = {0,  32,  8,  8, 16, 16, 32, 64, 128, 8, 16, 64, 32, 64,
                                 64, 128, 16, 8, 8,  8,  8,  4,  4,   4, 8,  2,  2};
  if (type == MLC_ITEM)
    return 8 * (int32_t)sizeof(mlc_tensor);
  if (type == MLC_MAP_ITEM)
    return 8 * (int32_t)sizeof(mlc_map);
  return type < 0 || type >= (int32_t)sizeof bits ? 0 : bits[type];
}

/* "float32", "int64" and so on. */
static inline const char *mlc_type_name(int32_t type) {
  static const char *const names[] = {
      "undefined", "float32",    "uint8",      "int8",         "uint16",         "int16",      "int32",
      "int64",     "string",     "bool",       "float16",      "float64",        "uint32",     "uint64",
      "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};
  if (type == MLC_ITEM)
    return "tensor";
  if (type == MLC_MAP_ITEM)
    return "map";
  return type < 0 || type >= (int32_t)(sizeof names / sizeof *names) ? "unknown" : names[type];
}

#ifdef __cplusplus
}
#endif

#endif

/* The contract between the code that the mlc compiler emits and the runtime that is linked beside it into one .so.
 *
 * Applications never include this header: they include <mlc/mlc.h>. The compiler includes it to agree on layouts.
 *
 *   compiler emits   mlc_model_data    one constant: the description of the model and its functions
 *                    <name>_mlc        exported: `const mlc_model *name_mlc(uint32_t version)`, which returns mlc_rt_entry(version)
 *   runtime offers   mlc_rt_*          the services that emitted code calls
 *                    mlc_model_entry   exported: the same as <name>_mlc, for dlsym
 *
 * All other symbols are hidden in the finished .so. Emitted code must not name mlc_model_entry: with two models linked
 * into one program, the first one's would answer for both.
 */
#ifndef MLC_ABI_H
#define MLC_ABI_H

#include "mlc/function.h"
#include "mlc/mlc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a structure or a service below does. */
#define MLC_CODE_ABI 5

typedef struct mlc_frame mlc_frame;

/* Everything that the compiler knows of a model. */
typedef struct mlc_model_data_t {
  mlc_model_info info; /* info.code_abi is MLC_CODE_ABI */
  /* Bytes of the arena for these values of the symbols (symbol_count entries, none negative); negative when the size
   * does not fit into 63 bits. Pure. */
  int64_t (*arena_bytes)(const int64_t *symbols);
  /* Runs the model; returns normally, or leaves by mlc_rt_fail. Reads the frame, keeps nothing. */
  void (*run)(mlc_frame *frame);
  /* Writes the extents of all outputs, one output after the other; MLC_EXTENT_UNKNOWN where data decides. Pure. Null
   * when the outputs' ports say all that is known. */
  void (*output_extents)(const int64_t *symbols, int64_t *extents);
  /* What runs on a device; null where nothing does. */
  const struct mlc_device_program *program;
  /* The same model for a device, to be preferred where there is one that can run its program; null in a library that is
   * for one machine. */
  const struct mlc_model_data_t *device;
} mlc_model_data_t;

extern const mlc_model_data_t mlc_model_data;

/* One execution. The runtime owns it; a session has one and runs one at a time. More fields of the runtime's own
 * follow. */
struct mlc_frame {
  /* Contiguous row-major, at least element-aligned. Elements of fewer than 8 bits take a byte each, extended by their
   * sign if they are signed integers, else by zeros; outputs likewise. An input that is a sequence, a map or an
   * optional is an mlc_sequence. */
  const void *const *inputs;
  const int64_t *const *input_extents;
  void *arena; /* arena_bytes(symbols) bytes, 64-byte aligned */
};

/* What <name>_mlc returns. */
const mlc_model *mlc_rt_entry(uint32_t version);

/* Where output `index` goes, now that its extents are known. Contiguous row-major, at least 64 bytes aligned unless the
 * caller brought the buffer. Called once for each output. Fails (does not return) when the caller's buffer is too
 * small. */
void *mlc_rt_output(mlc_frame *frame, int32_t index, const int64_t *extents);

/* Memory for a value whose size depends on data; 64-byte aligned; lives until the run ends. Fails when there is none.
 */
void *mlc_rt_allocate(mlc_frame *frame, int64_t bytes);

/* Memory private to the calling thread until it asks again; 64-byte aligned; contents undefined. Fails when there is
 * none. */
void *mlc_rt_scratch(int64_t bytes);

/* Ends the run with an error. `format` holds `%0`..`%9` where `values` go. Also inside a parallel body: then the other
 * parts still finish, and the first error is the one that is told. */
__attribute__((noreturn)) void mlc_rt_fail(mlc_frame *frame, const char *format, const int64_t *values, int32_t count);

/* Calls body(closure, begin, end) so that each of 0..count-1 is covered once; returns when all are done. May run on
 * several threads; `count` <= 1 or a single-threaded session runs inline. Bodies do not nest parallel calls. Of the
 * services here, bodies may call only mlc_rt_scratch and mlc_rt_fail. */
void mlc_rt_parallel(mlc_frame *frame, int64_t count, void (*body)(void *closure, int64_t begin, int64_t end),
                     void *closure);

/*===-- Values that are not numbers ----------------------------------------------------------------------------------*/

/* A list of tensors that never changes, in the memory of the run; null is the one that is absent. Maps are lists of keys
 * and values in turn, all of rank 1. */
typedef struct mlc_sequence mlc_sequence;

/* Sequences: the operands have been checked, except where it says so. Only the graph function calls these. */
const mlc_sequence *mlc_rt_sequence_empty(void);
const mlc_sequence *mlc_rt_sequence_absent(void);
int64_t mlc_rt_sequence_present(const mlc_sequence *sequence);
/* 0 for an absent one. */
int64_t mlc_rt_sequence_length(const mlc_sequence *sequence);
/* Takes a copy of the tensor. */
const mlc_sequence *mlc_rt_sequence_insert(const mlc_sequence *sequence, int64_t position, const void *data,
                                           const int64_t *extents, int64_t rank, int64_t type);
const mlc_sequence *mlc_rt_sequence_erase(const mlc_sequence *sequence, int64_t position);
const void *mlc_rt_sequence_data(const mlc_sequence *sequence, int64_t position);
/* -1 where there is no such tensor. */
int64_t mlc_rt_sequence_rank(const mlc_sequence *sequence, int64_t position);
/* 0 where there is no such tensor or axis. */
int64_t mlc_rt_sequence_extent(const mlc_sequence *sequence, int64_t position, int64_t axis);
/* Maps whose values are the rows of the second tensor of `pair`, a matrix, and whose keys are the first one. They share
 * both. */
const mlc_sequence *mlc_rt_sequence_of_maps(const mlc_sequence *pair);
/* What mlc_rt_output is for tensors. */
void mlc_rt_output_sequence(int64_t index, const mlc_sequence *sequence);

/* Strings, from any thread. What they return lives until the run ends. Truth is 0 or 1. */
int64_t mlc_rt_string_equal(mlc_string a, mlc_string b);
/* Less than 0, 0 or greater than 0, by bytes, and where one goes on from the other, by length. */
int64_t mlc_rt_string_compare(mlc_string a, mlc_string b);
mlc_string mlc_rt_string_concat(mlc_string a, mlc_string b);
/* In the other case, see casing.h. */
mlc_string mlc_rt_string_lower(mlc_string text);
mlc_string mlc_rt_string_upper(mlc_string text);
/* The parts between delimiters, or, where the delimiter is empty, between runs of white space. At most `splits` + 1 of
 * them unless that is negative: the last one is then all that is left. Behind the last part there are empty ones. */
int64_t mlc_rt_string_count_parts(mlc_string text, mlc_string delimiter, int64_t splits);
mlc_string mlc_rt_string_part(mlc_string text, mlc_string delimiter, int64_t splits, int64_t index);

/* Numbers as text; `type` is the mlc_type that a float has been. What cannot be read ends the run with an error that
 * begins with the text `node`. */
mlc_string mlc_rt_format_float(double value, int64_t type);
mlc_string mlc_rt_format_integer(int64_t value, int64_t is_unsigned);
double mlc_rt_parse_float(mlc_string text, mlc_string node, int64_t type);
int64_t mlc_rt_parse_integer(mlc_string text, mlc_string node, int64_t is_unsigned);

/* Tables that the compiler writes as text, aligned to 8 bytes, and the value of a key in them; -1 if there is none. */
typedef struct mlc_string_table {
  int64_t count;
  struct {
    int64_t offset, size, value; /* the key's place in the table */
  } entries[];                   /* ascending by the bytes of their keys; then the keys */
} mlc_string_table;
typedef struct mlc_number_table {
  int64_t count;
  struct {
    int64_t key, value;
  } entries[]; /* ascending */
} mlc_number_table;
int64_t mlc_rt_find_string(mlc_string key, mlc_string table);
int64_t mlc_rt_find_number(int64_t key, mlc_string table);
/* Whether an automaton accepts the text, byte by byte. */
typedef struct mlc_automaton {
  uint8_t classes[256];              /* bytes that all states treat alike */
  uint32_t class_count, state_count; /* the automaton starts in state 1; state 0 accepts nothing any more */
  uint16_t next[];                   /* class_count of them for each state; then a byte for each: 1 if it accepts */
} mlc_automaton;
int64_t mlc_rt_string_matches(mlc_string text, mlc_string automaton);
/* How a text falls into tokens: what the automaton accepts, the longest from left to right; or what is between texts that
 * the automata accept, by the first one, what that leaves by the next, and so on; or, without any, its characters. */
typedef struct mlc_tokenizer {
  int64_t least;    /* characters of a token; what is shorter is left out */
  int64_t is_token; /* 1: the only automaton accepts tokens; 0: automata accept separators */
  int64_t automaton_count;
  int64_t automata[]; /* their places in the table, aligned to 8 bytes */
} mlc_tokenizer;
/* With the tokens of the text, a tensor of rank 1, behind all others. They are parts of the text. Only the graph function
 * calls this. */
const mlc_sequence *mlc_rt_sequence_with_tokens(const mlc_sequence *sequence, mlc_string text, mlc_string tokenizer);

/* Pixels of a picture, a tensor of bytes [rows, columns, channels], out of a file, one of bytes [size]; without rows if it
 * cannot be decoded. `order` is 0 for red, green, blue; 1 for blue, green, red; 2 for gray. Ends the run, with a text that
 * begins with `node`, where the system lacks a library for the format. Only the graph function calls this. */
const mlc_sequence *mlc_rt_decode_image(const mlc_sequence *file, mlc_string node, int64_t order);

/* Calls `function`, whose name is `name`, for the node that `node` names. Fails when `function` is null, and with what it
 * says. */
void mlc_rt_call_function(mlc_frame *frame, mlc_function *function, const char *name, const char *node,
                          const mlc_call *call);

/* Marks the start and the end of kernel `index`; only called when compiled with --profile. */
void mlc_rt_kernel_begin(mlc_frame *frame, int32_t index);
void mlc_rt_kernel_end(mlc_frame *frame, int32_t index);

/* What runs on a device. The host's addresses name the device's buffers too: each block of memory that emitted code sees
 * (an input, an output, the arena, a constant) has a twin on the device, made when a launch first needs it, and the
 * runtime knows of each part of it which of the two is up to date. */

/* One function of the device. */
typedef struct mlc_device_kernel {
  const char *name;
  /* One letter for each argument: 'r' a buffer that is read, 'w' one that is written, 'l' a 64-bit integer. */
  const char *arguments;
  int32_t threads[3];  /* of a block */
  int32_t local_bytes; /* shared by the threads of a block */
} mlc_device_kernel;

/* All of a model's, as the device's driver takes them: source text, or code for a virtual or a real machine. */
typedef struct mlc_device_image {
  const char *chip; /* the devices that it is for, in the words of --chip=; empty for any */
  const char *code; /* a zero follows, which does not count */
  int64_t bytes;
} mlc_device_image;

/* The part of the runtime for devices, of which the rest is only told by a program that needs it. */
typedef struct mlc_device_services mlc_device_services;
extern const mlc_device_services mlc_rt_device_services;

typedef struct mlc_device_program {
  const mlc_device_image *images;
  const mlc_device_kernel *kernels;
  int32_t image_count;
  int32_t kernel_count;
  const mlc_device_services *services; /* mlc_rt_device_services */
} mlc_device_program;

typedef struct mlc_device_argument {
  int64_t value; /* an address of the host, or an integer */
  int64_t bytes; /* of a buffer */
} mlc_device_argument;

/* Starts kernel `kernel` in blocks[0] x blocks[1] x blocks[2] blocks, after everything that was launched before; does
 * not wait. Starts nothing when there are no blocks. Fails when there is no device, or it cannot. */
void mlc_rt_launch(mlc_frame *frame, const mlc_device_program *program, int32_t kernel, const int64_t *blocks,
                   const mlc_device_argument *arguments);

/* Before and after emitted code of the host reads and writes memory that a device may have a twin of. */
void mlc_rt_host_reads(mlc_frame *frame, const void *data, int64_t bytes);
void mlc_rt_host_writes(mlc_frame *frame, const void *data, int64_t bytes);

#ifdef __cplusplus
}
#endif

#endif

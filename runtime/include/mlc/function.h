/* The C interface of functions that compiled models call for operators of their users; docs/adding-an-operator.md tells
 * how an operator is declared that calls one.
 *
 *   const char *my_swish(const mlc_call *call);
 *
 * The function reads its inputs, writes all elements of its outputs, and returns null; or it returns a text that says
 * what is wrong, which is copied at once, and the run ends with it as MLC_FAILED. It keeps nothing of what it is given.
 *
 * Tensors are contiguous, last axis fastest, at least aligned as their elements are, 64 bytes where memory is the
 * model's; a bool is a byte, 0 or 1. Inputs and outputs do not overlap. Extents of outputs are what the declaration
 * says of them.
 *
 * It is called on the thread that runs the model, of several sessions at the same time where they run so, and must not
 * throw.
 */
#ifndef MLC_FUNCTION_H
#define MLC_FUNCTION_H

#include "mlc/mlc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when something here changes its meaning; of the compiler that wrote the call. */
#define MLC_FUNCTION_VERSION 1

/* As mlc_tensor, of which `data` is to be written. */
typedef struct mlc_result {
  void *data;
  uint64_t bytes;
  const int64_t *extents;
  int32_t rank;
  int32_t type; /* mlc_type */
} mlc_result;

typedef enum mlc_attribute_kind {
  MLC_ATTRIBUTE_FLOAT = 1,    /* `value` is one float */
  MLC_ATTRIBUTE_INTEGER = 2,  /* one int64_t */
  MLC_ATTRIBUTE_TEXT = 3,     /* `count` bytes, and a zero behind them */
  MLC_ATTRIBUTE_FLOATS = 6,   /* `count` of them */
  MLC_ATTRIBUTE_INTEGERS = 7, /* `count` of them */
} mlc_attribute_kind;

typedef struct mlc_attribute {
  const char *name;
  const void *value;
  int64_t count;
  int32_t kind; /* mlc_attribute_kind */
  int32_t reserved;
} mlc_attribute;

typedef struct mlc_call {
  const mlc_tensor *inputs; /* all that are declared; one that the node leaves out has the rank MLC_ABSENT */
  const mlc_result *outputs;
  const mlc_attribute *attributes; /* all that are declared, by name; those that the node leaves out have their value */
  uint32_t input_count, output_count, attribute_count;
  uint32_t version; /* MLC_FUNCTION_VERSION */
} mlc_call;

typedef const char *mlc_function(const mlc_call *call);

/* The elements of a tensor. */
static inline int64_t mlc_element_count(const int64_t *extents, int32_t rank) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < rank; ++axis)
    count *= extents[axis];
  return count;
}

/* The value of an attribute, by its name; null if there is none of that name. */
static inline const void *mlc_attribute_value(const mlc_call *call, const char *name) {
  for (uint32_t i = 0; i < call->attribute_count; ++i)
    if (strcmp(call->attributes[i].name, name) == 0)
      return call->attributes[i].value;
  return NULL;
}

#ifdef __cplusplus
}
#endif

#endif

// Errors as text: what was expected, what was found, what to do.
#pragma once
#include "mlc/mlc.h"

namespace mlc::rt {

/// Writes `status` and the formatted text to `error`, unless it is null, and returns `status`. The text is cut to fit,
/// and kept to one line.
__attribute__((format(printf, 3, 4))) mlc_status refuse(mlc_error *error, mlc_status status, const char *format, ...);

/// The same for texts of emitted code: `%0`..`%9` stand for `values`.
mlc_status refuseWithValues(mlc_error *error, mlc_status status, const char *format, const int64_t *values,
                            int32_t count);

/// Marks success.
mlc_status accept(mlc_error *error);

/// A shape or a list of names, to be put into an error; ends in "..." where it had to be cut.
struct Text {
  char text[320];
};

/// "[N, 3, ?]": what a port declares.
Text declaredShape(const mlc_model_info &info, const mlc_port &port);
/// "[1, 3, 224]"
Text shape(const int64_t *extents, int32_t rank);
/// "'a', 'b'"
Text portNames(const mlc_port *ports, uint32_t count);

} // namespace mlc::rt

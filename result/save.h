/*
 * Writes result documents. One measurement stands on one line, so that documents
 * can be read, searched and compared with ordinary tools.
 */
#ifndef VT_RESULT_SAVE_H
#define VT_RESULT_SAVE_H

#include "base/error.h"
#include "result/result.h"

#include <stdio.h>

/* A number with six significant digits; null where it is not finite. A new reference. */
json_t *vt_result_number(double value);

/* Print the document. `one_line`: the whole document on one line (JSON Lines). Returns 0 or -errno. */
int vt_result_print(const struct vt_result *result, bool one_line, FILE *stream);

/* Write it to `path` ("-": standard output), all or nothing. */
int vt_result_save(const struct vt_result *result, const char *path, struct vt_error *error);

#endif

/* Files that somebody packed: .xz, .zst, .gz. */
#ifndef VT_LAB_FETCH_UNPACK_H
#define VT_LAB_FETCH_UNPACK_H

#include "base/error.h"
#include "lab/fetch/stop.h"

#include <stddef.h>

/*
 * Unpack the file `path` into `folder`; *unpacked receives the path of the result,
 * or a copy of `path` where it is not packed. The caller frees it.
 */
int vt_unpack(const char *path, const char *folder, char **unpacked, const struct vt_lab_stop *stop,
              struct vt_error *error);

/* Length of the ending of `path` that says how it is packed; 0: none does. */
size_t vt_unpack_ending(const char *path);

#endif

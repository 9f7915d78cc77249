/*
 * What an image said (lines.h) as an ordinary result document.
 */
#ifndef VT_IMAGE_IMPORT_H
#define VT_IMAGE_IMPORT_H

#include "base/error.h"
#include "result/result.h"

/* Of a file, "-" being standard input; NULL with the error filled. To be freed with vt_result_free. */
struct vt_result *vt_image_import(const char *path, struct vt_error *error);

/* The same from memory; `name` is for messages. */
struct vt_result *vt_image_import_memory(const char *name, const char *data, size_t size,
                                         struct vt_error *error);

#endif

/*
 * The guest as a file that machines boot (guest/boot/): how it is written. What it does there, docs/IMAGE.md
 * tells.
 */
#ifndef VT_IMAGE_WRITE_H
#define VT_IMAGE_WRITE_H

#include "base/error.h"

/* The longest command line an image can be given. */
#define VT_IMAGE_WORDS 1000

struct vt_image_request {
    const char *output; /* its ending says which format */
    const char *cases;  /* patterns with commas, or NULL: all */
    const char *words;  /* more of the image's command line, or NULL */
};

/* One kind of file. */
struct vt_image_format {
    const char *ending, *summary;
    int (*write)(const char *output, const char *words, struct vt_error *error);
};

/* All of them, ended by one without an ending. */
extern const struct vt_image_format vt_image_formats[];

int vt_image_write(const struct vt_image_request *request, struct vt_error *error);

#endif

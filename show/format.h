/*
 * The formats by name and by the ending of a file. What is printed in which of them,
 * each room says with a table of its own.
 */
#ifndef VT_SHOW_FORMAT_H
#define VT_SHOW_FORMAT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum vt_format {
    VT_FORMAT_TEXT,
    VT_FORMAT_MARKDOWN,
    VT_FORMAT_CSV,
    VT_FORMAT_JSON,
    VT_FORMAT_HTML,
    VT_FORMAT_OPENMETRICS,
    VT_FORMAT_COMMIT,
    VT_FORMATS
};

const char *vt_format_name(enum vt_format format);

/* The names of those for which `has` holds, for a list of choices ended by NULL. */
void vt_format_choices(bool (*has)(enum vt_format format), const char *names[VT_FORMATS + 1]);

/* What --help says of the choice between them. */
void vt_format_help(bool (*has)(enum vt_format format), char *text, size_t size);

/*
 * The format that was asked for: by `name`, or, where that is NULL, by the ending of `path`; text for
 * standard output ("-") and for a file without an ending. An unknown ending is an error that lists those
 * known.
 */
int vt_format_choose(enum vt_format *format, const char *name, const char *path,
                     bool (*has)(enum vt_format format), struct vt_error *error);

#endif

/*
 * The text of a dump, out of whatever it was saved as: UTF-8 or UTF-16 with or
 * without a byte-order mark, lines ended in any system's way.
 */
#ifndef VT_PROBES_DUMP_TEXT_H
#define VT_PROBES_DUMP_TEXT_H

#include <stddef.h>

/*
 * The same text in ASCII with '\n' as the end of a line: blanks and hyphens of
 * typesetters become plain ones, other characters '?'. NULL without memory; else
 * the caller's, with a 0 byte after *length.
 */
char *vt_dump_text(const char *data, size_t size, size_t *length);

#endif

/*
 * What gzip and xz compressed, told by its first bytes. Input from outside: what
 * comes out is bounded, so that a small file cannot fill the memory.
 */
#ifndef VT_BASE_PACKED_H
#define VT_BASE_PACKED_H

#include <stdbool.h>
#include <stddef.h>

bool vt_packed_is(const char *data, size_t size);

/*
 * Unpack all of it, members that follow each other included. 0 with *text
 * malloc'ed, the caller's, and followed by a 0 byte; else -EFBIG (more than
 * `limit` bytes), -EILSEQ (damaged or cut off) or -ENOMEM.
 */
int vt_packed_unpack(const char *data, size_t size, size_t limit, char **text, size_t *length);

#endif

/*
 * A stream into memory, as open_memstream(3), but in memory that this program asks for: glibc's own stream
 * cuts the text where there is none, and keeps that to itself.
 */
#ifndef VT_BASE_STREAM_H
#define VT_BASE_STREAM_H

#include <stddef.h>
#include <stdio.h>

/*
 * After fflush and fclose, *text holds what was written, with a 0 byte behind it that *size does not count.
 * It is the caller's to free after fclose, which fails where memory ran out; *text is NULL then. NULL: there
 * is no memory for the stream itself, and *text is NULL too.
 */
FILE *vt_stream_memory(char **text, size_t *size);

#endif

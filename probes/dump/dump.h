/*
 * Dumps of CPUID taken on another machine: the text of `cpuid -r`, libcpuid's raw
 * format, and the lists of registers that many other tools print, within their
 * reports and as people pass them on (gzip or xz, UTF-16, quoted, pasted).
 *
 * The file is hostile until it is checked: bounded in every direction. Text around
 * the leaves is passed over; what begins like a leaf and is none, or stands
 * between the leaves of a processor, is one line naming the file and the line.
 */
#ifndef VT_PROBES_DUMP_DUMP_H
#define VT_PROBES_DUMP_DUMP_H

#include "probes/facts.h"

#include <stddef.h>

/* Fill `facts` (initialised here, freed by the caller on success) from a file; "-" is standard input. */
int vt_dump_load(struct vt_facts *facts, const char *path, struct vt_error *error);

/* The same from memory; `name` is for messages. data[size] must be 0. */
int vt_dump_parse(struct vt_facts *facts, const char *name, const char *data, size_t size,
                  struct vt_error *error);

#endif

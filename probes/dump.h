/*
 * Dumps of CPUID taken on another machine: the text of `cpuid -r`, libcpuid's raw
 * format, and the lists of registers that many other tools print, within their
 * reports and as people pass them on (gzip or xz, UTF-16, quoted, pasted).
 *
 * The file is hostile until it is checked: bounded in every direction. Text around
 * the leaves is passed over; what begins like a leaf and is none, or stands
 * between the leaves of a processor, is one line naming the file and the line.
 */
#ifndef VT_PROBES_DUMP_H
#define VT_PROBES_DUMP_H

#include "probes/facts.h"

#include <stddef.h>

/* Fill `facts` (initialised here, freed by the caller on success) from a file; "-" is standard input. */
int vt_dump_load(struct vt_facts *facts, const char *path, struct vt_error *error);

/* The same from memory; `name` is for messages. data[size] must be 0. */
int vt_dump_parse(struct vt_facts *facts, const char *name, const char *data, size_t size,
                  struct vt_error *error);

/* What the lines of a dump are like; a file has one kind. */
enum vt_dump_kind {
    VT_DUMP_UNKNOWN,
    VT_DUMP_CPUID,    /* cpuid -r */
    VT_DUMP_LIBCPUID, /* cpuid_serialize_raw_data */
    VT_DUMP_REGISTERS /* any other list of leaves and registers */
};

/* Does the dump contradict itself or stop early? Called by the two above once the lines are read and sorted.
 */
int vt_dump_check(const struct vt_facts *facts, const char *name, enum vt_dump_kind kind,
                  struct vt_error *error);

/* Record in the facts what kind of dump it was and what of it counts as not announced. */
void vt_dump_note(struct vt_facts *facts, enum vt_dump_kind kind);

/* What a text without any leaf is instead, and what to do about it; NULL: it is not known. *line: where that
 * shows. */
const char *vt_dump_recognize(const char *text, uint32_t *line);

/* The same of a file that is packed in a way that is not read here. */
const char *vt_dump_recognize_archive(const char *data, size_t size);

#endif

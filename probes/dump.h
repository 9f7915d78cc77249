/*
 * Dumps of CPUID taken on another machine: the text of `cpuid -r`, libcpuid's raw
 * format, and the "CPUID 00000000: EAX-EBX-ECX-EDX" lines that libcpuid reads too.
 *
 * The file is hostile until it is checked: bounded in every direction, and
 * anything unexpected is one line naming the file and the line.
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

/* How a dump's lines look; a file has one kind. */
enum vt_dump_kind {
    VT_DUMP_UNKNOWN,
    VT_DUMP_CPUID,    /* cpuid -r */
    VT_DUMP_LIBCPUID, /* cpuid_serialize_raw_data */
    VT_DUMP_REGISTERS /* CPUID 00000000: ... */
};

/* Does the dump contradict itself or stop early? Called by the two above once the lines are read and sorted.
 */
int vt_dump_check(const struct vt_facts *facts, const char *name, enum vt_dump_kind kind,
                  struct vt_error *error);

#endif

/*
 * What reading a dump is made of. Private to this folder: read.c gets the text, line.c recognizes lines,
 * assemble.c makes processors of them, check.c and note.c judge what came of it, foreign.c names what is no
 * dump.
 */
#ifndef VT_PROBES_DUMP_PARTS_H
#define VT_PROBES_DUMP_PARTS_H

#include "probes/facts.h"

#include <stddef.h>

/* What the lines of a dump are like; a file has one kind. */
enum vt_dump_kind {
    VT_DUMP_UNKNOWN,
    VT_DUMP_CPUID,    /* cpuid -r */
    VT_DUMP_LIBCPUID, /* cpuid_serialize_raw_data */
    VT_DUMP_REGISTERS /* any other list of leaves and registers */
};

/* Does the dump contradict itself or stop early? Called by read.c once the lines are read and sorted.
 */
int vt_dump_check(const struct vt_facts *facts, const char *name, enum vt_dump_kind kind,
                  struct vt_error *error);

/* Record in the facts what kind of dump it was and what of it counts as not announced. */
void vt_dump_note(struct vt_facts *facts, enum vt_dump_kind kind);

/* Record that lines from this one on had the subleaf of the line before; 0: none had. */
void vt_dump_note_repeated(struct vt_facts *facts, uint32_t line);

/* What a text without any leaf is instead, and what to do about it; NULL: it is not known. *line: where that
 * shows. */
const char *vt_dump_recognize(const char *text, uint32_t *line);

/* The same of a file that is packed in a way that is not read here. */
const char *vt_dump_recognize_archive(const char *data, size_t size);

#endif

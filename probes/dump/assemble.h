/*
 * Processors out of the lines of a dump: which processor a leaf belongs to, which
 * leaf registers belong to, and what may stand between them.
 */
#ifndef VT_PROBES_DUMP_ASSEMBLE_H
#define VT_PROBES_DUMP_ASSEMBLE_H

#include "probes/dump/line.h"

/* Zeros but for the first three when the first line is taken. */
struct vt_assembly {
    struct vt_facts *facts;
    const char *name; /* for messages */
    struct vt_error *error;
    enum vt_dump_kind format;
    uint32_t line;
    uint32_t gap;      /* the first line of text since the last leaf or heading, 0: none */
    uint32_t text;     /* the first of all */
    unsigned columns;  /* as all lines without names must have; 0: none yet */
    uint32_t repeated; /* the first with the subleaf of the line before, 0: none */
    bool bare;         /* lines of numbers alone are leaves */
    bool has_subject;
    struct vt_leaf subject; /* of VT_LINE_SUBJECT */
};

/* Take the next line; `line` of the assembly is its number. 0 or a negative errno with the error filled. */
int vt_assembly_take(struct vt_assembly *assembly, struct vt_line *line);

/* After the last line, of `text`: bring the leaves into order, and check them. */
int vt_assembly_finish(struct vt_assembly *assembly, const char *text);

/* Refuse the current line. */
int vt_assembly_reject(const struct vt_assembly *assembly, const char *problem);

#endif

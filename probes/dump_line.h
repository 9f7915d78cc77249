/*
 * One line of a dump: what it says, whichever tool wrote it. Each form is
 * recognized by itself; what follows from the lines before is dump.c's.
 */
#ifndef VT_PROBES_DUMP_LINE_H
#define VT_PROBES_DUMP_LINE_H

#include "probes/dump.h"

enum vt_line_kind {
    VT_LINE_TEXT,    /* anything else: headings of other sections, prompts, remarks */
    VT_LINE_BLANK,   /* nothing but punctuation, or a comment */
    VT_LINE_RULE,    /* a long rule */
    VT_LINE_HEADING, /* of a processor's leaves */
    VT_LINE_SUBJECT, /* names a leaf whose registers follow on lines of their own */
    VT_LINE_LEAF,
    VT_LINE_DAMAGED, /* begins like a leaf's or a heading's and does not go on like it */
};

struct vt_line {
    enum vt_line_kind kind;
    enum vt_dump_kind format; /* VT_DUMP_UNKNOWN: of any */
    long processor;           /* of a heading; -1: it has no number */
    struct vt_leaf leaf;
    bool numbered;    /* the subleaf is given; otherwise lines of the same leaf count up */
    bool continues;   /* may belong to the leaf of the last VT_LINE_SUBJECT, `index` being its subleaf */
    long index;       /* -1: the line has none */
    bool bare;        /* numbers alone: it takes lines of the same kind around it to be a leaf */
    unsigned columns; /* of registers without names: how many numbers there are; else 0 */
};

void vt_line_read(const char *text, struct vt_line *line);

#endif

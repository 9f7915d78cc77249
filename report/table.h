/*
 * The comparison: one line per case, one column per road. What every format shows.
 *
 * Owns: the arrangement. Columns never mix units, simulated and measured, or
 * documents that both have the same case. Results stay the caller's and must
 * outlive the table.
 */
#ifndef VT_REPORT_TABLE_H
#define VT_REPORT_TABLE_H

#include "base/error.h"
#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_column {
    const char *engine, *path;
    enum vt_unit unit;
    int cpl, vcpus, depth;
    bool simulated;
    size_t document;   /* index of the result it is of; several may share a column */
    size_t shown;      /* among the columns with a figure: which symbol and colour it has */
    size_t rank;       /* among those of its unit */
    bool measured;     /* it has a figure; with none on any column, all count as measured */
    size_t usual;      /* note of more than half of its cells, all unsupported: said once; 0: none */
    bool shared_name;  /* another column has the same engine, path, level and unit */
    bool shared_title; /* another column has the same title, and another path */
    char title[96];    /* "kvm CPL 3" */
    char subtitle[96]; /* "emulated", "instructions, simulated", ... */
};

enum { VT_TABLE_CELLS = 1 << 20 }; /* at most, empty ones included */

struct vt_line {
    const char *name, *class, *operation; /* class is never NULL */
    enum vt_class known;                  /* VT_CLASSES: a class this version does not know */
    size_t position;                      /* of the case in the catalogue */
    const struct vt_result_row **cells;   /* one per column; NULL: nothing known */
};

/* Why some cells are empty: each reason once. */
struct vt_note {
    const char *text;
    size_t uses;
    size_t first; /* among the cells with a reason, which it is that gave it */
};

struct vt_table {
    struct vt_result *const *results;
    size_t result_count;
    struct vt_column *columns;
    size_t column_count;
    struct vt_line *lines; /* in the catalogue's order, grouped by class */
    size_t line_count;
    struct vt_note *notes;
    const struct vt_note **notes_by_text;
    size_t note_count;
    struct vt_arena arena;
};

/* 0, -ENOMEM, or -E2BIG: more than VT_TABLE_CELLS. On success vt_table_release must follow. */
int vt_table_build(struct vt_table *table, struct vt_result *const *results, size_t count,
                   struct vt_error *error);

void vt_table_release(struct vt_table *table);

/* The result a page is of: the first that was measured, not simulated, or the first. NULL: there is none. */
const struct vt_result *vt_table_subject(const struct vt_table *table);

/* What tells a column from another of its title: "paravirtual"; "" where the title does. */
const char *vt_column_path(const struct vt_column *column);

/* How many columns have a figure. */
size_t vt_table_shown(const struct vt_table *table);

/* NULL: no result has the case. */
struct vt_line *vt_table_find_line(const struct vt_table *table, const char *name);

/* Number of the note that explains the cell, from 1; 0: none. */
size_t vt_table_note(const struct vt_table *table, const struct vt_result_row *cell);

/* Does the line start another class than the one before it? */
bool vt_table_starts_class(const struct vt_table *table, size_t line);

#endif

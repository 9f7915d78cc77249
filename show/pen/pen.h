/*
 * What is said, once, for every format that is read by people: the pen knows how text, markdown and HTML mark
 * a heading, a list, a table, and escapes every text it is given. A new format is one more table of marks.
 *
 * Owns: marks and escaping. Does not own: what is said; figures (show/quantity.h); the frame of an HTML page
 * (show/page.h), on which the pen writes.
 */
#ifndef VT_SHOW_PEN_PEN_H
#define VT_SHOW_PEN_PEN_H

#include "show/screen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A column of a table. */
struct vt_pen_column {
    const char *head;  /* in lower case: formats write it in theirs */
    int width;         /* of text; 0: what the cell needs */
    bool number;       /* to the right, where the format can */
    const char *class; /* of HTML cells; NULL: none but "number" */
};

enum vt_pen_tone {
    VT_TONE_PLAIN,
    VT_TONE_STRONG,
    VT_TONE_GOOD,   /* better than before */
    VT_TONE_BAD,    /* worse; strong where there is no colour */
    VT_TONE_ADVICE, /* what to do about what was said before */
    VT_TONE_CODE,   /* an instruction, where the format has letters for it */
    VT_TONES
};

struct vt_pen_cell {
    const char *text; /* NULL: nothing */
    const char *note; /* beside it; NULL or empty: none */
    const char *mark; /* of a crossing, before it; NULL: none */
    enum vt_pen_tone tone;
    double value; /* to sort by, where a page can; unused unless `sorted` */
    bool sorted;
};

struct vt_pen;

/* Marks around a list of pairs, and around the first and behind the second of each. */
struct vt_pen_pairs {
    const char *open, *close, *before, *between, *end;
    int width; /* of the first, in text; 0: what it needs */
};

/* How a format marks things. Strings stand around; functions are for what depends on more. */
struct vt_pen_marks {
    void (*escape)(const char *text,
                   FILE *stream); /* NULL: text for a screen, which is wrapped to its width */
    const char *micro;            /* of "µs", where the format holds it */
    size_t most;                  /* findings of one kind that are told */
    const char *heading[2], *lead[2], *paragraph[2], *warning[2];
    const char *tones[VT_TONES][2];
    const char *fold[2], *end_fold; /* around the title of what is folded away, and behind it */
    const char *note[2];            /* around a cell's */
    const char *list[2], *item[2];  /* formats without ends indent items by their depth */
    bool nested;                    /* lists are elements, closed in turn */
    bool marks;                     /* crossings have a coloured mark */
    struct vt_pen_pairs facts, questions;
    void (*open_table)(struct vt_pen *pen, const char *caption);
    void (*put_row)(struct vt_pen *pen, const struct vt_pen_cell *cells);
    const char *close_table;
};

struct vt_pen {
    const struct vt_pen_marks *marks;
    FILE *stream;
    bool colour, begun;
    int width;         /* at which lines are broken; 0: they are as long as what is said */
    int room;          /* of the screen, for tables; 0: no limit */
    int depth, indent; /* of the list; of lines that follow the first of a block */
    int at;            /* where the first begins */
    const char *end;   /* of the block that is open; NULL: none is */
    char block[4096];  /* of text: wrapped when it ends */
    const struct vt_pen_pairs *pairs;
    const struct vt_pen_column *columns;
    size_t column_count;
};

extern const struct vt_pen_marks vt_pen_text, vt_pen_markdown, vt_pen_html;

/* A pen on a stream. `screen` may be NULL: no colour, and no lines are broken. */
struct vt_pen vt_pen_on(FILE *stream, const struct vt_pen_marks *marks, const struct vt_screen *screen);

/* Blocks of one text. */
void vt_pen_heading(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_pen_lead(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_pen_paragraph(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_pen_warning(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is there for who asks: the reader unfolds it, where the format can. */
void vt_pen_fold(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_pen_end_fold(struct vt_pen *pen);

/* Begin a paragraph of several tones; the next block or vt_pen_end ends it. */
void vt_pen_begin(struct vt_pen *pen);

/* Begin an item at a depth from 1, whatever was open before. */
void vt_pen_item(struct vt_pen *pen, int depth);

/* Begin a pair of a list of facts, or of questions and answers: the first is said here, the second after it.
 */
void vt_pen_fact(struct vt_pen *pen, const char *label);
void vt_pen_question(struct vt_pen *pen, const char *question);

/* End the block and the list that are open. */
void vt_pen_end(struct vt_pen *pen);

/* Words within what is open. */
void vt_pen_say(struct vt_pen *pen, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vt_pen_tone(struct vt_pen *pen, enum vt_pen_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void vt_pen_mark(struct vt_pen *pen, const char *crossing); /* nothing where the format has no marks */

/* A table: its columns must outlive it; rows have as many cells. */
void vt_pen_table(struct vt_pen *pen, const char *caption, const struct vt_pen_column *columns, size_t count);
void vt_pen_row(struct vt_pen *pen, const struct vt_pen_cell *cells);
void vt_pen_end_table(struct vt_pen *pen);

/* What stands in a cell, for the formats. */
void vt_pen_put_cell(struct vt_pen *pen, const struct vt_pen_cell *cell);

#endif

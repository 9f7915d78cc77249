/*
 * What the story's parts share: a teller holds the table, the language and the stream.
 */
#ifndef VT_REPORT_STORY_TELL_H
#define VT_REPORT_STORY_TELL_H

#include "report/story/figure.h"
#include "report/story/language.h"

#include <stdio.h>

struct vt_teller {
    const struct vt_table *table;
    const struct vt_language *language;
    FILE *stream;
};

/* A figure with its unit; in the language's words, escaped. */
void vt_tell_figure(const struct vt_teller *teller, const struct vt_figure *figure, FILE *stream);

/* The label of a road's name. */
const char *vt_tell_road(enum vt_road road);

/* A label, escaped. */
void vt_tell_label(const struct vt_teller *teller, const char *name);

/*
 * Text with figures and emphasis as markup, of which every other character is escaped. With `stream` NULL
 * nothing is written. False: a figure in it is unknown.
 */
bool vt_tell_text(const struct vt_teller *teller, const char *text, int length, FILE *stream);

/* A paragraph; nothing where its text is empty. */
void vt_tell_paragraph(const struct vt_teller *teller, const struct vt_directive *directive);

/* tables.c: the tables of steps 3, 4 and 7 behind their text; nothing where no result tells. */
void vt_tell_holes(const struct vt_teller *teller, const struct vt_directive *directive);
void vt_tell_code(const struct vt_teller *teller, const struct vt_directive *directive);
void vt_tell_roads(const struct vt_teller *teller, const struct vt_directive *directive);

/* classic.c: the comparison of 2006 with figures of now; nothing where the monitor was not measured. */
void vt_tell_classic(const struct vt_teller *teller, const struct vt_directive *directive);

/* tables.c: how each of them begins and ends; `label` is its caption. */
void vt_tell_open_table(const struct vt_teller *teller, const char *label, const char *class);
void vt_tell_head(const struct vt_teller *teller, const char *name, bool number);
void vt_tell_close_table(const struct vt_teller *teller);

/* depths.c: a case in a guest and in a guest of a guest. */
void vt_tell_depths(const struct vt_teller *teller, const struct vt_directive *directive);

/* picture.c: a picture by its name, with its text in words. */
void vt_tell_picture(const struct vt_teller *teller, struct vt_directive *directive);

/* A chart: `caption` and the .bar directives behind it, from *at of the language on. */
void vt_tell_bars(const struct vt_teller *teller, const struct vt_directive *caption, size_t at);

#endif

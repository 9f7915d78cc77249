/*
 * The story's text in one language: a file of directives, compiled into the program.
 *
 *     .title, .intro TEXT            at the head of the chapter
 *     .step ID HEADING               a step begins
 *     .p TEXT                        a paragraph; *so* is emphasized, {so} is a figure (figure.h)
 *     .or TEXT                       told where the paragraph before was not: a figure of it is unknown here
 *     .picture NAME TEXT             a picture, over what it shows in words
 *     .bars TEXT                     a chart of the bars that follow, told when two of them are known
 *     .bar FIGURE TEXT               one of them
 *     .holes, .code, .roads TEXT     the tables of steps 3, 4 and 7, told with TEXT before them or not at all
 *     .depths TEXT                   the table of a hypervisor in a hypervisor, likewise
 *     .label NAME TEXT               a word in pictures and tables
 */
#ifndef VT_REPORT_STORY_LANGUAGE_H
#define VT_REPORT_STORY_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

struct vt_language {
    const char *code; /* as in lang="": "en" */
    const char *text;
    const size_t *size;
};

enum { VT_LANGUAGES = 2 };

/* Their codes, for a list of choices ended by NULL. */
void vt_language_choices(const char *codes[VT_LANGUAGES + 1]);

/* Number i, NULL behind the last; the first is what is told where none was asked for. */
const struct vt_language *vt_language(size_t i);

/* NULL: no language of that code. */
const struct vt_language *vt_language_find(const char *code);

/* A directive with what follows it on its line; neither ends with NUL. */
struct vt_directive {
    const char *name, *text;
    int name_length, length;
};

/* The next directive from *at on; false at the end. */
bool vt_language_next(const struct vt_language *language, size_t *at, struct vt_directive *directive);

bool vt_directive_is(const struct vt_directive *directive, const char *name);

/* The first word of a directive's text is copied to `word` ("" when it does not fit) and taken off. */
void vt_directive_word(struct vt_directive *directive, char *word, size_t size);

/* The text of a label, of *length bytes; "" where there is none. */
const char *vt_language_label(const struct vt_language *language, const char *name, int *length);

#endif

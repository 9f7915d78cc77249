#include "show/pen/pen.h"
#include "base/text.h"
#include "show/page.h"
#include "base/wrap.h"

#include <stdarg.h>
#include <string.h>

enum { LONGEST = 2048, USUAL_WIDTH = 100 };

static const char *const nothing[2] = {"", ""};

struct vt_pen vt_pen_on(FILE *stream, const struct vt_pen_marks *marks, const struct vt_screen *screen)
{
    return (struct vt_pen){.marks = marks,
                           .stream = stream,
                           .colour = screen && screen->colour,
                           .room = screen ? screen->width : 0,
                           .width = !screen             ? 0
                                    : screen->width > 0 ? screen->width
                                                        : USUAL_WIDTH};
}

/* The line that keeps blocks apart has nothing to keep apart where a text begins. */
static void put_mark(struct vt_pen *pen, const char *mark)
{
    fputs(!pen->begun && *mark == '\n' ? mark + 1 : mark, pen->stream);
    pen->begun = true;
}

/* Text on a screen is collected until its block ends. */
static void put_text(struct vt_pen *pen, const char *before, char *text, const char *after)
{
    if (pen->marks->escape) {
        fputs(before, pen->stream);
        pen->marks->escape(text, pen->stream);
        fputs(after, pen->stream);
        return;
    }
    vt_text_clean(text, strlen(text));
    if (pen->end)
        vt_text_append(pen->block, sizeof pen->block, "%s%s%s", before, text, after);
    else
        fprintf(pen->stream, "%s%s%s", before, text, after);
}

static void end_block(struct vt_pen *pen)
{
    if (!pen->end)
        return;
    vt_wrap(pen->block, pen->width, pen->indent, pen->at, pen->stream);
    fputs(pen->end, pen->stream);
    *pen->block = '\0';
    pen->end = NULL;
}

static void begin_block(struct vt_pen *pen, const char *const marks[2], int indent)
{
    end_block(pen);
    put_mark(pen, marks[0]);
    pen->end = marks[1];
    pen->indent = pen->at = indent;
}

static void say_block(struct vt_pen *pen, const char *const marks[2], const char *format, va_list arguments)
{
    char text[LONGEST];
    vsnprintf(text, sizeof text, format, arguments);
    vt_pen_end(pen);
    begin_block(pen, marks, 0);
    const char *line = strrchr(marks[0], '\n');
    pen->at = vt_wrap_width(line ? line + 1 : marks[0]);
    put_text(pen, "", text, "");
    end_block(pen);
}

/* One function for each kind of block, all alike. */
#define WRITES(name, marks_of)                                                                               \
    void name(struct vt_pen *pen, const char *format, ...)                                                   \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, format);                                                                         \
        say_block(pen, marks_of, format, arguments);                                                         \
        va_end(arguments);                                                                                   \
    }

WRITES(vt_pen_heading, pen->marks->heading)
WRITES(vt_pen_lead, pen->marks->lead)
WRITES(vt_pen_paragraph, pen->marks->paragraph)
WRITES(vt_pen_warning, pen->marks->warning)
WRITES(vt_pen_fold, pen->marks->fold)

void vt_pen_end_fold(struct vt_pen *pen)
{
    vt_pen_end(pen);
    fputs(pen->marks->end_fold, pen->stream);
}

void vt_pen_begin(struct vt_pen *pen)
{
    vt_pen_end(pen);
    begin_block(pen, pen->marks->paragraph, 0);
}

static void say(struct vt_pen *pen, const char *const marks[2], const char *format, va_list arguments)
{
    char text[LONGEST];
    vsnprintf(text, sizeof text, format, arguments);
    put_text(pen, marks[0] ? marks[0] : "", text, marks[1] ? marks[1] : "");
}

void vt_pen_say(struct vt_pen *pen, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(pen, nothing, format, arguments);
    va_end(arguments);
}

void vt_pen_tone(struct vt_pen *pen, enum vt_pen_tone tone, const char *format, ...)
{
    static const char *const painted[VT_TONES][2] = {
        [VT_TONE_STRONG] = {"\033[1m", "\033[0m"},
        [VT_TONE_GOOD] = {"\033[32m", "\033[0m"},
        [VT_TONE_BAD] = {"\033[31m", "\033[0m"},
    };
    va_list arguments;
    va_start(arguments, format);
    say(pen, pen->colour && painted[tone][0] ? painted[tone] : pen->marks->tones[tone], format, arguments);
    va_end(arguments);
}

void vt_pen_mark(struct vt_pen *pen, const char *crossing)
{
    if (pen->marks->marks)
        vt_page_mark(crossing, pen->stream);
}

/* Where lists are elements, an item that holds a list ends behind it. */
static void close_items(struct vt_pen *pen, int depth)
{
    const struct vt_pen_marks *marks = pen->marks;
    if (!marks->nested || pen->depth == 0)
        return;
    if (depth <= pen->depth)
        fputs(marks->item[1], pen->stream);
    for (int open = pen->depth; open > depth; open--) {
        fputs(marks->list[1], pen->stream);
        fputs(open > 1 ? marks->item[1] : "", pen->stream);
    }
}

void vt_pen_item(struct vt_pen *pen, int depth)
{
    const struct vt_pen_marks *marks = pen->marks;
    bool opens = depth > pen->depth && (marks->nested || pen->depth == 0);
    if (pen->pairs)
        vt_pen_end(pen);
    end_block(pen);
    close_items(pen, depth);
    put_mark(pen, opens ? marks->list[0] : "");
    fprintf(pen->stream, "%*s", marks->nested ? 0 : 2 * (depth - 1), "");
    begin_block(pen, (const char *const[2]){marks->item[0], marks->nested ? "" : marks->item[1]},
                2 * depth + 2);
    pen->depth = depth;
}

static void begin_pair(struct vt_pen *pen, const struct vt_pen_pairs *pairs, const char *first)
{
    char text[LONGEST];
    if (pen->pairs != pairs) {
        vt_pen_end(pen);
        put_mark(pen, pairs->open);
    }
    end_block(pen);
    pen->pairs = pairs;
    snprintf(text, sizeof text, "%s", first);
    put_mark(pen, pairs->before);
    if (pairs->width) {
        fprintf(pen->stream, "%-*s", pairs->width, text);
        begin_block(pen, (const char *const[2]){"", pairs->end}, pairs->width);
        return;
    }
    begin_block(pen, (const char *const[2]){"", pairs->end}, 4);
    put_text(pen, "", text, pairs->between);
}

void vt_pen_fact(struct vt_pen *pen, const char *label)
{
    begin_pair(pen, &pen->marks->facts, label);
}

void vt_pen_question(struct vt_pen *pen, const char *question)
{
    begin_pair(pen, &pen->marks->questions, question);
}

void vt_pen_end(struct vt_pen *pen)
{
    end_block(pen);
    close_items(pen, 0);
    if (pen->depth && !pen->marks->nested)
        fputs(pen->marks->list[1], pen->stream);
    if (pen->pairs)
        fputs(pen->pairs->close, pen->stream);
    pen->depth = 0;
    pen->pairs = NULL;
}

void vt_pen_table(struct vt_pen *pen, const char *caption, const struct vt_pen_column *columns, size_t count)
{
    vt_pen_end(pen);
    pen->columns = columns;
    pen->column_count = count;
    pen->marks->open_table(pen, caption);
}

void vt_pen_row(struct vt_pen *pen, const struct vt_pen_cell *cells)
{
    pen->marks->put_row(pen, cells);
}

void vt_pen_put_cell(struct vt_pen *pen, const struct vt_pen_cell *cell)
{
    const char *text = cell->text ? cell->text : "";
    char note[LONGEST];
    vt_pen_mark(pen, cell->mark);
    vt_pen_tone(pen, *text ? cell->tone : VT_TONE_PLAIN, "%s", text);
    snprintf(note, sizeof note, "%s", cell->note ? cell->note : "");
    if (*note)
        put_text(pen, pen->marks->note[0], note, pen->marks->note[1]);
}

void vt_pen_end_table(struct vt_pen *pen)
{
    fputs(pen->marks->close_table, pen->stream);
}

#include "show/pen/pen.h"
#include "show/page.h"

#include <stdarg.h>
#include <string.h>

enum { LONGEST = 2048 };

struct vt_pen vt_pen_on(FILE *stream, const struct vt_pen_marks *marks, const struct vt_screen *screen)
{
    return (struct vt_pen){.marks = marks, .stream = stream, .colour = screen && screen->colour};
}

void vt_pen_around(struct vt_pen *pen, const char *const marks[2], const char *text)
{
    const char *before = marks[0] ? marks[0] : "";
    /* The line that keeps blocks apart has nothing to keep apart where a text begins. */
    fputs(!pen->begun && *before == '\n' ? before + 1 : before, pen->stream);
    pen->begun = true;
    pen->marks->escape(text, pen->stream);
    fputs(marks[1] ? marks[1] : "", pen->stream);
}

static void write_around(struct vt_pen *pen, const char *const marks[2], const char *format,
                         va_list arguments)
{
    char text[LONGEST];
    vsnprintf(text, sizeof text, format, arguments);
    vt_pen_around(pen, marks, text);
}

/* One function for each kind of text, all alike. */
#define WRITES(name, marks_of)                                                                               \
    void name(struct vt_pen *pen, const char *format, ...)                                                   \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, format);                                                                         \
        write_around(pen, marks_of, format, arguments);                                                      \
        va_end(arguments);                                                                                   \
    }

static const char *const bare[2] = {"", ""};

WRITES(vt_pen_heading, pen->marks->heading)
WRITES(vt_pen_lead, pen->marks->lead)
WRITES(vt_pen_paragraph, pen->marks->paragraph)
WRITES(vt_pen_warning, pen->marks->warning)
WRITES(vt_pen_fold, pen->marks->fold)
WRITES(vt_pen_say, bare)

void vt_pen_tone(struct vt_pen *pen, enum vt_pen_tone tone, const char *format, ...)
{
    static const char *const painted[VT_TONES][2] = {
        [VT_TONE_PLAIN] = {"", ""},
        [VT_TONE_STRONG] = {"\033[1m", "\033[0m"},
        [VT_TONE_GOOD] = {"\033[32m", "\033[0m"},
        [VT_TONE_BAD] = {"\033[31m", "\033[0m"},
    };
    va_list arguments;
    va_start(arguments, format);
    write_around(pen, pen->colour ? painted[tone] : pen->marks->tones[tone], format, arguments);
    va_end(arguments);
}

void vt_pen_mark(struct vt_pen *pen, const char *crossing)
{
    if (pen->marks->marks)
        vt_page_mark(crossing, pen->stream);
}

static void close_item(struct vt_pen *pen, bool with_list)
{
    fputs(pen->marks->item[1], pen->stream);
    if (with_list && pen->marks->nested)
        fputs(pen->marks->list[1], pen->stream);
}

void vt_pen_item(struct vt_pen *pen, int depth)
{
    bool deeper = depth > pen->depth;
    if (pen->depth > 0 && (!deeper || !pen->marks->nested))
        close_item(pen, false);
    for (; pen->depth > depth; pen->depth--)
        if (pen->marks->nested) {
            fputs(pen->marks->list[1], pen->stream);
            fputs(pen->marks->item[1], pen->stream);
        }
    if (deeper && (pen->marks->nested || pen->depth == 0))
        fputs(pen->marks->list[0], pen->stream);
    for (int i = 1; i < depth && !pen->marks->nested; i++)
        fputs("  ", pen->stream);
    fputs(pen->marks->item[0], pen->stream);
    pen->depth = depth;
}

void vt_pen_end(struct vt_pen *pen)
{
    if (pen->depth == 0)
        return;
    close_item(pen, true);
    for (; pen->depth > 1; pen->depth--)
        if (pen->marks->nested)
            close_item(pen, true);
    if (!pen->marks->nested)
        fputs(pen->marks->list[1], pen->stream);
    pen->depth = 0;
}

void vt_pen_table(struct vt_pen *pen, const char *caption, const struct vt_pen_column *columns, size_t count)
{
    pen->columns = columns;
    pen->column_count = count;
    pen->marks->open_table(pen, caption);
}

void vt_pen_row(struct vt_pen *pen, const struct vt_pen_cell *cells)
{
    pen->marks->put_row(pen, cells);
}

void vt_pen_end_table(struct vt_pen *pen)
{
    fputs(pen->marks->close_table, pen->stream);
}

void vt_pen_end_fold(struct vt_pen *pen)
{
    fputs(pen->marks->end_fold, pen->stream);
}

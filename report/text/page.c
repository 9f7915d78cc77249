#include "report/text/page.h"

#include <stdbool.h>
#include <string.h>

static const char *paint_code(enum vt_text_paint paint)
{
    static const char *const codes[] = {
        [VT_TEXT_PLAIN] = "",           [VT_TEXT_BOLD] = "\033[1m",  [VT_TEXT_DIM] = "\033[2m",
        [VT_TEXT_GOOD] = "\033[32m",    [VT_TEXT_WARM] = "\033[33m", [VT_TEXT_HOT] = "\033[31m",
        [VT_TEXT_ALERT] = "\033[1;33m",
    };
    return codes[paint];
}

/* C0 and DEL, and C1 in UTF-8 (c2 80 to c2 9f). Returns how many bytes the control character takes, or 0. */
static size_t is_control(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    if (*at < 0x20 || *at == 0x7f)
        return 1;
    return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

void vt_text_put(const struct vt_text *page, enum vt_text_paint paint, const char *text)
{
    bool coloured = page->report->screen.colour && paint != VT_TEXT_PLAIN && *text;
    fputs(coloured ? paint_code(paint) : "", page->stream);
    while (*text) {
        size_t skipped = is_control(text);
        putc(skipped ? '?' : *text, page->stream);
        text += skipped ? skipped : 1;
    }
    fputs(coloured ? "\033[0m" : "", page->stream);
}

int vt_text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void vt_text_pad(const struct vt_text *page, int width)
{
    if (width > 0)
        fprintf(page->stream, "%*s", width, "");
}

void vt_text_left(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width)
{
    vt_text_put(page, paint, text);
    vt_text_pad(page, width - vt_text_width(text));
}

void vt_text_right(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width)
{
    vt_text_pad(page, width - vt_text_width(text));
    vt_text_put(page, paint, text);
}

void vt_text_wrap(const struct vt_text *page, enum vt_text_paint paint, const char *text, int indent)
{
    int limit = page->report->screen.width > 0 ? page->report->screen.width : 100, used = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (used > indent && used + 1 + vt_text_width(word) > limit) {
            putc('\n', page->stream);
            vt_text_pad(page, indent);
            used = indent;
        } else if (used > indent) {
            putc(' ', page->stream);
            used++;
        }
        vt_text_put(page, paint, word);
        used += vt_text_width(word);
        text += length < sizeof word ? length : sizeof word - 1;
        text += *text == ' ';
    }
    putc('\n', page->stream);
}

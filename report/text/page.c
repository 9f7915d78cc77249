#include "report/text/page.h"
#include "base/wrap.h"

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

void vt_text_put(const struct vt_text *page, enum vt_text_paint paint, const char *text)
{
    bool coloured = page->report->screen.colour && paint != VT_TEXT_PLAIN && *text;
    fprintf(page->stream, "%s%s%s", coloured ? paint_code(paint) : "", text, coloured ? "\033[0m" : "");
}

void vt_text_pad(const struct vt_text *page, int width)
{
    if (width > 0)
        fprintf(page->stream, "%*s", width, "");
}

void vt_text_left(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width)
{
    vt_text_put(page, paint, text);
    vt_text_pad(page, width - vt_wrap_width(text));
}

void vt_text_right(const struct vt_text *page, enum vt_text_paint paint, const char *text, int width)
{
    vt_text_pad(page, width - vt_wrap_width(text));
    vt_text_put(page, paint, text);
}

#include "price/format/format.h"

bool vt_price_has_format(enum vt_format format)
{
    return format != VT_FORMAT_CSV;
}

static void write_in(const struct vt_price *price, const struct vt_pen_marks *marks,
                     const struct vt_screen *screen, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, marks, screen);
    vt_price_write(price, &pen);
}

void vt_price_print(enum vt_format format, const struct vt_price *price, const struct vt_screen *screen,
                    FILE *stream)
{
    switch (format) {
    case VT_FORMAT_JSON:
        vt_price_print_json(price, stream);
        break;
    case VT_FORMAT_HTML:
        vt_price_print_html(price, stream);
        break;
    case VT_FORMAT_OPENMETRICS:
        vt_price_print_metrics(price, stream);
        break;
    case VT_FORMAT_MARKDOWN:
        write_in(price, &vt_pen_markdown, NULL, stream);
        break;
    default:
        write_in(price, &vt_pen_text, screen, stream);
    }
}

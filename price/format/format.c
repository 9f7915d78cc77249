#include "price/format/format.h"

static void print_text(const struct vt_price *price, const struct vt_screen *screen, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, screen);
    vt_price_write(price, &pen);
}

static void print_markdown(const struct vt_price *price, const struct vt_screen *screen, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_markdown, NULL);
    (void)screen;
    vt_price_write(price, &pen);
}

static void print_json(const struct vt_price *price, const struct vt_screen *screen, FILE *stream)
{
    (void)screen;
    vt_price_print_json(price, stream);
}

static void print_html(const struct vt_price *price, const struct vt_screen *screen, FILE *stream)
{
    (void)screen;
    vt_price_print_html(price, stream);
}

static void print_metrics(const struct vt_price *price, const struct vt_screen *screen, FILE *stream)
{
    (void)screen;
    vt_price_print_metrics(price, stream);
}

static void (*const printers[VT_FORMATS])(const struct vt_price *price, const struct vt_screen *screen,
                                          FILE *stream) = {
    [VT_FORMAT_TEXT] = print_text, [VT_FORMAT_MARKDOWN] = print_markdown,   [VT_FORMAT_JSON] = print_json,
    [VT_FORMAT_HTML] = print_html, [VT_FORMAT_OPENMETRICS] = print_metrics,
};

bool vt_price_has_format(enum vt_format format)
{
    return printers[format];
}

void vt_price_print(enum vt_format format, const struct vt_price *price, const struct vt_screen *screen,
                    FILE *stream)
{
    printers[format](price, screen, stream);
}

#include "price/format/format.h"

/* What is printed: one bill, or those of several machines. */
struct said {
    const struct vt_price *price;     /* NULL: all */
    const struct vt_price_bills *all; /* NULL: one */
};

static void write_said(const void *context, struct vt_pen *pen)
{
    const struct said *said = context;
    if (said->price)
        vt_price_write(said->price, pen);
    else
        vt_price_write_all(said->all, pen);
}

static void print_text(const struct said *said, const struct vt_screen *screen, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, screen);
    write_said(said, &pen);
}

static void print_markdown(const struct said *said, const struct vt_screen *screen, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_markdown, NULL);
    (void)screen;
    write_said(said, &pen);
}

static void print_json(const struct said *said, const struct vt_screen *screen, FILE *stream)
{
    (void)screen;
    if (said->price)
        vt_price_print_json(said->price, stream);
    else
        vt_price_print_all_json(said->all, stream);
}

static void print_html(const struct said *said, const struct vt_screen *screen, FILE *stream)
{
    char headline[320] = "The price of crossing";
    (void)screen;
    if (said->price)
        vt_price_headline(said->price, headline, sizeof headline);
    vt_price_print_page(headline, write_said, said, stream);
}

static void print_metrics(const struct said *said, const struct vt_screen *screen, FILE *stream)
{
    (void)screen;
    if (said->price)
        vt_price_print_metrics(said->price, 1, stream);
    else
        vt_price_print_metrics(said->all->list, said->all->count, stream);
}

static void (*const printers[VT_FORMATS])(const struct said *said, const struct vt_screen *screen,
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
    printers[format](&(struct said){.price = price}, screen, stream);
}

void vt_price_print_all(enum vt_format format, const struct vt_price_bills *all,
                        const struct vt_screen *screen, FILE *stream)
{
    printers[format](&(struct said){.all = all}, screen, stream);
}

#include "compare/format/format.h"
#include "compare/format/table.h"
#include "compare/format/words.h"

/* A terminal is spared hundreds of rows, unless it asks for them. */
enum { FEW_ROWS = 40 };

static void put_rest(const struct vt_comparison *c, bool all, struct vt_pen *pen)
{
    size_t rest = vt_compare_count_rest(c);
    bool times = all || rest <= FEW_ROWS;
    vt_compare_told(c, times, pen);
    if (!times)
        vt_pen_paragraph(pen, "%zu more rows and what was detectable in each are shown by --all.", rest);
}

static int print_text(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                      struct vt_error *error)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, screen);
    char text[1024];
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    vt_pen_begin(&pen);
    vt_pen_tone(&pen, VT_TONE_STRONG, "%s", text);
    vt_compare_say_basis(c, &pen);
    if (vt_compare_has_findings(c))
        vt_pen_heading(&pen, "Changed:");
    vt_compare_findings(c, &pen);
    put_rest(c, screen->all, &pen);
    return 0;
}

static int print_markdown(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                          struct vt_error *error)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_markdown, NULL);
    char text[1024];
    (void)screen;
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    vt_pen_heading(&pen, "What crossing into the hypervisor costs: %s", text);
    for (size_t i = 0; i < c->warning_count; i++)
        vt_pen_warning(&pen, "%s", c->warnings[i]);
    vt_compare_findings(c, &pen);
    vt_compare_rest(c, &pen);
    vt_compare_say_basis(c, &pen);
    return 0;
}

static int (*const printers[VT_FORMATS])(const struct vt_comparison *, const struct vt_screen *, FILE *,
                                         struct vt_error *) = {
    [VT_FORMAT_TEXT] = print_text,          [VT_FORMAT_MARKDOWN] = print_markdown,
    [VT_FORMAT_JSON] = vt_compare_json,     [VT_FORMAT_HTML] = vt_compare_html,
    [VT_FORMAT_COMMIT] = vt_compare_commit,
};

bool vt_compare_has_format(enum vt_format format)
{
    return printers[format];
}

int vt_compare_print(enum vt_format format, const struct vt_comparison *comparison,
                     const struct vt_screen *screen, FILE *stream, struct vt_error *error)
{
    return printers[format](comparison, screen, stream, error);
}

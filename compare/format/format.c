#include "compare/format/format.h"
#include "compare/format/table.h"
#include "compare/format/words.h"

/* Times without a change are hundreds of rows: a terminal is spared them. */
static int print_text(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                      struct vt_error *error)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, screen);
    char text[512];
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    vt_pen_begin(&pen);
    vt_pen_tone(&pen, VT_TONE_STRONG, "%s", text);
    vt_compare_basis(c, text, sizeof text);
    vt_pen_paragraph(&pen, "%s", text);
    if (c->count > c->changes[VT_CHANGE_NONE] + c->changes[VT_CHANGE_UNCLEAR])
        vt_pen_heading(&pen, "Changed:");
    vt_compare_times(c, true, &pen);
    vt_compare_counts(c, true, &pen);
    if (c->counts) {
        vt_pen_heading(&pen, "The same:");
        vt_compare_counts(c, false, &pen);
    }
    return 0;
}

static int print_markdown(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                          struct vt_error *error)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_markdown, NULL);
    char text[512];
    (void)screen;
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    vt_pen_heading(&pen, "What crossing into the hypervisor costs: %s", text);
    for (size_t i = 0; i < c->warning_count; i++)
        vt_pen_warning(&pen, "%s", c->warnings[i]);
    vt_compare_times(c, true, &pen);
    vt_compare_counts(c, true, &pen);
    vt_compare_rest(c, &pen);
    vt_compare_basis(c, text, sizeof text);
    vt_pen_paragraph(&pen, "%s", text);
    return 0;
}

static int (*const printers[VT_FORMATS])(const struct vt_comparison *, const struct vt_screen *, FILE *,
                                         struct vt_error *) = {
    [VT_FORMAT_TEXT] = print_text,
    [VT_FORMAT_MARKDOWN] = print_markdown,
    [VT_FORMAT_JSON] = vt_compare_json,
    [VT_FORMAT_HTML] = vt_compare_html,
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

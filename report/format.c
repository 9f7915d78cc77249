#include "report/format.h"

static int (*const printers[VT_FORMATS])(const struct vt_report *, FILE *, struct vt_error *) = {
    [VT_FORMAT_TEXT] = vt_report_text,     [VT_FORMAT_MARKDOWN] = vt_report_markdown,
    [VT_FORMAT_CSV] = vt_report_csv,       [VT_FORMAT_JSON] = vt_report_json,
    [VT_FORMAT_HTML] = vt_report_html,     [VT_FORMAT_OPENMETRICS] = vt_report_openmetrics,
    [VT_FORMAT_FOLDED] = vt_report_folded,
};

bool vt_report_has_format(enum vt_format format)
{
    return printers[format];
}

int vt_report_print(enum vt_format format, struct vt_result *const *results, size_t count,
                    const struct vt_screen *screen, FILE *stream, struct vt_error *error)
{
    struct vt_table table;
    int status = vt_table_build(&table, results, count, error);
    if (status)
        return status;
    struct vt_report report = {.table = &table, .screen = *screen};
    vt_finding_collect(&report.findings, &table);
    struct vt_published published = {0};
    if (screen->published && vt_published_load(&published, &table) != 0)
        status = vt_error_memory(error, "the published figures");
    report.published = screen->published ? &published : NULL;
    status = status ? status : printers[format](&report, stream, error);
    vt_published_release(&published);
    vt_table_release(&table);
    return status;
}

#include "report/format.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct vt_format formats[] = {
    {"text", {".txt"}, vt_format_text},
    {"markdown", {".md", ".markdown"}, vt_format_markdown},
    {"csv", {".csv"}, vt_format_csv},
    {"json", {".json", ".jsonl"}, vt_format_json},
    {"html", {".html", ".htm"}, vt_format_html},
    {"openmetrics", {".prom"}, vt_format_openmetrics},
};

const struct vt_format *vt_report_formats(size_t *count)
{
    *count = sizeof formats / sizeof formats[0];
    return formats;
}

const struct vt_format *vt_report_find_format(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

const struct vt_format *vt_report_format_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot || strchr(dot, '/'))
        return NULL;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        for (const char *const *extension = formats[i].extensions; *extension; extension++)
            if (strcasecmp(*extension, dot) == 0)
                return &formats[i];
    return NULL;
}

int vt_report_print(const struct vt_format *format, struct vt_result *const *results, size_t count,
                    const struct vt_screen *screen, FILE *stream, struct vt_error *error)
{
    struct vt_table table;
    if (vt_table_build(&table, results, count) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the report");
    struct vt_report report = {.table = &table, .screen = *screen};
    vt_finding_collect(&report.findings, &table);
    struct vt_published published = {0};
    int status = 0;
    if (screen->published && vt_published_load(&published, &table) != 0)
        status = vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the published figures");
    report.published = screen->published ? &published : NULL;
    status = status ? status : format->print(&report, stream, error);
    vt_published_release(&published);
    vt_table_release(&table);
    return status;
}

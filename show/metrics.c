#include "show/metrics.h"
#include "base/text.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* A collector drops a page whole for one byte that is no UTF-8; names of files are bytes of any kind. */
static size_t put_character(const char *at, FILE *stream)
{
    size_t length = vt_text_character((const unsigned char *)at);
    if (length == 0)
        fprintf(stream, "\\\\x%02x", (unsigned char)*at);
    else if (*at == '\n')
        fputs("\\n", stream);
    else if (*at == '\\' || *at == '"')
        fprintf(stream, "\\%c", *at);
    else
        fwrite(at, 1, length, stream);
    return length ? length : 1;
}

void vt_metrics_label(const char *name, const char *value, bool first, FILE *stream)
{
    fprintf(stream, "%s%s=\"", first ? "{" : ",", name);
    while (value && *value)
        value += put_character(value, stream);
    putc('"', stream);
}

void vt_metrics_case_labels(const struct vt_metrics_case *c, bool first, FILE *stream)
{
    char cpl[16] = "", vcpus[16], depth[16];
    snprintf(depth, sizeof depth, "%d", c->depth);
    snprintf(vcpus, sizeof vcpus, "%d", c->vcpus);
    if (c->cpl >= 0)
        snprintf(cpl, sizeof cpl, "%d", c->cpl);
    vt_metrics_label("case", c->name, first, stream);
    vt_metrics_label("class", c->class, false, stream);
    vt_metrics_label("engine", c->engine, false, stream);
    vt_metrics_label("path", c->path, false, stream);
    vt_metrics_label("cpl", cpl, false, stream);
    /* Where there is but one, series keep the labels they have always had. */
    if (c->vcpus > 1)
        vt_metrics_label("vcpus", vcpus, false, stream);
    if (c->depth > 1)
        vt_metrics_label("depth", depth, false, stream);
}

void vt_metrics_page(const char *output, const char *source, const char *detail, char *text, size_t size)
{
    if (strcmp(output, "-") == 0) {
        snprintf(text, size, "%s%s%s", source, detail ? " " : "", detail ? detail : "");
        return;
    }
    const char *slash = strrchr(output, '/'), *name = slash ? slash + 1 : output, *dot = strrchr(name, '.');
    bool usual = dot && dot > name && strcasecmp(dot, ".prom") == 0;
    snprintf(text, size, "%.*s", usual ? (int)(dot - name) : (int)strnlen(name, size), name);
}

void vt_metrics_head(const char *name, const char *help, FILE *stream)
{
    fprintf(stream, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

double vt_metrics_time(const char *iso)
{
    struct tm utc = {0};
    if (!iso || !strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return NAN;
    return (double)timegm(&utc);
}

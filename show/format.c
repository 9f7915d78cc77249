#include "show/format.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *endings[3];
} formats[VT_FORMATS] = {
    [VT_FORMAT_TEXT] = {"text", {".txt"}},
    [VT_FORMAT_MARKDOWN] = {"markdown", {".md", ".markdown"}},
    [VT_FORMAT_CSV] = {"csv", {".csv"}},
    [VT_FORMAT_JSON] = {"json", {".json", ".jsonl"}},
    [VT_FORMAT_HTML] = {"html", {".html", ".htm"}},
    [VT_FORMAT_OPENMETRICS] = {"openmetrics", {".prom"}},
    [VT_FORMAT_COMMIT] = {"commit", {".commit"}},
};

const char *vt_format_name(enum vt_format format)
{
    return formats[format].name;
}

void vt_format_choices(bool (*has)(enum vt_format format), const char *names[VT_FORMATS + 1])
{
    size_t count = 0;
    for (int i = 0; i < VT_FORMATS; i++)
        if (has(i))
            names[count++] = formats[i].name;
    names[count] = NULL;
}

void vt_format_help(bool (*has)(enum vt_format format), char *text, size_t size)
{
    const char *names[VT_FORMATS + 1];
    vt_format_choices(has, names);
    *text = '\0';
    for (size_t i = 0; names[i]; i++)
        vt_text_append(text, size, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    vt_text_append(text, size, "; by default as the\nextension of --output says, otherwise text");
}

static bool ends_like(enum vt_format format, const char *ending)
{
    for (const char *const *known = formats[format].endings; *known; known++)
        if (strcasecmp(*known, ending) == 0)
            return true;
    return false;
}

static const char *ending_of(const char *path)
{
    const char *base = strrchr(path, '/'), *dot = strrchr(base ? base + 1 : path, '.');
    return dot;
}

static int refuse(const char *path, const char *ending, bool (*has)(enum vt_format format),
                  struct vt_error *error)
{
    char known[96] = "";
    for (int i = 0; i < VT_FORMATS; i++)
        if (has(i))
            vt_text_append(known, sizeof known, "%s%s", *known ? ", " : "", formats[i].endings[0]);
    return vt_error_set(
        error, VT_EXIT_USAGE, EINVAL,
        "'%.200s': no format is known by the ending '%.40s': use one of %s, or name one with --format", path,
        ending, known);
}

int vt_format_choose(enum vt_format *format, const char *name, const char *path,
                     bool (*has)(enum vt_format format), struct vt_error *error)
{
    const char *ending = ending_of(path);
    *format = VT_FORMAT_TEXT;
    if (!name && (strcmp(path, "-") == 0 || !ending))
        return 0;
    for (int i = 0; i < VT_FORMATS; i++)
        if (has(i) && (name ? strcmp(formats[i].name, name) == 0 : ends_like(i, ending))) {
            *format = i;
            return 0;
        }
    if (name)
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "'%.40s' is not shown here", name);
    return refuse(path, ending, has, error);
}

#include "show/page.h"
#include "show/asset.h"
#include "show/crossing.h"
#include "show/escape.h"

#include <string.h>

void vt_page_head(const char *title, bool scripts, FILE *stream)
{
    /* The policy makes the promise that no request leaves the file one the browser keeps. */
    fprintf(stream,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'; %simg-src data:\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
            "<title>",
            scripts ? "script-src 'unsafe-inline'; " : "");
    vt_escape_html(title, stream);
    fputs("</title>\n<style>\n", stream);
    fwrite(vt_asset_style, 1, vt_asset_style_size, stream);
    fputs("</style>\n</head>\n<body>\n", stream);
}

void vt_page_foot(const char *version, bool scripts, FILE *stream)
{
    fprintf(stream, "</main>\n<footer><p>Made by vmtoll%s", version ? " " : "");
    vt_escape_html(version, stream);
    fputs(". This file stands alone: it loads nothing and sends nothing.</p></footer>\n", stream);
    if (scripts) {
        fputs("<script>\n", stream);
        fwrite(vt_asset_script, 1, vt_asset_script_size, stream);
        fputs("</script>\n", stream);
    }
    fputs("</body>\n</html>\n", stream);
}

const char *vt_page_mark_class(const char *crossing)
{
    static const char *const known[] = {"none",        "inline",    "callout",     "trap",
                                        "interpreted", "hypercall", "exit-kernel", "exit-user"};
    for (size_t i = 0; crossing && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], crossing) == 0)
            return known[i];
    return "other";
}

void vt_page_date(const char *iso, FILE *stream)
{
    fputs("<time datetime=\"", stream);
    vt_escape_html(iso, stream);
    fputs("\">", stream);
    if (strlen(iso) == 20 && iso[10] == 'T' && iso[19] == 'Z') {
        char text[32];
        snprintf(text, sizeof text, "%.10s, %.5s UTC", iso, iso + 11);
        vt_escape_html(text, stream);
    } else {
        vt_escape_html(iso, stream);
    }
    fputs("</time>", stream);
}

void vt_page_text(const char *before, const char *text, const char *after, FILE *stream)
{
    fputs(before, stream);
    vt_escape_html(text, stream);
    fputs(after, stream);
}

void vt_page_table(const char *label, const char *attributes, FILE *stream)
{
    fprintf(stream,
            "<div class=\"scroll\" role=\"region\" aria-label=\"%s, scrolls sideways\" tabindex=\"0\">\n"
            "<table %s><caption class=\"quiet\">%s</caption>\n",
            label, attributes, label);
}

void vt_page_mark(const char *crossing, FILE *stream)
{
    if (crossing)
        fprintf(stream, "<span class=\"mark m-%s\" aria-hidden=\"true\">%s</span> ",
                vt_page_mark_class(crossing), vt_crossing_style(crossing)->mark);
}

#include "show/page.h"
#include "show/asset.h"
#include "show/crossing.h"
#include "show/pen/markup.h"

#include <string.h>

void vt_page_head(const char *title, bool scripts, FILE *stream)
{
    /* The policy makes the promise that no request leaves the file one the browser keeps. */
    vt_markup(stream, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
                      "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
                      "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                      "'unsafe-inline'; ");
    fputs(scripts ? "script-src 'unsafe-inline'; " : "", stream);
    vt_markup(stream,
              "img-src data:\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
              "<link rel=\"icon\" href=\"data:,\">\n<title>%s</title>\n<style>\n",
              title);
    fwrite(vt_asset_style, 1, vt_asset_style_size, stream);
    fputs("</style>\n</head>\n<body>\n", stream);
}

void vt_page_foot(const char *version, bool scripts, FILE *stream)
{
    vt_markup(stream,
              "</main>\n<footer><p>Made by vmtoll%s%s. This file stands alone: it loads nothing and sends "
              "nothing.</p></footer>\n",
              version ? " " : "", version);
    if (scripts) {
        fputs("<script>\n", stream);
        fwrite(vt_asset_script, 1, vt_asset_script_size, stream);
        fputs("</script>\n", stream);
    }
    fputs("</body>\n</html>\n", stream);
}

const char *vt_page_mark_class(const char *crossing)
{
    const char *known = vt_crossing_style(crossing)->name;
    return known && *known ? known : "other";
}

void vt_page_date(const char *iso, FILE *stream)
{
    bool whole = strlen(iso) == 20 && iso[10] == 'T' && iso[19] == 'Z';
    vt_markup(stream,
              whole ? "<time datetime=\"%s\">%.10s, %.5s UTC</time>" : "<time datetime=\"%s\">%s</time>", iso,
              iso, whole ? iso + 11 : "");
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

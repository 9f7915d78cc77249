#include "show/escape.h"

#include <stdbool.h>
#include <string.h>

void vt_escape_html(const char *text, FILE *stream)
{
    for (; text && *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", stream);
            break;
        case '<':
            fputs("&lt;", stream);
            break;
        case '>':
            fputs("&gt;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        case '\'':
            fputs("&#39;", stream);
            break;
        default:
            putc(*text, stream);
        }
}

/*
 * Text from outside must not become markup: neither Markdown's nor, since most
 * renderers pass it on, HTML's. A line break would end the cell or the list item
 * the text stands in; an address would become a link.
 */
void vt_escape_markdown(const char *text, FILE *stream)
{
    for (; text && *text; text++)
        if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '&')
            fputs("&amp;", stream);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            putc(' ', stream);
        else if (strncmp(text, "://", 3) == 0)
            fputs("&#58;", stream);
        else if (*text == '@')
            fputs("&#64;", stream);
        else {
            if (strchr("\\`*_[]|#>~!", *text))
                putc('\\', stream);
            putc(*text, stream);
        }
}

static bool looks_like_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

void vt_escape_csv(const char *text, FILE *stream)
{
    if (!text)
        return;
    bool formula = looks_like_formula(text);
    if (!formula && !strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputs(formula ? "\"'" : "\"", stream);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

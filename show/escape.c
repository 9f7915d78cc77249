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

void vt_escape_markdown(const char *text, FILE *stream)
{
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '&')
            fputs("&amp;", stream);
        else {
            if (strchr("\\`*_[]|#~", *text))
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

#include "report/escape.h"

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

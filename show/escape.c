#include "show/escape.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the character of UTF-8 (RFC 3629) that starts here; 0: none does. The text ends with 0. */
static size_t character_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, low, high; /* first byte; second byte */
        unsigned char length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0, length;
    while (i < sizeof forms / sizeof forms[0] && (text[0] < forms[i].first || text[0] > forms[i].last))
        i++;
    if (i == sizeof forms / sizeof forms[0])
        return 0;
    if (forms[i].length > 1 && (text[1] < forms[i].low || text[1] > forms[i].high))
        return 0;
    for (length = 2; length < forms[i].length; length++)
        if (text[length] < 0x80 || text[length] > 0xbf)
            return 0;
    return forms[i].length;
}

void vt_escape_clean(char *text, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        unsigned char *at = (unsigned char *)text + i;
        if (at[0] >= 0x20 && at[0] < 0x7f) {
            step = 1;
            continue;
        }
        step = character_length(at);
        bool control = at[0] < 0x20 || at[0] == 0x7f || (step == 2 && at[0] == 0xc2 && at[1] < 0xa0);
        step = step ? step : 1;
        if (control || (step == 1 && at[0] > 0x7f))
            memset(at, '?', step);
    }
}

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

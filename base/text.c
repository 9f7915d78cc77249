#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
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

void vt_text_clean(char *text, size_t length)
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

bool vt_text_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void vt_text_append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

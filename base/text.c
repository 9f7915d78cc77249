#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t vt_text_character(const unsigned char *text)
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

/* The code point of a whole character of `length` bytes. */
static uint32_t code_point(const unsigned char *text, size_t length)
{
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (text[i] & 0x3f);
    return point;
}

/*
 * What a terminal obeys or what makes a text look like another: controls, and of Unicode 15's
 * format characters and separators those that take no room, turn the direction or break the line.
 */
static bool misleads(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

void vt_text_clean(char *text, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        unsigned char *at = (unsigned char *)text + i;
        step = 1;
        if (at[0] >= 0x20 && at[0] < 0x7f)
            continue;
        size_t whole = vt_text_character(at);
        step = whole ? whole : 1;
        if (whole == 0 || misleads(code_point(at, whole)))
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

#include "probes/dump/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BYTE_ORDER_MARK = 0xfeff, DOS_END_OF_FILE = 0x1a };

/* Takes one character off [*at, end), which is not empty. */
typedef uint32_t decoder(const unsigned char **at, const unsigned char *end);

static uint32_t next_utf16(const unsigned char **at, const unsigned char *end, int low)
{
    const unsigned char *unit = *at;
    *at = end - unit < 2 ? end : unit + 2;
    return end - unit < 2 ? '?' : (uint32_t)unit[low] | (uint32_t)unit[!low] << 8;
}

static uint32_t next_utf16le(const unsigned char **at, const unsigned char *end)
{
    return next_utf16(at, end, 0);
}

static uint32_t next_utf16be(const unsigned char **at, const unsigned char *end)
{
    return next_utf16(at, end, 1);
}

/* In older encodings such a byte is a letter, which is not told apart; nor are longer sequences. */
static uint32_t next_utf8(const unsigned char **at, const unsigned char *end)
{
    uint32_t first = *(*at)++;
    if (first < 0xc0)
        return first;
    const unsigned char *rest = *at;
    int more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t character = first & (0x3fu >> more);
    for (; more > 0 && rest < end && (*rest & 0xc0) == 0x80; more--)
        character = character << 6 | (*rest++ & 0x3f);
    if (more > 0)
        return '?';
    *at = rest;
    return character < 0x80 ? '?' : character;
}

static decoder *decoder_of(const unsigned char *data, size_t size)
{
    if (size >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] != 0 && data[1] == 0)))
        return next_utf16le;
    if (size >= 2 && ((data[0] == 0xfe && data[1] == 0xff) || (data[0] == 0 && data[1] != 0)))
        return next_utf16be;
    return next_utf8;
}

/* What word processors and web pages make of blanks, hyphens and quotes. */
static const struct {
    uint32_t first, last;
    char plain;
} likenesses[] = {
    {0xa0, 0xa0, ' '},     {0x2000, 0x200a, ' '}, {0x202f, 0x202f, ' '},  {0x3000, 0x3000, ' '},
    {0x2010, 0x2015, '-'}, {0x2212, 0x2212, '-'}, {0x2018, 0x201f, '\''}, {0x2028, 0x2029, '\n'},
};

static char plain(uint32_t character)
{
    if (character < 0x80)
        return (char)character;
    for (size_t i = 0; i < sizeof likenesses / sizeof likenesses[0]; i++)
        if (character >= likenesses[i].first && character <= likenesses[i].last)
            return likenesses[i].plain;
    return '?';
}

/* "\r\n" and "\r" end a line like "\n". */
static bool is_second_of_end(char before, char now)
{
    return before == '\r' && now == '\n';
}

/* What a terminal was told, as script(1) records it: "ESC [", parameters, a final character (ECMA-48, 5.4).
 */
static size_t drop_control_sequences(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\033' || text[i + 1] != '[') {
            text[kept++] = text[i];
            continue;
        }
        i += 2;
        while (i < length && text[i] >= ' ' && text[i] <= '?')
            i++;
    }
    return kept;
}

/* Disks and serial lines fill up the last block. */
static size_t drop_padding(const char *text, size_t length)
{
    while (length && (text[length - 1] == '\0' || text[length - 1] == DOS_END_OF_FILE))
        length--;
    return length;
}

char *vt_dump_text(const char *data, size_t size, size_t *length)
{
    const unsigned char *at = (const unsigned char *)data, *end = at + size;
    decoder *next = decoder_of(at, size);
    char *text = malloc(size + 1), before = '\0';
    *length = 0;
    while (text && at < end) {
        uint32_t character = next(&at, end);
        char now = plain(character);
        if (character != BYTE_ORDER_MARK && !is_second_of_end(before, now))
            text[(*length)++] = now == '\r' ? '\n' : now;
        before = now;
    }
    if (!text)
        return NULL;
    text[*length] = '\0';
    *length = drop_padding(text, drop_control_sequences(text, *length));
    text[*length] = '\0';
    return text;
}

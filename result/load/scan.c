#include "result/load/scan.h"

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const unsigned char *skip_blanks(const unsigned char *text, const unsigned char *end)
{
    while (text < end && (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t'))
        text++;
    return text;
}

static const unsigned char *skip_digits(const unsigned char *text, const unsigned char *end)
{
    while (text < end && *text >= '0' && *text <= '9')
        text++;
    return text;
}

/* Behind the number (RFC 8259, 6) that starts at `text`; NULL: there is none, or it may go on behind `end`.
 */
static const unsigned char *skip_number(const unsigned char *text, const unsigned char *end)
{
    const unsigned char *digits = text + (text < end && *text == '-');
    text = skip_digits(digits, end);
    if (text == digits || (*digits == '0' && text - digits > 1))
        return NULL;
    if (text < end && *text == '.') {
        digits = text + 1;
        text = skip_digits(digits, end);
        if (text == digits)
            return NULL;
    }
    if (text < end && (*text | 0x20) == 'e') {
        digits = text + 1;
        digits += digits < end && (*digits == '+' || *digits == '-');
        text = skip_digits(digits, end);
        if (text == digits)
            return NULL;
    }
    return text < end ? text : NULL;
}

size_t vt_load_scan_numbers(const unsigned char *text, size_t size, size_t *count)
{
    const unsigned char *end = text + size, *done = text;
    while (done < end && *done == ',') {
        const unsigned char *next = skip_number(skip_blanks(done + 1, end), end);
        next = next ? skip_blanks(next, end) : end;
        if (next == end || (*next != ',' && *next != ']'))
            break;
        done = next;
        ++*count;
    }
    return (size_t)(done - text);
}

size_t vt_load_scan_bracket(const unsigned char *text, size_t size)
{
    size_t i = 0;
    /* '{' and '[' differ in one bit; '[' without it is '{' with it. */
    const __m128i bit = _mm_set1_epi8(0x20), brace = _mm_set1_epi8('{');
    for (; i + 16 <= size; i += 16) {
        __m128i bytes = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)(text + i)), bit);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, brace));
        if (found)
            return i + (size_t)__builtin_ctz((unsigned int)found) + 1;
    }
    for (; i < size; i++)
        if ((text[i] | 0x20) == '{')
            return i + 1;
    return size;
}

/* Bytes of a string that need no look: printable ASCII but '"' and '\\'. */
static const unsigned char *skip_plain(const unsigned char *text, const unsigned char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(0x20);
    for (; end - text >= 16; text += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
        /* Signed: bytes from 0x80 on are below a blank as well. */
        __m128i special =
            _mm_or_si128(_mm_cmplt_epi8(bytes, blank),
                         _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)));
        int found = _mm_movemask_epi8(special);
        if (found)
            return text + __builtin_ctz((unsigned int)found);
    }
    while (text < end && *text >= 0x20 && *text < 0x80 && *text != '"' && *text != '\\')
        text++;
    return text;
}

static const unsigned char *skip_escape(const unsigned char *text, const unsigned char *end)
{
    if (end - text < 2)
        return NULL;
    if (text[1] != 'u')
        return text[1] && strchr("\"\\/bfnrt", text[1]) ? text + 2 : NULL;
    if (end - text < 6)
        return NULL;
    for (int i = 2; i < 6; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'f')))
            return NULL;
    return text + 6;
}

/* One character of two bytes or more (RFC 3629). */
static const unsigned char *skip_character(const unsigned char *text, const unsigned char *end)
{
    int more = *text >= 0xc2 && *text <= 0xdf   ? 1
               : *text >= 0xe0 && *text <= 0xef ? 2
               : *text >= 0xf0 && *text <= 0xf4 ? 3
                                                : 0;
    if (more == 0 || end - text <= more)
        return NULL;
    for (int i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80)
            return NULL;
    return text + 1 + more;
}

/* Behind the string whose first quote is before `text`; NULL: it is none, or has no end here. */
static const unsigned char *skip_string(const unsigned char *text, const unsigned char *end)
{
    while (text && (text = skip_plain(text, end)) < end) {
        if (*text == '"')
            return text + 1;
        text = *text == '\\' ? skip_escape(text, end) : *text >= 0x80 ? skip_character(text, end) : NULL;
    }
    return NULL;
}

static const unsigned char *skip_word(const unsigned char *text, const unsigned char *end)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - text) > length && memcmp(text, words[i], length) == 0)
            return text + length;
    }
    return NULL;
}

static const unsigned char *skip_scalar(const unsigned char *text, const unsigned char *end)
{
    return *text == '"'                                     ? skip_string(text + 1, end)
           : *text == '-' || (*text >= '0' && *text <= '9') ? skip_number(text, end)
                                                            : skip_word(text, end);
}

/* Behind "key" and its colon. */
static const unsigned char *skip_key(const unsigned char *text, const unsigned char *end)
{
    text = *text == '"' ? skip_string(text + 1, end) : NULL;
    text = text ? skip_blanks(text, end) : end;
    return text < end && *text == ':' ? skip_blanks(text + 1, end) : NULL;
}

size_t vt_load_scan_container(const unsigned char *text, size_t size, size_t levels)
{
    const unsigned char *end = text + size, *at = text;
    uint64_t objects = text[-1] == '{'; /* a bit per level that is open, the innermost lowest */
    size_t depth = 1;
    bool first = true, done = false; /* nothing yet in the container; a value ends here */
    for (;;) {
        at = skip_blanks(at, end);
        if (at == end)
            return 0;
        if (*at == (objects & 1 ? '}' : ']') && (first || done)) {
            if (--depth == 0)
                return (size_t)(at - text);
            objects >>= 1;
            first = false;
            done = true;
            at++;
            continue;
        }
        if (done && *at != ',')
            return 0;
        if (done)
            at = skip_blanks(at + 1, end);
        if (at < end && objects & 1)
            at = skip_key(at, end);
        if (!at || at == end)
            return 0;
        first = *at == '{' || *at == '[';
        done = !first;
        if (first && depth++ == levels)
            return 0;
        if (first)
            objects = objects << 1 | (*at == '{');
        at = first ? at + 1 : skip_scalar(at, end);
        if (!at)
            return 0;
    }
}

size_t vt_load_scan_lines(const unsigned char *text, size_t size)
{
    size_t lines = 0, i = 0;
    const __m128i newline = _mm_set1_epi8('\n'), one = _mm_set1_epi8(1);
    for (; i + 16 <= size; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i sums = _mm_sad_epu8(_mm_and_si128(_mm_cmpeq_epi8(bytes, newline), one), _mm_setzero_si128());
        lines += (size_t)(_mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
    }
    for (; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

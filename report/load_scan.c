#include "report/load_scan.h"

#include <emmintrin.h>
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

size_t vt_load_scan_series(const unsigned char *text, size_t size)
{
    static const char key[] = "\"samples";
    const unsigned char *end = text + size, *at = text;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1))) {
        at = memchr(at + sizeof key - 1, '"', (size_t)(end - at) - (sizeof key - 1));
        if (!at)
            break;
        at = skip_blanks(at + 1, end);
        at = skip_blanks(at + (at < end && *at == ':'), end);
        if (at < end && *at == '[')
            return (size_t)(at + 1 - text);
    }
    return size;
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

#include "result/load/scan.h"
#include "base/text.h"

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

static bool miss(struct vt_scan *scan, const unsigned char *at, const char *expected)
{
    scan->at = at;
    scan->expected = expected;
    return false;
}

void vt_load_scan_blanks(struct vt_scan *scan)
{
    const unsigned char *at = scan->at, *end = scan->end;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    scan->at = at;
}

static const unsigned char *skip_digits(const unsigned char *at, const unsigned char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool scan_number(struct vt_scan *scan)
{
    const unsigned char *at = scan->at, *end = scan->end, *digits;
    at += at < end && *at == '-';
    digits = at;
    at = at < end && *at == '0' ? at + 1 : skip_digits(at, end);
    if (at == digits)
        return miss(scan, at, "a digit");
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits)
            return miss(scan, at, "a digit");
    }
    if (at < end && (*at | 0x20) == 'e') {
        digits = at + 1;
        digits += digits < end && (*digits == '+' || *digits == '-');
        at = skip_digits(digits, end);
        if (at == digits)
            return miss(scan, at, "a digit");
    }
    scan->at = at;
    return at < end || scan->last;
}

size_t vt_load_scan_numbers(struct vt_scan *scan)
{
    struct vt_scan ahead = *scan;
    size_t count = 0;
    while (ahead.at < ahead.end && *ahead.at == ',') {
        ahead.at++;
        vt_load_scan_blanks(&ahead);
        if (!scan_number(&ahead))
            break;
        vt_load_scan_blanks(&ahead);
        if (ahead.at == ahead.end || (*ahead.at != ',' && *ahead.at != ']'))
            break;
        scan->at = ahead.at;
        count++;
    }
    return count;
}

bool vt_load_scan_mark(struct vt_scan *scan)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    for (size_t i = 0; i < sizeof mark; i++, scan->at++)
        if (scan->at == scan->end || *scan->at != mark[i])
            return miss(scan, scan->at, "a value");
    return true;
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

static int hex_value(unsigned char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static bool scan_escape(struct vt_scan *scan)
{
    static const char expected[] = "an escape of JSON (\\n, \\u00e9)";
    const unsigned char *at = scan->at + 1, *end = scan->end;
    if (at < end && *at != 'u') {
        scan->at += 2;
        return (*at && strchr("\"\\/bfnrt", *at)) || miss(scan, at, expected);
    }
    for (int i = 1; i <= 4; i++)
        if (end - at <= i || hex_value(at[i]) < 0)
            return miss(scan, end - at <= i ? end : at + i, expected);
    scan->at = at + 5;
    return true;
}

static bool scan_character(struct vt_scan *scan)
{
    unsigned char bytes[5] = {0};
    size_t there = (size_t)(scan->end - scan->at);
    memcpy(bytes, scan->at, there < 4 ? there : 4);
    size_t length = vt_text_character(bytes);
    if (length == 0)
        return miss(scan, there < 4 && !scan->last ? scan->end : scan->at, "a character of UTF-8");
    scan->at += length;
    return true;
}

static bool scan_string(struct vt_scan *scan)
{
    scan->escaped = false;
    for (scan->at++;;) {
        scan->at = skip_plain(scan->at, scan->end);
        if (scan->at == scan->end)
            return miss(scan, scan->end, "the end of a text");
        unsigned char c = *scan->at;
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c < 0x20)
            return miss(scan, scan->at, "a text, control characters as escapes");
        scan->escaped |= c == '\\';
        if (!(c == '\\' ? scan_escape(scan) : scan_character(scan)))
            return false;
    }
}

static bool scan_word(struct vt_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t there = (size_t)(scan->end - scan->at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]), part = there < length ? there : length;
        if (memcmp(scan->at, words[i], part) == 0)
            return miss(scan, scan->at + part, words[i]) || part == length;
    }
    return miss(scan, scan->at, "a value");
}

bool vt_load_scan_scalar(struct vt_scan *scan)
{
    unsigned char c = *scan->at;
    return c == '"'                             ? scan_string(scan)
           : c == '-' || (c >= '0' && c <= '9') ? scan_number(scan)
                                                : scan_word(scan);
}

bool vt_load_scan_key(struct vt_scan *scan, const unsigned char **quote)
{
    if (*scan->at != '"')
        return miss(scan, scan->at, "a key in quotes");
    if (!scan_string(scan))
        return false;
    *quote = scan->at - 1;
    vt_load_scan_blanks(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return miss(scan, scan->at, "':'");
    scan->at++;
    return true;
}

static unsigned int hex4(const unsigned char *text)
{
    unsigned int value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (unsigned int)hex_value(text[i]);
    return value;
}

/* Bytes of UTF-8. */
static size_t encode(unsigned int code, char bytes[4])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(first[length] | code);
    return length;
}

/* The character of the escape at *at, which is moved behind it. */
static unsigned int decode_escape(const unsigned char **at, const unsigned char *end)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const unsigned char *text = *at;
    const char *known = strchr(from, text[1]);
    *at += text[1] == 'u' ? 6 : 2;
    if (text[1] != 'u')
        return known ? (unsigned char)to[known - from] : text[1];
    unsigned int high = hex4(text + 2), low = 0;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high < 0xdc00 && end - text >= 12 && text[6] == '\\' && text[7] == 'u')
        low = hex4(text + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return '?';
    *at += 6;
    return 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
}

size_t vt_load_scan_decode(const unsigned char *string, size_t length, char *text, size_t room)
{
    const unsigned char *at = string, *end = string + length;
    size_t used = 0;
    while (at < end) {
        char bytes[4] = {(char)*at};
        size_t size = *at == '\\' ? encode(decode_escape(&at, end), bytes) : (at++, 1);
        for (size_t i = 0; i < size; i++, used++)
            if (used < room)
                text[used] = bytes[i];
    }
    return used;
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

#include "base/packed.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ROOM = 1 << 16, LIMIT = 1 << 20 };

static char packed[ROOM];
static char *text;
static size_t length;

static size_t gzip(char *into, const char *data, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (uInt)size};
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = (unsigned char *)into;
    stream.avail_out = (uInt)(packed + ROOM - into);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static size_t xz(char *into, const char *data, size_t size)
{
    size_t used = 0;
    ck_assert_int_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, (const uint8_t *)data, size,
                                             (uint8_t *)into, &used, (size_t)(packed + ROOM - into)),
                     LZMA_OK);
    return used;
}

static size_t (*const packers[])(char *into, const char *data, size_t size) = {gzip, xz};

START_TEST(what_was_packed_comes_back)
{
    for (size_t i = 0; i < 2; i++) {
        size_t size = packers[i](packed, "one, ", 5);
        size += packers[i](packed + size, "two", 3);
        ck_assert(vt_packed_is(packed, size));
        ck_assert_int_eq(vt_packed_unpack(packed, size, LIMIT, &text, &length), 0);
        ck_assert_uint_eq(length, 8);
        ck_assert_str_eq(text, "one, two");
        free(text);
    }
    ck_assert(!vt_packed_is("text", 4));
    ck_assert(!vt_packed_is("\x1f", 1));
}
END_TEST

START_TEST(every_cut_is_told)
{
    for (size_t i = 0; i < 2; i++) {
        size_t size = packers[i](packed, "some text of some length", 24);
        for (size_t cut = 6; cut < size; cut++)
            ck_assert_int_eq(vt_packed_unpack(packed, cut, LIMIT, &text, &length), -EILSEQ);
        packed[size / 2] ^= 0x55;
        ck_assert_int_eq(vt_packed_unpack(packed, size, LIMIT, &text, &length), -EILSEQ);
    }
}
END_TEST

/* A thousandth of what comes out of it. */
START_TEST(more_than_the_limit_is_refused)
{
    char *zeros = calloc(1, LIMIT + 1);
    for (size_t i = 0; i < 2; i++) {
        size_t size = packers[i](packed, zeros, LIMIT);
        ck_assert_int_eq(vt_packed_unpack(packed, size, LIMIT, &text, &length), 0);
        ck_assert_uint_eq(length, LIMIT);
        free(text);
        size = packers[i](packed, zeros, LIMIT + 1);
        ck_assert_int_eq(vt_packed_unpack(packed, size, LIMIT, &text, &length), -EFBIG);
    }
    free(zeros);
}
END_TEST

VT_SUITE(what_was_packed_comes_back, every_cut_is_told, more_than_the_limit_is_refused)

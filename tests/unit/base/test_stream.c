#include "base/stream.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

START_TEST(what_is_written_is_there)
{
    char *text;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < 100000; i++)
        fprintf(stream, "%d\n", i);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_uint_eq(size, 588890);
    ck_assert_uint_eq(strlen(text), size);
    ck_assert_str_eq(text + size - 6, "99999\n");
    free(text);
}
END_TEST

START_TEST(a_flush_shows_what_there_is_so_far)
{
    char *text;
    size_t size;
    FILE *stream = vt_stream_memory(&text, &size);
    fputs("one", stream);
    fflush(stream);
    ck_assert_str_eq(text, "one");
    fputs(", two", stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_str_eq(text, "one, two");
    free(text);
}
END_TEST

START_TEST(nothing_written_is_an_empty_text)
{
    char *text;
    size_t size;
    ck_assert_int_eq(fclose(vt_stream_memory(&text, &size)), 0);
    ck_assert_uint_eq(size, 0);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

/* Each test has a process of its own. */
START_TEST(where_there_is_no_memory_there_is_no_text)
{
    static char much[1 << 20];
    struct rlimit limit = {64 << 20, 64 << 20};
    char *text;
    size_t size, taken = 0;
    char *beyond =
        VT_ADDRESS_SANITIZER || setrlimit(RLIMIT_AS, &limit) != 0 ? much : malloc((size_t)65 << 20);
    if (beyond)
        vt_skip("no limit on memory holds here");
    FILE *stream = vt_stream_memory(&text, &size);
    memset(much, 'x', sizeof much);
    while (taken < 65 && fwrite(much, 1, sizeof much, stream) == sizeof much)
        taken++;
    ck_assert_uint_lt(taken, 65);
    fputs("what there is room for again must not follow a gap", stream);
    ck_assert_int_ne(fclose(stream), 0);
    ck_assert_ptr_null(text);
}
END_TEST

VT_SUITE(what_is_written_is_there, a_flush_shows_what_there_is_so_far, nothing_written_is_an_empty_text,
         where_there_is_no_memory_there_is_no_text)

/* Text fitted to a screen. */
#include "base/wrap.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static void wraps(const char *text, int width, int indent, int at, const char *expected)
{
    char *got = NULL;
    size_t size;
    FILE *stream = open_memstream(&got, &size);
    ck_assert_ptr_nonnull(stream);
    vt_wrap(text, width, indent, at, stream);
    fclose(stream);
    ck_assert_str_eq(got, expected);
    free(got);
}

START_TEST(width_is_what_a_screen_shows)
{
    ck_assert_int_eq(vt_wrap_width("µs"), 2);
    ck_assert_int_eq(vt_wrap_width("\033[1;33mred\033[0m"), 3);
    ck_assert_int_eq(vt_wrap_width(""), 0);
}
END_TEST

START_TEST(lines_break_between_words)
{
    wraps("one two three", 9, 2, 2, "one two\n  three");
    wraps("one two three", 0, 2, 2, "one two three");
    wraps("µµµ µµµ", 7, 0, 0, "µµµ µµµ");
    wraps("µµµ µµµ", 6, 0, 0, "µµµ\nµµµ");
    wraps("", 9, 2, 2, "");
}
END_TEST

START_TEST(a_word_too_long_stands_alone)
{
    wraps("a incomprehensibilities b", 8, 1, 1, "a\n incomprehensibilities\n b");
}
END_TEST

/* Behind a label the first line is shorter; what does not fit beside it goes below. */
START_TEST(the_first_line_begins_where_the_cursor_stands)
{
    wraps("one two", 10, 4, 8, "\n    one\n    two");
    wraps("one two", 12, 4, 8, "one\n    two");
}
END_TEST

VT_SUITE(width_is_what_a_screen_shows, lines_break_between_words, a_word_too_long_stands_alone,
         the_first_line_begins_where_the_cursor_stands)

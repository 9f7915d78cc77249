#include "base/error.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <string.h>

START_TEST(the_record_says_what_and_how_it_ends)
{
    struct vt_error error;
    ck_assert_int_eq(vt_error_set(&error, VT_EXIT_ENVIRONMENT, ENOENT, "no %s", "device"), -ENOENT);
    ck_assert_str_eq(error.text, "no device");
    ck_assert_int_eq(error.number, ENOENT);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
}
END_TEST

START_TEST(without_errno_it_is_still_negative)
{
    struct vt_error error;
    ck_assert_int_eq(vt_error_set(&error, VT_EXIT_USAGE, 0, "bad"), -EINVAL);
    ck_assert_int_eq(error.number, 0);
    ck_assert_int_eq(vt_error_set(NULL, VT_EXIT_USAGE, EACCES, "nobody listens"), -EACCES);
}
END_TEST

START_TEST(long_text_is_cut)
{
    struct vt_error error;
    char text[2048];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    vt_error_set(&error, VT_EXIT_USAGE, EINVAL, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof error.text - 1);
}
END_TEST

START_TEST(control_characters_are_replaced)
{
    struct vt_error error;
    vt_error_set(&error, VT_EXIT_USAGE, EINVAL, "file '%s'", "a\033[2J\nb\x7f");
    ck_assert_str_eq(error.text, "file 'a?[2J?b?'");
}
END_TEST

START_TEST(lack_of_memory_is_of_the_machine_and_says_what_for)
{
    struct vt_error error;
    ck_assert_int_eq(vt_error_memory(&error, "the report"), -ENOMEM);
    ck_assert_str_eq(error.text, "not enough memory for the report");
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
}
END_TEST

VT_SUITE(the_record_says_what_and_how_it_ends, without_errno_it_is_still_negative, long_text_is_cut,
         control_characters_are_replaced, lack_of_memory_is_of_the_machine_and_says_what_for)

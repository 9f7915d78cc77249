#include "base/text.h"
#include "tests/unit/suite.h"

START_TEST(pieces_follow_one_another_as_far_as_there_is_room)
{
    char text[12] = "";
    vt_text_append(text, sizeof text, "%d", 1);
    vt_text_append(text, sizeof text, "%s%d", ", ", 2);
    ck_assert_str_eq(text, "1, 2");
    vt_text_append(text, sizeof text, "%s", "34567890");
    ck_assert_str_eq(text, "1, 23456789");
    vt_text_append(text, sizeof text, "more");
    ck_assert_str_eq(text, "1, 23456789");
}
END_TEST

START_TEST(what_is_not_known_equals_nothing_else)
{
    ck_assert(vt_text_same("exit", "exit"));
    ck_assert(vt_text_same(NULL, NULL));
    ck_assert(!vt_text_same("exit", "none"));
    ck_assert(!vt_text_same(NULL, "exit"));
    ck_assert(!vt_text_same("exit", NULL));
}
END_TEST

VT_SUITE(pieces_follow_one_another_as_far_as_there_is_room, what_is_not_known_equals_nothing_else)

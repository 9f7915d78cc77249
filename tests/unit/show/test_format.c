/* Names and endings of the formats, and who shows which. */
#include "compare/format/format.h"
#include "fleet/format/format.h"
#include "report/format.h"
#include "tests/unit/suite.h"

#include <string.h>

/* Which functions a toll is of is told of a result. */
START_TEST(report_shows_results_and_fleets_in_the_same_formats)
{
    for (int i = 0; i < VT_FORMATS; i++)
        ck_assert_msg(vt_report_has_format(i) == (vt_fleet_has_format(i) || i == VT_FORMAT_FOLDED), "%s",
                      vt_format_name(i));
}
END_TEST

static bool none(enum vt_format format)
{
    return format == VT_FORMATS;
}

static bool two(enum vt_format format)
{
    return format == VT_FORMAT_TEXT || format == VT_FORMAT_HTML;
}

START_TEST(help_lists_what_there_is)
{
    char text[192];
    vt_format_help(two, text, sizeof text);
    ck_assert_msg(strncmp(text, "text or html; ", 14) == 0, "%s", text);
    vt_format_help(none, text, sizeof text);
    ck_assert_msg(text[0] == ';', "%s", text);
    vt_format_help(vt_report_has_format, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "otherwise text"));
}
END_TEST

START_TEST(an_ending_chooses_among_what_is_shown)
{
    struct vt_error error;
    enum vt_format format;
    ck_assert_int_eq(vt_format_choose(&format, NULL, "a.HTML", two, &error), 0);
    ck_assert_int_eq(format, VT_FORMAT_HTML);
    ck_assert_int_ne(vt_format_choose(&format, NULL, "a.json", two, &error), 0);
    ck_assert_msg(strstr(error.text, "use one of .txt, .html,"), "%s", error.text);
    ck_assert_int_eq(vt_format_choose(&format, NULL, "a.d/result", two, &error), 0);
    ck_assert_int_eq(format, VT_FORMAT_TEXT);
}
END_TEST

VT_SUITE(report_shows_results_and_fleets_in_the_same_formats, help_lists_what_there_is,
         an_ending_chooses_among_what_is_shown)

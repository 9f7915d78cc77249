/* Rows of a machine that ended, put back into the document of the next: by what was measured, and only where
 * it says so. */
#include "bench/runner.h"
#include "lab/link.h"
#include "lab/rows.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name, cpl, rest) "{\"case\":\"" name "\",\"engine\":\"svm\",\"cpl\":" cpl "," rest "}"
#define LOST(name, cpl)      ROW(name, cpl, "\"status\":\"failed\",\"reason\":\"" VT_MADE_BEFORE "\"")
#define OK(name, cpl, toll)  ROW(name, cpl, "\"status\":\"ok\",\"toll\":" toll)
#define OF(rows)             "{\"measurements\":[" rows "]}"

static char *put_back(const char *document, const char *rows)
{
    char *text = strdup(document);
    size_t size = strlen(text);
    ck_assert_int_eq(vt_lab_rows_put_back(&text, &size, rows, strlen(rows)), 0);
    ck_assert_uint_eq(size, strlen(text));
    return text;
}

START_TEST(a_row_goes_where_there_is_room_for_it)
{
    static const struct {
        const char *document, *rows, *result;
    } rows[] = {
        {OF(LOST("nop", "0") "," OK("cpuid", "0", "7")), OF(OK("nop", "0", "1")),
         OF(OK("nop", "0", "1") "," OK("cpuid", "0", "7"))},
        /* What this run measured itself stays. */
        {OF(OK("nop", "0", "2")), OF(OK("nop", "0", "1")), OF(OK("nop", "0", "2"))},
        /* Of another level; and of several documents the right one. */
        {OF(LOST("nop", "3")), OF(OK("nop", "0", "1")), OF(LOST("nop", "3"))},
        {OF(LOST("nop", "3")), OF(OK("nop", "0", "1")) OF(OK("nop", "3", "5")) "\n", OF(OK("nop", "3", "5"))},
        /* Cut off, or no document at all. */
        {OF(LOST("nop", "0") "," LOST("cpuid", "0")), OF(OK("nop", "0", "1")) "{\"measurem",
         OF(OK("nop", "0", "1") "," LOST("cpuid", "0"))},
        {OF(LOST("nop", "0")), "\xff\xfe[[[[", OF(LOST("nop", "0"))},
        {OF(LOST("nop", "0")), "[1,2] {\"measurements\":7}", OF(LOST("nop", "0"))},
        {"{\"measurements\":{}}", OF(OK("nop", "0", "1")), "{\"measurements\":{}}"},
        {"not JSON", OF(OK("nop", "0", "1")), "not JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = put_back(rows[i].document, rows[i].rows);
        ck_assert_str_eq(text, rows[i].result);
        free(text);
    }
}
END_TEST

/* Cut anywhere: documents of one row each, one after another. */
START_TEST(rows_come_through_the_link_as_they_are_made)
{
    static const char said[] = "@case 1 3 nop\n@measured 12\n{\"a\":\n\"1\"}\n\n@case 2 3 cpuid\n@measured "
                               "8\n{\"b\":22}@case 3 3 hlt\n";
    for (size_t step = 1; step < sizeof said; step++) {
        struct vt_lab_link link = {0};
        for (size_t at = 0; at < sizeof said - 1; at += step) {
            size_t left = sizeof said - 1 - at;
            ck_assert_int_eq(vt_lab_link_feed(&link, said + at, left < step ? left : step), 0);
        }
        ck_assert_uint_eq(link.rows_size, 20);
        ck_assert_int_eq(memcmp(link.rows, "{\"a\":\n\"1\"}\n\n{\"b\":22}", 20), 0);
        ck_assert_uint_eq(link.done, 3);
        vt_lab_link_release(&link);
    }
    struct vt_lab_link link = {0};
    ck_assert_int_ne(vt_lab_link_feed(&link, "@measured 99999999999\n", 22), 0);
    vt_lab_link_release(&link);
}
END_TEST

VT_SUITE(a_row_goes_where_there_is_room_for_it, rows_come_through_the_link_as_they_are_made)

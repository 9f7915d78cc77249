/* Bills as they are shown. What comes from outside stays text: a machine's name is whatever somebody gave it.
 */
#include "price/format/format.h"
#include "tests/unit/price/bill.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As text, to be freed. */
static char *printed(enum vt_format format, const struct vt_price *price)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    vt_price_print(format, price, &(struct vt_screen){0}, stream);
    fclose(stream);
    return text;
}

START_TEST(each_format_is_one_of_its_own)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    bill_make(&price, &watch, result);
    for (int format = 0; format < VT_FORMATS; format++)
        for (int other = 0; other < format; other++) {
            if (!vt_price_has_format((enum vt_format)format) || !vt_price_has_format((enum vt_format)other))
                continue;
            char *one = printed((enum vt_format)format, &price),
                 *two = printed((enum vt_format)other, &price);
            ck_assert_msg(strcmp(one, two) != 0, "%s prints what %s does",
                          vt_format_name((enum vt_format)format), vt_format_name((enum vt_format)other));
            free(one);
            free(two);
        }
    vt_result_free(result);
}
END_TEST

START_TEST(names_are_escaped_in_every_format)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    snprintf(watch.machine, sizeof watch.machine, "<script>\"\\");
    bill_make(&price, &watch, result);
    for (int format = 0; format < VT_FORMATS; format++) {
        if (!vt_price_has_format((enum vt_format)format))
            continue;
        char *text = printed((enum vt_format)format, &price);
        if (format == VT_FORMAT_HTML)
            ck_assert_ptr_null(strstr(text, "<script>"));
        if (format == VT_FORMAT_OPENMETRICS)
            ck_assert_ptr_nonnull(strstr(text, "vm=\"<script>\\\"\\\\\""));
        ck_assert_uint_gt(strlen(text), 200);
        free(text);
    }
    vt_result_free(result);
}
END_TEST

VT_SUITE(each_format_is_one_of_its_own, names_are_escaped_in_every_format)

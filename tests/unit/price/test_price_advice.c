/* What is advised, because of what, and by which figures. */
#include "price/advice.h"
#include "price/reasons/rules.h"
#include "tests/unit/price/bill.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

START_TEST(advice_follows_rate_and_share)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_usual, BILL_USUAL);
    struct vt_price price;
    bool doorbells = false, hypercalls = false;
    bill_make(&price, &watch, result);
    for (size_t i = 0; i < price.advice_count; i++) {
        const struct vt_price_given *given = &price.advice[i];
        if (strcmp(given->advice->name, "ioeventfd") == 0) {
            doorbells = true;
            ck_assert_double_eq_tol(given->saves, 80000 * (3000.0 - 1500) / 8e9, 1e-9);
        }
        hypercalls |= strcmp(given->advice->name, "hypercalls") == 0;
    }
    ck_assert(doorbells);
    ck_assert(!hypercalls);
    watch = bill_watch((const struct vt_price_count[]){{"exits", 10}, {"fpu_reload", 1}}, 2);
    bill_make(&price, &watch, result);
    ck_assert_uint_eq(price.advice_count, 0);
    /* Few a second, and yet much of the little it ran. */
    watch = bill_watch((const struct vt_price_count[]){{"exits", 15000}, {"fpu_reload", 15000}}, 2);
    watch.times.run = 1e8;
    watch.times.wait = 0;
    bill_make(&price, &watch, result);
    ck_assert_uint_eq(price.advice_count, 3);
    ck_assert_str_eq(price.advice[0].advice->name, "ioeventfd");
    ck_assert_str_eq(price.advice[0].reason, "other-user");
    ck_assert_str_eq(price.advice[1].advice->name, "vhost");
    ck_assert_str_eq(price.advice[2].advice->name, "clocksource");
    ck_assert_double_le(price.advice[2].saves, 1); /* all of it, and no more than there is */
    vt_result_free(result);
}
END_TEST

static bool is_reason(const char *name)
{
    size_t plain, more;
    const struct vt_price_rule *rules = vt_price_rules(&plain), *reasons = vt_price_reason_rules(&more);
    for (size_t i = 0; i < plain; i++)
        if (strcmp(rules[i].reason, name) == 0)
            return true;
    for (size_t i = 0; i < more; i++)
        if (strcmp(reasons[i].reason, name) == 0)
            return true;
    return false;
}

static char *lab_document(void)
{
    static char text[200000];
    FILE *file = fopen("docs/LAB.md", "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Each number of it stands in a table there. */
static void stands_in(const char *figures, const char *document)
{
    for (const char *at = figures; *at; at += strspn(at, "0123456789") ? strspn(at, "0123456789") : 1) {
        char number[16];
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || (at > figures && at[-1] == 'x'))
            continue;
        snprintf(number, sizeof number, " %.*s,", (int)digits, at);
        ck_assert_msg(strstr(document, number) != NULL, "%s: no '%s' in docs/LAB.md", figures, number);
    }
}

START_TEST(advice_is_of_reasons_there_are_and_figures_that_are_documented)
{
    size_t count;
    const struct vt_price_advice *rows = vt_price_advice_rows(&count);
    const char *document = lab_document();
    for (size_t i = 0; i < count; i++) {
        ck_assert(rows[i].source && *rows[i].source && rows[i].change && rows[i].name);
        ck_assert(rows[i].reasons[0] || rows[i].share_of);
        for (size_t k = 0; k < 3 && rows[i].reasons[k]; k++)
            ck_assert_msg(is_reason(rows[i].reasons[k]), "%s", rows[i].reasons[k]);
        if (rows[i].figures)
            stands_in(rows[i].figures, document);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(rows[i].name, rows[k].name);
    }
}
END_TEST

/* What a reason is said because of, and what is not crossing. */
START_TEST(advice_by_reason_and_by_time)
{
    struct vt_result *result = bill_tolls();
    struct vt_price_watch watch = bill_watch(bill_traced, BILL_TRACED);
    struct vt_price price;
    bool cpuid = false, overcommit = false;
    watch.events = 17;
    watch.seconds = 0.01;
    watch.times = (struct vt_price_times){8e6, 2e6, 6e6};
    bill_make(&price, &watch, result);
    for (size_t i = 0; i < price.advice_count; i++) {
        const struct vt_price_given *given = &price.advice[i];
        if (strcmp(given->advice->name, "cpuid") == 0) {
            cpuid = true;
            ck_assert_double_eq_tol(given->saves, 100 * 1000.0 / 8e6, 1e-12);
        }
        overcommit |= strcmp(given->advice->name, "overcommit") == 0 && !given->reason;
    }
    ck_assert(cpuid && overcommit);
    vt_result_free(result);
}
END_TEST

VT_SUITE(advice_follows_rate_and_share, advice_is_of_reasons_there_are_and_figures_that_are_documented,
         advice_by_reason_and_by_time)

/*
 * Results that are valid and monstrous: the work they make grows with them, not with their square.
 *
 * beside others
 */
#include "compare/compare.h"
#include "compare/format/format.h"
#include "fleet/format/format.h"
#include "report/chart/plan.h"
#include "report/format.h"
#include "result/load/load.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Work is counted in comparisons of texts, which everything that looks for something makes. */
static size_t comparisons;

int strcmp(const char *s1, const char *s2)
{
    comparisons++;
    for (; *s1 && *s1 == *s2; s1++)
        s2++;
    return (unsigned char)*s1 - (unsigned char)*s2;
}

enum { ROWS = 1500 };

/* What differs from row to row; the others are alike. */
struct kind {
    const char *name, *c, *engine, *path, *crossing, *reason, *status;
};

static const struct kind kinds[] = {
    {"engines", "cpuid", "e%d", "hardware", "exit-kernel", "", "ok"},
    {"cases", "c%d", "kvm", "hardware", "exit-kernel", "", "ok"},
    {"paths", "cpuid", "kvm", "p%d", "exit-kernel", "", "ok"},
    {"crossings", "c%d", "kvm", "hardware", "x%d", "", "ok"},
    {"crossings of one case", "cpuid", "kvm", "hardware", "x%d", "", "ok"},
    {"reasons", "c%d", "kvm", "hardware", "exit-kernel", "because %d", "unverified"},
    {"reasons of engines", "cpuid", "e%d", "hardware", "exit-kernel", "because %d", "unverified"},
};

static void put(const char *key, const char *format, int i, FILE *stream)
{
    char text[32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, format, i);
#pragma GCC diagnostic pop
    fprintf(stream, "\"%s\":\"%s\",", key, text);
}

static int keep(struct vt_result *result, void *context)
{
    *(struct vt_result **)context = result;
    return 0;
}

static struct vt_result *make(const struct kind *kind, int count, bool backwards)
{
    static const struct vt_load_options options = {.samples = true};
    char *text = NULL;
    size_t size = 0;
    struct vt_error error;
    struct vt_result *result = NULL;
    FILE *stream = open_memstream(&text, &size);
    fprintf(stream,
            "{\"schema\":\"vmtoll.result/1\",\"host\":{\"system\":{\"hostname\":\"%d\"}},\"measurements\":[",
            backwards);
    for (int n = 0; n < count; n++) {
        int i = backwards ? count - 1 - n : n;
        fputs(n ? ",{" : "{", stream);
        put("case", kind->c, i, stream);
        put("engine", kind->engine, i, stream);
        put("path", kind->path, i, stream);
        put("crossing", kind->crossing, i, stream);
        put("reason", kind->reason, i, stream);
        put("status", kind->status, i, stream);
        fprintf(stream, "\"cpl\":0,\"toll\":{\"median\":%d,\"ci95\":[99,120]}}", 100 + i % 7);
    }
    fputs("]}", stream);
    fclose(stream);
    int status = vt_result_load_memory("x", text, size, &options, keep, &result, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    free(text);
    return result;
}

static void report(struct vt_result **results, enum vt_format format, FILE *stream)
{
    struct vt_error error;
    const struct vt_screen screen = {.utf8 = true, .width = 80};
    int status = vt_report_print(format, results, 2, &screen, stream, &error);
    if (format == VT_FORMAT_FOLDED)
        ck_assert_msg(status == -ENODATA, "rows without profiles have no folded stacks: %d", status);
    else
        ck_assert_msg(status == 0, "%s", error.text);
}

static void compare(struct vt_result **results, enum vt_format format, FILE *stream)
{
    struct vt_error error;
    struct vt_comparison comparison;
    const struct vt_screen screen = {.utf8 = true, .width = 80};
    ck_assert_int_eq(
        vt_compare(&comparison, results[0], results[1], &(struct vt_compare_limits){NAN, NAN, NULL}, &error),
        0);
    ck_assert_int_eq(vt_compare_print(format, &comparison, &screen, stream, &error), 0);
    vt_compare_release(&comparison);
}

static void gather(struct vt_result **results, enum vt_format format, FILE *stream)
{
    struct vt_error error;
    struct vt_fleet fleet;
    ck_assert_int_eq(vt_fleet_start(&fleet, "host", &error), 0);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(vt_fleet_add(&fleet, results[i]), 0);
        results[i] = NULL;
    }
    ck_assert_int_eq(vt_fleet_finish(&fleet, &error), 0);
    vt_fleet_print(format, &fleet, stream);
    vt_fleet_release(&fleet);
}

static size_t work_of(void (*act)(struct vt_result **, enum vt_format, FILE *), const struct kind *kind,
                      int rows, enum vt_format format)
{
    FILE *sink = fopen("/dev/null", "we");
    struct vt_result *results[] = {make(kind, rows, false), make(kind, rows, true)};
    size_t before = comparisons;
    act(results, format, sink);
    size_t work = comparisons - before;
    vt_result_free(results[0]);
    vt_result_free(results[1]);
    fclose(sink);
    return work;
}

/* Pictures are gnuplot's work, and no row here has functions to fold. */
static bool is_left_out(enum vt_format format, bool pictures)
{
    return format == VT_FORMAT_FOLDED || (format == VT_FORMAT_HTML && pictures);
}

/* Twice as many rows: twice the work and a little for sorting; four times is a search within a search. */
static void check_growth(void (*act)(struct vt_result **, enum vt_format, FILE *),
                         bool (*has)(enum vt_format), bool pictures)
{
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int format = 0; format < VT_FORMATS; format++) {
            if (!has(format) || is_left_out(format, pictures))
                continue;
            size_t once = work_of(act, &kinds[k], ROWS, format),
                   twice = work_of(act, &kinds[k], 2 * ROWS, format);
            ck_assert_msg(twice <= 3 * once, "%s as %s: %zu comparisons, of twice as many %zu", kinds[k].name,
                          vt_format_name(format), once, twice);
        }
}

START_TEST(a_report_grows_with_its_rows)
{
    check_growth(report, vt_report_has_format, true);
}
END_TEST

START_TEST(a_comparison_grows_with_its_rows)
{
    check_growth(compare, vt_compare_has_format, false);
}
END_TEST

START_TEST(a_fleet_grows_with_its_rows)
{
    check_growth(gather, vt_fleet_has_format, false);
}
END_TEST

START_TEST(a_table_of_too_many_cells_is_refused)
{
    static const struct kind kind = {"both", "c%d", "e%d", "hardware", "exit-kernel", "", "ok"};
    struct vt_result *result = make(&kind, ROWS, false);
    struct vt_error error;
    const struct vt_screen screen = {.utf8 = true};
    ck_assert_int_ne(vt_report_print(VT_FORMAT_TEXT, &result, 1, &screen, stdout, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_msg(strstr(error.text, "x: 1500 cases on 1500 roads") != NULL, "%s", error.text);
    vt_result_free(result);
}
END_TEST

START_TEST(charts_are_of_the_first_cases)
{
    struct vt_charts many = {0}, most = {0};
    struct vt_table table;
    struct vt_result *results[] = {make(&kinds[1], VT_CHART_LINES, false),
                                   make(&kinds[1], 5 * VT_CHART_LINES, false)};
    ck_assert_int_eq(vt_table_build(&table, &results[0], 1, NULL), 0);
    ck_assert_int_eq(vt_chart_plan(&many, &table), 0);
    vt_table_release(&table);
    ck_assert_int_eq(vt_table_build(&table, &results[1], 1, NULL), 0);
    ck_assert_int_eq(vt_chart_plan(&most, &table), 0);
    vt_table_release(&table);
    ck_assert_uint_gt(many.count, 0);
    ck_assert_uint_eq(many.count, most.count);
    free(many.list);
    free(most.list);
    vt_result_free(results[0]);
    vt_result_free(results[1]);
}
END_TEST

VT_SUITE(a_report_grows_with_its_rows, a_comparison_grows_with_its_rows, a_fleet_grows_with_its_rows,
         a_table_of_too_many_cells_is_refused, charts_are_of_the_first_cases)

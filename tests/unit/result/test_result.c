#include "base/provenance.h"
#include "result/document.h"
#include "report/format.h"
#include "result/load/load.h"
#include "show/quantity.h"
#include "result/save.h"
#include "tests/unit/result/loaded.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct vt_result *result, bool one_line)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(vt_result_print(result, one_line, stream), 0);
    fclose(stream);
    return text;
}

static struct vt_result *measure(void)
{
    static double body[] = {10, 12, 11}, baseline[] = {1, 1, 1};
    static uint8_t marks[] = {0, VT_MARK_HIT | VT_MARK_SHARED, VT_MARK_SHARED};
    static uint16_t rounds[] = {1, 3};
    struct vt_measurement m[2] = {{0}, {0}};
    m[0] = (struct vt_measurement){.c = vt_guest_find_case("cpuid"),
                                   .engine = "kvm",
                                   .path = VT_PATH_EMULATED,
                                   .cpl = 3,
                                   .crossing = VT_CROSSING_EXIT_KERNEL,
                                   .status = VT_STATUS_OK,
                                   .stop = VT_STOP_PRECISION,
                                   .iterations = 100,
                                   .batches = 3,
                                   .marked = 1,
                                   .body = body,
                                   .baseline = baseline,
                                   .marks = marks,
                                   .rounds = rounds,
                                   .round_count = 2,
                                   .tsc_khz = 2e6,
                                   .toll = {5, 4.5, 5.5, 4.5, 4.5, 4.6, 5.4, 5.5, NAN, 0.5},
                                   .parts = {[VT_PART_BARE] = {3, 2.5, 3.5, 2, 2, 2, 3, 4, NAN, 0.5}},
                                   .parts_known = 1u << VT_PART_BARE,
                                   .exits_per_op = 1.0033333};
    vt_counters_put(&m[0].body_counters, VT_EXITS, 301);
    vt_counters_put(&m[0].baseline_counters, VT_EXITS, 1);
    m[1] = (struct vt_measurement){.c = vt_guest_find_case("nop"),
                                   .engine = "native",
                                   .cpl = 3,
                                   .status = VT_STATUS_UNSUPPORTED,
                                   .exits_per_op = NAN,
                                   .reason = "\"quoted\" <reason>"};
    struct vt_document document = {.started = "2026-11-22T15:00:00Z", .measurements = m, .count = 2};
    struct vt_result *result = vt_result_make(&document, NULL);
    ck_assert_ptr_nonnull(result);
    return result;
}

START_TEST(measurements_become_rows)
{
    struct vt_result *result = measure();
    const struct vt_result_row *row = &result->rows[0];
    ck_assert_str_eq(row->name, "cpuid");
    ck_assert_str_eq(row->crossing, "exit-kernel");
    ck_assert_uint_eq(row->samples.count, 3);
    ck_assert_double_eq_tol(row->samples.values[1], 5.5, 1e-12); /* 11 cycles at 2 GHz */
    ck_assert_double_eq_tol(row->samples_baseline.values[0], 0.5, 1e-12);
    ck_assert_uint_eq(row->marks.count, 1);
    ck_assert_double_eq(row->marks.values[0], 1);
    ck_assert_uint_eq(row->shared.count, 2);
    ck_assert_double_eq(row->shared.values[1], 2);
    ck_assert_uint_eq(row->rounds.count, 2);
    ck_assert_double_eq(row->rounds.values[1], 3);
    ck_assert_double_eq(row->breakdown[VT_PART_BARE].median, 3);
    ck_assert(isnan(row->breakdown[VT_PART_USER].median));
    ck_assert_uint_eq(row->evidence_count, 1);
    ck_assert_double_eq_tol(row->evidence[0].per_operation, 1, 1e-12);
    ck_assert(isnan(result->rows[1].toll.median));
    vt_result_free(result);
}
END_TEST

START_TEST(a_document_survives_the_round_trip)
{
    struct vt_error error;
    struct vt_result *before = measure(), *after;
    for (int one_line = 0; one_line < 2; one_line++) {
        char *first = print(before, one_line);
        ck_assert_msg(vt_test_load(first, &after, &error) == 0, "%s", error.text);
        char *second = print(after, one_line);
        ck_assert_str_eq(first, second);
        vt_result_free(after);
        free(first);
        free(second);
    }
    vt_result_free(before);
}
END_TEST

START_TEST(the_build_that_measured_is_kept)
{
    struct vt_error error;
    struct vt_result *result = measure(), *older;
    ck_assert_str_eq(result->compiler, vt_provenance().compiler);
    ck_assert_str_eq(result->flags, vt_provenance().flags);
    ck_assert_msg(vt_test_load("{\"schema\":\"vmtoll.result/"
                               "1\",\"tool\":{\"version\":\"0.1.0\",\"flags\":null},\"measurements\":[]}",
                               &older, &error) == 0,
                  "%s", error.text);
    ck_assert_ptr_null(older->compiler);
    ck_assert_ptr_null(older->flags);
    char *text = print(older, true);
    ck_assert_ptr_nonnull(
        strstr(text, "\"tool\":{\"version\":\"0.1.0\",\"compiler\":null,\"flags\":null,\"build_id\":null}"));
    free(text);
    vt_result_free(older);
    vt_result_free(result);
}
END_TEST

START_TEST(unknown_is_null_and_not_zero)
{
    struct vt_result *result = measure();
    char *text = print(result, true);
    ck_assert_ptr_nonnull(strstr(text, "\"p99\":null"));
    ck_assert_ptr_nonnull(strstr(text, "\"toll\":null"));
    ck_assert_ptr_nonnull(strstr(text, "\"host\":null"));
    ck_assert_ptr_nonnull(strstr(text, "\"breakdown\":{\"bare\":{\"median\":3,\"ci95\":[2.5,3.5]}}"));
    ck_assert_ptr_nonnull(strstr(text, "\"breakdown\":null"));
    ck_assert_ptr_null(strstr(text, "nan"));
    free(text);
    vt_result_free(result);
}
END_TEST

START_TEST(numbers_have_six_digits)
{
    static const struct {
        double value;
        const char *text;
    } table[] = {{1.0033333333, "1.00333"}, {245.0, "245"}, {123456789.4, "123457000"}, {NAN, "null"},
                 {INFINITY, "null"},        {-0.1, "-0.1"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        json_t *number = vt_result_number(table[i].value);
        char *text = json_dumps(number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        ck_assert_str_eq(text, table[i].text);
        free(text);
        json_decref(number);
    }
}
END_TEST

#define DOCUMENT(row) "{\"schema\":\"vmtoll.result/1\",\"measurements\":[" row "]}"
#define ROW(more)     "{\"case\":\"c\",\"engine\":\"e\",\"status\":\"ok\"" more "}"

START_TEST(words_of_another_version_survive_the_round_trip)
{
    static const struct {
        const char *more;
        struct vt_result_words known;
        enum vt_unit unit;
    } rows[] = {
        {",\"class\":\"compute\",\"path\":\"paravirtual\",\"crossing\":\"hypercall\",\"unit\":"
         "\"instructions\"",
         {VT_CLASS_COMPUTE, VT_PATH_PARAVIRTUAL, VT_CROSSING_HYPERCALL},
         VT_UNIT_INSTRUCTIONS},
        {",\"class\":\"quantum\",\"path\":\"warped\",\"crossing\":\"exit-moon\"",
         {VT_CLASSES, VT_PATHS, VT_CROSSINGS},
         VT_UNIT_NS},
        {",\"class\":null,\"path\":null,\"crossing\":null",
         {VT_CLASSES, VT_PATHS, VT_CROSSING_UNKNOWN},
         VT_UNIT_NS},
        {"", {VT_CLASSES, VT_PATHS, VT_CROSSING_UNKNOWN}, VT_UNIT_NS},
    };
    static const char *const words[] = {"\"paravirtual\"", "\"instructions\"", "\"quantum\"", "\"warped\"",
                                        "\"exit-moon\""};
    struct vt_error error;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        struct vt_result *result;
        snprintf(text, sizeof text, DOCUMENT(ROW("%s")), rows[i].more);
        ck_assert_msg(vt_test_load(text, &result, &error) == 0, "%s", error.text);
        const struct vt_result_words *known = &result->rows[0].known;
        ck_assert_int_eq(known->class, rows[i].known.class);
        ck_assert_int_eq(known->path, rows[i].known.path);
        ck_assert_int_eq(known->crossing, rows[i].known.crossing);
        ck_assert_int_eq(result->rows[0].unit, rows[i].unit);
        char *printed = print(result, true);
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            ck_assert_msg(!strstr(rows[i].more, words[k]) == !strstr(printed, words[k]), "%s: %s", words[k],
                          printed);
        free(printed);
        vt_result_free(result);
    }
}
END_TEST

START_TEST(strange_but_honest_input_is_read)
{
    static const char *const texts[] = {
        DOCUMENT(""),
        DOCUMENT(ROW("")),
        DOCUMENT(ROW(",\"future\":{\"a\":[1,{\"b\":null}]},\"cpl\":null,\"toll\":null")),
        "\n\n" DOCUMENT(ROW("")) "\n" DOCUMENT("") "\n",
        DOCUMENT(ROW("")) DOCUMENT(ROW("")),
        DOCUMENT(ROW(",\"toll\":{\"median\":1,\"future\":2,\"ci95\":[0,2]},\"evidence\":{\"exits\":1e0}")),
        "{\"measurements\":[],\"schema\":\"vmtoll.result/1\",\"host\":{\"a\":{\"b\":[true,null,1.5,\"x\"]}}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct vt_error error;
        struct vt_result *result;
        ck_assert_msg(vt_test_load(texts[i], &result, &error) == 0, "%zu: %s", i, error.text);
        ck_assert_ptr_nonnull(result);
        vt_result_free(result);
    }
}
END_TEST

static const struct {
    const char *text, *complaint;
} malformed[] = {
    {"", "x.json:1:1: expected a result document"},
    {"   \n ", "expected a result document"},
    {"[]", "expected a result document, which is an object, found an array"},
    {"3", "expected a result document, which is an object"},
    {"nonsense", "x.json:1:1: expected a result document in JSON, and here a value, found 'n'"},
    {"{\"schema\":\"vmtoll.result/1\"", "the file ends here, in the middle of a document"},
    {"{\"schema\":\"vmtoll.result/1\"}", "expected the key \"measurements\""},
    {"{\"measurements\":[]}", "expected the key \"schema\""},
    {"{\"schema\":\"vmtoll.probe/1\"}", "schema: expected \"vmtoll.result/1\", found \"vmtoll.probe/1\""},
    {"{\"schema\":1}", "schema: expected \"vmtoll.result/1\", found 1"},
    {"{\"schema\":\"vmtoll.result/1\",\"schema\":\"vmtoll.result/1\"}", "expected each key once"},
    {"{\"host\":{\"a\":1,\"a\":2}}", "host.a: expected each key once"},
    {"{\"host\":[]}", "host: expected an object"},
    {"{\"measurements\":{}}", "measurements: expected an array of objects, found an object"},
    {"{\"measurements\":null}", "measurements: expected an array of objects, found null"},
    {DOCUMENT("7"), "measurements[0]: expected an object, found 7"},
    {DOCUMENT("{\"case\":\"c\",\"engine\":\"e\"}"), "measurements[0]: expected the key \"status\""},
    {DOCUMENT(ROW("") "," ROW(",\"batches\":-1")),
     "measurements[1].batches: expected a whole number, 0 or more, or null, found -1"},
    {DOCUMENT(ROW(",\"batches\":1.5")), "measurements[0].batches: expected a whole number"},
    {DOCUMENT(ROW(",\"iterations\":1e300")), "found 1e300"},
    {DOCUMENT(ROW(",\"cpl\":4")), "cpl: expected a privilege level"},
    {DOCUMENT(ROW(",\"cpl\":\"3\"")), "cpl: expected a privilege level, 0 to 3, or null, found \"3\""},
    {DOCUMENT(ROW(",\"unit\":\"furlongs\"")),
     "unit: expected \"ns\" or \"instructions\", found \"furlongs\""},
    {DOCUMENT(ROW(",\"toll\":{\"median\":\"NaN\"}")),
     "toll.median: expected a finite number or null, found \"NaN\""},
    {DOCUMENT(ROW(",\"toll\":{\"median\":NaN}")), "expected a result document in JSON"},
    {DOCUMENT(ROW(",\"toll\":{\"median\":1e999}")), "found 1e999"},
    {DOCUMENT(ROW(",\"toll\":{\"ci95\":[2,1]}")), "expected the lower bound first"},
    {DOCUMENT(ROW(",\"toll\":{\"ci95\":[1]}")), "expected two numbers"},
    {DOCUMENT(ROW(",\"toll\":{\"ci95\":[1,2,3]}")), "expected two numbers"},
    {DOCUMENT(ROW(",\"toll\":3")), "toll: expected an object or null, found 3"},
    {DOCUMENT(ROW(",\"samples\":[1,\"2\"]")), "samples[1]: expected a number, found \"2\""},
    {DOCUMENT(ROW(",\"samples\":[[1]]")), "samples[0]: expected a number, found an array"},
    {DOCUMENT(ROW(",\"evidence\":{\"exits\":\"many\"}")), "evidence.exits: expected a finite number or null"},
    {DOCUMENT(ROW(",\"evidence\":{\"exits\":1,\"exits\":2}")), "evidence.exits: expected each key once"},
    {DOCUMENT(ROW(",\"simulated\":\"yes\"")), "simulated: expected true or false"},
    {"{\"schema\":\"vmtoll.result/1\",\"measurements\":[{\"case\":null,\"engine\":\"e\",\"status\":\"ok\"}]}",
     "expected a case and an engine"},
    {DOCUMENT(ROW("")) "\n{", "x.json:2:"},
    {DOCUMENT(ROW("")) "garbage", "expected a result document in JSON"},
};

START_TEST(malformed_input_is_refused_in_one_line)
{
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct vt_error error = {.text = ""};
        struct vt_result *result;
        ck_assert_msg(vt_test_load(malformed[i].text, &result, &error) != 0, "read: %s", malformed[i].text);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_msg(strstr(error.text, malformed[i].complaint) != NULL, "'%s' gave: %s", malformed[i].text,
                      error.text);
        ck_assert_ptr_null(strchr(error.text, '\n'));
        vt_result_free(result);
    }
}
END_TEST

START_TEST(positions_count_lines_and_columns)
{
    struct vt_error error;
    struct vt_result *result;
    ck_assert_int_ne(
        vt_test_load("{\"schema\": \"vmtoll.result/1\",\n\n  \"measurements\": [\n  7]}", &result, &error),
        0);
    ck_assert_msg(strncmp(error.text, "x.json:4:3: measurements[0]:", 28) == 0, "%s", error.text);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    enum { DEPTH = 1 << 20 };
    static char text[DEPTH + 16] = "{\"x\":";
    struct vt_error error;
    struct vt_result *result;
    memset(text + 5, '[', DEPTH);
    ck_assert_int_ne(vt_test_load(text, &result, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "levels of nesting"));
}
END_TEST

START_TEST(controls_never_reach_a_terminal)
{
    struct vt_error error;
    struct vt_result *result;
    ck_assert_int_eq(
        vt_test_load(DOCUMENT(ROW(",\"reason\":\"a\\u001b[31mb\\u009bc\\u0000d\"")), &result, &error), 0);
    ck_assert_str_eq(result->rows[0].reason, "a?[31mb??c?d");
    vt_result_free(result);
}
END_TEST

START_TEST(units_follow_the_row)
{
    struct vt_result_row a = {.unit = VT_UNIT_NS, .toll = {.median = 33000}},
                         b = {.unit = VT_UNIT_NS, .toll = {.median = 245}};
    const struct vt_result_row *cells[] = {&a, NULL, &b};
    ck_assert_str_eq(vt_quantity_common_scale(cells, 1).name, "us");
    ck_assert_str_eq(vt_quantity_common_scale(cells, 3).name, "us");
    b.toll.median = 8;
    ck_assert_str_eq(vt_quantity_common_scale(cells, 3).name, "ns");
    ck_assert_int_eq(vt_quantity_decimals(33.012, 0.12), 2);
    ck_assert_int_eq(vt_quantity_decimals(33.012, 12), 0);
    ck_assert(!signbit(vt_quantity_round(-0.0001, 2)));
}
END_TEST

static char *render(enum vt_format format, const struct vt_result *result)
{
    char *text = NULL;
    size_t size = 0;
    struct vt_error error;
    struct vt_screen screen = {.utf8 = true};
    struct vt_result *results[] = {(struct vt_result *)(size_t)result};
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(vt_report_print(format, results, 1, &screen, stream, &error), 0);
    fclose(stream);
    return text;
}

START_TEST(every_format_shows_every_case)
{
    struct vt_result *result = measure();
    for (int i = 0; i < VT_FORMATS; i++) {
        if (!vt_report_has_format(i) ||
            i == VT_FORMAT_FOLDED) /* of profiles, which this result has none of */
            continue;
        char *text = render(i, result);
        ck_assert_msg(strstr(text, "cpuid") != NULL, "%s", vt_format_name(i));
        free(text);
    }
    vt_result_free(result);
}
END_TEST

START_TEST(markup_stays_text)
{
    struct vt_error error;
    struct vt_result *result;
    ck_assert_int_eq(
        vt_test_load(
            "{\"schema\":\"vmtoll.result/1\",\"host\":{\"cpu\":{\"brand\":\"<script>x</script>&\\\"'\"}},"
            "\"measurements\":[{\"case\":\"<b>\",\"class\":\"<i>\",\"engine\":\"<u>\",\"status\":"
            "\"unsupported\","
            "\"reason\":\"<img>\"}]}",
            &result, &error),
        0);
    char *html = render(VT_FORMAT_HTML, result), *markdown = render(VT_FORMAT_MARKDOWN, result);
    static const char *const tags[] = {"<script>x", "<b>", "<i>", "<u>", "<img>"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        ck_assert_msg(!strstr(html, tags[i]), "html has %s", tags[i]);
        ck_assert_msg(!strstr(markdown, tags[i]), "markdown has %s", tags[i]);
    }
    ck_assert_ptr_nonnull(strstr(html, "&lt;script&gt;x&lt;/script&gt;&amp;&quot;&#39;"));
    free(html);
    free(markdown);
    vt_result_free(result);
}
END_TEST

VT_SUITE(measurements_become_rows, a_document_survives_the_round_trip,
         words_of_another_version_survive_the_round_trip, the_build_that_measured_is_kept,
         unknown_is_null_and_not_zero, numbers_have_six_digits, strange_but_honest_input_is_read,
         malformed_input_is_refused_in_one_line, positions_count_lines_and_columns, deep_nesting_is_refused,
         controls_never_reach_a_terminal, units_follow_the_row, every_format_shows_every_case,
         markup_stays_text)

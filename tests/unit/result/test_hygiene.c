/* Which conditions of host and run are called out. */
#include "result/hygiene.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <string.h>

static size_t warnings(const char *host, const char *settings, const char *mention)
{
    json_t *h = json_loads(host, 0, NULL), *s = json_loads(settings, 0, NULL);
    json_t *list = vt_hygiene_warnings(h, s), *item;
    size_t index, count = json_array_size(list);
    bool found = mention == NULL;

    json_array_foreach(list, index, item) found = found || strstr(json_string_value(item), mention);
    ck_assert_msg(found, "'%s' is not mentioned", mention);
    json_decref(list);
    json_decref(h);
    json_decref(s);
    return count;
}

/* A quota is the reason of what looks like other work, and the only one given. */
START_TEST(a_quota_is_named_as_such)
{
    const char *settings =
        "{\"cpu\": 1, \"elapsed_s\": 10, \"preemptions\": 900, \"shared\": 0.5, \"throttled\": 90}";
    ck_assert_uint_eq(warnings("{}", settings, "CPU quota"), 1);
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"elapsed_s\": 10, \"throttled\": 1}", NULL), 0);
}
END_TEST

START_TEST(clocks_that_contradict_are_named)
{
    const char *host = "{\"timing\": {\"tsc_khz\": 2400000}}";
    ck_assert_uint_eq(warnings(host, "{\"cpu\": 1, \"tsc_khz\": 2410000}", NULL), 0);
    ck_assert_uint_eq(warnings(host, "{\"cpu\": 1, \"tsc_khz\": 2600000}", "time-stamp counter"), 1);
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"tsc_khz\": 2600000}", NULL), 0);
}
END_TEST

START_TEST(vcpus_that_take_turns_are_named)
{
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"vcpus\": 3, \"cpus_allowed\": 2}", "took turns"), 1);
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"vcpus\": 2, \"cpus_allowed\": 2}", NULL), 0);
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"vcpus\": 2, \"cpus_allowed\": null}", NULL), 0);
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"vcpus\": 2}", NULL), 0);
}
END_TEST

START_TEST(crossings_that_nobody_counted_are_called_inferred)
{
    ck_assert_uint_eq(warnings("{}", "{\"cpu\": 1, \"crossings\": \"inferred\"}", "not counted"), 1);
}
END_TEST

#define CLEAN "{\"cpu\": 1, \"elapsed_s\": 20, \"steal_s\": 0, \"preemptions\": 3}"
#define QUIET                                                                                                \
    "{\"timing\": {\"governor\": \"performance\", \"turbo\": false, \"smt\": \"off\", \"invariant_tsc\": "   \
    "true},"                                                                                                 \
    " \"hypervisor\": {\"present\": false}}"

START_TEST(a_quiet_machine_raises_nothing)
{
    ck_assert_uint_eq(warnings(QUIET, CLEAN, NULL), 0);
}
END_TEST

START_TEST(what_is_unknown_raises_nothing)
{
    ck_assert_uint_eq(warnings("{}", "{}", NULL), 0);
    ck_assert_uint_eq(
        warnings("{\"timing\": {\"governor\": null, \"turbo\": null, \"smt\": null}}", CLEAN, NULL), 0);
    ck_assert_uint_eq(warnings("[1]", "{\"elapsed_s\": 0, \"steal_s\": 1}", NULL), 0);
    json_t *none = vt_hygiene_warnings(NULL, NULL);
    ck_assert_uint_eq(json_array_size(none), 0);
    json_decref(none);
}
END_TEST

START_TEST(each_condition_is_named)
{
    ck_assert_uint_eq(warnings("{\"timing\": {\"governor\": \"powersave\"}}", CLEAN, "governor"), 1);
    ck_assert_uint_eq(warnings("{\"timing\": {\"turbo\": true}}", CLEAN, "Turbo"), 1);
    ck_assert_uint_eq(warnings("{\"timing\": {\"smt\": \"on\"}}", CLEAN, "SMT"), 1);
    ck_assert_uint_eq(warnings("{\"timing\": {\"invariant_tsc\": false}}", CLEAN, "invariant"), 1);
    ck_assert_uint_eq(warnings("{\"hypervisor\": {\"present\": true}}", CLEAN, "guest"), 1);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": null}", "pinned"), 1);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"elapsed_s\": 10, \"steal_s\": 1}", "steal"), 1);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"elapsed_s\": 10, \"preemptions\": 900}", "preempted"),
                      1);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"shared\": 0.1}", NULL), 0);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"moved\": 0, \"throttled\": null}", NULL), 0);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"moved\": 3}", "moved off the CPU"), 1);
    ck_assert_uint_eq(warnings(QUIET, "{\"cpu\": 1, \"shared\": 0.3}", "used the core"), 1);
}
END_TEST

VT_SUITE(crossings_that_nobody_counted_are_called_inferred, vcpus_that_take_turns_are_named,
         a_quota_is_named_as_such, clocks_that_contradict_are_named, a_quiet_machine_raises_nothing,
         what_is_unknown_raises_nothing, each_condition_is_named)

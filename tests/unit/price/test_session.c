/* Several machines at once: intervals, one that ends, and the order of bills. */
#include "price/bills.h"
#include "price/format/format.h"
#include "tests/unit/price/monitor.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}"
#define NAME(n)  "{\"return\": {\"name\": \"" n "\"}}"
#define EXITS(n)                                                                                             \
    "{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\", \"value\": " n "}, {\"name\": " \
    "\"fpu_reload\", \"value\": 0}]}]}"
#define LINES(name, ...)                                                                                     \
    {                                                                                                        \
        GREETING, "{\"return\": {}}", NAME(name), "{\"return\": []}", __VA_ARGS__                            \
    }

static const char *const calm[] = LINES("calm", EXITS("10"), EXITS("20"), EXITS("40"), EXITS("50"));
static const char *const ends[] = LINES("ends", EXITS("10"), EXITS("1000010"));
static const char *const busy[] = LINES("busy", EXITS("0"), EXITS("1000"), EXITS("2000"), EXITS("9000"));

static const volatile int stop;

static const char *path_of(int i)
{
    static char paths[3][64];
    snprintf(paths[i], sizeof paths[i], "/tmp/vmtoll-session-%d-%d", (int)getpid(), i);
    return paths[i];
}

static void open_three(struct vt_price_session *session, pid_t monitors[3])
{
    struct vt_price_target targets[3] = {{.qmp = path_of(0)}, {.qmp = path_of(1)}, {.qmp = path_of(2)}};
    struct vt_error error;
    monitors[0] = monitor_start(path_of(0), calm, sizeof calm / sizeof calm[0]);
    monitors[1] = monitor_start(path_of(1), ends, sizeof ends / sizeof ends[0]);
    monitors[2] = monitor_start(path_of(2), busy, sizeof busy / sizeof busy[0]);
    ck_assert_int_eq(vt_price_session_open(session, targets, 3, &error), 0);
}

static void close_three(struct vt_price_session *session, const pid_t monitors[3])
{
    vt_price_session_release(session);
    for (int i = 0; i < 3; i++) {
        monitor_end(monitors[i]);
        unlink(path_of(i));
    }
}

START_TEST(who_ends_is_left_out_and_the_others_go_on)
{
    struct vt_price_session session;
    struct vt_price_bills bills;
    struct vt_error error;
    pid_t monitors[3];
    open_three(&session, monitors);
    ck_assert_uint_eq(vt_price_session_open_count(&session), 3);
    ck_assert_int_eq(vt_price_bills_make(&bills, &session, NULL, NULL, false, &error), 0);
    ck_assert_uint_eq(bills.count, 0); /* stopped too early */
    ck_assert_str_eq(bills.unread[2].why, "stopped before it was read twice");
    vt_price_bills_release(&bills);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(vt_price_session_go_on(&session, 0.02, true, &stop, &error), 0);
    ck_assert_uint_eq(vt_price_session_open_count(&session), 2);
    ck_assert_ptr_nonnull(strstr(vt_price_session_error(&session, 1)->text, "has ended"));
    ck_assert_ptr_null(vt_price_session_error(&session, 0));
    ck_assert_double_eq(vt_price_count_of(&session.list[0].whole.delta, "exits"), 40);
    ck_assert_double_eq(vt_price_count_of(&session.list[0].latest.delta, "exits"), 10);
    ck_assert_uint_eq(session.list[2].part_count, 3);
    ck_assert_double_eq(vt_price_count_of(&session.list[2].parts[2].delta, "exits"), 7000);

    ck_assert_int_eq(vt_price_bills_make(&bills, &session, NULL, NULL, false, &error), 0);
    ck_assert_uint_eq(bills.count, 2);
    ck_assert_uint_eq(bills.unread_count, 1);
    ck_assert_str_eq(bills.unread[0].machine, "ends");
    ck_assert_uint_eq(bills.list[0].part_count, 3);
    double sum = 0;
    for (size_t i = 0; i < 3; i++)
        sum += vt_price_rate(&bills.list[1].parts[i]) * bills.list[1].parts[i].watch->seconds;
    ck_assert_double_eq_tol(sum, vt_price_rate(&bills.list[1]) * bills.list[1].watch->seconds, 1e-6);
    vt_price_bills_release(&bills);
    close_three(&session, monitors);
}
END_TEST

static char *printed(enum vt_format format, const struct vt_price_bills *bills)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    vt_price_print_all(format, bills, &(struct vt_screen){0}, stream);
    fclose(stream);
    return text;
}

START_TEST(all_formats_tell_of_all)
{
    struct vt_price_session session;
    struct vt_price_bills bills;
    struct vt_error error;
    pid_t monitors[3];
    open_three(&session, monitors);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(vt_price_session_go_on(&session, 0.02, true, &stop, &error), 0);
    ck_assert_int_eq(vt_price_bills_make(&bills, &session, NULL, NULL, false, &error), 0);
    for (int format = 0; format < VT_FORMATS; format++) {
        if (!vt_price_has_format((enum vt_format)format))
            continue;
        char *text = printed((enum vt_format)format, &bills);
        ck_assert_msg(strstr(text, "calm") && strstr(text, "busy"), "%s", text);
        ck_assert_msg(format == VT_FORMAT_OPENMETRICS || strstr(text, "ends"), "%s", text);
        free(text);
    }
    vt_price_bills_release(&bills);
    close_three(&session, monitors);
}
END_TEST

START_TEST(of_several_one_that_runs_guests_is_billed_without_tolls)
{
    struct vt_price_watched list[2] = {
        {.whole = {.source = &vt_price_source_qmp,
                   .machine = "nested",
                   .seconds = 1,
                   .nested = true,
                   .times = {1e9, 0, 0}}},
        {.whole = {.source = &vt_price_source_qmp, .machine = "plain", .seconds = 1, .times = {1e9, 0, 0}}}};
    struct vt_result tolls = {0};
    struct vt_price_session session = {list, 2};
    struct vt_price_bills bills;
    struct vt_error error;
    json_t *host = json_object();
    tolls.host = host;
    ck_assert_int_eq(vt_price_bills_make(&bills, &session, &tolls, host, false, &error), 0);
    for (size_t i = 0; i < 2; i++)
        ck_assert(isnan(bills.list[i].low) == bills.list[i].watch->nested);
    vt_price_bills_release(&bills);
    session.count = 1;
    ck_assert_int_lt(vt_price_bills_make(&bills, &session, &tolls, host, false, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "guests of its own"));
    vt_price_bills_release(&bills);
    json_decref(host);
}
END_TEST

VT_SUITE(who_ends_is_left_out_and_the_others_go_on, all_formats_tell_of_all,
         of_several_one_that_runs_guests_is_billed_without_tolls)

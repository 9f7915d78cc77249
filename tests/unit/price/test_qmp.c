/* QEMU's monitor: what it said once, and what it should never say. */
#include "price/price.h"
#include "price/session.h"
#include "price/source/qmp.h"
#include "tests/unit/price/monitor.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}"
#define NO_COMMAND                                                                                           \
    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"query-stats has not been found\"}}"
#define DONE "{\"return\": {}}"

static const char *socket_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/vmtoll-qmp-%d", (int)getpid());
    return path;
}

static int watch_script(const char *const *lines, size_t count, struct vt_price_watch *watch,
                        struct vt_error *error)
{
    static const volatile int stop = 0;
    const struct vt_price_target target = {.qmp = socket_path()};
    pid_t monitor = monitor_start(target.qmp, lines, count);
    int status = vt_price_watch(&target, 0.05, &stop, watch, error);
    monitor_end(monitor);
    unlink(target.qmp);
    return status;
}

static void counts(const struct vt_price_watch *watch, const char *name, double wanted)
{
    double value = vt_price_count_of(&watch->delta, name);
    ck_assert_msg(value == wanted, "%s: %g", name, value);
}

START_TEST(recorded_answers_are_summed_over_vcpus)
{
    struct vt_price_watch watch;
    struct vt_error error;
    size_t count;
    const char *const *lines = monitor_recorded("qemu-7.2.qmp", &count);
    int status = watch_script(lines, count, &watch, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_str_eq(watch.machine, "recorded");
    ck_assert_str_eq(watch.source->name, "qmp");
    counts(&watch, "exits", 280477 - 239216);
    counts(&watch, "fpu_reload", 275023 - 233764 + 5 - 4);
    counts(&watch, "signal_exits", 1);
    counts(&watch, "insn_emulation", 5985993 - 5903479);
    ck_assert(isnan(vt_price_count_of(&watch.delta, "guest_mode")));
    ck_assert(!watch.nested);
    /* its threads are not threads of the process that listens */
    ck_assert_uint_eq(watch.vcpus, 0);
    ck_assert(isnan(watch.times.run));
}
END_TEST

START_TEST(a_newer_QEMU_says_the_same)
{
    struct vt_price_watch watch;
    struct vt_error error;
    size_t count;
    const char *const *lines = monitor_recorded("qemu-10.0.qmp", &count);
    int status = watch_script(lines, count, &watch, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_str_eq(watch.machine, "recorded");
    counts(&watch, "exits", 533500 - 515061);
    counts(&watch, "fpu_reload", 533328 - 514893);
    counts(&watch, "insn_emulation", 1066654 - 1029784);
}
END_TEST

/* Of each: what a monitor says, and a word of the line that must come of it. */
static const struct {
    const char *lines[8];
    const char *word;
} hostile[] = {
    {{""}, "ended"},
    {{"{\"QMP\": "}, "ended"},
    {{GREETING}, "ended"},
    {{"SSH-2.0-OpenSSH {}{}{}{"}, "not what QEMU"},
    {{GREETING, DONE, "{\"return\": {}}", "{\"return\": []}", NO_COMMAND}, "older than 7.1"},
    {{GREETING, DONE, "{\"return\": {}}", "{\"return\": []}", "{\"error\": 7}"}, "does not say why"},
    {{GREETING, DONE, "{\"return\": {}}", "{\"return\": []}", "{\"return\": []}"}, "no statistics of KVM"},
    {{GREETING, DONE, "{\"return\": 5}", "{\"return\": 7}", "{\"return\": 9}"}, "no statistics of KVM"},
    {{GREETING, DONE, "{\"return\": {\"name\": []}}",
      "{\"return\": [{\"thread-id\": \"x\"}, 5, {\"thread-id\": 1e300}]}",
      "{\"return\": [{\"provider\": \"kvm\", \"stats\": {}}, {\"provider\": \"kvm\", \"stats\": [1, {}, "
      "{\"name\": \"exits\", "
      "\"value\": \"7\"}, {\"name\": \"exits\", \"value\": [7]}, {\"name\": \"exits\", \"value\": -7}, "
      "{\"name\": 7, "
      "\"value\": 7}]}]}"},
     "no statistics of KVM"},
    {{GREETING, DONE, DONE, "{\"return\": []}",
      "{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\","},
     "ended"},
    {{GREETING, DONE, DONE, "{\"return\": []}",
      "{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\", \"value\": 7}]}]}"},
     "ended"},
    {{GREETING, DONE, DONE, "{\"return\": []}",
      "{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\", \"value\": 7}]}]}",
      "{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\", \"value\": 6}]}]}"},
     "no longer the machine"},
};

START_TEST(hostile_answers_are_one_line)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct vt_price_watch watch;
        struct vt_error error = {0};
        size_t count = 0;
        while (count < 8 && hostile[i].lines[count])
            count++;
        ck_assert_msg(watch_script(hostile[i].lines, count, &watch, &error) < 0, "%zu is taken", i);
        ck_assert_msg(strstr(error.text, hostile[i].word) != NULL, "%zu: %s", i, error.text);
        ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    }
}
END_TEST

START_TEST(events_and_line_breaks_may_stand_anywhere)
{
    static const char *const lines[] = {
        "{\"QMP\":\n {\"version\": \"a \\\" } brace\"}}\n",
        "{\"event\": \"RESUME\", \"data\": {}} {\"return\": {}}",
        "{\"return\": {\"name\": \"}{\\\\\\u001b[2J\"}}",
        "{\"return\": []}",
        "{\"event\": \"STOP\"}{\"return\": [{\"provider\": \"kvm\", \"stats\": [{\"name\": \"exits\", "
        "\"value\": "
        "18446744073709551000}]}]}",
        "{\"return\": [{\"provider\": \"kvm\",\n\"stats\": [{\"name\": \"exits\", \"value\": "
        "18446744073709551000}]}]}",
    };
    struct vt_price_watch watch;
    struct vt_error error;
    int status = watch_script(lines, sizeof lines / sizeof lines[0], &watch, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_str_eq(watch.machine, "}{\\?[2J");
    counts(&watch, "exits", 0);
}
END_TEST

START_TEST(an_answer_without_end_is_cut)
{
    static char endless[(17 << 20) + 1];
    const char *lines[] = {endless};
    struct vt_price_watch watch;
    struct vt_error error;
    memset(endless, 'x', sizeof endless - 1);
    endless[0] = '{';
    endless[1] = '"';
    ck_assert_int_lt(watch_script(lines, 1, &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "longer than QEMU's are") != NULL, "%s", error.text);
}
END_TEST

START_TEST(who_does_not_answer_is_left)
{
    struct vt_qmp qmp;
    struct vt_error error;
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_lt(vt_qmp_open_on(&qmp, ends[0], "here", 50, &error), 0);
    ck_assert_msg(strstr(error.text, "here: no answer") != NULL, "%s", error.text);
    close(ends[1]);
}
END_TEST

START_TEST(nothing_but_queries_is_sent)
{
    struct vt_qmp qmp = {.patience = 50, .path = "here"};
    char sent[512];
    int ends[2];
    json_t *answer;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    qmp.fd = ends[0];
    for (int i = VT_QMP_NAME; i < VT_QMP_COMMANDS; i++) {
        ck_assert_int_eq(write(ends[1], DONE, sizeof DONE - 1), sizeof DONE - 1);
        ck_assert_int_eq(vt_qmp_ask(&qmp, (enum vt_qmp_command)i, &answer, NULL), 0);
        json_decref(answer);
        ssize_t length = read(ends[1], sent, sizeof sent - 1);
        ck_assert_int_gt(length, 0);
        sent[length] = '\0';
        ck_assert_msg(strncmp(sent, "{\"execute\":\"query-", 18) == 0, "%s", sent);
    }
    vt_qmp_close(&qmp);
    close(ends[1]);
}
END_TEST

START_TEST(a_path_that_is_no_socket_is_told)
{
    static const volatile int stop = 0;
    char longer[200];
    struct vt_price_watch watch;
    struct vt_error error;
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert_int_lt(vt_price_watch(&(struct vt_price_target){.qmp = longer}, 1, &stop, &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "107 characters") != NULL, "%s", error.text);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_int_lt(vt_price_watch(&(struct vt_price_target){.qmp = "/dev/null"}, 1, &stop, &watch, &error),
                     0);
    ck_assert_msg(strstr(error.text, "cannot connect to /dev/null") != NULL, "%s", error.text);
}
END_TEST

VT_SUITE(recorded_answers_are_summed_over_vcpus, a_newer_QEMU_says_the_same, hostile_answers_are_one_line,
         events_and_line_breaks_may_stand_anywhere, an_answer_without_end_is_cut, who_does_not_answer_is_left,
         nothing_but_queries_is_sent, a_path_that_is_no_socket_is_told)

/* What an image says, taken in: whole, damaged, cut off, made up; and what its rows are taken to mean. */
#include "image/import.h"
#include "image/judge.h"
#include "image/lines.h"
#include "tests/unit/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Lines of an image; each gets its check. */
struct log {
    char text[16384];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void say(struct log *log, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    log->size += (size_t)snprintf(log->text + log->size, sizeof log->text - log->size, "%s *%04x\r\n", line,
                                  vt_image_check(line, strlen(line)));
}

/* "KVMKVMKVM" */
static void begin(struct log *log, bool hypervisor)
{
    log->size = 0;
    say(log, "@clock pm-timer 2000000");
    say(log, "@clock pit 2000100");
    say(log, "@fact version 0.2.0");
    say(log, "@fact firmware pvh");
    say(log, "@fact line case=cpuid");
    say(log, "@fact tsc-khz 2000000");
    say(log, "@cpuid 00000000 00000000 00000001 756e6547 6c65746e 49656e69");
    say(log, "@cpuid 00000001 00000000 000806f8 00000000 %s 00000000", hypervisor ? "80000000" : "00000000");
    if (hypervisor)
        say(log, "@cpuid 40000000 00000000 40000001 4b4d564b 564b4d56 0000004d");
}

static void say_row(struct log *log, const char *name, unsigned number, unsigned total, unsigned cycles)
{
    char ticks[256] = "";
    for (int i = 0; i < 7; i++)
        snprintf(ticks + strlen(ticks), sizeof ticks - strlen(ticks), " %u 1000", 1000 + 100 * cycles);
    say(log, "@case %u %u %s", number, total, name);
    say(log, "@row %s ok 100%s :", name, ticks);
}

/* Controls as a processor has them, and one case that took so many cycles. */
static void make(struct log *log, bool hypervisor, const char *name, unsigned cycles)
{
    begin(log, hypervisor);
    say_row(log, "nop", 1, 3, 0);
    say_row(log, "thousand", 2, 3, 500);
    say_row(log, name, 3, 3, cycles);
    say(log, "@end 3");
}

static struct vt_result *import(const struct log *log)
{
    struct vt_error error;
    struct vt_result *result = vt_image_import_memory("log", log->text, log->size, &error);
    ck_assert_msg(result != NULL, "%s", error.text);
    return result;
}

static void refuses(const char *text, size_t size, const char *wanted)
{
    struct vt_error error;
    struct vt_result *result = vt_image_import_memory("log", text, size, &error);
    ck_assert_msg(result == NULL, "taken, where it should say: %s", wanted);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_msg(strstr(error.text, wanted) != NULL, "says '%s', not: %s", error.text, wanted);
    ck_assert_ptr_null(strchr(error.text, '\n'));
}

static void crosses(bool hypervisor, const char *name, unsigned cycles, const char *crossing,
                    const char *path)
{
    static struct log log;
    make(&log, hypervisor, name, cycles);
    struct vt_result *result = import(&log);
    const struct vt_result_row *row = &result->rows[2];
    ck_assert_uint_eq(result->count, 3);
    ck_assert_str_eq(row->engine, "bare");
    ck_assert_str_eq(row->path, path);
    if (crossing)
        ck_assert_str_eq(row->crossing, crossing);
    else
        ck_assert_ptr_null(row->crossing);
    ck_assert_double_eq_tol(row->toll.median, cycles / 2.0, 0.001);
    vt_result_free(result);
}

START_TEST(an_operation_far_above_the_controls_was_left_to_a_hypervisor)
{
    crosses(true, "cpuid", 1500, "exit-kernel", "hardware");
    crosses(true, "vmcall", 1500, "hypercall", "hardware");
    crosses(true, "cpuid", 150, "none", "hardware");
    crosses(true, "rdpid", 1500, "none", "hardware");
    /* What takes long of itself tells nothing. */
    crosses(true, "wbinvd", 900000, NULL, "hardware");
    crosses(true, "in-kernel", 3000, NULL, "hardware");
    crosses(true, "in-kernel", 20000, "exit-kernel", "hardware");
}
END_TEST

START_TEST(without_a_hypervisor_it_is_the_bare_machine)
{
    crosses(false, "cpuid", 150, "none", "native");
    /* One that hides is found out. */
    crosses(false, "cpuid", 1500, "exit-kernel", "native");
}
END_TEST

START_TEST(who_lies_below_is_named)
{
    static struct log log;
    make(&log, true, "cpuid", 1500);
    struct vt_result *result = import(&log);
    ck_assert_msg(
        strstr(result->rows[2].reason, "inferred: left to an outer hypervisor, KVM (\"KVMKVMKVM\")") != NULL,
        "%s", result->rows[2].reason);
    ck_assert_str_eq(json_string_value(json_object_get(result->settings, "hypervisor")),
                     "KVM (\"KVMKVMKVM\")");
    ck_assert(result->host != NULL);
    vt_result_free(result);
}
END_TEST

START_TEST(a_slow_nop_is_an_interpreter)
{
    static struct log log;
    begin(&log, true);
    say_row(&log, "nop", 1, 3, 1500);
    say_row(&log, "thousand", 2, 3, 1500000);
    say_row(&log, "cpuid", 3, 3, 2000);
    say(&log, "@end 3");
    struct vt_result *result = import(&log);
    ck_assert_str_eq(result->rows[2].crossing, "interpreted");
    ck_assert_str_eq(result->rows[2].path, "emulated");
    vt_result_free(result);
}
END_TEST

START_TEST(without_controls_nothing_is_inferred)
{
    static struct log log;
    begin(&log, true);
    say_row(&log, "cpuid", 1, 1, 1500);
    say(&log, "@end 1");
    struct vt_result *result = import(&log);
    ck_assert_ptr_null(result->rows[0].crossing);
    ck_assert(strstr(result->rows[0].reason, "controls") != NULL);
    vt_result_free(result);
}
END_TEST

START_TEST(a_counter_whose_speed_nobody_confirms_gives_no_time)
{
    static struct log log;
    make(&log, true, "cpuid", 1500);
    char *pit = strstr(log.text, "@clock pit 2000100");
    memset(pit, '#', strlen("@clock pit 2000100 *0000"));
    struct vt_result *result = import(&log);
    ck_assert_int_eq(result->rows[2].status, VT_STATUS_UNVERIFIED);
    ck_assert(isnan(result->rows[2].toll.median));
    ck_assert_double_eq_tol(result->rows[2].toll_cycles.median, 1500, 0.001);
    vt_result_free(result);
}
END_TEST

START_TEST(an_interrupt_that_did_not_come_makes_a_row_unverified)
{
    static struct log log;
    begin(&log, false);
    say_row(&log, "nop", 1, 3, 0);
    say_row(&log, "thousand", 2, 3, 500);
    say(&log, "@case 3 3 xapic-self-ipi");
    say(&log, "@row xapic-self-ipi ok 1 9 1 9 1 9 1 9 1 9 1 9 1 9 1 : interrupts 2 0");
    say(&log, "@end 3");
    struct vt_result *result = import(&log);
    ck_assert_int_eq(result->rows[2].status, VT_STATUS_UNVERIFIED);
    vt_result_free(result);
}
END_TEST

START_TEST(pairs_that_firmware_interrupted_are_marked)
{
    static struct log log;
    begin(&log, false);
    say(&log, "@case 1 1 nop");
    say(&log, "@row nop ok 1 9 1 9 1 9 1 9 1 9 1 9 1 9 1 : smi 3 5");
    say(&log, "@end 1");
    struct vt_result *result = import(&log);
    ck_assert_uint_eq(result->rows[0].marks.count, 2);
    ck_assert_double_eq(result->rows[0].marks.values[1], 5);
    vt_result_free(result);
}
END_TEST

START_TEST(a_log_that_stops_is_kept_and_says_so)
{
    static struct log log;
    begin(&log, false);
    say_row(&log, "nop", 1, 3, 0);
    say(&log, "@case 2 3 thousand");
    struct vt_result *result = import(&log);
    ck_assert(result->interrupted);
    ck_assert_int_eq(result->rows[1].status, VT_STATUS_TIMEOUT);
    vt_result_free(result);
}
END_TEST

START_TEST(faults_have_reasons)
{
    static struct log log;
    begin(&log, false);
    say(&log, "@case 1 3 vmcall");
    say(&log, "@row vmcall fault 6 0");
    say(&log, "@case 2 3 rdpmc");
    say(&log, "@row rdpmc fault 13 0");
    say(&log, "@case 3 3 mov-to-cr0");
    say(&log, "@row mov-to-cr0 fault 13 0");
    say(&log, "@end 3");
    struct vt_result *result = import(&log);
    ck_assert_int_eq(result->rows[0].status, VT_STATUS_UNSUPPORTED);
    ck_assert_int_eq(result->rows[1].status, VT_STATUS_UNSUPPORTED);
    ck_assert_int_eq(result->rows[2].status, VT_STATUS_FAILED);
    vt_result_free(result);
}
END_TEST

START_TEST(others_may_speak_in_between)
{
    static struct log log, mixed;
    make(&log, false, "cpuid", 150);
    mixed.size = (size_t)snprintf(mixed.text, sizeof mixed.text,
                                  "BdsDxe: loading\n\x1b[2J@everybody\n%s\nbye", log.text);
    vt_result_free(import(&mixed));
}
END_TEST

/* One byte changed anywhere in a line of the image, its line end included, is found or changes nothing. */
START_TEST(no_damage_passes_as_another_figure)
{
    static struct log log;
    struct vt_error error;
    make(&log, true, "cpuid", 1500);
    for (size_t i = 0; i < log.size; i++) {
        char before = log.text[i];
        log.text[i] = before == '7' ? '8' : '7';
        struct vt_result *result = vt_image_import_memory("log", log.text, log.size, &error);
        for (size_t row = 0; result && row < result->count; row++)
            if (result->rows[row].status == VT_STATUS_OK)
                ck_assert_msg(result->rows[row].toll.median == 0 || result->rows[row].toll.median == 250 ||
                                  result->rows[row].toll.median == 750,
                              "byte %zu: a toll of %g", i, result->rows[row].toll.median);
        if (result)
            vt_result_free(result);
        log.text[i] = before;
    }
}
END_TEST

static void refuses_line(const char *line, const char *wanted)
{
    static struct log log;
    begin(&log, false);
    say(&log, "%s", line);
    refuses(log.text, log.size, wanted);
}

START_TEST(what_no_image_says_is_refused)
{
    refuses_line("@case 2 3 nop", "out of turn");
    refuses_line("@case 0 3 nop", "the case's number");
    refuses_line("@case 1 999999999999999999999 nop", "the case's number");
    refuses_line("@case 1 1 no-such-case", "does not know");
    refuses_line("@row nop ok 1 1 1 1 1 1 1 1 1 1 1 1 1", "no case that was just announced");
    refuses_line("@end 4", "lines are missing");
    refuses_line("@fact version 9", "second run");
    refuses_line("@cpuid 1 2 3", "four registers");
    refuses_line("@cpuid 1 0 -1 0 0 0", "four registers");
    refuses_line("@clock pit -5", "kHz");
    refuses_line("@clock pit 0", "kHz");
}
END_TEST

static void refuses_row(const char *rest, const char *wanted)
{
    static struct log log;
    begin(&log, false);
    say(&log, "@case 1 1 nop");
    say(&log, "@row nop %s", rest);
    refuses(log.text, log.size, wanted);
}

START_TEST(rows_that_cannot_be_are_refused)
{
    char many[2000] = "ok 1";
    for (int i = 0; i < 102; i++)
        memcpy(many + strlen(many), " 1 1", sizeof " 1 1");
    refuses_row("ok 0 1 1 1 1 1 1 1 1 1 1 1 1", "operations a batch has");
    refuses_row("ok 1 1 1", "fewer batches");
    refuses_row("ok 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "in turn");
    refuses_row("ok 1 -1 1 1 1 1 1 1 1 1 1 1 1", "in turn");
    refuses_row("ok 1 99999999999999999999 1 1 1 1 1 1 1 1 1 1 1", "in turn");
    refuses_row(many, "more batches");
    refuses_row("ok 1 1 1 1 1 1 1 1 1 1 1 1 1 : smi 6", "number of a pair");
    refuses_row("ok 1 1 1 1 1 1 1 1 1 1 1 1 1 : wonders 6", "does not know");
    refuses_row("fault x", "vector");
    refuses_row("perhaps", "expected ok");
}
END_TEST

/* Two cases, then the monitor's roads: one there is not, two there are. */
static void make_roads(struct log *log)
{
    begin(log, true);
    say_row(log, "nop", 1, 2, 0);
    say_row(log, "cli", 2, 2, 1);
    say(log, "@road monitor-trap");
    say(log, "@road monitor-call");
    say(log, "@road monitor-vmx the processor has no VT-x");
    say(log, "@roads 1 2 nop");
    say(log, "@row nop monitor-trap ok 100 1000 1000 1000 1000 1000 1000 1000 1000 1000 1000 1000 1000 1000 "
             "1000 : traps 7 7 #14 7 7 bare 8000 100");
    say(log, "@roads 2 2 cli");
    say(log, "@row cli monitor-trap ok 100 31000 1000 31000 1000 31000 1000 31000 1000 31000 1000 31000 1000 "
             "31000 "
             "1000 : traps 707 7 #13 700 0 #14 7 7 bare 8000 100");
}

static const struct vt_result_row *find(const struct vt_result *result, const char *name, const char *engine)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->rows[i].name, name) == 0 && strcmp(result->rows[i].engine, engine) == 0)
            return &result->rows[i];
    ck_abort_msg("no row of %s on %s", name, engine);
}

START_TEST(rows_of_roads_are_counted_not_inferred)
{
    static struct log log;
    make_roads(&log);
    say(&log, "@row cli monitor-call unsupported shared memory of Xen's");
    say(&log, "@end 2");
    struct vt_result *result = import(&log);
    ck_assert_uint_eq(result->count, 5);
    ck_assert_ptr_null(
        find(result, "cli", "bare")->crossing); /* its controls are missing; a road asks none */
    const struct vt_result_row *row = find(result, "cli", "monitor-trap");
    ck_assert_str_eq(row->crossing, "trap");
    ck_assert_str_eq(row->path, "emulated");
    ck_assert_str_eq(row->reason, "1.00 #GP per operation");
    ck_assert_double_eq_tol(row->toll.median, 150, 0.001); /* ns, at 2 GHz */
    ck_assert_double_eq_tol(row->breakdown[VT_PART_BARE].median, 40, 0.001);
    ck_assert_double_eq_tol(row->breakdown[VT_PART_EMULATION].median, 110, 0.001);
    ck_assert_str_eq(find(result, "nop", "monitor-trap")->crossing, "none");
    ck_assert_int_eq(find(result, "cli", "monitor-call")->status, VT_STATUS_UNSUPPORTED);
    ck_assert_str_eq(json_string_value(json_object_get(result->settings, "roads")),
                     "monitor-trap, monitor-call");
    ck_assert_str_eq(json_string_value(json_object_get(result->settings, "roads_refused")),
                     "monitor-vmx: the processor has no VT-x");
    vt_result_free(result);
}
END_TEST

START_TEST(a_run_that_stops_on_a_road_says_which)
{
    static struct log log;
    make_roads(&log);
    struct vt_result *result = import(&log);
    ck_assert(result->interrupted);
    ck_assert_int_eq(find(result, "cli", "monitor-call")->status, VT_STATUS_TIMEOUT);
    vt_result_free(result);
}
END_TEST

START_TEST(how_a_batch_on_a_road_ended_is_told)
{
    static const struct {
        const char *said;
        enum vt_status status;
        const char *reason;
    } ends[] = {{"timeout 0", VT_STATUS_TIMEOUT, "did not return: the monitor's timer ended it"},
                {"halted 0", VT_STATUS_FAILED, "halted with no interrupt to wake it"},
                {"broken 14", VT_STATUS_FAILED, "the monitor itself raised #PF"},
                {"fault 6", VT_STATUS_UNSUPPORTED, "#UD: the instruction is not offered"}};
    static struct log log;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        make_roads(&log);
        say(&log, "@row cli monitor-call %s", ends[i].said);
        struct vt_result *result = import(&log);
        ck_assert_int_eq(find(result, "cli", "monitor-call")->status, ends[i].status);
        ck_assert_str_eq(find(result, "cli", "monitor-call")->reason, ends[i].reason);
        vt_result_free(result);
    }
}
END_TEST

static void refuses_behind_roads(const char *line, const char *wanted)
{
    static struct log log;
    make_roads(&log);
    say(&log, "%s", line);
    refuses(log.text, log.size, wanted);
}

START_TEST(rows_of_roads_that_cannot_be_are_refused)
{
    refuses_behind_roads("@row cli monitor-trap unsupported twice", "same row again");
    refuses_behind_roads("@row cli monitor-vmx unsupported refused before",
                         "case and road that were announced");
    refuses_behind_roads("@row cli monitor-svm unsupported never offered",
                         "case and road that were announced");
    refuses_behind_roads("@row nop monitor-call unsupported another case",
                         "case and road that were announced");
    refuses_behind_roads("@row cli monitor-call ok 1 1 1", "fewer batches");
    refuses_behind_roads("@row cli monitor-call ok 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 : wonders 1 1",
                         "does not know");
    refuses_behind_roads("@row cli monitor-call ok 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 : #99 1 1", "does not know");
    refuses_behind_roads("@row cli monitor-call ok 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 : bare 1 0",
                         "does not know");
    refuses_behind_roads("@row cli monitor-call ok 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 : traps 1",
                         "were seen to do");
    refuses_behind_roads("@roads 4 2 cli", "out of turn");
    refuses_behind_roads("@roads 1 2 nop", "out of turn");
    refuses_behind_roads("@road monitor-svm", "out of turn");
    refuses_line("@road monitor-what", "does not know");
    refuses_line("@roads 1 1 nop", "out of turn");
}
END_TEST

START_TEST(what_is_no_log_is_told_apart)
{
    static struct log log;
    refuses("", 0, "no lines of an image");
    refuses("{\"schema\": 1}\n", 14, "no lines of an image");
    make(&log, false, "cpuid", 150);
    char *version = strstr(log.text, "@fact version");
    memset(version, '#', 10);
    refuses(log.text, log.size, "first lines are missing");
    make(&log, false, "cpuid", 150);
    refuses(log.text, strstr(log.text, "@case") - log.text, "ran no case");
    /* A byte of 0 ends no reading. */
    make(&log, false, "cpuid", 150);
    *strstr(log.text, "@case") = '\0';
    refuses(log.text, log.size, "no case that was just announced");
}
END_TEST

VT_SUITE(an_operation_far_above_the_controls_was_left_to_a_hypervisor,
         without_a_hypervisor_it_is_the_bare_machine, who_lies_below_is_named, a_slow_nop_is_an_interpreter,
         without_controls_nothing_is_inferred, a_counter_whose_speed_nobody_confirms_gives_no_time,
         an_interrupt_that_did_not_come_makes_a_row_unverified, pairs_that_firmware_interrupted_are_marked,
         a_log_that_stops_is_kept_and_says_so, faults_have_reasons, others_may_speak_in_between,
         no_damage_passes_as_another_figure, what_no_image_says_is_refused, rows_that_cannot_be_are_refused,
         what_is_no_log_is_told_apart, rows_of_roads_are_counted_not_inferred,
         a_run_that_stops_on_a_road_says_which, how_a_batch_on_a_road_ended_is_told,
         rows_of_roads_that_cannot_be_are_refused)

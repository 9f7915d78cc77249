/* The arithmetic: what counters come to with tolls, what is refused, what is advised. */
#include "price/advice.h"
#include "price/format/format.h"
#include "price/reasons/rules.h"
#include "result/load/load.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW(name, unit, status, toll, exits, user, emulated)                                                 \
    "{\"case\":\"" name                                                                                      \
    "\",\"class\":\"x\",\"path\":\"hardware\",\"engine\":\"kvm\",\"cpl\":0,\"crossing\":"                    \
    "\"exit-kernel\",\"status\":\"" status "\",\"simulated\":false,\"unit\":\"" unit                         \
    "\",\"toll\":{\"median\":" toll ",\"ci95\":[" toll "," toll "]},\"evidence\":{\"exits\":" exits          \
    ",\"user_exits\":" user ",\"halt_exits\":0,\"pf_taken\":0,\"insn_emulation\":" emulated "}}"

static const char tolls_text[] =
    "{\"schema\":\"vmtoll.result/"
    "1\",\"host\":{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{"
    "\"brand\":\"One\",\"family\":6},\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}},"
    "\"measurements\":[" ROW("out-user", "ns", "ok", "3000", "1.001", "1", "0") "," ROW(
        "in-user", "ns", "ok", "4000", "1", "1",
        "0") "," ROW("cpuid", "ns", "ok", "1000", "1", "0",
                     "0") "," ROW("rdmsr-kernel", "ns", "unverified", "10", "1", "0",
                                  "0") "," ROW("rdtsc", "ns", "ok", "7", "0", "0",
                                               "0") "," ROW("vmcall", "instructions", "ok", "9", "1", "0",
                                                            "0") "," ROW("out-eventfd", "ns", "ok", "1500",
                                                                         "1", "0",
                                                                         "0") "," ROW("mmio-read-user", "ns",
                                                                                      "ok", "5000", "1", "1",
                                                                                      "1") "," ROW("nop",
                                                                                                   "ns", "ok",
                                                                                                   "200", "0",
                                                                                                   "0",
                                                                                                   "1") "]}";

static int keep(struct vt_result *result, void *context)
{
    *(struct vt_result **)context = result;
    return 0;
}

static struct vt_result *tolls(void)
{
    struct vt_result *result = NULL;
    struct vt_error error;
    int status = vt_result_load_memory("tolls", tolls_text, sizeof tolls_text - 1,
                                       &(struct vt_load_options){0}, keep, &result, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    return result;
}

/* Ten seconds of one vCPU that ran for eight, six of them in the guest. */
static struct vt_price_watch watch_of(const struct vt_price_count *list, size_t count)
{
    struct vt_price_watch watch = {.source = &vt_price_source_qmp,
                                   .machine = "vm",
                                   .times = {8e9, 1e9, 6e9},
                                   .seconds = 10,
                                   .reading_ns = 1e6,
                                   .vcpus = 1};
    for (size_t i = 0; i < count; i++)
        ck_assert(vt_price_count_add(&watch.delta, list[i].name, list[i].value));
    return watch;
}

static const struct vt_price_count usual[] = {{"exits", 500000},
                                              {"fpu_reload", 101000},
                                              {"signal_exits", 1000},
                                              {"mmio_exits", 20000},
                                              {"halt_exits", 30000},
                                              {"hypercalls", 0},
                                              {"irq_exits", 50000},
                                              {"irq_window_exits", 10000},
                                              {"pf_taken", 60000},
                                              {"insn_emulation", 20000},
                                              {"request_irq_exits", 0},
                                              {"halt_poll_fail_ns", 2e8},
                                              {"halt_poll_success_ns", 6e8},
                                              {"halt_wait_ns", 1e9},
                                              {"tlb_flush", 77},
                                              {"nested_run", 0}};

enum { USUAL = sizeof usual / sizeof usual[0] };

static void make(struct vt_price *price, const struct vt_price_watch *watch, const struct vt_result *with)
{
    struct vt_error error;
    int status = vt_price_make(price, watch, with, with ? with->host : NULL, false, &error);
    ck_assert_msg(status == 0, "%s", error.text);
}

static const struct vt_price_line *line_of(const struct vt_price *price, const char *reason)
{
    for (size_t i = 0; i < price->line_count; i++)
        if (strcmp(price->lines[i].rule->reason, reason) == 0)
            return &price->lines[i];
    ck_abort_msg("no line for %s", reason);
    return NULL;
}

START_TEST(every_exit_is_counted_once)
{
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    double sum = 0;
    make(&price, &watch, NULL);
    for (size_t i = 0; i < price.line_count; i++)
        sum += price.lines[i].count;
    /* what returned for a signal alone is no exit of the guest's */
    ck_assert_double_eq(sum, 500000);
    ck_assert_double_eq(line_of(&price, "other-user")->count, 80000);
    ck_assert_double_eq(line_of(&price, "other-kernel")->count,
                        500000 + 1000 - 101000 - 30000 - 60000 - 60000);
    ck_assert(isnan(price.low));
}
END_TEST

START_TEST(the_lower_bound_is_counts_times_the_least_proved_toll)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    make(&price, &watch, result);
    ck_assert_str_eq(line_of(&price, "other-user")->toll.name, "out-user");
    ck_assert_double_eq(line_of(&price, "other-user")->ns, 80000 * 3000.0);
    ck_assert_double_eq(line_of(&price, "mmio-user")->ns, 20000 * 5000.0);
    ck_assert_str_eq(line_of(&price, "hlt")->toll.name,
                     "cpuid"); /* not what is unverified or in instructions */
    ck_assert_double_eq(line_of(&price, "other-kernel")->ns, 250000 * 1000.0);
    ck_assert(isnan(line_of(&price, "interrupt")->ns));
    ck_assert_double_eq(line_of(&price, "hypercall")->ns, 0);
    double sum = 80000 * 3000.0 + 20000 * 5000.0 + (30000 + 60000 + 10000 + 250000) * 1000.0;
    ck_assert_double_eq_tol(price.low, sum / 8e9, 1e-9);
    vt_result_free(result);
}
END_TEST

START_TEST(the_upper_bound_leaves_out_guest_and_polling)
{
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    make(&price, &watch, NULL);
    ck_assert_double_eq(price.polling_ns, 8e8);
    ck_assert_double_eq(price.polling, 0.1);
    double outside = (8e9 - 6e9 - 8e8) / 8e9;
    ck_assert_double_ge(price.high, outside);
    ck_assert_double_le(price.high, outside + 0.035); /* the error of 800 ticks */
    watch.times.guest = 0;
    make(&price, &watch, NULL);
    ck_assert_double_ge(price.high, 0.9);
    ck_assert_double_le(price.high, 0.905); /* four ticks of 800 */
    ck_assert_msg(strstr(price.notes[0], "accounts no time") != NULL, "%s", price.notes[0]);
    watch.times = (struct vt_price_times){NAN, NAN, NAN};
    make(&price, &watch, NULL);
    ck_assert(isnan(price.high) && isnan(price.polling));
}
END_TEST

START_TEST(the_upper_bound_holds_what_the_kernel_takes_for_guest_time)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price, bare;
    make(&bare, &watch, NULL);
    ck_assert_msg(strstr(bare.notes[0], "without tolls") != NULL, "%s", bare.notes[0]);
    make(&price, &watch, result);
    /* Each line by its price, interrupts by the least exit there is. */
    ck_assert_double_eq_tol(price.high, bare.high + price.low + 50000 * 1000.0 / 8e9, 1e-9);
    vt_result_free(result);
}
END_TEST

START_TEST(what_contradicts_itself_is_told)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    watch.times.run = 0.5e9;
    watch.times.guest = 0.4e9;
    make(&price, &watch, result);
    ck_assert_double_gt(price.low, price.high);
    char headline[320];
    vt_price_headline(&price, headline, sizeof headline);
    ck_assert_ptr_nonnull(strstr(headline, "do not fit"));
    ck_assert_ptr_null(strstr(headline, " % to "));
    ck_assert_msg(strstr(price.notes[0], "Measure them again") != NULL, "%s", price.notes[0]);
    vt_result_free(result);
}
END_TEST

START_TEST(where_KVM_interprets_exits_between_have_no_price)
{
    static const struct vt_price_count list[] = {{"exits", 1000},     {"fpu_reload", 100},
                                                 {"signal_exits", 0}, {"insn_emulation", 1000000},
                                                 {"halt_exits", 50},  {"request_irq_exits", 0}};
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(list, 6);
    struct vt_price price;
    make(&price, &watch, result);
    ck_assert_double_eq(line_of(&price, "interpreted")->ns, 999000 * 200.0);
    ck_assert(isnan(line_of(&price, "other-kernel")->ns));
    ck_assert_str_eq(line_of(&price, "hlt")->toll.name, "nop"); /* an instruction like others, of ring 0 */
    ck_assert(isnan(line_of(&price, "hypercall")->count));      /* this source does not tell */
    ck_assert_uint_eq(price.note_count, 1);                     /* which is no fault of the tolls */
    ck_assert_msg(strstr(price.notes[0], "interprets") != NULL, "%s", price.notes[0]);
    vt_result_free(result);
}
END_TEST

/* Of each: a fact of the host that is another one, and a word of the refusal. */
START_TEST(tolls_of_another_machine_are_refused)
{
    static const char *const hosts[][2] = {
        {"{\"system\":{\"kernel\":\"6.2\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "kernel: 6.1; here: 6.2"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":null},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "microcode: 0x1; here: unknown"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":25},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Mitigation\"}}",
         "family: 6; here: 25"},
        {"{\"system\":{\"kernel\":\"6.1\",\"microcode\":\"0x1\"},\"cpu\":{\"brand\":\"One\",\"family\":6},"
         "\"mitigations\":{\"mds\":\"Not affected\",\"l1tf\":\"Vulnerable\"}}",
         "mitigations are others (l1tf)"},
        {"{}", "kernel: 6.1; here: unknown"},
    };
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct vt_price price;
        struct vt_error error;
        json_t *host = json_loads(hosts[i][0], 0, NULL);
        ck_assert_int_lt(vt_price_make(&price, &watch, result, host, false, &error), 0);
        ck_assert_msg(strstr(error.text, hosts[i][1]) != NULL, "%s", error.text);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_int_eq(vt_price_make(&price, &watch, result, host, true, &error), 0);
        ck_assert_msg(strstr(price.notes[0], "were forced") != NULL, "%s", price.notes[0]);
        ck_assert(*price.forced);
        json_decref(host);
    }
    vt_result_free(result);
}
END_TEST

START_TEST(guests_of_a_guest_are_refused)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    struct vt_error error;
    watch.nested = true;
    ck_assert_int_lt(vt_price_make(&price, &watch, result, result->host, false, &error), 0);
    ck_assert_msg(strstr(error.text, "guests of its own") != NULL, "%s", error.text);
    ck_assert_int_eq(vt_price_make(&price, &watch, result, result->host, true, &error), 0);
    ck_assert_int_eq(vt_price_make(&price, &watch, NULL, NULL, false, &error), 0);
    vt_result_free(result);
}
END_TEST

START_TEST(advice_follows_rate_and_share)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    bool doorbells = false, hypercalls = false;
    make(&price, &watch, result);
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
    watch = watch_of((const struct vt_price_count[]){{"exits", 10}, {"fpu_reload", 1}}, 2);
    make(&price, &watch, result);
    ck_assert_uint_eq(price.advice_count, 0);
    /* Few a second, and yet much of the little it ran. */
    watch = watch_of((const struct vt_price_count[]){{"exits", 15000}, {"fpu_reload", 15000}}, 2);
    watch.times.run = 1e8;
    watch.times.wait = 0;
    make(&price, &watch, result);
    ck_assert_uint_eq(price.advice_count, 3);
    ck_assert_str_eq(price.advice[0].advice->name, "ioeventfd");
    ck_assert_str_eq(price.advice[0].reason, "other-user");
    ck_assert_str_eq(price.advice[1].advice->name, "vhost");
    ck_assert_str_eq(price.advice[2].advice->name, "clocksource");
    ck_assert_double_le(price.advice[2].saves, 1); /* all of it, and no more than there is */
    vt_result_free(result);
}
END_TEST

/* Of an SVM host: what tracepoints counted beside KVM's own. */
static const struct vt_price_count traced[] = {
    {"exits", 1000},        {"fpu_reload", 310},     {"exit_all", 1000},    {"exit_cpuid", 100},
    {"exit_io", 250},       {"exit_npf", 150},       {"exit_msr_read", 30}, {"exit_msr_write", 40},
    {"exit_hlt", 20},       {"exit_interrupt", 200}, {"exit_window", 10},   {"exit_cr", 0},
    {"user_all", 310},      {"user_io", 200},        {"user_mmio", 100},    {"user_signal", 5},
    {"insn_emulation", 100}};

START_TEST(reasons_take_every_exit_once_and_price_each_by_its_own)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(traced, sizeof traced / sizeof traced[0]);
    struct vt_price price;
    double sum = 0;
    watch.events = 17;
    watch.event_ns = 500;
    make(&price, &watch, result);
    for (size_t i = 0; i < price.line_count; i++)
        sum += price.lines[i].rule->beside ? 0 : price.lines[i].count;
    ck_assert_double_eq(sum, 1000);
    ck_assert_double_eq(line_of(&price, "io-kernel")->count, 50);
    ck_assert_double_eq(line_of(&price, "page-fault")->count, 50);
    ck_assert_double_eq(line_of(&price, "other-user")->count, 5);
    ck_assert_double_eq(line_of(&price, "other-kernel")->count, 1000 - 100 - 250 - 150 - 70 - 20 - 200 - 10);
    ck_assert_str_eq(line_of(&price, "cpuid")->toll.name, "cpuid");
    ck_assert_str_eq(line_of(&price, "io-kernel")->toll.name, "out-eventfd");
    ck_assert_ptr_null(line_of(&price, "msr-read")->toll.name); /* its one row is unverified */
    ck_assert_double_eq_tol(price.observing, 1000 * 500 / 8e9, 1e-12);
    ck_assert_uint_eq(price.unpriced_total, 0);
    watch.event_ns = NAN;
    make(&price, &watch, result);
    ck_assert(isnan(price.observing));
    vt_result_free(result);
}
END_TEST

START_TEST(the_estimate_is_by_the_middle_of_what_fits)
{
    struct vt_result *result = tolls();
    struct vt_price_watch watch =
        watch_of((const struct vt_price_count[]){{"exits", 1000}, {"fpu_reload", 100}, {"mmio_exits", 0}}, 3);
    struct vt_price price;
    make(&price, &watch, result);
    /* of user exits 3000 and 4000, of kernel exits 1000 and 1500 */
    ck_assert_double_eq(price.low_ns, 100 * 3000.0 + 900 * 1000.0);
    ck_assert_double_eq(price.middle_ns, 100 * 3500.0 + 900 * 1250.0);
    watch.times.guest = 8e9;
    watch.times.run = 8e9 + 1;
    make(&price, &watch, result);
    ck_assert_double_le(price.middle, price.high);
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
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(traced, sizeof traced / sizeof traced[0]);
    struct vt_price price;
    bool cpuid = false, overcommit = false;
    watch.events = 17;
    watch.seconds = 0.01;
    watch.times = (struct vt_price_times){8e6, 2e6, 6e6};
    make(&price, &watch, result);
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

START_TEST(counters_no_line_speaks_of_are_listed)
{
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    make(&price, &watch, NULL);
    ck_assert_uint_eq(price.unpriced_total, 1);
    ck_assert_str_eq(price.unpriced[0], "tlb_flush");
}
END_TEST

START_TEST(counters_from_outside_are_checked)
{
    struct vt_price_counts before = {.count = 0}, after, delta;
    static const char *const bad[] = {
        "", "Exits", "a b", "<b>", "\033[2J", "a_name_that_is_far_too_long_to_be_one_of_a_counter_of_kvm"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!vt_price_count_add(&before, bad[i], 1), "%s", bad[i]);
    ck_assert(!vt_price_count_add(&before, "exits", -1));
    ck_assert(!vt_price_count_add(&before, "exits", INFINITY));
    ck_assert(!vt_price_count_add(&before, "exits", NAN));
    ck_assert(vt_price_count_add(&before, "exits", 5) && vt_price_count_add(&before, "guest_mode", 1));
    after = before;
    vt_price_count_add(&after, "exits", 2);
    vt_price_count_add(&after, "newer", 2);
    ck_assert(vt_price_counts_since(&before, &after, &delta));
    ck_assert_uint_eq(delta.count, 1);
    ck_assert_double_eq(vt_price_count_of(&delta, "exits"), 2);
    ck_assert(!vt_price_counts_since(&after, &before, &delta));
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        vt_price_count_add(&before, name, 1);
    }
    ck_assert_uint_eq(before.count, VT_PRICE_COUNTERS);
}
END_TEST

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void put_thread(const char *root, const char *thread, const char *name, const char *guest)
{
    char folder[128], stat[512];
    snprintf(folder, sizeof folder, "%s/7/task/%s", root, thread);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    snprintf(stat, sizeof stat,
             "%s (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99 20 21 22 23 24 25 26 27 28 29 30 "
             "31 32 33 34 "
             "35 36 37 38 39 %s 0 0\n",
             thread, guest);
    put_file(folder, "stat", stat);
    put_file(folder, "comm", name);
    put_file(folder, "schedstat", "3000 200 5\n");
}

START_TEST(vcpu_threads_are_found_and_read)
{
    char root[] = "/tmp/vmtoll-proc-XXXXXX", path[128];
    struct vt_price_threads threads;
    struct vt_price_times times;
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(path, sizeof path, "%s/7", root);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/7/task", root);
    mkdir(path, 0755);
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), -ESRCH);
    put_thread(root, "7", "qemu\n", "0");
    ck_assert_int_eq(vt_price_threads_find(root, 7, false, &threads), -ESRCH);
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), 0); /* there is but one */
    vt_price_threads_release(&threads);
    put_thread(root, "6", "kvm-nx-lpage-re\n", "0");
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), 0); /* but the kernel's own */
    ck_assert_int_eq(threads.list[0], 7);
    vt_price_threads_release(&threads);
    put_thread(root, "8", "worker\n", "0");
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), -ESRCH); /* either */
    put_thread(root, "9", "nameless\n", "4");
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), 0);
    ck_assert_uint_eq(threads.count, 1);
    ck_assert_int_eq(threads.list[0], 9);
    ck_assert(vt_price_threads_read(root, &threads, &times));
    ck_assert_double_eq(times.run, 3000);
    ck_assert_double_eq(times.wait, 200);
    ck_assert_double_eq(times.guest, 4 * 1e9 / (double)sysconf(_SC_CLK_TCK));
    vt_price_threads_release(&threads);
    put_thread(root, "10", "CPU 0/KVM\n", "0");
    ck_assert_int_eq(vt_price_threads_find(root, 7, true, &threads), 0);
    ck_assert_int_eq(threads.list[0], 10);
    ck_assert_uint_eq(vt_price_threads_began(root, 7), 99);
    threads.list[0] = 11;
    ck_assert(!vt_price_threads_read(root, &threads, &times));
    ck_assert(!vt_price_threads_are_there(root, &threads));
    vt_price_threads_release(&threads);
    snprintf(path, sizeof path, "rm -rf %s", root);
    ck_assert_int_eq(system(path), 0);
}
END_TEST

/* What comes from outside stays text: a machine's name is whatever somebody gave it. */
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
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    make(&price, &watch, result);
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
    struct vt_result *result = tolls();
    struct vt_price_watch watch = watch_of(usual, USUAL);
    struct vt_price price;
    snprintf(watch.machine, sizeof watch.machine, "<script>\"\\");
    make(&price, &watch, result);
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

VT_SUITE(every_exit_is_counted_once, the_lower_bound_is_counts_times_the_least_proved_toll,
         the_upper_bound_leaves_out_guest_and_polling,
         the_upper_bound_holds_what_the_kernel_takes_for_guest_time, what_contradicts_itself_is_told,
         where_KVM_interprets_exits_between_have_no_price, tolls_of_another_machine_are_refused,
         guests_of_a_guest_are_refused, reasons_take_every_exit_once_and_price_each_by_its_own,
         the_estimate_is_by_the_middle_of_what_fits, advice_follows_rate_and_share,
         advice_is_of_reasons_there_are_and_figures_that_are_documented, advice_by_reason_and_by_time,
         counters_no_line_speaks_of_are_listed, counters_from_outside_are_checked,
         vcpu_threads_are_found_and_read, each_format_is_one_of_its_own, names_are_escaped_in_every_format)

/* Many results: whose they are, what stands out, and that chance does not. */
#include "fleet/fleet.h"
#include "fleet/chance.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 30 };

/* Numbers that are the same on every run (xorshift64*). */
static uint64_t state;

static double uniform(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * 2685821657736338717U >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

struct shape {
    size_t hosts;
    double bursts;        /* share of figures a neighbour has disturbed */
    size_t odd;           /* hosts whose case 7 costs more, with an old kernel */
    double factor;        /* how much more */
    bool class;           /* all of that class instead */
    size_t slow;          /* hosts slower in everything */
    size_t split;         /* hosts that cross cases 3, 4 and 7 otherwise */
    enum vt_status doubt; /* not ok: status of these cases on them */
    double kinds;         /* not 0: every second host has another processor, and costs so much more */
};

static json_t *host_document(const struct shape *shape, size_t host)
{
    char name[32];
    snprintf(name, sizeof name, "node%zu", host);
    return json_pack("{s:{s:s, s:s}, s:{s:s}}", "system", "hostname", name, "kernel",
                     host < shape->odd ? "5.4.0-old" : "6.1.0", "cpu", "brand",
                     host == shape->hosts - 1 && shape->slow ? "<slow>"
                     : shape->kinds && host % 2              ? "Other CPU"
                                                             : "Some CPU");
}

static double toll_of(const struct shape *shape, size_t host, size_t c)
{
    double toll = 20 * pow(1.35, (double)c), spread = c % 3 == 0 ? 0.003 : c % 3 == 1 ? 0.01 : 0.03;
    toll *= exp(spread * normal());
    if (uniform() < shape->bursts)
        toll *= 1.1 + 0.4 * uniform();
    if (host < shape->odd && (shape->class ? c / 5 == 1 : c == 7))
        toll *= shape->factor;
    if (shape->slow && host >= shape->hosts - shape->slow)
        toll *= 1.2;
    if (shape->kinds && host % 2)
        toll *= shape->kinds;
    return toll;
}

static struct vt_result *make_result(const struct shape *shape, size_t host)
{
    static const char *const names[CASES] = {"c0",  "c1",  "c2",  "c3",  "c4",  "c5",  "c6",  "c7",
                                             "c8",  "c9",  "c10", "c11", "c12", "c13", "c14", "c15",
                                             "c16", "c17", "c18", "c19", "c20", "c21", "c22", "c23",
                                             "c24", "c25", "c26", "c27", "c28", "c29"};
    static const char *const classes[] = {"k0", "k1", "k2", "k3", "k4", "k5"};
    struct vt_result *result = vt_result_new();
    result->rows = calloc(CASES, sizeof *result->rows);
    result->file = "f";
    result->count = CASES;
    result->host = host_document(shape, host);
    for (size_t c = 0; c < CASES; c++) {
        double toll = toll_of(shape, host, c);
        result->rows[c] = (struct vt_result_row){.name = names[c],
                                                 .class = classes[c / 5],
                                                 .engine = "kvm",
                                                 .path = "hardware",
                                                 .unit = VT_UNIT_NS,
                                                 .status = VT_STATUS_OK,
                                                 .toll = vt_result_unknown_summary()};
        result->rows[c].crossing = "none";
        if (host < shape->split && (c == 3 || c == 4 || c == 7)) {
            result->rows[c].crossing = shape->doubt ? "none" : "exit-kernel";
            result->rows[c].status = shape->doubt;
            toll *= 100;
        }
        result->rows[c].toll.median = toll;
        result->rows[c].toll.ci_low = toll * 0.99;
        result->rows[c].toll.ci_high = toll * 1.01;
    }
    return result;
}

static void build(struct vt_fleet *fleet, const struct shape *shape)
{
    struct vt_error error;
    ck_assert_int_eq(vt_fleet_start(fleet, NULL, &error), 0);
    for (size_t i = 0; i < shape->hosts; i++)
        ck_assert_int_eq(vt_fleet_add(fleet, make_result(shape, i)), 0);
    ck_assert_int_eq(vt_fleet_finish(fleet, &error), 0);
}

static size_t outliers_of(const struct vt_fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->host_count; i++)
        count += fleet->hosts[i].outlier;
    return count;
}

START_TEST(equal_hosts_raise_no_alarm)
{
    static const size_t sizes[] = {5, 8, 16, 40, 120};
    static const double bursts[] = {0, 0.005, 0.03};
    size_t fleets = 0, alarms = 0;
    state = 88172645463325252U;
    for (size_t round = 0; round < 200; round++) {
        const struct shape shape = {.hosts = sizes[round % 5], .bursts = bursts[round % 3]};
        struct vt_fleet fleet;
        build(&fleet, &shape);
        alarms += fleet.oddity_count || outliers_of(&fleet) || fleet.mix_count;
        fleets++;
        vt_fleet_release(&fleet);
    }
    ck_assert_msg(alarms <= fleets / 20, "%zu of %zu fleets of equal hosts raised an alarm", alarms, fleets);
}
END_TEST

START_TEST(a_case_that_is_odd_on_some_hosts_is_found)
{
    static const struct shape shapes[] = {
        {.hosts = 100, .odd = 1, .factor = 1.6, .bursts = 0},
        {.hosts = 12, .odd = 2, .factor = 1.3, .bursts = 0},
        {.hosts = 12, .odd = 3, .factor = 1.3, .bursts = 0},
        {.hosts = 60, .odd = 3, .factor = 1.3, .bursts = 0.001},
        {.hosts = 200, .odd = 3, .factor = 1.3, .bursts = 0.005},
        {.hosts = 200, .odd = 20, .factor = 0.8, .bursts = 0.005},
    };
    state = 1234567;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct vt_fleet fleet;
        char why[512];
        build(&fleet, &shapes[i]);
        ck_assert_msg(fleet.oddity_count == 1, "shape %zu: %zu oddities", i, fleet.oddity_count);
        ck_assert_uint_eq(outliers_of(&fleet), 0);
        ck_assert_str_eq(fleet.oddities[0].cells[0]->name, "c7");
        ck_assert(!fleet.oddities[0].whole_class);
        /* A neighbour may have disturbed the same case on others. */
        ck_assert_msg(fleet.oddities[0].host_count >= shapes[i].odd &&
                          fleet.oddities[0].host_count <= shapes[i].odd + 2,
                      "shape %zu: %zu hosts", i, fleet.oddities[0].host_count);
        ck_assert_double_eq_tol(fleet.oddities[0].hosts[0].ratio, shapes[i].factor, 0.2);
        vt_fleet_explain_oddity(&fleet, &fleet.oddities[0], why, sizeof why);
        ck_assert_msg(strstr(why, "system.kernel is 5.4.0-old") && strstr(why, "on 0 of "), "%s", why);
        vt_fleet_release(&fleet);
    }
}
END_TEST

START_TEST(a_class_that_is_odd_on_some_hosts_is_found)
{
    const struct shape shape = {.hosts = 100, .odd = 2, .factor = 1.08, .class = true};
    struct vt_fleet fleet;
    bool found = false;
    state = 4711;
    build(&fleet, &shape);
    for (size_t i = 0; i < fleet.oddity_count; i++) {
        ck_assert_str_eq(fleet.oddities[i].cells[0]->class, "k1");
        found |= fleet.oddities[i].whole_class || fleet.oddities[i].cell_count == 1;
    }
    ck_assert(found);
    ck_assert_uint_eq(outliers_of(&fleet), 0);
    vt_fleet_release(&fleet);
}
END_TEST

START_TEST(a_slow_host_is_told_once)
{
    const struct shape shape = {.hosts = 40, .slow = 1, .bursts = 0.005};
    struct vt_fleet fleet;
    char why[512];
    state = 99;
    build(&fleet, &shape);
    ck_assert_uint_eq(outliers_of(&fleet), 1);
    ck_assert_uint_eq(fleet.oddity_count, 0);
    for (size_t i = 0; i < fleet.host_count; i++)
        if (fleet.hosts[i].outlier) {
            ck_assert_str_eq(fleet.hosts[i].name, "node39");
            ck_assert_double_eq_tol(exp(fleet.hosts[i].deviation), 1.2, 0.02);
            vt_fleet_explain(&fleet, &fleet.hosts[i], why, sizeof why);
            ck_assert_msg(strstr(why, "cpu.brand is <slow> (97 % have Some CPU)"), "%s", why);
        }
    vt_fleet_release(&fleet);
}
END_TEST

static const struct vt_fleet_cell *find_cell(const struct vt_fleet *fleet, const char *name,
                                             const char *crossing, enum vt_status status)
{
    for (size_t i = 0; i < fleet->cell_count; i++)
        if (strcmp(fleet->cells[i].name, name) == 0 && strcmp(fleet->cells[i].crossing, crossing) == 0 &&
            fleet->cells[i].status == status)
            return &fleet->cells[i];
    return NULL;
}

/* A figure of another crossing is no outlier of this one, and moves no median. */
START_TEST(hosts_that_cross_otherwise_are_told_and_kept_apart)
{
    const struct shape shape = {.hosts = 100, .odd = 3, .factor = 1, .split = 3};
    struct vt_fleet fleet;
    char why[512];
    state = 31;
    build(&fleet, &shape);
    ck_assert_uint_eq(fleet.split_count, 1);
    ck_assert_uint_eq(fleet.splits[0].case_count, 3);
    ck_assert_str_eq(fleet.splits[0].cases[0]->name, "c3");
    ck_assert_str_eq(fleet.splits[0].cases[2]->name, "c7");
    ck_assert_uint_eq(fleet.splits[0].way_count, 2);
    ck_assert_str_eq(fleet.splits[0].ways[0]->crossing, "none");
    ck_assert_uint_eq(fleet.splits[0].ways[0]->count, 97);
    ck_assert_str_eq(fleet.splits[0].ways[1]->crossing, "exit-kernel");
    ck_assert_uint_eq(fleet.splits[0].ways[1]->count, 3);
    ck_assert_str_eq(fleet.hosts[fleet.splits[0].ways[1]->values[1].host].name, "node1");
    vt_fleet_explain_way(&fleet, &fleet.splits[0], 1, why, sizeof why);
    ck_assert_str_eq(why, "system.kernel is 5.4.0-old on 3 of 3, and on 0 of 97 others");
    ck_assert_uint_eq(fleet.minority_count, 1);
    ck_assert_ptr_eq(fleet.minorities[0].deviations[0].split, &fleet.splits[0]);
    ck_assert_uint_eq(fleet.gap_count, 0);
    ck_assert_uint_eq(fleet.oddity_count, 0);
    ck_assert_uint_eq(outliers_of(&fleet), 0);
    const struct vt_fleet_cell *most = find_cell(&fleet, "c7", "none", VT_STATUS_OK);
    const struct vt_fleet_cell *some = find_cell(&fleet, "c7", "exit-kernel", VT_STATUS_OK);
    ck_assert(most && some);
    ck_assert_double_lt(most->high, some->low / 50);
    vt_fleet_release(&fleet);
}
END_TEST

START_TEST(kinds_of_hosts_are_told_by_the_fact_that_makes_them)
{
    static const struct shape shapes[] = {
        {.hosts = 40, .kinds = 1.2, .bursts = 0.005},
        {.hosts = 41, .kinds = 1.2, .bursts = 0.005}, /* the smaller half would stand out */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct vt_fleet fleet;
        state = 5;
        build(&fleet, &shapes[i]);
        ck_assert_uint_eq(outliers_of(&fleet), 0);
        ck_assert_uint_eq(fleet.mix_count, 1);
        ck_assert_ptr_nonnull(fleet.mixes[0].fact);
        ck_assert_str_eq(fleet.mixes[0].fact, "cpu.brand");
        ck_assert_double_gt(fleet.mixes[0].share, 0.9);
        vt_fleet_release(&fleet);
    }
    const struct shape alike = {.hosts = 40, .kinds = 1.001};
    struct vt_fleet fleet;
    build(&fleet, &alike);
    ck_assert_uint_eq(fleet.mix_count, 0);
    vt_fleet_release(&fleet);
}
END_TEST

/* Two sets of hosts, of which one crosses two cases in two other ways; a third has no figures of three cases.
 */
START_TEST(findings_are_told_by_their_hosts)
{
    const struct shape shape = {.hosts = 10};
    struct vt_fleet fleet;
    struct vt_error error;
    state = 33;
    ck_assert_int_eq(vt_fleet_start(&fleet, NULL, &error), 0);
    for (size_t i = 0; i < shape.hosts; i++) {
        struct vt_result *result = make_result(&shape, i);
        if (i == 2 || i == 5)
            result->rows[1].crossing = "trap";
        if (i == 4)
            result->rows[6].path = "emulated";
        if (i == 2 || i == 5)
            result->rows[9].status = VT_STATUS_UNVERIFIED;
        for (size_t c = 10; i == 7 && c < 13; c++)
            result->rows[c].status = c == 11 ? VT_STATUS_FAILED : VT_STATUS_UNSUPPORTED;
        ck_assert_int_eq(vt_fleet_add(&fleet, result), 0);
    }
    ck_assert_int_eq(vt_fleet_finish(&fleet, &error), 0);
    ck_assert_uint_eq(fleet.split_count, 3);
    ck_assert_uint_eq(fleet.minority_count, 2);
    ck_assert_uint_eq(fleet.minorities[0].count, 2);
    ck_assert_str_eq(fleet.minorities[0].deviations[0].split->cases[0]->name, "c1");
    ck_assert_str_eq(fleet.minorities[0].deviations[1].split->cases[0]->name, "c9");
    ck_assert_uint_eq(fleet.minorities[1].count, 1);
    ck_assert_str_eq(fleet.minorities[1].deviations[0].split->cases[0]->name, "c6");
    ck_assert_uint_eq(fleet.gap_count, 1);
    ck_assert_uint_eq(fleet.gaps[0].case_count, 3);
    ck_assert_uint_eq(fleet.gaps[0].host_count, 1);
    ck_assert_str_eq(fleet.hosts[fleet.gaps[0].hosts[0]].name, "node7");
    vt_fleet_release(&fleet);
}
END_TEST

START_TEST(a_host_that_crosses_in_two_ways_is_no_other_host)
{
    static const char *const times[] = {"2026-11-22T15:00:00Z", "2026-11-22T15:00:20Z",
                                        "2026-11-22T15:00:40Z"};
    const struct shape shape = {.hosts = 9};
    struct vt_fleet fleet;
    struct vt_error error;
    char why[512];
    ck_assert_int_eq(vt_fleet_start(&fleet, NULL, &error), 0);
    for (size_t i = 0; i < 6; i++) {
        struct vt_result *result = make_result(&shape, i / 3);
        result->started = times[i % 3];
        result->settings = json_pack("{s:f}", "elapsed_s", 10.4);
        if (i == 4)
            result->rows[2].crossing = "exit-user";
        ck_assert_int_eq(vt_fleet_add(&fleet, result), 0);
    }
    ck_assert_int_eq(vt_fleet_finish(&fleet, &error), 0);
    ck_assert_uint_eq(fleet.host_count, 2);
    ck_assert_uint_eq(fleet.split_count, 1);
    ck_assert_uint_eq(fleet.splits[0].ways[0]->count, 2);
    vt_fleet_explain_way(&fleet, &fleet.splits[0], 1, why, sizeof why);
    ck_assert_str_eq(why, "in other results they cross as most do");
    vt_fleet_release(&fleet);
}
END_TEST

START_TEST(unproved_figures_are_told_and_kept_apart)
{
    const struct shape shape = {
        .hosts = 20, .odd = 1, .factor = 1, .split = 1, .doubt = VT_STATUS_UNVERIFIED};
    struct vt_fleet fleet;
    state = 32;
    build(&fleet, &shape);
    ck_assert_uint_eq(fleet.split_count, 1);
    ck_assert_int_eq(fleet.splits[0].ways[1]->status, VT_STATUS_UNVERIFIED);
    const struct vt_fleet_cell *proved = find_cell(&fleet, "c4", "none", VT_STATUS_OK);
    const struct vt_fleet_cell *doubted = find_cell(&fleet, "c4", "none", VT_STATUS_UNVERIFIED);
    ck_assert(proved && doubted && proved->count == 19 && doubted->count == 1);
    ck_assert_ptr_eq(proved + 1, doubted);
    ck_assert_uint_eq(fleet.hosts[0].measured, CASES - 3);
    vt_fleet_release(&fleet);
}
END_TEST

static void add_at(struct vt_fleet *fleet, const char *started, double factor)
{
    const struct shape shape = {.hosts = 9};
    struct vt_result *result = make_result(&shape, 3);
    result->started = started;
    result->settings = json_pack("{s:f}", "elapsed_s", 10.4);
    for (size_t i = 0; i < result->count; i++)
        result->rows[i].toll.median = factor;
    ck_assert_int_eq(vt_fleet_add(fleet, result), 0);
}

START_TEST(results_of_one_host_count_once)
{
    struct vt_fleet fleet;
    struct vt_error error;
    ck_assert_int_eq(vt_fleet_start(&fleet, NULL, &error), 0);
    add_at(&fleet, "2026-11-22T15:00:00Z", 10);
    add_at(&fleet, "2026-11-22T15:00:20Z", 90);
    add_at(&fleet, "2026-11-22T15:00:10Z", 20);
    ck_assert_int_eq(vt_fleet_finish(&fleet, &error), 0);
    ck_assert_uint_eq(fleet.result_count, 3);
    ck_assert_uint_eq(fleet.host_count, 1);
    ck_assert_uint_eq(fleet.hosts[0].results, 3);
    ck_assert_str_eq(fleet.hosts[0].name, "node3");
    ck_assert_uint_eq(fleet.cells[0].count, 1);
    ck_assert_double_eq(fleet.cells[0].median, 20);
    ck_assert_ptr_null(fleet.shared_name);
    vt_fleet_release(&fleet);
}
END_TEST

START_TEST(machines_that_share_a_name_stay_apart)
{
    static const char *const times[][2] = {
        {"2026-11-22T15:00:00Z", "2026-11-22T15:00:00Z"},
        {"2026-11-22T15:00:00Z", "2026-11-22T15:00:07Z"}, /* overlap */
        {NULL, "2026-11-22T15:00:00Z"},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct vt_fleet fleet;
        struct vt_error error;
        ck_assert_int_eq(vt_fleet_start(&fleet, NULL, &error), 0);
        add_at(&fleet, times[i][0], 10);
        add_at(&fleet, times[i][1], 20);
        ck_assert_int_eq(vt_fleet_finish(&fleet, &error), 0);
        ck_assert_uint_eq(fleet.host_count, 2);
        ck_assert_str_eq(fleet.shared_name, "node3");
        ck_assert_uint_eq(fleet.cells[0].count, 2);
        vt_fleet_release(&fleet);
    }
}
END_TEST

/* Against tables: t with 0.37 * 99 = 36.6 degrees of freedom, and binomial sums. */
START_TEST(chances_are_those_of_the_tables)
{
    ck_assert_double_eq_tol(vt_fleet_critical(100, 5), 2.027, 0.003);
    ck_assert_double_eq_tol(vt_fleet_critical(28, 0.28), 3.169, 0.02); /* 10 degrees, 1 % */
    ck_assert_double_eq_tol(vt_fleet_at_least(3, 10, 0.5), 0.9453125, 1e-9);
    ck_assert_double_eq_tol(vt_fleet_at_least(1, 100, 0.01), 0.6339676587, 1e-9);
    ck_assert_double_eq(vt_fleet_at_least(0, 5, 0.1), 1);
    ck_assert_double_eq_tol(vt_fleet_rate(5, 9, 99, 8), 0.1, 1e-12);
    ck_assert_double_eq_tol(vt_fleet_rate(8, 0, 9999, 4), 1e-4 / 16, 1e-12);
}
END_TEST

VT_SUITE(equal_hosts_raise_no_alarm, a_case_that_is_odd_on_some_hosts_is_found,
         a_class_that_is_odd_on_some_hosts_is_found, a_slow_host_is_told_once,
         hosts_that_cross_otherwise_are_told_and_kept_apart,
         kinds_of_hosts_are_told_by_the_fact_that_makes_them,
         a_host_that_crosses_in_two_ways_is_no_other_host, findings_are_told_by_their_hosts,
         unproved_figures_are_told_and_kept_apart, results_of_one_host_count_once,
         machines_that_share_a_name_stay_apart, chances_are_those_of_the_tables)

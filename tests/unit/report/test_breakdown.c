#include "report/breakdown.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct given {
    const char *name, *crossing;
    double toll, exits, user_exits;
    enum vt_status status;
    double bare; /* measured by the engine; 0: not */
};

static const struct vt_result_row nothing;

static struct vt_result *result_of(const struct given *given, size_t count)
{
    struct vt_result *result = vt_result_new();
    result->rows = calloc(count, sizeof *result->rows);
    result->count = count;
    for (size_t i = 0; i < count; i++) {
        struct vt_result_row *row = &result->rows[i];
        struct vt_result_counter *evidence = vt_arena_take(&result->arena, 2 * sizeof *evidence);
        evidence[0] = (struct vt_result_counter){"user_exits", given[i].user_exits};
        evidence[1] = (struct vt_result_counter){"insn_emulation", 1};
        *row = nothing;
        row->name = given[i].name;
        row->class = "port-io";
        row->engine = "kvm";
        row->path = "hardware";
        row->crossing = given[i].crossing;
        row->unit = VT_UNIT_NS;
        vt_result_recognize(row);
        row->status = given[i].status;
        row->toll = vt_result_unknown_summary();
        row->toll.median = given[i].toll;
        row->toll.ci_low = given[i].toll - 3;
        row->toll.ci_high = given[i].toll + 4;
        row->exits_per_op = given[i].exits;
        row->evidence = evidence;
        row->evidence_count = 2;
        for (int part = 0; part < VT_PARTS; part++)
            row->breakdown[part] = vt_result_unknown_summary();
        if (given[i].bare > 0) {
            row->breakdown[VT_PART_BARE].median = given[i].bare;
            row->breakdown[VT_PART_EMULATION].median = given[i].toll - given[i].bare;
        }
    }
    return result;
}

/* The parts of `name`; NULL: it was not taken apart. Static: valid until the next call. */
static const struct vt_share *parts_of(const struct given *given, size_t count, const char *name)
{
    static struct vt_breakdown breakdown;
    struct vt_result *result = result_of(given, count);
    struct vt_table table;
    const struct vt_share *found = NULL;
    ck_assert_int_eq(vt_table_build(&table, &result, 1, NULL), 0);
    vt_breakdown_collect(&breakdown, &table);
    for (size_t i = 0; i < breakdown.count; i++)
        if (strcmp(table.lines[breakdown.list[i].line].name, name) == 0)
            found = breakdown.list[i].shares;
    vt_table_release(&table);
    vt_result_free(result);
    return found;
}

#define PARTS_OF(given, name) parts_of(given, sizeof(given) / sizeof *(given), name)

START_TEST(an_exit_to_user_space_is_three_parts_that_add_up)
{
    static const struct given rows[] = {
        {"wbinvd", "exit-kernel", 800, 1, 0, VT_STATUS_OK, 0},
        {"out-kernel", "exit-kernel", 1500, 1, 0, VT_STATUS_OK, 0},
        {"out-user", "exit-user", 4000, 1, 1, VT_STATUS_OK, 0},
    };
    const struct vt_share *shares = PARTS_OF(rows, "out-user");
    ck_assert_ptr_nonnull(shares);
    ck_assert_double_eq(shares[VT_PART_BARE].median, 800);
    ck_assert_double_eq(shares[VT_PART_KERNEL].median, 700);
    ck_assert_double_eq(shares[VT_PART_USER].median, 2500);
    ck_assert_str_eq(shares[VT_PART_USER].source, "out-user minus out-kernel");
    ck_assert_str_eq(shares[VT_PART_KERNEL].source, "out-kernel minus wbinvd");
    ck_assert_ptr_nonnull(strstr(shares[VT_PART_BARE].source, "wbinvd"));
    ck_assert_double_eq_tol(shares[VT_PART_USER].half, hypot(4, 4), 1e-9);
    ck_assert(!shares[VT_PART_EMULATION].asked);
}
END_TEST

START_TEST(what_is_not_proved_tells_nothing)
{
    static const struct given rows[] = {
        {"mov-to-cr0", "exit-kernel", 100, 1, 0, VT_STATUS_UNVERIFIED, 0},
        {"mov-to-cr4", "exit-kernel", 200, 2, 0, VT_STATUS_OK, 0}, /* two exits are not one crossing */
        {"mov-to-cr8", "none", 1, 0, 0, VT_STATUS_OK, 0},
        {"wbinvd", "exit-kernel", 800, 1, 0, VT_STATUS_OK, 0},
        {"out-kernel", "exit-kernel", 1500, 1, 0, VT_STATUS_UNVERIFIED, 0},
        {"out-user", "exit-user", 4000, 1, 1, VT_STATUS_OK, 0},
    };
    const struct vt_share *shares = PARTS_OF(rows, "out-user");
    ck_assert_ptr_nonnull(shares);
    ck_assert_double_eq(shares[VT_PART_BARE].median, 800);
    ck_assert_double_nan(shares[VT_PART_KERNEL].median);
    ck_assert_double_nan(shares[VT_PART_USER].median);
    ck_assert_ptr_nonnull(strstr(shares[VT_PART_USER].source, "because out-kernel has no proved figure"));
}
END_TEST

START_TEST(an_interpreted_level_has_no_bare_crossing)
{
    static const struct given rows[] = {
        {"cli", "interpreted", 500, 0, 0, VT_STATUS_OK, 0},
        {"out-kernel", "interpreted", 850, 0, 0, VT_STATUS_OK, 0},
        {"out-user", "interpreted", 7000, 0, 1, VT_STATUS_OK, 0},
    };
    const struct vt_share *shares = PARTS_OF(rows, "out-user");
    ck_assert_ptr_nonnull(shares);
    ck_assert_double_nan(shares[VT_PART_BARE].median);
    ck_assert_ptr_nonnull(strstr(shares[VT_PART_BARE].source, "not measured here, because"));
    ck_assert_double_eq(shares[VT_PART_EMULATION].median, 500);
    ck_assert_double_eq(shares[VT_PART_KERNEL].median, 350);
    ck_assert_double_eq(shares[VT_PART_USER].median, 6150);
}
END_TEST

START_TEST(noise_is_no_negative_part)
{
    static const struct given rows[] = {
        {"wbinvd", "exit-kernel", 800, 1, 0, VT_STATUS_OK, 0},
        {"out-kernel", "exit-kernel", 4500, 1, 0, VT_STATUS_OK, 0},
        {"out-user", "exit-user", 4000, 1, 1, VT_STATUS_OK, 0},
    };
    const struct vt_share *shares = PARTS_OF(rows, "out-user");
    ck_assert_double_nan(shares[VT_PART_USER].median);
    ck_assert_ptr_nonnull(strstr(shares[VT_PART_USER].source, "because out-user cost less than out-kernel"));
}
END_TEST

START_TEST(what_the_engine_measured_comes_first)
{
    static const struct given rows[] = {
        {"cli", "trap", 2600, 1, 0, VT_STATUS_OK, 0},
        {"mov-to-cr3", "trap", 2640, 1, 0, VT_STATUS_OK, 2500},
    };
    const struct vt_share *shares = PARTS_OF(rows, "mov-to-cr3");
    ck_assert_ptr_nonnull(shares);
    ck_assert_double_eq(shares[VT_PART_BARE].median, 2500);
    ck_assert_double_eq(shares[VT_PART_EMULATION].median, 140);
    ck_assert(!shares[VT_PART_KERNEL].asked);
}
END_TEST

START_TEST(the_cheapest_exit_is_not_taken_apart)
{
    static const struct given rows[] = {
        {"cpuid", "exit-kernel", 700, 1, 0, VT_STATUS_OK, 0},
        {"out-kernel", "exit-kernel", 1500, 1, 0, VT_STATUS_OK, 0},
    };
    ck_assert_ptr_null(PARTS_OF(rows, "cpuid"));
}
END_TEST

VT_SUITE(an_exit_to_user_space_is_three_parts_that_add_up, what_is_not_proved_tells_nothing,
         an_interpreted_level_has_no_bare_crossing, noise_is_no_negative_part,
         what_the_engine_measured_comes_first, the_cheapest_exit_is_not_taken_apart)

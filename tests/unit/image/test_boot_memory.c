/* The block an image works in: only where firmware grants it. */
#include "guest/boot/memory.c" /* NOLINT(bugprone-suspicious-include): of the loader, which no library holds */
#include "tests/unit/suite.h"

#define MIB UINT64_C(0x100000)

static uint64_t find(uint64_t start, uint64_t end)
{
    const struct vt_boot_range granted = {start, end};
    return vt_boot_memory_find(&granted, 1, NULL, 0);
}

START_TEST(it_lies_high_aligned_and_inside)
{
    ck_assert_uint_eq(find(0, 64 * MIB), 52 * MIB);
    ck_assert_uint_eq(find(0, 64 * MIB - 1), 50 * MIB);
    ck_assert_uint_eq(find(MIB, 4096 * MIB), 4084 * MIB);
    ck_assert_uint_eq(find(13 * MIB, 26 * MIB), 14 * MIB);
    ck_assert_uint_eq(find(13 * MIB, 25 * MIB), 0);
}
END_TEST

START_TEST(below_the_block_and_above_4_gib_there_is_none)
{
    ck_assert_uint_eq(find(0, 12 * MIB), 0);
    ck_assert_uint_eq(find(0, 23 * MIB), 0);
    ck_assert_uint_eq(find(0, 24 * MIB), 12 * MIB);
    ck_assert_uint_eq(find(4096 * MIB, 8192 * MIB), 0);
    ck_assert_uint_eq(find(4090 * MIB, 8192 * MIB), 0);
    ck_assert_uint_eq(find(4080 * MIB, UINT64_MAX), 4084 * MIB);
}
END_TEST

START_TEST(what_is_taken_is_left_alone)
{
    const struct vt_boot_range granted[] = {{0, 64 * MIB}, {100 * MIB, 112 * MIB}};
    const struct vt_boot_range taken[] = {{60 * MIB, 60 * MIB + 1}, {111 * MIB, 112 * MIB}};
    ck_assert_uint_eq(vt_boot_memory_find(granted, 2, taken, 2), 48 * MIB);
}
END_TEST

/* Cases write the page-table entries of VT_GUEST_ABSENT. */
START_TEST(what_cases_unmap_is_not_it)
{
    ck_assert_uint_eq(find(VT_GUEST_ABSENT - MIB, VT_GUEST_ABSENT + 16 * MIB), 0);
    ck_assert_uint_eq(find(VT_GUEST_ABSENT + 8 * MIB, VT_GUEST_ABSENT + 20 * MIB), VT_GUEST_ABSENT + 8 * MIB);
}
END_TEST

VT_SUITE(it_lies_high_aligned_and_inside, below_the_block_and_above_4_gib_there_is_none,
         what_is_taken_is_left_alone, what_cases_unmap_is_not_it)

/* Counters and threads as they come from outside. */
#include "price/counts.h"
#include "price/threads.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

VT_SUITE(counters_from_outside_are_checked, vcpu_threads_are_found_and_read)

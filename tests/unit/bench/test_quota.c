/* Where a CPU quota is accounted for, in trees made for it. */
#include "bench/quota.h"
#include "tests/unit/suite.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/vmtoll-test-quota-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void drop_root(void)
{
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + sizeof "/tmp"; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static double throttled(void)
{
    char cgroups[128];
    snprintf(cgroups, sizeof cgroups, "%s/cgroup", root);
    return vt_quota_throttled(cgroups, root);
}

START_TEST(the_unified_hierarchy_adds_those_above)
{
    make_root();
    put("cgroup", "0::/a/b\n");
    put("a/b/cpu.stat", "usage_usec 12\nnr_periods 9\nnr_throttled 3\nthrottled_usec 70\n");
    put("a/cpu.stat", "usage_usec 12\nnr_periods 9\nnr_throttled 4\n");
    put("cpu.stat", "usage_usec 12\n");
    ck_assert_double_eq(throttled(), 7);
    drop_root();
}
END_TEST

START_TEST(a_container_sees_its_own_root)
{
    make_root();
    put("cgroup", "0::/\n");
    put("cpu.stat", "nr_periods 9\nnr_throttled 5\n");
    ck_assert_double_eq(throttled(), 5);
    put("cgroup", "0::/../elsewhere\n");
    ck_assert_double_eq(throttled(), 5);
    drop_root();
}
END_TEST

START_TEST(the_old_hierarchy_has_a_controller)
{
    make_root();
    put("cgroup", "3:cpuset:/x\n2:cpuacct,cpu:/docker/1\n1:name=systemd:/\n0::/\n");
    put("cpu,cpuacct/docker/1/cpu.stat", "nr_periods 2\nnr_throttled 1\nthrottled_time 9\n");
    ck_assert_double_eq(throttled(), 1);
    put("cgroup", "2:cpu:/\n");
    put("cpu,cpuacct/cpu.stat", "nr_throttled 8\n");
    ck_assert_double_eq(throttled(), 8);
    drop_root();
}
END_TEST

START_TEST(without_an_account_nothing_is_known)
{
    make_root();
    ck_assert(isnan(throttled()));
    put("cgroup", "garbage\n:\n::\n0::/a\n");
    ck_assert(isnan(throttled()));
    put("a/cpu.stat", "nr_throttled many\n");
    ck_assert(isnan(throttled()));
    drop_root();
}
END_TEST

VT_SUITE(the_unified_hierarchy_adds_those_above, a_container_sees_its_own_root,
         the_old_hierarchy_has_a_controller, without_an_account_nothing_is_known)

/* What is said of a call on KVM's descriptors that fails. */
#include "tests/unit/suite.h"
#include "vmm/obstacle.h"
#include "vmm/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void explain(const char *call, int number, const char *code, const char *reason, const char *fix)
{
    struct vt_obstacle obstacle;
    vt_vmm_explain(call, number, &obstacle);
    ck_assert_str_eq(obstacle.code, code);
    ck_assert_msg(strstr(obstacle.reason, reason), "no '%s' in: %s", reason, obstacle.reason);
    ck_assert_msg(strstr(obstacle.reason, call), "no '%s' in: %s", call, obstacle.reason);
    ck_assert_msg(strstr(obstacle.fix, fix), "no '%s' in: %s", fix, obstacle.fix);
}

START_TEST(each_errno_has_its_cause)
{
    explain("KVM_CREATE_VM", EBUSY, "busy", "another hypervisor", "unload it");
    explain("KVM_CREATE_VM", ENOTTY, "not-kvm", "does not know", "");
    explain("KVM_CREATE_VCPU", EMFILE, "no-files", "EMFILE", "ulimit -n");
    explain("KVM_CREATE_VCPU", ENFILE, "no-files", "ENFILE", "fs.file-max");
    explain("KVM_GET_API_VERSION", EACCES, "no-permission", "Landlock", "outside");
    explain("KVM_CREATE_VM", EPERM, "no-permission", "seccomp", "outside");
    explain("KVM_RUN", EAGAIN, "no-threads", "EAGAIN", "");
    explain("KVM_RUN", EIO, "broken", "EIO", "dmesg");
    explain("KVM_RUN", EFAULT, "broken", "EFAULT", "dmesg");
    explain("KVM_RUN", 4095, "broken", "unknown errno", "dmesg");
}
END_TEST

/* A limit that this process was given is what to raise, however wide: AddressSanitizer maps terabytes. */
START_TEST(memory_is_short_within_a_limit)
{
    explain("mapping guest memory", ENOMEM, "no-memory", "ENOMEM", "free memory");
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)1 << 46, (rlim_t)1 << 46}), 0);
    explain("mapping guest memory", ENOMEM, "no-memory", "ENOMEM", "ulimit -v");
}
END_TEST

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(the_cgroup_that_is_full_is_found)
{
    char mount[] = "/tmp/vmtoll-cgroup-XXXXXX", path[128], full[64] = "";
    unsigned long most = 0;
    ck_assert_ptr_nonnull(mkdtemp(mount));
    snprintf(path, sizeof path, "%s/outer", mount);
    put(path, "pids.max", "3\n");
    put(path, "pids.current", "3\n");
    snprintf(path, sizeof path, "%s/outer/inner", mount);
    put(path, "pids.max", "max\n");
    put(path, "pids.current", "1\n");
    ck_assert(vt_vmm_full_cgroup(mount, "/outer/inner", full, sizeof full, &most));
    ck_assert_str_eq(full, "/outer");
    ck_assert_uint_eq(most, 3);
    put(path, "pids.max", "1\n");
    ck_assert(vt_vmm_full_cgroup(mount, "/outer/inner", full, sizeof full, &most));
    ck_assert_str_eq(full, "/outer/inner");
    ck_assert(!vt_vmm_full_cgroup(mount, "/", full, sizeof full, &most));
    put(path, "pids.max", "2\n");
    snprintf(path, sizeof path, "%s/outer", mount);
    put(path, "pids.current", "2\n");
    ck_assert(!vt_vmm_full_cgroup(mount, "/outer/inner", full, sizeof full, &most));
    snprintf(path, sizeof path, "rm -rf '%s'", mount);
    ck_assert_int_eq(system(path), 0);
}
END_TEST

VT_SUITE(each_errno_has_its_cause, memory_is_short_within_a_limit, the_cgroup_that_is_full_is_found)

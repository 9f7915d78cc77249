/* Where KVM's modules are, in trees as distributions lay them out, and what forbids one. */
#include "probes/kvm/module.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char tree[64];

static void make_tree(void)
{
    snprintf(tree, sizeof tree, "/tmp/vmtoll-modules-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree));
}

static void drop_tree(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", tree);
    ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text)
{
    char command[512], name[256];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s%s')\"", tree, path);
    ck_assert_int_eq(system(command), 0);
    snprintf(name, sizeof name, "%s%s", tree, path);
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void take(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s%s'", tree, path);
    ck_assert_int_eq(system(command), 0);
}

static struct vt_kvm_module look(const char *name)
{
    struct vt_kvm_module module;
    vt_kvm_module_read(tree, "6.1.0-7-amd64", name, &module);
    return module;
}

#define MODULES "/lib/modules/6.1.0-7-amd64"

START_TEST(modules_are_looked_for_as_distributions_lay_them_out)
{
    make_tree();
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_UNSEEN);
    put("/proc/misc", "232 kvm\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_NO_LOADER);
    put("/proc/version", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_SANDBOX);
    put("/proc/version", "Linux version 4.19.0-gvisor #1 SMP Mon Jan 1 00:00:00 UTC 2024\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_SANDBOX);
    put("/proc/version", "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@x) (gcc) #1 SMP\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_NO_LOADER);
    put("/proc/version",
        "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc) #1-Microsoft\n");
    ck_assert_str_eq(look("kvm_amd").player, "WSL 1, Windows with Linux' system calls");
    put("/proc/version", "Linux version 6.1.0 (x@y) (gcc) #1\n");
    put("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: User Mode Linux\n");
    ck_assert_ptr_nonnull(strstr(look("kvm_amd").instead, "User Mode Linux"));
    take("/proc/cpuinfo");
    put("/proc/version", "Linux version 6.1.0-7-amd64 (x@y) (gcc) #1 SMP Debian 6.1.20-1\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_NO_LOADER);
    put("/lib/modules/6.1.0-8-amd64/modules.dep", "");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_REPLACED);
    put("/proc/modules", "");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_REPLACED);
    put(MODULES "/modules.dep", "kernel/arch/x86/kvm/kvm-amd.ko: kernel/arch/x86/kvm/kvm.ko\n");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_LOST);
    ck_assert_int_eq(look("kvm_intel").state, VT_MODULE_REPLACED);
    put(MODULES "/kernel/fs/ext4.ko", "");
    ck_assert_int_eq(look("kvm_intel").state, VT_MODULE_ABSENT);
    put(MODULES "/kernel/arch/x86/kvm/kvm-amd.ko.zst", "");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_THERE);
    ck_assert_int_eq(look("kvm_intel").state, VT_MODULE_ABSENT);
    put(MODULES "/modules.builtin", "kernel/arch/x86/kvm/kvm-intel.ko\n");
    ck_assert_int_eq(look("kvm_intel").state, VT_MODULE_BUILT_IN);
    take("/lib");
    put("/usr" MODULES "/kernel/arch/x86/kvm/kvm-amd.ko.xz", "");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_THERE);
    take("/usr");
    put(MODULES "/updates/kvm-amd.ko", "");
    ck_assert_int_eq(look("kvm_amd").state, VT_MODULE_THERE);
    drop_tree();
}
END_TEST

START_TEST(registered_is_what_proc_misc_says)
{
    make_tree();
    put("/sys/module/kvm_intel/refcnt", "0");
    ck_assert_int_eq(look("kvm_intel").registered, VT_UNKNOWN);
    put("/proc/misc", "229 fuse\n 58 kvmish\n");
    ck_assert_int_eq(look("kvm_intel").registered, VT_NO);
    ck_assert(look("kvm_intel").loaded);
    ck_assert(!look("kvm_amd").loaded);
    put("/proc/misc", "229 fuse\n232 kvm\n");
    ck_assert_int_eq(look("kvm_intel").registered, VT_YES);
    ck_assert_uint_eq(look("kvm_intel").minor, 232);
    drop_tree();
}
END_TEST

START_TEST(what_forbids_a_module_is_found)
{
    make_tree();
    put("/etc/modprobe.d/a.conf",
        "blacklist kvm_intel\n# install kvm_intel /bin/false\noptions kvm_intel nested=1\n");
    ck_assert_str_eq(look("kvm_intel").blocked, "");
    put("/etc/modprobe.d/b.conf", "install kvm-intel /bin/false\n");
    ck_assert_ptr_nonnull(strstr(look("kvm_intel").blocked, "/etc/modprobe.d/b.conf"));
    ck_assert_ptr_nonnull(strstr(look("kvm_intel").unblock, "remove"));
    ck_assert_str_eq(look("kvm_amd").blocked, "");
    take("/etc");
    put("/usr/lib/modprobe.d/c.conf", "install kvm /usr/bin/true\n");
    ck_assert_str_ne(look("kvm_amd").blocked, "");
    take("/usr");
    put("/etc/modprobe.d/c.conf~", "install kvm /usr/bin/true\n");
    put("/proc/cmdline", "quiet modprobe.blacklist=kvm_amd ro\n");
    ck_assert_str_eq(look("kvm_amd").blocked, "");
    put("/proc/cmdline", "quiet module_blacklist=nouveau,kvm_amd ro\n");
    ck_assert_ptr_nonnull(strstr(look("kvm_amd").blocked, "module_blacklist"));
    put("/proc/sys/kernel/modules_disabled", "1\n");
    ck_assert_ptr_nonnull(strstr(look("kvm_intel").blocked, "modules_disabled"));
    drop_tree();
}
END_TEST

VT_SUITE(modules_are_looked_for_as_distributions_lay_them_out, registered_is_what_proc_misc_says,
         what_forbids_a_module_is_found)

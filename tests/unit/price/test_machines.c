/* Which machines run here: processes that hold one, and domains, each once. */
#include "price/machines.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/vmtoll-machines-XXXXXX";

static void put_process(const char *process, const char *first, const char *second)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, process);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/%s/fd", root, process);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/%s/fd/0", root, process);
    ck_assert_int_eq(symlink(first, path), 0);
    snprintf(path, sizeof path, "%s/%s/fd/1", root, process);
    ck_assert_int_eq(symlink(second, path), 0);
}

static void begin(const char *script)
{
    char path[128];
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(path, sizeof path, "%s/virsh", root);
    FILE *file = fopen(path, "w");
    fputs(script, file);
    fclose(file);
    chmod(path, *script ? 0755 : 0644);
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", root);
    setenv("PATH", *script ? path : "/nonexistent", 1);
}

static void end(struct vt_price_machines *machines)
{
    char command[128];
    vt_price_machines_release(machines);
    setenv("PATH", "/usr/bin:/bin", 1);
    snprintf(command, sizeof command, "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(processes_that_hold_a_machine_are_found)
{
    struct vt_price_machines machines;
    struct vt_error error;
    begin("");
    put_process("700", "/dev/null", "anon_inode:kvm-vm");
    put_process("80", "anon_inode:kvm-vm", "anon_inode:kvm-vm");
    put_process("9", "anon_inode:kvm-vm-stats", "/tmp/anon_inode:kvm-vm");
    put_process("self", "anon_inode:kvm-vm", "anon_inode:kvm-vm");
    ck_assert_int_eq(vt_price_machines_find(root, &machines, &error), 0);
    ck_assert_uint_eq(machines.count, 2);
    ck_assert_int_eq(machines.list[0].process, 80);
    ck_assert_int_eq(machines.list[1].process, 700);
    ck_assert_ptr_null(machines.list[0].domain);
    end(&machines);
}
END_TEST

START_TEST(domains_come_first_by_name)
{
    struct vt_price_machines machines;
    struct vt_error error;
    begin("#!/bin/sh\n"
          "while read -r line; do\n"
          "    echo \"virsh > $line\"\n"
          "    case $line in\n"
          "    'list --name') printf 'web 2\\ndata\\n\\n' ;;\n"
          "    'echo '*) echo \"${line#echo }\" ;;\n"
          "    esac\n"
          "done\n");
    put_process("5", "/dev/null", "anon_inode:kvm-vm");
    ck_assert_int_eq(vt_price_machines_find(root, &machines, &error), 0);
    ck_assert_uint_eq(machines.count, 3);
    ck_assert_str_eq(machines.list[0].domain, "data");
    ck_assert_str_eq(machines.list[1].domain, "web 2");
    ck_assert_int_eq(machines.list[2].process, 5);
    end(&machines);
}
END_TEST

START_TEST(none_is_no_error)
{
    struct vt_price_machines machines;
    struct vt_error error;
    begin("#!/bin/sh\necho 'error: failed to connect'\nexit 1\n");
    ck_assert_int_eq(vt_price_machines_find("/nonexistent", &machines, &error), 0);
    ck_assert_uint_eq(machines.count, 0);
    end(&machines);
}
END_TEST

VT_SUITE(processes_that_hold_a_machine_are_found, domains_come_first_by_name, none_is_no_error)

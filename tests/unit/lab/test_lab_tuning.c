/* What a lab's machine is told beyond the lab's own words: nothing of it reaches a boot loader unchecked. */
#include "lab/fetch/workspace.h"
#include "lab/parameters.h"
#include "lab/tuning.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(struct vt_lab_tuning tuning, struct vt_error *error)
{
    *error = (struct vt_error){.text = ""};
    return vt_lab_tuning_check(&tuning, "kvm_amd", error);
}

START_TEST(words_that_a_kernel_takes_are_taken)
{
    static const char *const good[] = {"mitigations=auto",
                                       "  nosmt   isolcpus=domain,1-3 ",
                                       "a",
                                       "",
                                       "spec_store_bypass_disable=prctl retbleed=off",
                                       "initcall_debug",
                                       "panic_on_warn=1"};
    struct vt_error error;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(check((struct vt_lab_tuning){.append = good[i]}, &error) == 0, "'%s': %s", good[i],
                      error.text);
}
END_TEST

START_TEST(words_for_a_boot_loader_or_a_shell_are_refused)
{
    static const char *const bad[][2] = {
        {"a;reboot", "byte 2 (0x3b)"},     {"a\nboot", "byte 2 (0x0a)"},
        {"$root", "byte 1 (0x24)"},        {"a 'b", "byte 3 (0x27)"},
        {"a \"b c\"", "byte 3 (0x22)"},    {"{a}", "byte 1 (0x7b)"},
        {"a\\", "byte 2 (0x5c)"},          {"a\tb", "byte 2 (0x09)"},
        {"\xc3\xa9", "byte 1 (0xc3)"},     {"a|b", "byte 2 (0x7c)"},
        {"a -- lab", "'--' is the lab's"}, {"rdinit=/bin/sh", "'rdinit' is the"},
        {"x init=/bin/sh", "'init' is"},   {"console=tty0", "'console' is"},
        {"panic=0", "'panic' is the"},     {"oops=", "'oops' is"},
        {"initrd=other", "'initrd' is"},   {"kvm_amd.npt=0", "with --param"},
        {"a kvm.x", "with --param"},       {"a&b", "byte 2 (0x26)"},
        {"a#b", "byte 2 (0x23)"},          {"%n`", "byte 3 (0x60)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vt_error error;
        ck_assert_int_lt(check((struct vt_lab_tuning){.append = bad[i][0]}, &error), 0);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_msg(strstr(error.text, bad[i][1]), "'%s' does not say '%s'", error.text, bad[i][1]);
    }
}
END_TEST

START_TEST(parameters_are_of_the_labs_modules)
{
    static const char *const bad[][2] = {
        {"npt=0", "not 'npt=0'"},
        {"kvm_amd.npt", "not 'kvm_amd.npt'"},
        {"kvm_amd.npt=", "not 'kvm_amd.npt='"},
        {"kvm_amd.=1", "not 'kvm_amd.=1'"},
        {"kvm_amd.npt=0,", "not ''"},
        {",kvm_amd.npt=0", "not ''"},
        {"kvm_amd.npt=0,,kvm.x=1", "not ''"},
        {"kvm_amd.npt=0 rdinit=/x", "MODULE.NAME=VALUE"},
        {"kvm_amd.npt=0\n", "MODULE.NAME=VALUE"},
        {"kvm_amd.npt=\"0", "MODULE.NAME=VALUE"},
        {"kvm_amd./../x=0", "MODULE.NAME=VALUE"},
        {"kvm-amd.npt=0", "MODULE.NAME=VALUE"},
        {"kvm_intel.ept=0", "'kvm_intel' is no module of this lab, which has kvm and kvm_amd"},
        {"a_name_that_is_far_too_long_for_it.npt=0", "MODULE.NAME=VALUE"},
    };
    struct vt_error error;
    ck_assert_int_eq(check((struct vt_lab_tuning){.parameters = "kvm_amd.npt=0,kvm.halt_poll_ns=-1"}, &error),
                     0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_lt(check((struct vt_lab_tuning){.parameters = bad[i][0]}, &error), 0);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
        ck_assert_msg(strstr(error.text, bad[i][1]), "'%s' does not say '%s'", error.text, bad[i][1]);
    }
}
END_TEST

START_TEST(a_command_line_that_does_not_fit_is_refused)
{
    char words[2 * VT_LAB_COMMAND_LINE];
    struct vt_error error;

    memset(words, 'a', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    ck_assert_int_lt(check((struct vt_lab_tuning){.append = words}, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "longer than 1023 bytes"));
    for (size_t used = 0; used < sizeof words - 32;)
        used += (size_t)snprintf(words + used, sizeof words - used, "%skvm_amd.npt=0", used ? "," : "");
    ck_assert_int_lt(check((struct vt_lab_tuning){.parameters = words}, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "longer than 1023 bytes"));
}
END_TEST

/*
 * The lab's own words come first, so that what is added wins, and the first process's arguments last. What is
 * added takes the place of the lab's own: on Linux 7.2 nothing takes mitigations=off back.
 */
START_TEST(a_command_line_holds_all_in_order)
{
    char text[VT_LAB_COMMAND_LINE];
    struct vt_error error;
    struct vt_lab_tuning tuning = {.append = "mitigations=auto", .parameters = "kvm_amd.npt=0,kvm.tdp_mmu=0"};

    ck_assert_int_eq(vt_lab_tuning_command_line(&tuning, "own ", text, &error), 0);
    ck_assert_ptr_eq(strstr(text, "own console="), text);
    const char *quiet = strstr(text, " quiet "), *on = strstr(text, " mitigations=auto "),
               *parameters = strstr(text, " kvm_amd.npt=0 kvm.tdp_mmu=0 "),
               *process = strstr(text, " rdinit=/vmtoll -- lab inside");
    ck_assert(quiet && on && parameters && process);
    ck_assert_ptr_null(strstr(text, "mitigations=off"));
    ck_assert(quiet < on && on < parameters && parameters < process);
    ck_assert_uint_eq(strlen(process), strlen(" rdinit=/vmtoll -- lab inside"));
    ck_assert_str_eq(vt_lab_tuning_processors(&tuning).text, "1");
    tuning.processors = VT_LAB_PROCESSORS;
    ck_assert_str_eq(vt_lab_tuning_processors(&tuning).text, "8");
    tuning.append = "nomitigations=x mitigation=y slub_max_order";
    ck_assert_int_eq(vt_lab_tuning_command_line(&tuning, "", text, &error), 0);
    ck_assert_ptr_nonnull(strstr(text, " mitigations=off "));
    ck_assert_ptr_null(strstr(text, "slub_max_order=0"));
}
END_TEST

START_TEST(each_module_gets_its_own)
{
    static const char list[] = "kvm_amd.npt=0,kvm.a=1,kvm_amd.avic=Y";
    char text[64];

    vt_lab_parameters_of(list, "kvm_amd", text, sizeof text);
    ck_assert_str_eq(text, "npt=0 avic=Y");
    vt_lab_parameters_of(list, "kvm", text, sizeof text);
    ck_assert_str_eq(text, "a=1");
    vt_lab_parameters_of(list, "irqbypass", text, sizeof text);
    ck_assert_str_eq(text, "");
    vt_lab_parameters_of("", "kvm", text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(what_sysfs_shows_is_what_was_asked)
{
    static const struct {
        const char *asked, *shown;
        bool agree;
    } pairs[] = {
        {"0", "N", true},         {"off", "N", true}, {"1", "N", false},      {"Y", "Y", true},
        {"on", "Y", true},        {"n", "Y", false},  {"0", "0", true},       {"1", "0", false},
        {"0x10", "16", true},     {"-1", "-1", true}, {"auto", "auto", true}, {"force", "Y", true},
        {"auto", "never", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        ck_assert_msg(vt_lab_parameters_agree(pairs[i].asked, pairs[i].shown) == pairs[i].agree, "%s, %s",
                      pairs[i].asked, pairs[i].shown);
}
END_TEST

static char folder[] = "/tmp/vmtoll-test-XXXXXX";

static void write_parameter(const char *name, const char *value)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(value, file);
    fclose(file);
}

static void make_modules(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert(mkdir("kvm_amd", 0700) == 0 && mkdir("kvm_amd/parameters", 0700) == 0);
    write_parameter("kvm_amd/parameters/npt", "N\n");
    write_parameter("kvm_amd/parameters/avic", "N\n");
    write_parameter("kvm_amd/parameters/nrips", "\033[31m1\n");
}

static void remove_modules(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    vt_workspace_remove(folder);
}

static void collect(void *context, const char *name, const char *value)
{
    fprintf(context, "%s=%s ", name, value);
}

START_TEST(what_is_not_in_force_is_refused)
{
    struct vt_error error;
    char text[256] = "";

    make_modules();
    ck_assert_int_eq(vt_lab_parameters_in_force("kvm_amd.npt=0", folder, &error), 0);
    ck_assert_int_eq(vt_lab_parameters_in_force("", folder, &error), 0);
    ck_assert_int_lt(vt_lab_parameters_in_force("kvm_amd.npt=0,kvm_amd.avic=1", folder, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "kvm_amd.avic=1 is not in force, KVM made it N"));
    ck_assert_int_lt(vt_lab_parameters_in_force("kvm_amd.none=1", folder, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(error.text, "no parameter 'none'"));
    FILE *seen = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(seen);
    vt_lab_parameters_each(folder, collect, seen);
    ck_assert_int_eq(fclose(seen), 0);
    ck_assert_str_eq(text, "kvm_amd.avic=N kvm_amd.npt=N kvm_amd.nrips=?[31m1 ");
    remove_modules();
}
END_TEST

VT_SUITE(words_that_a_kernel_takes_are_taken, words_for_a_boot_loader_or_a_shell_are_refused,
         parameters_are_of_the_labs_modules, a_command_line_that_does_not_fit_is_refused,
         a_command_line_holds_all_in_order, each_module_gets_its_own, what_sysfs_shows_is_what_was_asked,
         what_is_not_in_force_is_refused)

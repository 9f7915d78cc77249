/* libvirt's virsh: what it said once, and what it should never say; in its place a script in $PATH. */
#include "price/price.h"
#include "price/session.h"
#include "price/source/virsh.h"
#include "tests/unit/suite.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE "/tmp/vmtoll-virsh-XXXXXX"

static char folder[] = TEMPLATE;

static void put(const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* It writes down what it was started with and asked, and answers with the file "1", then "2". */
static void make_virsh(const char *first, const char *second)
{
    snprintf(folder, sizeof folder, "%s", TEMPLATE);
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    ck_assert_ptr_nonnull(mkdtemp(folder));
    put("1", first, 0644);
    put("2", second, 0644);
    put("virsh",
        "#!/bin/sh\n"
        "cd \"${0%/*}\" || exit\n"
        "echo \"$*\" >asked\n"
        "echo \"$LC_ALL $TERM $XDG_CACHE_HOME\" >environment\n"
        "echo 'Welcome to virsh'\n"
        "n=0\n"
        "while read -r line; do\n"
        "    echo \"$line\" >>asked\n"
        "    echo \"virsh > $line\"\n"
        "    case $line in\n"
        "    domstats*) n=$((n + 1)); . ./answer ;;\n"
        "    'echo '*) echo \"${line#echo }\" ;;\n"
        "    esac\n"
        "done\n",
        0755);
    put("answer", "cat $n\n", 0644);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    setenv("PATH", path, 1);
}

static void drop_virsh(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static int watch_domain(const char *name, struct vt_price_watch *watch, struct vt_error *error)
{
    static const volatile int stop = 0;
    return vt_price_watch(&(struct vt_price_target){.domain = name}, 0.02, &stop, watch, error);
}

static char *read_whole(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void is_count(const struct vt_price_watch *watch, const char *name, double wanted)
{
    double value = vt_price_count_of(&watch->delta, name);
    ck_assert_msg(value == wanted, "%s: %g", name, value);
}

START_TEST(recorded_answers_are_summed_over_vcpus)
{
    struct vt_price_watch watch;
    struct vt_error error;
    char path[64], *first = strdup(read_whole("tests/data/price/libvirt-9.0.1.txt"));
    make_virsh(first, read_whole("tests/data/price/libvirt-9.0.2.txt"));
    free(first);
    int status = watch_domain("recorded", &watch, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_str_eq(watch.machine, "recorded");
    ck_assert_str_eq(watch.source->name, "libvirt");
    is_count(&watch, "exits", 179345 - 76315);
    is_count(&watch, "signal_exits", 2);
    ck_assert(isnan(vt_price_count_of(&watch.delta, "guest_mode")));
    /* No threads are known, so libvirt's word for their time is taken. */
    ck_assert_uint_eq(watch.vcpus, 0);
    ck_assert_double_eq(watch.times.run, 1390000000.0 - 590000000.0);
    ck_assert_double_gt(watch.times.wait, 0);
    ck_assert(isnan(watch.times.guest));
    struct vt_price price;
    ck_assert_int_eq(vt_price_make(&price, &watch, NULL, NULL, false, &error), 0);
    ck_assert(isnan(price.high));
    snprintf(path, sizeof path, "%s/asked", folder);
    const char *asked = read_whole(path);
    ck_assert_msg(strncmp(asked, "--readonly --connect qemu:///system\n", 35) == 0, "%s", asked);
    ck_assert_msg(strstr(asked, "\ndomstats --vcpu --domain \"recorded\"\n") != NULL, "%s", asked);
    /* Its user's history is not ours to fill. */
    snprintf(path, sizeof path, "%s/environment", folder);
    ck_assert_str_eq(read_whole(path), "C dumb /dev/null\n");
    drop_virsh();
}
END_TEST

#define EXITS(n) "Domain: 'x'\n  vcpu.0.exits.sum=" n "\n"

/* Of each: what virsh says twice, and a word of the line that must come of it. */
static const struct {
    const char *first, *second, *word;
} hostile[] = {
    {"", "", "no statistics of KVM for a \"b\\ c"},
    {"error: failed to get domain 'x'\n", "", "failed to get domain 'x': virsh -r list"},
    {"error: Domain not found\nerror: Failed to create '/dev/null/libvirt/virsh': Not a directory\n", "",
     "Domain not found: virsh -r list"},
    {"error: failed\nerror: Domain \033[2J not found\n", "", "Domain ?[2J not found"},
    {"  vcpu.0.exits.sum=-7\n  vcpu.0.exits.sum=\n", "", "no statistics"},
    {"  vcpu.0.exits.sum=7x\n  vcpu.0.exits.sum=nan\n  vcpu.0.exits.sum=inf\n", "", "no statistics"},
    {"  vcpu.0.exits.sum\n  vcpu.0.exits=7\n  vcpu..exits.sum=7\n  vcpu.x.exits.sum=7\n  "
     "vcpu.0.exits.sum.x=7\n",
     "", "no statistics"},
    {"  vcpu.0.=\n  vcpu.0\n=\n  vcpu.0..sum=7\n", "", "no statistics"},
    {EXITS("7"), "", "no statistics"},
    {EXITS("7"), EXITS("6"), "no longer the machine"},
    {EXITS("7"), "error: Domain not found\n", "Domain not found"},
};

START_TEST(hostile_answers_are_one_line)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct vt_price_watch watch;
        struct vt_error error = {0};
        make_virsh(hostile[i].first, hostile[i].second);
        ck_assert_msg(watch_domain("a \"b\\ c", &watch, &error) < 0, "%zu is taken", i);
        ck_assert_msg(strstr(error.text, hostile[i].word) != NULL, "%zu: %s", i, error.text);
        ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
        drop_virsh();
    }
}
END_TEST

START_TEST(one_that_ends_is_told_of)
{
    static const char *const answers[][2] = {
        {"exit 1\n", "it ended before it answered"},
        {"echo 'error: failed to connect'; echo \"error: no daemon: '/run/libvirt'\"; exit 1\n",
         "no daemon: '/run/libvirt'"},
        {"while :; do echo "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n",
         "longer than libvirt's are"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct vt_price_watch watch;
        struct vt_error error = {0};
        make_virsh("", "");
        put("answer", answers[i][0], 0644);
        ck_assert_int_lt(watch_domain("x", &watch, &error), 0);
        ck_assert_msg(strstr(error.text, answers[i][1]) != NULL, "%s", error.text);
        drop_virsh();
    }
}
END_TEST

START_TEST(who_does_not_answer_is_left)
{
    struct vt_virsh virsh;
    struct vt_error error;
    make_virsh("", "");
    put("answer", "exec sleep 60\n", 0644);
    ck_assert_int_eq(vt_virsh_open(&virsh, &error), 0);
    virsh.patience = 50;
    ck_assert_int_lt(vt_virsh_ask(&virsh, "domstats", NULL, NULL, &error), 0);
    ck_assert_msg(strstr(error.text, "no answer") != NULL, "%s", error.text);
    vt_virsh_close(&virsh);
    drop_virsh();
}
END_TEST

START_TEST(where_there_is_no_virsh_it_is_said_what_to_install)
{
    struct vt_price_watch watch;
    struct vt_error error;
    signal(SIGPIPE, SIG_IGN);
    setenv("PATH", "/nonexistent", 1);
    ck_assert_int_lt(watch_domain("x", &watch, &error), 0);
    ck_assert_msg(strstr(error.text, "install libvirt-clients") != NULL, "%s", error.text);
}
END_TEST

START_TEST(names_that_none_has_are_refused_before_virsh_sees_them)
{
    static const char *const names[] = {"", "a\nundefine b", "\033", "a\177"};
    char longest[600];
    struct vt_price_watch watch;
    struct vt_error error;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_lt(watch_domain(names[i], &watch, &error), 0);
        ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
    }
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_lt(watch_domain(longest, &watch, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_USAGE);
}
END_TEST

VT_SUITE(recorded_answers_are_summed_over_vcpus, hostile_answers_are_one_line, one_that_ends_is_told_of,
         who_does_not_answer_is_left, where_there_is_no_virsh_it_is_said_what_to_install,
         names_that_none_has_are_refused_before_virsh_sees_them)

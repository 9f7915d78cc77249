/*
 * How long an emulator may take: by the clock where somebody said how long, else by the processor's time that
 * it got, for others may be busy here. A shell stands for it.
 *
 * beside others
 */
#include "lab/emulator/emulator.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END "echo @end >link; sleep 10"

static const volatile int never;

/* `asked`: seconds that somebody said; 0: nobody. The lab's own limit is `limit`. */
static int run_shell(const char *script, double asked, double limit, struct vt_error *error)
{
    char folder[] = "/tmp/emulatorXXXXXX", command[64];
    char *const argv[] = {"sh", "-c", (char *)script, NULL};
    const struct vt_lab_request request = {.stop = vt_lab_stop_after(&never, asked)};
    struct vt_emulator emulator = {.lab = "shell",
                                   .argv = argv,
                                   .folder = folder,
                                   .link_file = "link",
                                   .console_file = "console",
                                   .limit = limit,
                                   .request = &request};
    struct vt_lab_link link = {0};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("XDG_CACHE_HOME", folder, 1);
    int status = vt_emulator_run(&emulator, &link, error);
    vt_lab_link_release(&link);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    return status;
}

START_TEST(an_emulator_that_others_keep_waiting_is_waited_for)
{
    struct vt_error error = {.text = ""};

    ck_assert_msg(run_shell("sleep 2; " END, 0, 0.5, &error) == 0, "%s", error.text);
}
END_TEST

START_TEST(one_that_takes_its_time_is_ended)
{
    struct vt_error error = {.text = ""};

    ck_assert_int_ne(run_shell("while :; do :; done", 0, 1, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "no result within 1 s of processor time while booting"));
}
END_TEST

START_TEST(one_that_takes_none_is_ended_as_well)
{
    struct vt_error error = {.text = ""};

    ck_assert_int_ne(run_shell("sleep 60", 0, 0.2, &error), 0);
    ck_assert_ptr_nonnull(strstr(error.text, "of processor time"));
}
END_TEST

START_TEST(what_somebody_said_is_by_the_clock)
{
    struct vt_error error = {.text = ""};

    ck_assert_int_ne(run_shell("sleep 60", 1, 60, &error), 0);
    ck_assert_msg(strstr(error.text, "no result within 1 s while booting"), "%s", error.text);
}
END_TEST

VT_SUITE(an_emulator_that_others_keep_waiting_is_waited_for, one_that_takes_its_time_is_ended,
         one_that_takes_none_is_ended_as_well, what_somebody_said_is_by_the_clock)

/* What is swept: what is ours, named as ours, and worked on by nobody. */
#include "base/leftover.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int folder;
static char root[64];

static void start(void)
{
    snprintf(root, sizeof root, "/tmp/vmtoll-test-leftover-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    folder = open(root, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(folder, 0);
}

static int put(const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool is_there(const char *name)
{
    return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(only_what_is_named_so_is_swept)
{
    static const char *const others[] = {".vmtoll-",    ".vmtoll-notes", ".vmtoll-1-a b",
                                         ".vmtoll-1",   ".vmtoll-1-",    "vmtoll-1-0",
                                         "result.json", ".vmtoll-x-0",   ".vmtoll-1-0.c"};
    start();
    close(put(".vmtoll-1-0"));
    close(put(".vmtoll-4711-99"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        close(put(others[i]));
    vt_leftover_sweep(folder, ".vmtoll-");
    ck_assert(!is_there(".vmtoll-1-0"));
    ck_assert(!is_there(".vmtoll-4711-99"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert_msg(is_there(others[i]), "%s", others[i]);
        unlinkat(folder, others[i], 0);
    }
    rmdir(root);
}
END_TEST

START_TEST(what_somebody_works_on_stays)
{
    start();
    int fd = put(".vmtoll-1-0");
    ck_assert_int_eq(vt_leftover_claim(fd), 0);
    vt_leftover_sweep(folder, ".vmtoll-");
    ck_assert(is_there(".vmtoll-1-0"));
    close(fd);
    vt_leftover_sweep(folder, ".vmtoll-");
    ck_assert(!is_there(".vmtoll-1-0"));
    rmdir(root);
}
END_TEST

START_TEST(what_was_swept_before_it_was_locked_is_not_claimed)
{
    start();
    int fd = put(".vmtoll-1-0");
    vt_leftover_sweep(folder, ".vmtoll-");
    ck_assert_int_lt(vt_leftover_claim(fd), 0);
    rmdir(root);
}
END_TEST

START_TEST(folders_go_with_what_is_in_them)
{
    char path[128], again[128], below[160];
    start();
    int lock = vt_leftover_make_folder(root, "vmtoll-lab-", path, sizeof path);
    ck_assert_int_ge(lock, 0);
    snprintf(below, sizeof below, "%s/a", path);
    ck_assert_int_eq(mkdir(below, 0700), 0);
    snprintf(below, sizeof below, "%s/a/link", path);
    ck_assert_int_eq(symlink("/etc/passwd", below), 0);
    int other = vt_leftover_make_folder(root, "vmtoll-lab-", again, sizeof again);
    ck_assert_int_eq(access(path, F_OK), 0);
    close(lock);
    close(other);
    vt_leftover_sweep(folder, "vmtoll-lab-");
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(again, F_OK), 0);
    ck_assert_int_eq(access("/etc/passwd", F_OK), 0);
    rmdir(root);
}
END_TEST

START_TEST(links_and_pipes_stay)
{
    start();
    close(put("kept"));
    ck_assert_int_eq(symlinkat("kept", folder, ".vmtoll-1-0"), 0);
    ck_assert_int_eq(mkfifoat(folder, ".vmtoll-2-0", 0600), 0);
    vt_leftover_sweep(folder, ".vmtoll-");
    ck_assert(is_there(".vmtoll-1-0") && is_there(".vmtoll-2-0") && is_there("kept"));
    unlinkat(folder, ".vmtoll-1-0", 0);
    unlinkat(folder, ".vmtoll-2-0", 0);
    unlinkat(folder, "kept", 0);
    rmdir(root);
}
END_TEST

START_TEST(what_is_noted_goes_at_a_signal)
{
    start();
    static const char noted[] = ".vmtoll-1-0", forgotten[] = ".vmtoll-1-1";
    close(put(noted));
    close(put(forgotten));
    vt_leftover_note(folder, noted);
    vt_leftover_note(folder, forgotten);
    vt_leftover_forget(forgotten);
    vt_leftover_drop();
    ck_assert(!is_there(noted) && is_there(forgotten));
    unlinkat(folder, forgotten, 0);
    rmdir(root);
}
END_TEST

/* Returns how many of them could not be made. */
static int make_and_remove(int count)
{
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char path[128];
        int lock = vt_leftover_make_folder(root, "vmtoll-lab-", path, sizeof path);
        failed += lock < 0 || rmdir(path) != 0;
        if (lock >= 0)
            close(lock);
    }
    return failed;
}

START_TEST(runs_beside_one_another_take_no_folder_from_one_another)
{
    enum { RUNS = 4, FOLDERS = 500 };
    int status, failed = 0;
    start();
    for (int i = 0; i < RUNS; i++)
        if (fork() == 0)
            _exit(make_and_remove(FOLDERS) != 0);
    while (wait(&status) > 0)
        failed += status != 0;
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

VT_SUITE(only_what_is_named_so_is_swept, what_somebody_works_on_stays,
         what_was_swept_before_it_was_locked_is_not_claimed, folders_go_with_what_is_in_them,
         links_and_pipes_stay, what_is_noted_goes_at_a_signal,
         runs_beside_one_another_take_no_folder_from_one_another)

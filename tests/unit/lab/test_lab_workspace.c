#include "lab/fetch/workspace.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/vmtoll-test-XXXXXX";

static void enter_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(setenv("XDG_CACHE_HOME", folder, 1), 0);
}

static void leave_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    vt_workspace_remove(folder);
}

static void accepts(void)
{
    struct vt_error error = {.text = ""};
    char *cache = vt_workspace_cache(&error);
    ck_assert_msg(cache, "%s", error.text);
    free(cache);
}

static void refuses(const char *why)
{
    struct vt_error error;
    char *cache = vt_workspace_cache(&error);
    ck_assert_ptr_null(cache);
    ck_assert_msg(strstr(error.text, why), "'%s' does not say '%s'", error.text, why);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
}

START_TEST(a_cache_is_made_for_its_user_alone)
{
    struct stat status;
    enter_folder();
    umask(0);
    accepts();
    ck_assert_int_eq(stat("vmtoll", &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0700);
    accepts();
    leave_folder();
}
END_TEST

START_TEST(a_cache_that_others_write_is_refused)
{
    enter_folder();
    umask(0);
    ck_assert_int_eq(mkdir("vmtoll", 0775), 0);
    refuses("by others");
    ck_assert_int_eq(chmod("vmtoll", 0755), 0);
    accepts();
    ck_assert_int_eq(chmod(folder, 0777), 0);
    refuses("by others");
    ck_assert_int_eq(chmod(folder, 01777), 0);
    accepts();
    leave_folder();
}
END_TEST

START_TEST(a_link_is_no_cache)
{
    enter_folder();
    ck_assert_int_eq(mkdir("other", 0700), 0);
    ck_assert_int_eq(symlink("other", "vmtoll"), 0);
    refuses("is a link");
    leave_folder();
}
END_TEST

START_TEST(a_cache_of_another_user_is_refused)
{
    if (geteuid() != 0)
        vt_skip("only root can make a folder of another user");
    enter_folder();
    ck_assert_int_eq(mkdir("vmtoll", 0700), 0);
    ck_assert_int_eq(chown("vmtoll", 65534, 65534), 0);
    refuses("another user");
    ck_assert_int_eq(chown("vmtoll", 0, 0), 0);
    ck_assert_int_eq(chown(folder, 65534, 65534), 0);
    refuses("another user");
    leave_folder();
}
END_TEST

START_TEST(links_in_it_are_not_followed)
{
    enter_folder();
    ck_assert_int_eq(mkdir("package", 0700), 0);
    ck_assert_int_eq(close(creat("package/file", 0600)), 0);
    ck_assert_int_eq(symlink("file", "package/link"), 0);
    ck_assert_int_eq(symlink(".", "package/here"), 0);
    ck_assert(vt_workspace_holds("package", "file"));
    ck_assert(!vt_workspace_holds("package", "link"));
    ck_assert(!vt_workspace_holds("package", "here/file"));
    ck_assert(!vt_workspace_holds("package", "../package/file"));
    ck_assert(!vt_workspace_holds("package", "absent"));
    ck_assert(!vt_workspace_holds("package", "here"));
    leave_folder();
}
END_TEST

VT_SUITE(a_cache_is_made_for_its_user_alone, a_cache_that_others_write_is_refused, a_link_is_no_cache,
         a_cache_of_another_user_is_refused, links_in_it_are_not_followed)

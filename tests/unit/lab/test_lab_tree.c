#include "lab/fetch/tree.h"
#include "lab/fetch/workspace.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/vmtoll-test-XXXXXX";

static void enter_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    vt_workspace_remove(folder);
}

static void make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    ck_assert_msg(fd >= 0, "%s", name);
    close(fd);
}

/* The tree below `root` holds these files, in this order. */
static void holds(const char *root, const char *const *wanted, size_t count)
{
    struct vt_lab_tree tree;
    struct vt_error error = {.text = ""};
    ck_assert_msg(vt_lab_tree_open(&tree, root, NULL, &error) == 0, "%s", error.text);
    for (size_t i = 0; i < tree.count && i < count; i++)
        ck_assert_str_eq(tree.paths[i], wanted[i]);
    ck_assert_uint_eq(tree.count, count);
    vt_lab_tree_close(&tree);
}

START_TEST(modules_and_their_lists_are_found_in_the_order_of_names)
{
    const char *const wanted[] = {"t/.config",       "t/b/modules.dep",   "t/b/y.ko",
                                  "t/b/z/kvm.ko.xz", "t/modules.builtin", "t/x.ko"};
    enter_folder();
    mkdir("t", 0755), mkdir("t/b", 0755), mkdir("t/b/z", 0755);
    make("t/x.ko"), make("t/b/y.ko"), make("t/b/z/kvm.ko.xz"), make("t/b/z/notes"), make("t/b/.config");
    make("t/modules.builtin"), make("t/b/modules.dep"), make("t/.config"), make("t/b/.ko");
    holds("t", wanted, sizeof wanted / sizeof wanted[0]);
    holds("t///", wanted, sizeof wanted / sizeof wanted[0]);
    leave_folder();
}
END_TEST

START_TEST(links_are_followed_but_not_in_a_circle)
{
    const char *const wanted[] = {"t/a/deep/kvm.ko", "t/b/kvm.ko", "t/gone.ko"};
    enter_folder();
    mkdir("t", 0755), mkdir("t/a", 0755), mkdir("t/a/deep", 0755);
    make("t/a/deep/kvm.ko");
    ck_assert_int_eq(symlink("../..", "t/a/deep/up") | symlink("a/deep", "t/b") |
                         symlink("../deep", "t/a/deep/self") | symlink("nowhere", "t/gone.ko") |
                         symlink("loop", "t/loop"),
                     0);
    holds("t", wanted, sizeof wanted / sizeof wanted[0]);
    leave_folder();
}
END_TEST

START_TEST(what_modules_were_made_of_is_left_out_where_a_link_leads_there)
{
    const char *const wanted[] = {"t/source/b.ko"};
    enter_folder();
    mkdir("t", 0755), mkdir("made", 0755), mkdir("t/source", 0755);
    make("made/a.ko"), make("t/source/b.ko");
    ck_assert_int_eq(symlink("../made", "t/build"), 0);
    holds("t", wanted, 1);
    leave_folder();
}
END_TEST

START_TEST(what_is_no_folder_or_not_there_holds_nothing)
{
    enter_folder();
    make("file");
    holds("file", NULL, 0);
    holds("nowhere", NULL, 0);
    leave_folder();
}
END_TEST

START_TEST(a_walk_can_be_stopped)
{
    int flag = 1;
    struct vt_lab_stop stop = {.flag = &flag};
    struct vt_lab_tree tree;
    struct vt_error error;
    enter_folder();
    mkdir("t", 0755);
    make("t/a.ko");
    ck_assert_int_ne(vt_lab_tree_open(&tree, "t", &stop, &error), 0);
    ck_assert_msg(strstr(error.text, "interrupted while looking for modules"), "%s", error.text);
    vt_lab_tree_close(&tree);
    leave_folder();
}
END_TEST

VT_SUITE(modules_and_their_lists_are_found_in_the_order_of_names, links_are_followed_but_not_in_a_circle,
         what_modules_were_made_of_is_left_out_where_a_link_leads_there,
         what_is_no_folder_or_not_there_holds_nothing, a_walk_can_be_stopped)

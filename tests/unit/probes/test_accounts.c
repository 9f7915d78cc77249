/*
 * Names of users and groups come through modules of others: what these do wrong costs names at most. The
 * functions here stand in for the C library's.
 */
#include "probes/accounts.h"
#include "tests/unit/suite.h"

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum module { ANSWERS, HANGS, CRASHES, ASSERTS };

static enum module module;
static pid_t asker;
static bool crashes_with_files;

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's names are reserved ones. */
int __nss_configure_lookup(const char *database, const char *services)
{
    (void)database;
    ck_assert_str_eq(services, "files");
    ck_assert_int_ne(getpid(), asker);
    module = crashes_with_files ? CRASHES : ANSWERS;
    return 0;
}

struct passwd *getpwuid(uid_t id)
{
    static char name[] = "someone";
    static struct passwd user = {.pw_name = name, .pw_gid = 7};
    return id == 1000 ? &user : NULL;
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
    ck_assert_str_eq(user, "someone");
    ck_assert_int_eq(group, 7);
    groups[0] = group, groups[1] = 108;
    return *count = 2;
}

struct group *getgrgid(gid_t id)
{
    static char name[] = "kvm";
    static struct group group = {.gr_name = name};
    if (module == HANGS)
        for (;;)
            pause();
    if (module == CRASHES)
        raise(SIGSEGV);
    if (module == ASSERTS)
        abort();
    return id == 108 ? &group : NULL;
}

struct group *getgrnam(const char *name)
{
    return strcmp(name, "kvm") == 0 ? getgrgid(108) : NULL;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static struct vt_accounts ask(enum module how, uid_t user, gid_t group)
{
    struct vt_accounts accounts;
    asker = getpid();
    module = how;
    vt_accounts_ask(user, group, &accounts);
    return accounts;
}

static void check_known(const struct vt_accounts *accounts)
{
    ck_assert_str_eq(accounts->user, "someone");
    ck_assert_str_eq(accounts->group, "kvm");
    ck_assert(accounts->listed && accounts->has_kvm);
}

START_TEST(names_are_what_is_told)
{
    struct vt_accounts accounts = ask(ANSWERS, 1000, 108);
    check_known(&accounts);
    accounts = ask(ANSWERS, 1000, 5);
    ck_assert(!accounts.listed && accounts.has_kvm);
    ck_assert_str_eq(accounts.group, "");
    accounts = ask(ANSWERS, 3, 108);
    ck_assert(!accounts.listed);
    ck_assert_str_eq(accounts.user, "");
}
END_TEST

START_TEST(a_module_that_fails_leaves_the_files)
{
    static const enum module ways[] = {HANGS, CRASHES, ASSERTS};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct vt_accounts accounts = ask(ways[i], 1000, 108);
        check_known(&accounts);
    }
}
END_TEST

START_TEST(where_nobody_answers_there_are_no_names)
{
    crashes_with_files = true;
    struct vt_accounts accounts = ask(ASSERTS, 1000, 108);
    ck_assert_str_eq(accounts.group, "");
    ck_assert(!accounts.has_kvm);
}
END_TEST

VT_SUITE(names_are_what_is_told, a_module_that_fails_leaves_the_files,
         where_nobody_answers_there_are_no_names)

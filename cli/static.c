/*
 * Linked into the static program alone: names of users and groups from the files. The C library's own
 * functions load name services at run time, of whatever version this machine has.
 */
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's names are reserved ones. */

static struct group *find_group(bool (*fits)(const struct group *group, const void *key), const void *key)
{
    FILE *file = fopen("/etc/group", "re");
    struct group *group = NULL;
    while (file && (group = fgetgrent(file)) && !fits(group, key))
        continue;
    if (file)
        fclose(file);
    return group;
}

static bool has_number(const struct group *group, const void *key)
{
    return group->gr_gid == *(const gid_t *)key;
}

static bool has_name(const struct group *group, const void *key)
{
    return strcmp(group->gr_name, key) == 0;
}

static bool has_member(const struct group *group, const char *user)
{
    for (char **member = group->gr_mem; *member; member++)
        if (strcmp(*member, user) == 0)
            return true;
    return false;
}

struct group *getgrgid(gid_t id)
{
    return find_group(has_number, &id);
}

struct group *getgrnam(const char *name)
{
    return find_group(has_name, name);
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *ngroups)
{
    FILE *file = fopen("/etc/group", "re");
    struct group *entry;
    int room = *ngroups, found = 0;

    if (found < room)
        groups[found] = group;
    found++;
    while (file && (entry = fgetgrent(file)))
        if (entry->gr_gid != group && has_member(entry, user)) {
            if (found < room)
                groups[found] = entry->gr_gid;
            found++;
        }
    if (file)
        fclose(file);
    *ngroups = found;
    return found <= room ? found : -1;
}

struct passwd *getpwuid(uid_t id)
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd *user = NULL;
    while (file && (user = fgetpwent(file)) && user->pw_uid != id)
        continue;
    if (file)
        fclose(file);
    return user;
}

/* The files are all there is. */
int __nss_configure_lookup(const char *database, const char *services)
{
    (void)database, (void)services;
    return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

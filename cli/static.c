/*
 * Linked into the static program alone: names of users and groups from the files. The C library's own
 * functions load name services at run time, of whatever version this machine has.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/types.h>

struct group *getgrgid(gid_t id)
{
    FILE *file = fopen("/etc/group", "re");
    struct group *group = NULL;
    while (file && (group = fgetgrent(file)) && group->gr_gid != id)
        continue;
    if (file)
        fclose(file);
    return group;
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

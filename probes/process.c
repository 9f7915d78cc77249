#include "probes/process.h"
#include "probes/accounts.h"
#include "probes/live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool vt_process_can(const struct vt_process *process, int capability)
{
    return process->capabilities >> capability & 1;
}

bool vt_process_has_group(const struct vt_process *process, gid_t group)
{
    for (int i = 0; i < process->group_count; i++)
        if (process->groups[i] == group)
            return true;
    return process->gid == group;
}

bool vt_process_is_entered(const char *file, const char *name)
{
    char line[4096];
    size_t length = strlen(name);
    bool found = false;
    FILE *stream = fopen(file, "re");
    while (stream && !found && fgets(line, sizeof line, stream))
        found = strncmp(line, name, length) == 0 && line[length] == ':';
    if (stream)
        fclose(stream);
    return found;
}

void vt_process_service(const char *line, struct vt_process *process)
{
    static const char ending[] = ".service";
    const char *last = strrchr(line, '/');
    size_t length = last ? strcspn(++last, "\n") : 0;
    *process->service = '\0';
    process->of_user = strstr(line, "/user@");
    /* user@1000.service is the manager of a person's session. */
    if (length >= sizeof ending && strncmp(last, "user@", 5) != 0 &&
        strncmp(last + length - (sizeof ending - 1), ending, sizeof ending - 1) == 0)
        snprintf(process->service, sizeof process->service, "%.*s", (int)length, last);
}

static void read_service(struct vt_process *process)
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !*process->service && fgets(line, sizeof line, file))
        if (strncmp(line, "0::", 3) == 0 || strstr(line, ":name=systemd:"))
            vt_process_service(line, process);
    if (file)
        fclose(file);
}

static void read_status(struct vt_process *process)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    process->capabilities = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "CapEff:", 7) == 0)
            process->capabilities = strtoull(line + 7, NULL, 16);
        else if (strncmp(line, "Seccomp:", 8) == 0)
            process->filtered = strtol(line + 8, NULL, 10) == 2;
    if (file)
        fclose(file);
}

/* user_namespaces(7): the first namespace maps every id to itself. */
static bool holds_all_ids(const char *path)
{
    unsigned long inside, outside, count;
    FILE *file = fopen(path, "re");
    bool all = !file || (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3 && count == UINT32_MAX);
    if (file)
        fclose(file);
    return all;
}

/* proc_pid_mountinfo(5): without a mount at "/" the root directory is a folder that chroot(2) chose. */
static bool is_chrooted(void)
{
    char line[4096], point[1024];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    bool found = false, any = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        any = true;
        found = sscanf(line, "%*s %*s %*s %*s %1023s", point) == 1 && strcmp(point, "/") == 0;
    }
    if (file)
        fclose(file);
    return any && !found;
}

static void read_label(struct vt_process *process)
{
    char line[sizeof process->label];
    int number;
    if (vt_live_line("/proc/self/attr/current", line, sizeof line, &number))
        memcpy(process->label, line, sizeof line);
    process->enforcing = vt_live_line("/sys/fs/selinux/enforce", line, sizeof line, &number) && *line == '1';
}

static bool has_sudo(void)
{
    static const char *const places[] = {"/usr/bin/sudo", "/bin/sudo", "/usr/local/bin/sudo",
                                         "/run/wrappers/bin/sudo"}; /* the last is NixOS's */
    bool found = false;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        found = found || access(places[i], X_OK) == 0;
    return found;
}

void vt_process_read(struct vt_process *process)
{
    *process = (struct vt_process){.uid = geteuid(), .gid = getegid()};
    int count = getgroups(VT_PROCESS_GROUPS, process->groups);
    process->group_count = count < 0 ? 0 : count;
    struct vt_accounts accounts;
    vt_accounts_ask(process->uid, process->gid, &accounts);
    snprintf(process->user, sizeof process->user, "%s", accounts.user);
    process->listed_elsewhere = *accounts.user && !vt_process_is_entered("/etc/passwd", process->user);
    process->without_sudo = !has_sudo();
    process->namespaced = !holds_all_ids("/proc/self/uid_map") || !holds_all_ids("/proc/self/gid_map");
    process->chrooted = is_chrooted();
    read_status(process);
    read_service(process);
    read_label(process);
}

/*
 * Who this process is to the kernel that guards a file: its ids and what they are worth in its user
 * namespace, its capabilities, and what else stands around it.
 */
#ifndef VT_PROBES_PROCESS_H
#define VT_PROBES_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { VT_PROCESS_GROUPS = 256 };

/* What the ids of other user namespaces show as (/proc/sys/kernel/overflowuid, overflowgid). */
#define VT_UNMAPPED_ID 65534

struct vt_process {
    uid_t uid;
    gid_t gid, groups[VT_PROCESS_GROUPS]; /* effective, and supplementary */
    int group_count;
    char user[64];         /* name of `uid`; "": it has none */
    bool namespaced;       /* in a user namespace that does not hold all ids */
    uint64_t capabilities; /* effective */
    bool filtered;         /* by seccomp */
    bool chrooted;         /* its root directory is a plain folder */
    bool listed_elsewhere; /* ... which is not in /etc/passwd but a directory's */
    bool without_sudo;     /* no such program is installed */
    char service[96];      /* the unit of systemd it runs in; "": none */
    bool of_user;          /* a unit of the manager of its user's sessions, user@UID.service */
    char label[160];       /* what AppArmor or SELinux calls it; "": neither says */
    bool enforcing;        /* SELinux is */
};

void vt_process_read(struct vt_process *process);

/* Bits of <linux/capability.h>. */
bool vt_process_can(const struct vt_process *process, int capability);

bool vt_process_has_group(const struct vt_process *process, gid_t group);

/* Has a file like /etc/passwd or /etc/group a line of that name? */
bool vt_process_is_entered(const char *file, const char *name);

/* The innermost service in a line of /proc/self/cgroup, "" where it is no service's, and whose it is. Pure.
 */
void vt_process_service(const char *line, struct vt_process *process);

#endif

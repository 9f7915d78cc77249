/*
 * What this machine calls users and groups.
 *
 * Names come from whatever nsswitch.conf(5) lists, through modules that the C library loads: a directory that
 * does not answer would hold this program, and where memory runs out some modules, and glibc itself, end it
 * by a signal. So they are asked in a process of their own.
 */
#ifndef VT_PROBES_ACCOUNTS_H
#define VT_PROBES_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

struct vt_accounts {
    char user[64], group[64]; /* names; "": it has none, or nobody answered in time */
    bool listed;              /* the user is entered in that group, whatever groups a process has */
    bool has_kvm;             /* there is a group called kvm */
};

void vt_accounts_ask(uid_t user, gid_t group, struct vt_accounts *accounts);

#endif

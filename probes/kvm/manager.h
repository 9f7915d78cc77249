/*
 * What makes containers, and what its user tells it so that one gets /dev/kvm: each has words of its own, and
 * another's do nothing.
 */
#ifndef VT_PROBES_KVM_MANAGER_H
#define VT_PROBES_KVM_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All fragments of a sentence that says what to do. */
struct vt_manager {
    const char *kind;   /* as in system.container */
    const char *device; /* hands the device in */
    const char *group; /* "%u" in it is the number: lets the process into that group; NULL: its own /etc/group
                          does, as on a host */
    const char *unmapped;   /* lets it in where neither owner nor group of the device exists inside */
    const char *apparmor;   /* ends a profile that forbids it */
    const char *selinux;    /* lets containers use devices */
    bool hosts_users;       /* its users and groups are the host's, and changed there */
    const char *capability; /* gives its root CAP_DAC_OVERRIDE */
};

/* The one that `kind` names; NULL or one not known: those who take Docker's options. Pure, never NULL. */
const struct vt_manager *vt_manager_of(const char *kind);

/* `text`: how a process gets into the group `gid`, where there is a way. */
bool vt_manager_group(const struct vt_manager *manager, gid_t gid, char *text, size_t size);

#endif

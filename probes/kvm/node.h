/*
 * What stands at /dev/kvm, and where: its kind and numbers, its permission bits and access control list, and
 * the mount it lies on.
 */
#ifndef VT_PROBES_KVM_NODE_H
#define VT_PROBES_KVM_NODE_H

#include "probes/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { VT_ACL_ENTRIES = 32 };

/* An entry of an access control list (acl(5)); tags and bits as in the attribute system.posix_acl_access. */
struct vt_acl_entry {
    unsigned tag, bits;
    uid_t id;
};

enum vt_acl_tag {
    VT_ACL_OWNER = 1,
    VT_ACL_USER = 2,
    VT_ACL_OWNING_GROUP = 4,
    VT_ACL_GROUP = 8,
    VT_ACL_MASK = 16,
    VT_ACL_OTHER = 32
};

/* Where a group has its members: what makes groups change changes /etc/group alone. */
enum vt_group_place {
    VT_GROUP_IN_ETC,
    VT_GROUP_IN_USR, /* /usr/lib/group, of systems whose /usr is one image */
    VT_GROUP_ELSEWHERE
};

struct vt_kvm_node {
    int number;       /* errno of looking at it; 0: it is there */
    char target[128]; /* of a symbolic link; "": it is none */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    unsigned major, minor;
    char owner[64], group[64]; /* names; "": they have none */
    enum vt_group_place group_place;
    bool lists_user;    /* the group's members by name hold this process's user */
    bool has_kvm_group; /* there is a group called kvm */
    bool mounted;       /* it is a mount point itself */
    bool nodev;         /* devices do not open on its mount, or where a node could be made */
    bool immutable;     /* or append-only */
    struct vt_acl_entry acl[VT_ACL_ENTRIES];
    size_t acl_count;
};

void vt_kvm_node_read(const char *path, const struct vt_process *process, struct vt_kvm_node *node);

/* Entries of the attribute's bytes; 0 when they are no list. Pure. */
size_t vt_kvm_node_acl(const void *data, size_t size, struct vt_acl_entry entries[VT_ACL_ENTRIES]);

#endif

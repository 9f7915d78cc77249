#include "probes/kvm/node.h"
#include "probes/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* <linux/posix_acl_xattr.h>: a version, then tag, bits and id of each, little endian. */
enum { ACL_VERSION = 2, ACL_HEADER = 4, ACL_ENTRY = 8 };

size_t vt_kvm_node_acl(const void *data, size_t size, struct vt_acl_entry entries[VT_ACL_ENTRIES])
{
    const uint8_t *at = data;
    uint32_t version;
    if (size < ACL_HEADER || (size - ACL_HEADER) % ACL_ENTRY)
        return 0;
    memcpy(&version, at, sizeof version);
    size_t count = (size - ACL_HEADER) / ACL_ENTRY;
    if (version != ACL_VERSION || count > VT_ACL_ENTRIES)
        return 0;
    at += ACL_HEADER;
    for (size_t i = 0; i < count; i++, at += ACL_ENTRY) {
        uint32_t id;
        memcpy(&id, at + 4, sizeof id);
        entries[i] = (struct vt_acl_entry){at[0] | (unsigned)at[1] << 8, at[2] | (unsigned)at[3] << 8, id};
    }
    return count;
}

static void read_acl(const char *path, struct vt_kvm_node *node)
{
    uint8_t data[ACL_HEADER + ACL_ENTRY * VT_ACL_ENTRIES];
    ssize_t size = getxattr(path, "system.posix_acl_access", data, sizeof data);
    node->acl_count = size > 0 ? vt_kvm_node_acl(data, (size_t)size, node->acl) : 0;
}

static enum vt_group_place place_of(const char *group)
{
    if (vt_process_is_entered("/etc/group", group))
        return VT_GROUP_IN_ETC;
    return vt_process_is_entered("/usr/lib/group", group) ? VT_GROUP_IN_USR : VT_GROUP_ELSEWHERE;
}

static void read_names(const struct vt_process *process, struct vt_kvm_node *node)
{
    struct vt_accounts accounts;
    vt_accounts_ask(node->uid, node->gid, &accounts);
    snprintf(node->owner, sizeof node->owner, "%s", accounts.user);
    snprintf(node->group, sizeof node->group, "%s", accounts.group);
    if (*node->group)
        node->group_place = place_of(node->group);
    vt_accounts_ask(process->uid, node->gid, &accounts);
    node->lists_user = accounts.listed;
}

static void read_attributes(const char *path, struct vt_kvm_node *node)
{
    struct statx status;
    if (statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0)
        node->immutable = status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

/* Another file system than the folder's, or the same one a second time: only a mount does that. */
static bool is_mounted(const char *path)
{
    struct statx status;
    return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 &&
           status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT &&
           status.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static void read_mount(const char *path, struct vt_kvm_node *node)
{
    struct statvfs mount;
    node->nodev = statvfs(path, &mount) == 0 && mount.f_flag & ST_NODEV;
}

void vt_kvm_node_read(const char *path, const struct vt_process *process, struct vt_kvm_node *node)
{
    struct stat status;
    struct vt_accounts accounts;
    char folder[PATH_MAX];
    *node = (struct vt_kvm_node){0};
    ssize_t length = readlink(path, node->target, sizeof node->target - 1);
    node->target[length > 0 ? length : 0] = '\0';
    vt_accounts_ask(process->uid, process->gid, &accounts);
    node->has_kvm_group = accounts.has_kvm;
    if (stat(path, &status) != 0) {
        node->number = errno;
        snprintf(folder, sizeof folder, "%s", path);
        read_mount(dirname(folder), node);
        return;
    }
    node->mode = status.st_mode;
    node->uid = status.st_uid;
    node->gid = status.st_gid;
    node->major = major(status.st_rdev);
    node->minor = minor(status.st_rdev);
    node->mounted = is_mounted(path);
    read_names(process, node);
    read_acl(path, node);
    read_attributes(path, node);
    read_mount(path, node);
}

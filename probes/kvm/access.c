#include "probes/kvm/access.h"
#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#define DEVICE "/dev/kvm"

enum { READ_WRITE = 6 };

struct scene {
    const struct vt_kvm_node *node;
    const struct vt_process *process;
    const struct vt_manager *manager; /* of the container it is in; NULL: in none */
    bool inside; /* a container or a user namespace: what the host decides is not decided here */
};

static bool is_mapped(const struct vt_kvm_node *node, const struct vt_process *process)
{
    return !process->namespaced || (node->uid != VT_UNMAPPED_ID && node->gid != VT_UNMAPPED_ID);
}

static unsigned acl_bits(const struct vt_kvm_node *node, unsigned tag, unsigned otherwise)
{
    for (size_t i = 0; i < node->acl_count; i++)
        if (node->acl[i].tag == tag)
            return node->acl[i].bits;
    return otherwise;
}

/* What its group may do: of a list the mode shows the mask in that place. */
static unsigned group_bits(const struct vt_kvm_node *node)
{
    return acl_bits(node, VT_ACL_OWNING_GROUP, node->mode >> 3) & acl_bits(node, VT_ACL_MASK, READ_WRITE) &
           READ_WRITE;
}

static bool find_named(const struct vt_kvm_node *node, const struct vt_process *process, unsigned *bits)
{
    for (size_t i = 0; i < node->acl_count; i++)
        if (node->acl[i].tag == VT_ACL_USER && node->acl[i].id == process->uid) {
            *bits = node->acl[i].bits & acl_bits(node, VT_ACL_MASK, READ_WRITE);
            return true;
        }
    return false;
}

/* Of several groups that match, one that allows everything is enough (acl(5)). */
static bool find_group(const struct vt_kvm_node *node, const struct vt_process *process, unsigned *bits)
{
    unsigned mode = node->mode >> 3 & READ_WRITE, mask = acl_bits(node, VT_ACL_MASK, READ_WRITE);
    bool found = vt_process_has_group(process, node->gid);
    *bits = found ? acl_bits(node, VT_ACL_OWNING_GROUP, mode) & mask : 0;
    for (size_t i = 0; i < node->acl_count; i++)
        if (node->acl[i].tag == VT_ACL_GROUP && vt_process_has_group(process, node->acl[i].id)) {
            unsigned here = node->acl[i].bits & mask;
            *bits = !found || (here & READ_WRITE) == READ_WRITE ? here : *bits;
            found = true;
        }
    return found;
}

enum vt_access_class vt_kvm_access(const struct vt_kvm_node *node, const struct vt_process *process,
                                   unsigned *bits)
{
    *bits = READ_WRITE;
    if (vt_process_can(process, CAP_DAC_OVERRIDE) && is_mapped(node, process))
        return VT_ACCESS_CAPABLE;
    *bits = node->mode >> 6 & READ_WRITE;
    if (node->uid == process->uid)
        return VT_ACCESS_OWNER;
    if (find_named(node, process, bits))
        return VT_ACCESS_NAMED;
    if (find_group(node, process, bits))
        return VT_ACCESS_GROUP;
    *bits = node->mode & READ_WRITE;
    return VT_ACCESS_OTHER;
}

static const char *allowed(unsigned bits)
{
    return bits == 4 ? "only read" : bits == 2 ? "only write" : "neither read nor write";
}

static const char *name_of(const struct vt_process *process, char text[80])
{
    if (*process->user)
        snprintf(text, 80, "%s", process->user);
    else
        snprintf(text, 80, "user %u, who has no name", (unsigned)process->uid);
    return text;
}

/* Commands for the host are no use where this program stands. */
static const char *where(const struct scene *scene)
{
    return scene->inside ? "on the host: " : "";
}

/* A command that enters this user into the group, for those that are not both in files of /etc as well. */
static void name_entering(const struct scene *scene, const char *group, char *text, size_t size)
{
    const struct vt_process *process = scene->process;
    const bool devices = strcmp(group, scene->node->group) == 0;
    const char *copy =
        devices && scene->node->group_place == VT_GROUP_IN_USR ? " | sudo tee -a /etc/group && " : "";
    snprintf(text, size, "%s%s%ssudo %s %s %s", *copy ? "getent group " : "", *copy ? group : "", copy,
             process->listed_elsewhere ? "gpasswd -a" : "usermod -aG",
             process->listed_elsewhere ? process->user : group,
             process->listed_elsewhere ? group : process->user);
}

/* Membership in a group that is good for it, by whatever way leads there. */
static void join(const struct scene *scene, const char *group, const char *first,
                 struct vt_obstacle *obstacle)
{
    const struct vt_process *process = scene->process;
    char enter[256];
    name_entering(scene, group, enter, sizeof enter);
    if (*process->service && !process->of_user)
        vt_obstacle_fix(obstacle, "%sput SupplementaryGroups=%s into the unit %s and restart it", first,
                        group, process->service);
    else if (!*process->user)
        vt_obstacle_fix(obstacle,
                        "%sstart it with the group %s (setpriv --groups): its user has no name that could be "
                        "entered there",
                        first, group);
    else if (strcmp(group, scene->node->group) == 0 && scene->node->group_place == VT_GROUP_ELSEWHERE)
        vt_obstacle_fix(
            obstacle,
            "have %s entered into the group %s where it is kept, which is not /etc/group, then log in "
            "again",
            process->user, group);
    else if (*process->service)
        vt_obstacle_fix(obstacle,
                        "%s%s, then sudo systemctl restart user@%u.service, which ends all of %s's sessions",
                        first, enter, (unsigned)process->uid, process->user);
    else
        vt_obstacle_fix(obstacle, "%s%s, then log in again", first, enter);
}

/* Entered by name, and this process is older than that. */
static void explain_late(const struct scene *scene, const char *me, struct vt_obstacle *obstacle)
{
    const struct vt_process *process = scene->process;
    vt_obstacle_reason(obstacle,
                       DEVICE " is for the group %s (mode %03o), and %s was entered into it after %s began",
                       scene->node->group, scene->node->mode & 0777, me,
                       !*process->service ? "this session"
                       : process->of_user ? "its service manager"
                                          : "this service");
    if (!*process->service)
        vt_obstacle_fix(obstacle, "log in again, or start it with: sg %s", scene->node->group);
    else if (process->of_user)
        vt_obstacle_fix(obstacle, "sudo systemctl restart user@%u.service, which ends all of %s's sessions",
                        (unsigned)process->uid, me);
    else
        vt_obstacle_fix(obstacle, "sudo systemctl restart %s", process->service);
}

static void explain_unmapped_group(const struct scene *scene, struct vt_obstacle *obstacle)
{
    vt_obstacle_reason(
        obstacle,
        DEVICE " is for its owner and its group (mode %03o), and neither exists in this user namespace: the "
               "group shows as %u",
        scene->node->mode & 0777, VT_UNMAPPED_ID);
    vt_obstacle_fix(obstacle, "%s",
                    scene->manager ? scene->manager->unmapped
                                   : "let the user who makes the user namespace be in the device's group: "
                                     "the namespace keeps it (podman: --group-add keep-groups)");
}

/* Where users and groups are changed that this program sees. */
static const char *first_of(const struct scene *scene)
{
    return scene->manager && scene->manager->hosts_users ? "on the host: " : "";
}

/* By what the container was started with; false: its users are entered as those of a host are. */
static bool join_from_outside(const struct scene *scene, struct vt_obstacle *obstacle)
{
    char text[192];
    if (!scene->inside || !vt_manager_group(scene->manager ? scene->manager : vt_manager_of(NULL),
                                            scene->node->gid, text, sizeof text))
        return false;
    vt_obstacle_fix(obstacle, "%s", text);
    return true;
}

static void explain_nameless_group(const struct scene *scene, struct vt_obstacle *obstacle)
{
    const unsigned group = (unsigned)scene->node->gid;
    const char *name = scene->node->has_kvm_group ? "hostkvm" : "kvm";
    char first[112], number[16];
    if (join_from_outside(scene, obstacle))
        return;
    if (scene->node->has_kvm_group && !scene->inside) {
        join(scene, "kvm", "sudo chgrp kvm " DEVICE " && ", obstacle);
        return;
    }
    snprintf(number, sizeof number, "%u", group);
    snprintf(first, sizeof first, "%ssudo groupadd -g %u %s && ", first_of(scene), group, name);
    join(scene, *scene->process->user && !*scene->process->service ? name : number, first, obstacle);
}

/* The group may use it, and this process is not in it. */
static void explain_outsider(const struct scene *scene, struct vt_obstacle *obstacle)
{
    const struct vt_kvm_node *node = scene->node;
    char me[80], group[80];
    if (scene->process->namespaced && node->gid == VT_UNMAPPED_ID) {
        explain_unmapped_group(scene, obstacle);
        return;
    }
    snprintf(group, sizeof group, *node->group ? "%s" : "%s%u", node->group, (unsigned)node->gid);
    vt_obstacle_reason(obstacle, DEVICE " is for the group %s%s (mode %03o), and %s is not in it", group,
                       *node->group ? "" : ", which has no name here,", node->mode & 0777,
                       name_of(scene->process, me));
    if (*node->group && join_from_outside(scene, obstacle))
        return;
    if (!*node->group)
        explain_nameless_group(scene, obstacle);
    else if (node->lists_user)
        explain_late(scene, me, obstacle);
    else if (node->gid == 0)
        join(scene, "kvm",
             node->has_kvm_group ? "sudo chgrp kvm " DEVICE " && "
                                 : "sudo groupadd --system kvm && sudo chgrp kvm " DEVICE " && ",
             obstacle);
    else
        join(scene, node->group, first_of(scene), obstacle);
}

/* All users outside the namespace have one number in it, whose name is nobody's in particular. */
static const char *owner_of(const struct scene *scene)
{
    if (scene->process->namespaced && scene->node->uid == VT_UNMAPPED_ID)
        return "outside of this user namespace";
    return *scene->node->owner ? scene->node->owner : "without a name";
}

/* Nobody but the owner may. */
static void explain_closed(const struct scene *scene, struct vt_obstacle *obstacle)
{
    static const char open[] = "chgrp kvm " DEVICE " && sudo chmod 660 " DEVICE;
    char me[80], first[160];
    vt_obstacle_reason(obstacle, DEVICE " is for its owner only (mode %03o, owner %s), and that is not %s",
                       scene->node->mode & 0777, owner_of(scene), name_of(scene->process, me));
    snprintf(first, sizeof first, "%ssudo %s && ",
             scene->node->has_kvm_group ? "" : "sudo groupadd --system kvm && ", open);
    if (scene->inside)
        vt_obstacle_fix(obstacle, "on the host: sudo %s; then run vmtoll probe here again", open);
    else
        join(scene, "kvm", first, obstacle);
}

/* A list lets some, but not the device's group. */
static void explain_unlisted(const struct scene *scene, struct vt_obstacle *obstacle)
{
    char me[80];
    name_of(scene->process, me);
    vt_obstacle_reason(obstacle,
                       "the access control list of " DEVICE " names neither %s nor a group of %s with both "
                       "rights (getfacl " DEVICE " shows it)",
                       me, me);
    vt_obstacle_fix(obstacle, "%ssudo setfacl -m u:%u:rw,m::rw " DEVICE, where(scene),
                    (unsigned)scene->process->uid);
}

static void explain_rights(const struct scene *scene, enum vt_access_class class, unsigned bits,
                           struct vt_obstacle *obstacle)
{
    const struct vt_kvm_node *node = scene->node;
    char me[80];
    if (class == VT_ACCESS_OWNER) {
        vt_obstacle_reason(obstacle, DEVICE " is %s's own, and its owner may %s (mode %03o)",
                           name_of(scene->process, me), allowed(bits), node->mode & 0777);
        vt_obstacle_fix(obstacle, "chmod u+rw " DEVICE);
    } else if (class == VT_ACCESS_NAMED) {
        vt_obstacle_reason(obstacle, "the access control list of " DEVICE " lets %s %s",
                           name_of(scene->process, me), allowed(bits));
        vt_obstacle_fix(obstacle, "%ssudo setfacl -m u:%u:rw,m::rw " DEVICE, where(scene),
                        (unsigned)scene->process->uid);
    } else if (class == VT_ACCESS_GROUP) {
        vt_obstacle_reason(obstacle, DEVICE " lets the members of its group %s, and %s is one (mode %03o%s)",
                           allowed(bits), name_of(scene->process, me), node->mode & 0777,
                           node->acl_count ? ", with an access control list" : "");
        vt_obstacle_fix(
            obstacle, node->acl_count ? "%ssudo setfacl -m g::rw,m::rw " DEVICE : "%ssudo chmod g+rw " DEVICE,
            where(scene));
    } else if (group_bits(node) == READ_WRITE)
        explain_outsider(scene, obstacle);
    else if (node->acl_count)
        explain_unlisted(scene, obstacle);
    else
        explain_closed(scene, obstacle);
}

/* Root is no exception without the capability: containers drop it. */
static void note_root(const struct scene *scene, struct vt_obstacle *obstacle)
{
    if (scene->process->uid != 0 || vt_process_can(scene->process, CAP_DAC_OVERRIDE))
        return;
    vt_text_append(obstacle->reason, sizeof obstacle->reason,
                   "; root has not the capability CAP_DAC_OVERRIDE here, so the mode counts");
    vt_obstacle_fix(obstacle, "%s",
                    scene->manager ? scene->manager->capability
                    : *scene->process->service
                        ? "let its unit keep CAP_DAC_OVERRIDE (CapabilityBoundingSet=)"
                        : "start it with CAP_DAC_OVERRIDE (capsh --print shows what it has)");
}

static void explain_mount(const struct scene *scene, struct vt_obstacle *obstacle)
{
    vt_obstacle_reason(obstacle,
                       DEVICE " lies on a file system that is mounted nodev: no device opens there");
    vt_obstacle_fix(obstacle, "%s",
                    scene->inside
                        ? "have it handed in with its devices: --device " DEVICE
                          " (bubblewrap: --dev-bind " DEVICE " " DEVICE ")"
                        : "sudo mount -o remount,bind,dev on the mount it lies on (findmnt -T " DEVICE ")");
}

/* "NAME.APP (enforce)"; NULL: it is no snap's. */
static const char *snap_of(const struct vt_process *process)
{
    return strncmp(process->label, "snap.", 5) == 0 ? process->label + 5 : NULL;
}

static void connect_snap(const char *snap, struct vt_obstacle *obstacle)
{
    vt_obstacle_fix(obstacle, "sudo snap connect %.*s:kvm", (int)strcspn(snap, "."), snap);
}

static void explain_module(const struct scene *scene, struct vt_obstacle *obstacle)
{
    static const char although[] = DEVICE " may not be opened although its mode allows it";
    const struct vt_process *process = scene->process;
    const char *label = process->label, *end = strstr(label, " (enforce)");
    if (process->enforcing && strchr(label, ':')) {
        vt_obstacle_reason(obstacle, "%s: SELinux, which runs this process as %s, may forbid it", although,
                           label);
        vt_obstacle_fix(obstacle, "%s",
                        scene->manager ? scene->manager->selinux
                                       : "look for the denial: sudo ausearch -m avc -ts recent");
    } else if (end) {
        vt_obstacle_reason(obstacle, "%s: the AppArmor profile %.*s forbids it", although, (int)(end - label),
                           label);
        if (scene->manager)
            vt_obstacle_fix(obstacle, "%s", scene->manager->apparmor);
        else if (snap_of(process))
            connect_snap(snap_of(process), obstacle);
        else
            vt_obstacle_fix(obstacle, "add the rule \"" DEVICE
                                      " rw,\" to that profile and reload it (apparmor_parser -r)");
    } else {
        vt_obstacle_reason(
            obstacle,
            "%s: a security module forbids it, and as no profile of AppArmor or SELinux shows, probably "
            "Landlock, the sandbox of what started this program",
            although);
        vt_obstacle_fix(
            obstacle,
            "start it outside that sandbox, or let its rules allow to read, write and ioctl " DEVICE);
    }
}

static void explain_rules(const struct scene *scene, struct vt_obstacle *obstacle)
{
    const struct vt_process *process = scene->process;
    const char *snap = snap_of(process);
    if (scene->node->immutable) {
        vt_obstacle_reason(obstacle, DEVICE " is marked immutable or append-only (lsattr)");
        vt_obstacle_fix(obstacle, "%ssudo chattr -ia " DEVICE, where(scene));
        return;
    }
    if (snap && !scene->manager) {
        vt_obstacle_reason(obstacle,
                           DEVICE " is there, but the device rules of the snap %.*s forbid to open it",
                           (int)strcspn(snap, "."), snap);
        connect_snap(snap, obstacle);
        return;
    }
    vt_obstacle_reason(obstacle, DEVICE " is there, but the device rules of this %s forbid to open it%s",
                       scene->manager ? "container" : "cgroup",
                       process->filtered ? ", or a seccomp filter does" : "");
    if (scene->manager)
        vt_obstacle_fix(obstacle, "%s", scene->manager->device);
    else if (*process->service)
        vt_obstacle_fix(obstacle, "put DeviceAllow=" DEVICE " rw into the unit %s and restart it",
                        process->service);
    else
        vt_obstacle_fix(obstacle, "start it in a cgroup that allows the device (a unit: DeviceAllow=" DEVICE
                                  " rw, a container: --device " DEVICE ")");
}

void vt_kvm_explain_access(const struct vt_kvm_node *node, const struct vt_process *process,
                           const struct vt_manager *manager, int number, struct vt_obstacle *obstacle)
{
    struct scene scene = {node, process, manager, manager || process->namespaced};
    unsigned bits;
    enum vt_access_class class = vt_kvm_access(node, process, &bits);
    /* All groups outside the namespace look the same: which of them this one is, nobody knows. */
    bool unmapped = class == VT_ACCESS_GROUP && process->namespaced && node->gid == VT_UNMAPPED_ID;
    *obstacle = (struct vt_obstacle){.code = "no-permission"};
    if (number == EPERM)
        explain_rules(&scene, obstacle);
    else if (node->nodev)
        explain_mount(&scene, obstacle);
    else if ((bits & READ_WRITE) == READ_WRITE && unmapped)
        explain_unmapped_group(&scene, obstacle);
    else if ((bits & READ_WRITE) == READ_WRITE)
        explain_module(&scene, obstacle);
    else {
        explain_rights(&scene, unmapped ? VT_ACCESS_OTHER : class, bits, obstacle);
        note_root(&scene, obstacle);
    }
}

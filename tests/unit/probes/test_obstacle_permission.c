/* Why KVM may not be used: modes, groups, access control lists, and what stands above them. */
#include "probes/kvm/access.h"
#include "tests/unit/probes/obstacle.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ALL_CAPABILITIES (~UINT64_C(0))

START_TEST(each_class_of_the_mode_has_its_fix)
{
    static const struct {
        mode_t mode;
        uid_t owner, uid;
        gid_t gid;
        const char *reason, *fix;
    } rows[] = {
        {0660, 0, 1000, 1000, "for the group kvm (mode 660), and alice is not in it",
         "usermod -aG kvm alice"},
        {0600, 0, 1000, 1000, "for its owner only",
         "chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm && sudo usermod"},
        {0640, 0, 1000, 108, "lets the members of its group only read", "chmod g+rw /dev/kvm"},
        {0620, 0, 1000, 108, "lets the members of its group only write", "chmod g+rw /dev/kvm"},
        {0606, 0, 1000, 108, "lets the members of its group neither read nor write", "chmod g+rw"},
        {0466, 1000, 1000, 108, "its owner may only read", "chmod u+rw /dev/kvm"},
        {0060, 1000, 1000, 1000, "its owner may neither read nor write", "chmod u+rw"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_kvm_scene scene = scene_usual();
        scene.node.mode = S_IFCHR | rows[i].mode;
        scene.node.uid = rows[i].owner;
        scene.process.uid = rows[i].uid;
        scene.process.gid = rows[i].gid;
        obstacle_explain("{" HOST "}", &scene, EACCES);
        obstacle_says("no-permission", rows[i].reason, rows[i].fix);
        if (rows[i].gid == 108)
            obstacle_never_offers("usermod");
    }
}
END_TEST

START_TEST(a_group_is_offered_only_to_whom_it_helps)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.node.lists_user = true;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "after this session began", "log in again");
    obstacle_never_offers("usermod");
    scene = scene_usual();
    scene.node.group[0] = '\0';
    obstacle_explain("{" DOCKER "}", &scene, EACCES);
    obstacle_says("no-permission", "108, which has no name", "--group-add 108");
    obstacle_never_offers("usermod");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "no name", "chgrp kvm");
    scene.node.has_kvm_group = false;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "no name", "groupadd -g 108 kvm && sudo usermod -aG kvm alice");
    scene = scene_usual();
    obstacle_explain("{" DOCKER "}", &scene, EACCES);
    obstacle_says("no-permission", "for the group kvm", "--group-add 108");
    scene.process.user[0] = '\0';
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "user 1000, who has no name", "setpriv");
    obstacle_never_offers("usermod");
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "kvm", "SupplementaryGroups=kvm into the unit runner.service");
    scene = scene_usual();
    scene.node.gid = 0;
    snprintf(scene.node.group, sizeof scene.node.group, "root");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "for the group root", "chgrp kvm");
    obstacle_never_offers("-aG root");
}
END_TEST

/* Units of a person's own manager have its groups, whatever they ask for. */
START_TEST(a_unit_gets_its_groups_from_its_manager)
{
    struct vt_kvm_scene scene = scene_usual();
    snprintf(scene.process.service, sizeof scene.process.service, "foot-server.service");
    scene.process.of_user = true;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "alice is not in it",
                  "sudo usermod -aG kvm alice, then sudo systemctl restart user@1000");
    obstacle_never_offers("SupplementaryGroups");
    scene.node.lists_user = true;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "after its service manager began",
                  "sudo systemctl restart user@1000.service");
    obstacle_never_offers("usermod");
    scene.process.of_user = false;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "after this service began", "sudo systemctl restart foot-server.service");
    obstacle_never_offers("log in");
}
END_TEST

/* usermod(8) changes /etc/passwd and /etc/group alone. */
START_TEST(names_that_come_from_elsewhere_are_not_for_usermod)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.process.listed_elsewhere = true;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "alice is not in it", "sudo gpasswd -a alice kvm, then log in again");
    obstacle_never_offers("usermod");
    scene = scene_usual();
    scene.node.group_place = VT_GROUP_IN_USR;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says(
        "no-permission", "alice is not in it",
        "getent group kvm | sudo tee -a /etc/group && sudo usermod -aG kvm alice, then log in again");
    scene.node.group_place = VT_GROUP_ELSEWHERE;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "alice is not in it",
                  "have alice entered into the group kvm where it is kept, which is not");
    obstacle_never_offers("usermod");
}
END_TEST

/* Its mode shows the mask where others would have the group's bits. */
START_TEST(a_list_may_close_the_group)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.node.acl[0] = (struct vt_acl_entry){VT_ACL_OWNING_GROUP, 0, 0};
    scene.node.acl[1] = (struct vt_acl_entry){VT_ACL_USER, 6, 1001};
    scene.node.acl[2] = (struct vt_acl_entry){VT_ACL_MASK, 6, 0};
    scene.node.acl_count = 3;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "access control list of /dev/kvm names neither alice nor a group of alice",
                  "sudo setfacl -m u:1000:rw,m::rw /dev/kvm");
    obstacle_never_offers("usermod");
    scene.node.acl[0].bits = 6;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "for the group kvm", "usermod -aG kvm alice");
}
END_TEST

START_TEST(root_has_no_use_for_sudo_where_there_is_none)
{
    struct vt_kvm_scene scene = scene_without(VT_MODULE_THERE);
    scene.process =
        (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES, .without_sudo = true};
    obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    ck_assert_str_eq(obstacle_told.fix, "modprobe kvm_intel");
    obstacle_explain("{" DOCKER ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("module-not-loaded", "kvm_intel",
                  "on the host: sudo modprobe kvm_intel; then start the container");
    scene = scene_usual();
    scene.node.mode = S_IFDIR | 0755;
    scene.process =
        (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES, .without_sudo = true};
    obstacle_explain("{" HOST "}", &scene, EISDIR);
    obstacle_says("not-kvm", "a directory", "rmdir /dev/kvm && mknod");
    obstacle_never_offers("sudo");
    scene.process.uid = 1000;
    obstacle_explain("{" HOST "}", &scene, EISDIR);
    obstacle_says("not-kvm", "a directory", "sudo rmdir");
}
END_TEST

START_TEST(root_of_a_user_namespace_is_nobody_outside)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.process = (struct vt_process){.namespaced = true,
                                        .user = "root",
                                        .capabilities = ALL_CAPABILITIES,
                                        .groups = {65534},
                                        .group_count = 0};
    scene.node.uid = scene.node.gid = VT_UNMAPPED_ID;
    snprintf(scene.node.group, sizeof scene.node.group, "nogroup");
    for (int count = 0; count < 2; count++) {
        scene.process.group_count = count; /* a kept group looks like any other from here */
        obstacle_explain("{\"system\": {\"contained\": true, \"container\": \"podman\"}}", &scene, EACCES);
        obstacle_says("no-permission", "neither exists in this user namespace", "--group-add keep-groups");
        obstacle_never_offers("usermod");
        obstacle_explain("{" HOST "}", &scene, EACCES);
        obstacle_says("no-permission", "user namespace", "keep-groups");
        obstacle_never_offers("usermod");
    }
    scene.node.mode = S_IFCHR | 0600;
    snprintf(scene.node.owner, sizeof scene.node.owner, "nobody");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "owner only (mode 600, owner outside of this user namespace)",
                  "on the host");
    obstacle_never_offers("usermod");
}
END_TEST

START_TEST(where_the_mode_allows_it_is_not_the_reason)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.process.gid = 108;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "although its mode allows it", "sandbox");
    ck_assert_ptr_nonnull(strstr(obstacle_told.reason, "Landlock"));
    obstacle_never_offers("--device");
    snprintf(scene.process.label, sizeof scene.process.label, "docker-default (enforce)");
    obstacle_explain("{" DOCKER "}", &scene, EACCES);
    obstacle_says("no-permission", "AppArmor profile docker-default", "apparmor=unconfined");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "AppArmor profile docker-default", "apparmor_parser");
    snprintf(scene.process.label, sizeof scene.process.label, "docker-default (complain)");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "Landlock", "sandbox");
    snprintf(scene.process.label, sizeof scene.process.label, "system_u:system_r:container_t:s0:c1,c2");
    scene.process.enforcing = true;
    obstacle_explain("{" DOCKER "}", &scene, EACCES);
    obstacle_says("no-permission", "SELinux", "container_use_devices");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "container_t", "ausearch");
    scene = scene_usual();
    scene.process = (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES};
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "although its mode allows it", "sandbox");
    scene.node.nodev = true;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "nodev", "remount");
    scene.node.nodev = false;
    scene.process.capabilities = 0;
    scene.node.mode = S_IFCHR | 0660;
    scene.node.uid = 5;
    obstacle_explain("{" DOCKER "}", &scene, EACCES);
    obstacle_says("no-permission", "CAP_DAC_OVERRIDE", "--cap-add DAC_OVERRIDE");
}
END_TEST

START_TEST(eperm_is_never_the_mode)
{
    struct vt_kvm_scene scene = scene_usual();
    scene.node.mode = S_IFCHR | 0600;
    obstacle_explain("{" DOCKER "}", &scene, EPERM);
    obstacle_says("no-permission", "device rules of this container", "--device /dev/kvm");
    obstacle_explain("{" HOST "}", &scene, EPERM);
    obstacle_says("no-permission", "device rules of this cgroup", "DeviceAllow=/dev/kvm rw");
    scene.process.filtered = true;
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    obstacle_explain("{" HOST "}", &scene, EPERM);
    obstacle_says("no-permission", "seccomp", "DeviceAllow=/dev/kvm rw into the unit runner.service");
    /* snapd has both an AppArmor profile and a cgroup for each. */
    snprintf(scene.process.label, sizeof scene.process.label, "snap.qemu-run.app (enforce)");
    obstacle_explain("{" HOST "}", &scene, EPERM);
    obstacle_says("no-permission", "device rules of the snap qemu-run", "sudo snap connect qemu-run:kvm");
    obstacle_never_offers("DeviceAllow");
    scene.process.label[0] = '\0';
    scene.process.of_user = true;
    obstacle_explain("{" HOST "}", &scene, EPERM);
    obstacle_says("no-permission", "seccomp", "DeviceAllow");
    scene.node.immutable = true;
    obstacle_explain("{" HOST "}", &scene, EPERM);
    obstacle_says("no-permission", "immutable", "chattr");
}
END_TEST

/* acl(5), "ACCESS CHECK ALGORITHM" */
START_TEST(an_access_control_list_is_followed)
{
    static const struct {
        struct vt_acl_entry entries[6];
        enum vt_access_class class;
        unsigned bits;
    } rows[] = {
        {{{VT_ACL_OWNING_GROUP, 6, 0}, {VT_ACL_USER, 6, 1000}, {VT_ACL_MASK, 6, 0}}, VT_ACCESS_NAMED, 6},
        {{{VT_ACL_OWNING_GROUP, 6, 0}, {VT_ACL_USER, 6, 1000}, {VT_ACL_MASK, 4, 0}}, VT_ACCESS_NAMED, 4},
        {{{VT_ACL_OWNING_GROUP, 0, 0}, {VT_ACL_USER, 6, 1001}, {VT_ACL_MASK, 6, 0}}, VT_ACCESS_GROUP, 0},
        {{{VT_ACL_OWNING_GROUP, 0, 0}, {VT_ACL_GROUP, 6, 1000}, {VT_ACL_MASK, 6, 0}}, VT_ACCESS_GROUP, 6},
        {{{VT_ACL_OWNING_GROUP, 4, 0}, {VT_ACL_GROUP, 6, 7}, {VT_ACL_MASK, 6, 0}}, VT_ACCESS_GROUP, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_kvm_scene scene = scene_usual();
        unsigned bits;
        memcpy(scene.node.acl, rows[i].entries, sizeof rows[i].entries);
        scene.node.acl_count = 3;
        scene.process.groups[scene.process.group_count++] = 108;
        ck_assert_int_eq(vt_kvm_access(&scene.node, &scene.process, &bits), rows[i].class);
        ck_assert_uint_eq(bits, rows[i].bits);
    }
    struct vt_kvm_scene scene = scene_usual();
    scene.node.acl[0] = (struct vt_acl_entry){VT_ACL_USER, 4, 1000};
    scene.node.acl_count = 1;
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "access control list of /dev/kvm lets alice only read", "setfacl");
}
END_TEST

START_TEST(the_attribute_is_read_with_care)
{
    static const unsigned char list[] = {2,   0,   0, 0, 1, 0, 6,    0, 255, 255,
                                         255, 255, 2, 0, 4, 0, 0xe8, 3, 0,   0};
    struct vt_acl_entry entries[VT_ACL_ENTRIES];
    unsigned char many[4 + 8 * (VT_ACL_ENTRIES + 1)] = {2};
    ck_assert_uint_eq(vt_kvm_node_acl(list, sizeof list, entries), 2);
    ck_assert_uint_eq(entries[1].tag, VT_ACL_USER);
    ck_assert_uint_eq(entries[1].bits, 4);
    ck_assert_uint_eq(entries[1].id, 1000);
    ck_assert_uint_eq(vt_kvm_node_acl(list, sizeof list - 1, entries), 0);
    ck_assert_uint_eq(vt_kvm_node_acl(list, 3, entries), 0);
    ck_assert_uint_eq(vt_kvm_node_acl(list, 0, entries), 0);
    ck_assert_uint_eq(vt_kvm_node_acl(many, sizeof many, entries), 0);
}
END_TEST

VT_SUITE(each_class_of_the_mode_has_its_fix, a_group_is_offered_only_to_whom_it_helps,
         a_unit_gets_its_groups_from_its_manager, names_that_come_from_elsewhere_are_not_for_usermod,
         a_list_may_close_the_group, root_has_no_use_for_sudo_where_there_is_none,
         root_of_a_user_namespace_is_nobody_outside, where_the_mode_allows_it_is_not_the_reason,
         eperm_is_never_the_mode, an_access_control_list_is_followed, the_attribute_is_read_with_care)

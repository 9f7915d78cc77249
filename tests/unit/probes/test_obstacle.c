/* Why KVM cannot be used: each cause is told from the others, and has a fix that can work there. */
#include "probes/kvm/access.h"
#include "probes/kvm/device.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct vt_obstacle obstacle;

static void says(const char *code, const char *reason, const char *fix)
{
    ck_assert_str_eq(obstacle.code, code);
    ck_assert_msg(strstr(obstacle.reason, reason), "no '%s' in: %s", reason, obstacle.reason);
    ck_assert_msg(strstr(obstacle.fix, fix), "no '%s' in: %s", fix, obstacle.fix);
}

static void never_offers(const char *fix)
{
    ck_assert_msg(!strstr(obstacle.fix, fix), "'%s' in: %s", fix, obstacle.fix);
}

/* A person at a usual Linux, /dev/kvm as udev makes it, KVM in the kernel; rows change what they are about.
 */
static struct vt_kvm_scene usual(void)
{
    return (struct vt_kvm_scene){
        .node = {.mode = S_IFCHR | 0660,
                 .gid = 108,
                 .major = 10,
                 .minor = 232,
                 .owner = "root",
                 .group = "kvm",
                 .has_kvm_group = true},
        .process = {.uid = 1000, .gid = 1000, .user = "alice", .label = "unconfined"},
        .module = {.name = "kvm_intel",
                   .registered = VT_YES,
                   .minor = 232,
                   .loaded = true,
                   .state = VT_MODULE_THERE},
    };
}

static void explain(const char *facts, const struct vt_kvm_scene *scene, int number)
{
    json_t *document = json_loads(facts, 0, NULL);
    ck_assert_ptr_nonnull(document);
    vt_kvm_explain_open(document, scene, number, &obstacle);
    json_decref(document);
}

#define INTEL(enabled) "\"vt_x\": {\"supported\": true, \"enabled\": " enabled "}"
#define HOST           "\"system\": {\"contained\": false}"
#define DOCKER         "\"system\": {\"contained\": true, \"container\": \"docker\"}"
#define IN(manager)    "{\"system\": {\"contained\": true, \"container\": \"" manager "\"}}"
#define VMWARE         "\"hypervisor\": {\"present\": true, \"vendor\": \"VMware\"}"

/* No device and no KVM in the kernel. */
static struct vt_kvm_scene without(enum vt_module_state state)
{
    struct vt_kvm_scene scene = usual();
    scene.node = (struct vt_kvm_node){.number = ENOENT, .has_kvm_group = true};
    scene.module.registered = VT_NO;
    scene.module.loaded = false;
    scene.module.state = state;
    return scene;
}

START_TEST(the_processor_is_judged_before_the_container)
{
    static const char *const places[] = {HOST, DOCKER};
    for (size_t i = 0; i < 2; i++) {
        struct vt_kvm_scene scene = without(VT_MODULE_UNSEEN);
        char facts[256];
        scene.module.loaded = true; /* a folder in /sys/module is no proof */
        snprintf(facts, sizeof facts, "{%s, \"hypervisor\": {\"present\": false}}", places[i]);
        explain(facts, &scene, ENOENT);
        says("not-supported", "neither VT-x nor AMD-V", "another machine");
        never_offers("modprobe");
        snprintf(facts, sizeof facts, "{%s, " VMWARE "}", places[i]);
        explain(facts, &scene, ENOENT);
        says("hidden-by-hypervisor", "(VMware) does not pass", "nested virtualization");
        snprintf(facts, sizeof facts, "{%s, " INTEL("false") "}", places[i]);
        explain(facts, &scene, ENOENT);
        says("firmware-disabled", "firmware switched", "Intel Virtualization Technology");
        never_offers("--device");
    }
}
END_TEST

START_TEST(the_device_is_missing_though_kvm_runs)
{
    struct vt_kvm_scene scene = without(VT_MODULE_UNSEEN);
    scene.module.registered = VT_YES;
    explain("{" DOCKER "}", &scene, ENOENT);
    says("no-device", "this docker container has no /dev/kvm", "--device /dev/kvm");
    explain("{" HOST "}", &scene, ENOENT);
    says("no-device", "no /dev/kvm in this file system", "mknod -m 660 /dev/kvm c 10 232");
    never_offers("container");
    scene.process.chrooted = true;
    explain("{" HOST "}", &scene, ENOENT);
    says("no-device", "chroot", "mknod");
    scene.node.nodev = true;
    explain("{" HOST "}", &scene, ENOENT);
    says("no-device", "chroot", "mount");
    never_offers("mknod");
    scene = without(VT_MODULE_UNSEEN);
    scene.module.registered = VT_YES;
    scene.process.namespaced = true;
    explain("{" HOST "}", &scene, ENOENT);
    never_offers("mknod");
    scene.process.namespaced = false;
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    explain("{" HOST "}", &scene, ENOENT);
    says("no-device", "/dev/kvm", "PrivateDevices=no into it");
}
END_TEST

START_TEST(a_module_is_offered_only_where_it_can_load)
{
    static const struct {
        enum vt_module_state state;
        const char *code, *reason, *fix;
        bool loads;
    } rows[] = {
        {VT_MODULE_THERE, "module-not-loaded", "kvm_intel is not loaded", "sudo modprobe kvm_intel", true},
        {VT_MODULE_REPLACED, "modules-gone", "upgraded", "restart", false},
        {VT_MODULE_LOST, "modules-gone", "file is gone", "again", false},
        {VT_MODULE_ABSENT, "kernel-without-kvm", "without kvm_intel", "install a kernel", false},
        {VT_MODULE_NO_LOADER, "kernel-without-kvm", "loads no modules", "install a kernel", false},
        {VT_MODULE_SANDBOX, "kernel-without-kvm", "gVisor", "outside of gVisor", false},
        {VT_MODULE_BUILT_IN, "not-started", "did not start", "dmesg", false},
        {VT_MODULE_UNSEEN, "module-not-loaded", "cannot be seen", "bring in the modules", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_kvm_scene scene = without(rows[i].state);
        scene.module.player = "gVisor";
        scene.module.instead = "run it outside of gVisor";
        explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
        says(rows[i].code, rows[i].reason, rows[i].fix);
        ck_assert_ptr_nonnull(strstr(obstacle.reason, "there is no /dev/kvm"));
        if (!rows[i].loads)
            never_offers("modprobe");
        /* The node that udev makes ahead answers ENODEV, and the cause is the same. */
        scene.node = usual().node;
        explain("{" HOST ", " INTEL("true") "}", &scene, ENODEV);
        says(rows[i].code, "nothing answers", rows[i].fix);
    }
}
END_TEST

START_TEST(a_sandbox_without_proc_misc_is_not_told_to_mount_proc)
{
    struct vt_kvm_scene scene = without(VT_MODULE_SANDBOX);
    scene.module.registered = VT_UNKNOWN;
    scene.module.player = "gVisor";
    scene.module.instead = "run it outside of gVisor";
    explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    says("kernel-without-kvm", "this is gVisor", "outside");
    never_offers("mount");
}
END_TEST

START_TEST(a_module_is_loaded_by_who_can)
{
    struct vt_kvm_scene scene = without(VT_MODULE_THERE);
    explain("{" DOCKER ", " INTEL("true") "}", &scene, ENOENT);
    says("module-not-loaded", "kvm_intel",
         "on the host: sudo modprobe kvm_intel; then start the container with");
    scene.process.namespaced = true;
    explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    says("module-not-loaded", "kvm_intel", "outside this user namespace: sudo modprobe");
    scene = without(VT_MODULE_THERE);
    snprintf(scene.module.blocked, sizeof scene.module.blocked, "modules_disabled is 1");
    snprintf(scene.module.unblock, sizeof scene.module.unblock, "restart");
    explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    says("module-blocked", "modules_disabled", "restart");
    never_offers("modprobe");
    snprintf(scene.module.unblock, sizeof scene.module.unblock, "remove the line");
    explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    says("module-blocked", "kvm_intel", "remove the line, then sudo modprobe kvm_intel");
    scene = without(VT_MODULE_THERE);
    scene.module.loaded = true;
    explain("{" HOST ", " INTEL("null") "}", &scene, ENOENT);
    says("not-started", "/proc/misc does not list it", "dmesg");
    scene.module.registered = VT_UNKNOWN;
    explain("{" HOST ", " INTEL("null") "}", &scene, ENOENT);
    says("unknown", "/proc/misc cannot be read", "mount -t proc");
}
END_TEST

START_TEST(what_stands_in_the_place_is_named)
{
    static const struct {
        mode_t mode;
        const char *reason, *fix;
    } rows[] = {{S_IFDIR | 0755, "a directory", "rmdir /dev/kvm && sudo mknod"},
                {S_IFREG | 0644, "a plain file", "rm /dev/kvm && sudo mknod"},
                {S_IFIFO | 0644, "a pipe", "rm /dev/kvm"},
                {S_IFSOCK | 0644, "a socket", "rm /dev/kvm"},
                {S_IFBLK | 0660, "a block device", "rm /dev/kvm"},
                {S_IFCHR | 0666, "its number is 1:3, KVM's is 10:232", "rm /dev/kvm"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_kvm_scene scene = usual();
        scene.process.capabilities = UINT64_C(1) << CAP_MKNOD;
        scene.node.mode = rows[i].mode;
        scene.node.major = 1;
        scene.node.minor = 3;
        explain("{" HOST "}", &scene, EISDIR);
        says("not-kvm", rows[i].reason, rows[i].fix);
        explain("{" HOST "}", &scene, ENODEV);
        says("not-kvm", rows[i].reason, rows[i].fix);
        scene.node.mounted = true;
        explain("{" HOST "}", &scene, ENXIO);
        says("not-kvm", rows[i].reason, "umount /dev/kvm");
        explain("{" DOCKER "}", &scene, EACCES);
        says("not-kvm", rows[i].reason, "look on the host");
        never_offers("rm ");
        scene.node.mounted = false;
        scene.module.registered = VT_NO;
        explain("{" HOST ", \"hypervisor\": {\"present\": false}}", &scene, ENOTTY);
        says("not-kvm", rows[i].reason, "KVM itself is missing too");
        never_offers("mknod");
    }
    struct vt_kvm_scene scene = usual();
    scene.node = (struct vt_kvm_node){.number = ENOENT, .target = "/dev/gone"};
    explain("{" HOST "}", &scene, ENOENT);
    says("no-device", "symbolic link to /dev/gone", "rm /dev/kvm && sudo mknod");
    scene.node = (struct vt_kvm_node){.number = EACCES};
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "/dev cannot be looked into", "chmod 755 /dev");
}
END_TEST

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
        struct vt_kvm_scene scene = usual();
        scene.node.mode = S_IFCHR | rows[i].mode;
        scene.node.uid = rows[i].owner;
        scene.process.uid = rows[i].uid;
        scene.process.gid = rows[i].gid;
        explain("{" HOST "}", &scene, EACCES);
        says("no-permission", rows[i].reason, rows[i].fix);
        if (rows[i].gid == 108)
            never_offers("usermod");
    }
}
END_TEST

START_TEST(a_group_is_offered_only_to_whom_it_helps)
{
    struct vt_kvm_scene scene = usual();
    scene.node.lists_user = true;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "after this session began", "log in again");
    never_offers("usermod");
    scene = usual();
    scene.node.group[0] = '\0';
    explain("{" DOCKER "}", &scene, EACCES);
    says("no-permission", "108, which has no name", "--group-add 108");
    never_offers("usermod");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "no name", "chgrp kvm");
    scene.node.has_kvm_group = false;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "no name", "groupadd -g 108 kvm && sudo usermod -aG kvm alice");
    scene = usual();
    explain("{" DOCKER "}", &scene, EACCES);
    says("no-permission", "for the group kvm", "--group-add 108");
    scene.process.user[0] = '\0';
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "user 1000, who has no name", "setpriv");
    never_offers("usermod");
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "kvm", "SupplementaryGroups=kvm into the unit runner.service");
    scene = usual();
    scene.node.gid = 0;
    snprintf(scene.node.group, sizeof scene.node.group, "root");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "for the group root", "chgrp kvm");
    never_offers("-aG root");
}
END_TEST

/* Units of a person's own manager have its groups, whatever they ask for. */
START_TEST(a_unit_gets_its_groups_from_its_manager)
{
    struct vt_kvm_scene scene = usual();
    snprintf(scene.process.service, sizeof scene.process.service, "foot-server.service");
    scene.process.of_user = true;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "alice is not in it",
         "sudo usermod -aG kvm alice, then sudo systemctl restart user@1000");
    never_offers("SupplementaryGroups");
    scene.node.lists_user = true;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "after its service manager began", "sudo systemctl restart user@1000.service");
    never_offers("usermod");
    scene.process.of_user = false;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "after this service began", "sudo systemctl restart foot-server.service");
    never_offers("log in");
}
END_TEST

/* usermod(8) changes /etc/passwd and /etc/group alone. */
START_TEST(names_that_come_from_elsewhere_are_not_for_usermod)
{
    struct vt_kvm_scene scene = usual();
    scene.process.listed_elsewhere = true;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "alice is not in it", "sudo gpasswd -a alice kvm, then log in again");
    never_offers("usermod");
    scene = usual();
    scene.node.group_place = VT_GROUP_IN_USR;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "alice is not in it",
         "getent group kvm | sudo tee -a /etc/group && sudo usermod -aG kvm alice, then log in again");
    scene.node.group_place = VT_GROUP_ELSEWHERE;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "alice is not in it",
         "have alice entered into the group kvm where it is kept, which is not");
    never_offers("usermod");
}
END_TEST

START_TEST(a_sandbox_has_the_users_of_its_host)
{
    static const char *const kinds[] = {IN("flatpak"), IN("bubblewrap"), IN("apptainer"), IN("firejail")};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vt_kvm_scene scene = usual();
        explain(kinds[i], &scene, EACCES);
        says("no-permission", "for the group kvm", "on the host: sudo usermod -aG kvm alice");
        scene.node.group[0] = '\0';
        explain(kinds[i], &scene, EACCES);
        says("no-permission", "no name", "on the host: sudo ");
        never_offers("--group-add");
    }
}
END_TEST

/* Its mode shows the mask where others would have the group's bits. */
START_TEST(a_list_may_close_the_group)
{
    struct vt_kvm_scene scene = usual();
    scene.node.acl[0] = (struct vt_acl_entry){VT_ACL_OWNING_GROUP, 0, 0};
    scene.node.acl[1] = (struct vt_acl_entry){VT_ACL_USER, 6, 1001};
    scene.node.acl[2] = (struct vt_acl_entry){VT_ACL_MASK, 6, 0};
    scene.node.acl_count = 3;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "access control list of /dev/kvm names neither alice nor a group of alice",
         "sudo setfacl -m u:1000:rw,m::rw /dev/kvm");
    never_offers("usermod");
    scene.node.acl[0].bits = 6;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "for the group kvm", "usermod -aG kvm alice");
}
END_TEST

START_TEST(root_has_no_use_for_sudo_where_there_is_none)
{
    struct vt_kvm_scene scene = without(VT_MODULE_THERE);
    scene.process =
        (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES, .without_sudo = true};
    explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    ck_assert_str_eq(obstacle.fix, "modprobe kvm_intel");
    explain("{" DOCKER ", " INTEL("true") "}", &scene, ENOENT);
    says("module-not-loaded", "kvm_intel", "on the host: sudo modprobe kvm_intel; then start the container");
    scene = usual();
    scene.node.mode = S_IFDIR | 0755;
    scene.process =
        (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES, .without_sudo = true};
    explain("{" HOST "}", &scene, EISDIR);
    says("not-kvm", "a directory", "rmdir /dev/kvm && mknod");
    never_offers("sudo");
    scene.process.uid = 1000;
    explain("{" HOST "}", &scene, EISDIR);
    says("not-kvm", "a directory", "sudo rmdir");
}
END_TEST

START_TEST(root_of_a_user_namespace_is_nobody_outside)
{
    struct vt_kvm_scene scene = usual();
    scene.process = (struct vt_process){.namespaced = true,
                                        .user = "root",
                                        .capabilities = ALL_CAPABILITIES,
                                        .groups = {65534},
                                        .group_count = 0};
    scene.node.uid = scene.node.gid = VT_UNMAPPED_ID;
    snprintf(scene.node.group, sizeof scene.node.group, "nogroup");
    for (int count = 0; count < 2; count++) {
        scene.process.group_count = count; /* a kept group looks like any other from here */
        explain("{\"system\": {\"contained\": true, \"container\": \"podman\"}}", &scene, EACCES);
        says("no-permission", "neither exists in this user namespace", "--group-add keep-groups");
        never_offers("usermod");
        explain("{" HOST "}", &scene, EACCES);
        says("no-permission", "user namespace", "keep-groups");
        never_offers("usermod");
    }
    scene.node.mode = S_IFCHR | 0600;
    snprintf(scene.node.owner, sizeof scene.node.owner, "nobody");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "owner only (mode 600, owner outside of this user namespace)", "on the host");
    never_offers("usermod");
}
END_TEST

START_TEST(where_the_mode_allows_it_is_not_the_reason)
{
    struct vt_kvm_scene scene = usual();
    scene.process.gid = 108;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "although its mode allows it", "sandbox");
    ck_assert_ptr_nonnull(strstr(obstacle.reason, "Landlock"));
    never_offers("--device");
    snprintf(scene.process.label, sizeof scene.process.label, "docker-default (enforce)");
    explain("{" DOCKER "}", &scene, EACCES);
    says("no-permission", "AppArmor profile docker-default", "apparmor=unconfined");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "AppArmor profile docker-default", "apparmor_parser");
    snprintf(scene.process.label, sizeof scene.process.label, "docker-default (complain)");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "Landlock", "sandbox");
    snprintf(scene.process.label, sizeof scene.process.label, "system_u:system_r:container_t:s0:c1,c2");
    scene.process.enforcing = true;
    explain("{" DOCKER "}", &scene, EACCES);
    says("no-permission", "SELinux", "container_use_devices");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "container_t", "ausearch");
    scene = usual();
    scene.process = (struct vt_process){.user = "root", .capabilities = ALL_CAPABILITIES};
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "although its mode allows it", "sandbox");
    scene.node.nodev = true;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "nodev", "remount");
    scene.node.nodev = false;
    scene.process.capabilities = 0;
    scene.node.mode = S_IFCHR | 0660;
    scene.node.uid = 5;
    explain("{" DOCKER "}", &scene, EACCES);
    says("no-permission", "CAP_DAC_OVERRIDE", "--cap-add DAC_OVERRIDE");
}
END_TEST

START_TEST(eperm_is_never_the_mode)
{
    struct vt_kvm_scene scene = usual();
    scene.node.mode = S_IFCHR | 0600;
    explain("{" DOCKER "}", &scene, EPERM);
    says("no-permission", "device rules of this container", "--device /dev/kvm");
    explain("{" HOST "}", &scene, EPERM);
    says("no-permission", "device rules of this cgroup", "DeviceAllow=/dev/kvm rw");
    scene.process.filtered = true;
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    explain("{" HOST "}", &scene, EPERM);
    says("no-permission", "seccomp", "DeviceAllow=/dev/kvm rw into the unit runner.service");
    /* snapd has both an AppArmor profile and a cgroup for each. */
    snprintf(scene.process.label, sizeof scene.process.label, "snap.qemu-run.app (enforce)");
    explain("{" HOST "}", &scene, EPERM);
    says("no-permission", "device rules of the snap qemu-run", "sudo snap connect qemu-run:kvm");
    never_offers("DeviceAllow");
    scene.process.label[0] = '\0';
    scene.process.of_user = true;
    explain("{" HOST "}", &scene, EPERM);
    says("no-permission", "seccomp", "DeviceAllow");
    scene.node.immutable = true;
    explain("{" HOST "}", &scene, EPERM);
    says("no-permission", "immutable", "chattr");
}
END_TEST

/* Docker's options mean nothing to other managers. */
START_TEST(each_container_manager_is_told_in_its_own_words)
{
    static const struct {
        const char *kind, *device, *unmapped, *apparmor;
    } rows[] = {
        {IN("docker"), "--device /dev/kvm", "keep-groups", "apparmor=unconfined"},
        {IN("podman"), "--device /dev/kvm", "keep-groups", "apparmor=unconfined"},
        {IN("boxes"), "--device /dev/kvm", "keep-groups", "apparmor=unconfined"},
        {IN("lxc"), "lxc.mount.entry", "setfacl", "lxc.apparmor.profile"},
        {IN("lxd"), "lxc config device add", "mode=0666", "lxc config set"},
        {IN("incus"), "incus config device add", "mode=0666", "incus config set"},
        {IN("systemd-nspawn"), "--bind=/dev/kvm", "setfacl", "allow /dev/kvm rw"},
        {IN("kubernetes"), "device plugin", "hostUsers", "appArmorProfile"},
        {IN("cri-o"), "device plugin", "hostUsers", "appArmorProfile"},
        {IN("flatpak"), "--device=kvm", "outside", "allow /dev/kvm rw"},
        {IN("openvz"), "--devnodes kvm:rw", "setfacl", "allow /dev/kvm rw"},
        {IN("bubblewrap"), "--dev-bind /dev/kvm /dev/kvm", "outside", "allow /dev/kvm rw"},
        {IN("apptainer"), "without --contain", "outside", "allow /dev/kvm rw"},
        {IN("firejail"), "--ignore=private-dev", "outside", "--ignore=apparmor"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_kvm_scene scene = without(VT_MODULE_UNSEEN);
        scene.module.registered = VT_YES;
        explain(rows[i].kind, &scene, ENOENT);
        says("no-device", "has no /dev/kvm", rows[i].device);
        scene = usual();
        explain(rows[i].kind, &scene, EPERM);
        says("no-permission", "device rules of this container", rows[i].device);
        ck_assert_msg(i < 3 || !strstr(obstacle.fix, "--device /dev/kvm"), "%s", obstacle.fix);
        scene.node.mode = S_IFDIR | 0755;
        explain(rows[i].kind, &scene, EISDIR);
        says("not-kvm", "a directory", rows[i].device);
        scene = usual();
        scene.process.gid = 108;
        snprintf(scene.process.label, sizeof scene.process.label, "profile (enforce)");
        explain(rows[i].kind, &scene, EACCES);
        says("no-permission", "AppArmor", rows[i].apparmor);
        scene = usual();
        scene.process.namespaced = true;
        scene.node.uid = scene.node.gid = VT_UNMAPPED_ID;
        explain(rows[i].kind, &scene, EACCES);
        says("no-permission", "neither exists in this user namespace", rows[i].unmapped);
    }
}
END_TEST

START_TEST(a_system_container_has_groups_of_its_own)
{
    static const char *const kinds[] = {IN("lxc"), IN("lxd"), IN("incus"), IN("systemd-nspawn")};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vt_kvm_scene scene = usual();
        explain(kinds[i], &scene, EACCES);
        says("no-permission", "for the group kvm", "usermod -aG kvm alice");
        scene.node.group[0] = '\0';
        explain(kinds[i], &scene, EACCES);
        says("no-permission", "no name", "groupadd -g 108 hostkvm && sudo usermod -aG hostkvm alice");
        never_offers("--group-add");
        never_offers("chgrp");
    }
    struct vt_kvm_scene scene = usual();
    explain(IN("kubernetes"), &scene, EACCES);
    says("no-permission", "for the group kvm", "supplementalGroups: [108]");
    scene.process.gid = 108;
    snprintf(scene.process.label, sizeof scene.process.label, "snap.qemu-run.app (enforce)");
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "AppArmor profile snap.qemu-run.app", "sudo snap connect qemu-run:kvm");
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
        struct vt_kvm_scene scene = usual();
        unsigned bits;
        memcpy(scene.node.acl, rows[i].entries, sizeof rows[i].entries);
        scene.node.acl_count = 3;
        scene.process.groups[scene.process.group_count++] = 108;
        ck_assert_int_eq(vt_kvm_access(&scene.node, &scene.process, &bits), rows[i].class);
        ck_assert_uint_eq(bits, rows[i].bits);
    }
    struct vt_kvm_scene scene = usual();
    scene.node.acl[0] = (struct vt_acl_entry){VT_ACL_USER, 4, 1000};
    scene.node.acl_count = 1;
    explain("{" HOST "}", &scene, EACCES);
    says("no-permission", "access control list of /dev/kvm lets alice only read", "setfacl");
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

START_TEST(other_errnos_keep_their_names)
{
    struct vt_kvm_scene scene = usual();
    explain("{" HOST "}", &scene, EMFILE);
    says("no-files", "opening /dev/kvm", "ulimit -n");
    explain("{" HOST "}", &scene, ENODEV);
    says("no-driver", "loaded or unloaded", "again");
    explain("{" HOST "}", &scene, EINTR);
    says("broken", "EINTR", "dmesg");
}
END_TEST

START_TEST(a_service_is_found_in_its_cgroup)
{
    static const struct {
        const char *line, *service;
        bool of_user;
    } rows[] = {
        {"0::/system.slice/ci-runner.service\n", "ci-runner.service", false},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/foot.service\n", "foot.service", true},
        {"1:name=systemd:/system.slice/ci-runner.service", "ci-runner.service", false},
        {"0::/user.slice/user-1000.slice/session-2.scope\n", "", false},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-term.scope\n", "", true},
        {"0::/user.slice/user-1000.slice/user@1000.service\n", "", true},
        {"0::/\n", "", false},
        {"", "", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_process process = {0};
        vt_process_service(rows[i].line, &process);
        ck_assert_str_eq(process.service, rows[i].service);
        ck_assert_int_eq(process.of_user, rows[i].of_user);
    }
}
END_TEST

VT_SUITE(the_processor_is_judged_before_the_container, the_device_is_missing_though_kvm_runs,
         a_module_is_offered_only_where_it_can_load, a_sandbox_without_proc_misc_is_not_told_to_mount_proc,
         a_module_is_loaded_by_who_can, what_stands_in_the_place_is_named, each_class_of_the_mode_has_its_fix,
         a_group_is_offered_only_to_whom_it_helps, a_unit_gets_its_groups_from_its_manager,
         names_that_come_from_elsewhere_are_not_for_usermod, a_sandbox_has_the_users_of_its_host,
         a_list_may_close_the_group, root_has_no_use_for_sudo_where_there_is_none,
         root_of_a_user_namespace_is_nobody_outside, where_the_mode_allows_it_is_not_the_reason,
         eperm_is_never_the_mode, each_container_manager_is_told_in_its_own_words,
         a_system_container_has_groups_of_its_own, an_access_control_list_is_followed,
         the_attribute_is_read_with_care, other_errnos_keep_their_names, a_service_is_found_in_its_cgroup)

/* Why KVM cannot be used: processor, device and module; each cause is told from the others, and has a fix
 * that can work there.
 */
#include "tests/unit/probes/obstacle.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VMWARE "\"hypervisor\": {\"present\": true, \"vendor\": \"VMware\"}"

START_TEST(the_processor_is_judged_before_the_container)
{
    static const char *const places[] = {HOST, DOCKER};
    for (size_t i = 0; i < 2; i++) {
        struct vt_kvm_scene scene = scene_without(VT_MODULE_UNSEEN);
        char facts[256];
        scene.module.loaded = true; /* a folder in /sys/module is no proof */
        snprintf(facts, sizeof facts, "{%s, \"hypervisor\": {\"present\": false}}", places[i]);
        obstacle_explain(facts, &scene, ENOENT);
        obstacle_says("not-supported", "neither VT-x nor AMD-V", "another machine");
        obstacle_never_offers("modprobe");
        snprintf(facts, sizeof facts, "{%s, " VMWARE "}", places[i]);
        obstacle_explain(facts, &scene, ENOENT);
        obstacle_says("hidden-by-hypervisor", "(VMware) does not pass", "nested virtualization");
        snprintf(facts, sizeof facts, "{%s, " INTEL("false") "}", places[i]);
        obstacle_explain(facts, &scene, ENOENT);
        obstacle_says("firmware-disabled", "firmware switched", "Intel Virtualization Technology");
        obstacle_never_offers("--device");
    }
}
END_TEST

START_TEST(the_device_is_missing_though_kvm_runs)
{
    struct vt_kvm_scene scene = scene_without(VT_MODULE_UNSEEN);
    scene.module.registered = VT_YES;
    obstacle_explain("{" DOCKER "}", &scene, ENOENT);
    obstacle_says("no-device", "this docker container has no /dev/kvm", "--device /dev/kvm");
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_says("no-device", "no /dev/kvm in this file system", "mknod -m 660 /dev/kvm c 10 232");
    obstacle_never_offers("container");
    scene.process.chrooted = true;
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_says("no-device", "chroot", "mknod");
    scene.node.nodev = true;
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_says("no-device", "chroot", "mount");
    obstacle_never_offers("mknod");
    scene = scene_without(VT_MODULE_UNSEEN);
    scene.module.registered = VT_YES;
    scene.process.namespaced = true;
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_never_offers("mknod");
    scene.process.namespaced = false;
    snprintf(scene.process.service, sizeof scene.process.service, "runner.service");
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_says("no-device", "/dev/kvm", "PrivateDevices=no into it");
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
        struct vt_kvm_scene scene = scene_without(rows[i].state);
        scene.module.player = "gVisor";
        scene.module.instead = "run it outside of gVisor";
        obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
        obstacle_says(rows[i].code, rows[i].reason, rows[i].fix);
        ck_assert_ptr_nonnull(strstr(obstacle_told.reason, "there is no /dev/kvm"));
        if (!rows[i].loads)
            obstacle_never_offers("modprobe");
        /* The node that udev makes ahead answers ENODEV, and the cause is the same. */
        scene.node = scene_usual().node;
        obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENODEV);
        obstacle_says(rows[i].code, "nothing answers", rows[i].fix);
    }
}
END_TEST

START_TEST(a_sandbox_without_proc_misc_is_not_told_to_mount_proc)
{
    struct vt_kvm_scene scene = scene_without(VT_MODULE_SANDBOX);
    scene.module.registered = VT_UNKNOWN;
    scene.module.player = "gVisor";
    scene.module.instead = "run it outside of gVisor";
    obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("kernel-without-kvm", "this is gVisor", "outside");
    obstacle_never_offers("mount");
}
END_TEST

START_TEST(a_module_is_loaded_by_who_can)
{
    struct vt_kvm_scene scene = scene_without(VT_MODULE_THERE);
    obstacle_explain("{" DOCKER ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("module-not-loaded", "kvm_intel",
                  "on the host: sudo modprobe kvm_intel; then start the container with");
    scene.process.namespaced = true;
    obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("module-not-loaded", "kvm_intel", "outside this user namespace: sudo modprobe");
    scene = scene_without(VT_MODULE_THERE);
    snprintf(scene.module.blocked, sizeof scene.module.blocked, "modules_disabled is 1");
    snprintf(scene.module.unblock, sizeof scene.module.unblock, "restart");
    obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("module-blocked", "modules_disabled", "restart");
    obstacle_never_offers("modprobe");
    snprintf(scene.module.unblock, sizeof scene.module.unblock, "remove the line");
    obstacle_explain("{" HOST ", " INTEL("true") "}", &scene, ENOENT);
    obstacle_says("module-blocked", "kvm_intel", "remove the line, then sudo modprobe kvm_intel");
    scene = scene_without(VT_MODULE_THERE);
    scene.module.loaded = true;
    obstacle_explain("{" HOST ", " INTEL("null") "}", &scene, ENOENT);
    obstacle_says("not-started", "/proc/misc does not list it", "dmesg");
    scene.module.registered = VT_UNKNOWN;
    obstacle_explain("{" HOST ", " INTEL("null") "}", &scene, ENOENT);
    obstacle_says("unknown", "/proc/misc cannot be read", "mount -t proc");
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
        struct vt_kvm_scene scene = scene_usual();
        scene.process.capabilities = UINT64_C(1) << CAP_MKNOD;
        scene.node.mode = rows[i].mode;
        scene.node.major = 1;
        scene.node.minor = 3;
        obstacle_explain("{" HOST "}", &scene, EISDIR);
        obstacle_says("not-kvm", rows[i].reason, rows[i].fix);
        obstacle_explain("{" HOST "}", &scene, ENODEV);
        obstacle_says("not-kvm", rows[i].reason, rows[i].fix);
        scene.node.mounted = true;
        obstacle_explain("{" HOST "}", &scene, ENXIO);
        obstacle_says("not-kvm", rows[i].reason, "umount /dev/kvm");
        obstacle_explain("{" DOCKER "}", &scene, EACCES);
        obstacle_says("not-kvm", rows[i].reason, "look on the host");
        obstacle_never_offers("rm ");
        scene.node.mounted = false;
        scene.module.registered = VT_NO;
        obstacle_explain("{" HOST ", \"hypervisor\": {\"present\": false}}", &scene, ENOTTY);
        obstacle_says("not-kvm", rows[i].reason, "KVM itself is missing too");
        obstacle_never_offers("mknod");
    }
    struct vt_kvm_scene scene = scene_usual();
    scene.node = (struct vt_kvm_node){.number = ENOENT, .target = "/dev/gone"};
    obstacle_explain("{" HOST "}", &scene, ENOENT);
    obstacle_says("no-device", "symbolic link to /dev/gone", "rm /dev/kvm && sudo mknod");
    scene.node = (struct vt_kvm_node){.number = EACCES};
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "/dev cannot be looked into", "chmod 755 /dev");
}
END_TEST

START_TEST(other_errnos_keep_their_names)
{
    struct vt_kvm_scene scene = scene_usual();
    obstacle_explain("{" HOST "}", &scene, EMFILE);
    obstacle_says("no-files", "opening /dev/kvm", "ulimit -n");
    obstacle_explain("{" HOST "}", &scene, ENODEV);
    obstacle_says("no-driver", "loaded or unloaded", "again");
    obstacle_explain("{" HOST "}", &scene, EINTR);
    obstacle_says("broken", "EINTR", "dmesg");
}
END_TEST

VT_SUITE(the_processor_is_judged_before_the_container, the_device_is_missing_though_kvm_runs,
         a_module_is_offered_only_where_it_can_load, a_sandbox_without_proc_misc_is_not_told_to_mount_proc,
         a_module_is_loaded_by_who_can, what_stands_in_the_place_is_named, other_errnos_keep_their_names)

/* Why KVM cannot be used in a container, a sandbox or a service: each manager in its own words. */
#include "tests/unit/probes/obstacle.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

START_TEST(a_sandbox_has_the_users_of_its_host)
{
    static const char *const kinds[] = {IN("flatpak"), IN("bubblewrap"), IN("apptainer"), IN("firejail")};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vt_kvm_scene scene = scene_usual();
        obstacle_explain(kinds[i], &scene, EACCES);
        obstacle_says("no-permission", "for the group kvm", "on the host: sudo usermod -aG kvm alice");
        scene.node.group[0] = '\0';
        obstacle_explain(kinds[i], &scene, EACCES);
        obstacle_says("no-permission", "no name", "on the host: sudo ");
        obstacle_never_offers("--group-add");
    }
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
        struct vt_kvm_scene scene = scene_without(VT_MODULE_UNSEEN);
        scene.module.registered = VT_YES;
        obstacle_explain(rows[i].kind, &scene, ENOENT);
        obstacle_says("no-device", "has no /dev/kvm", rows[i].device);
        scene = scene_usual();
        obstacle_explain(rows[i].kind, &scene, EPERM);
        obstacle_says("no-permission", "device rules of this container", rows[i].device);
        ck_assert_msg(i < 3 || !strstr(obstacle_told.fix, "--device /dev/kvm"), "%s", obstacle_told.fix);
        scene.node.mode = S_IFDIR | 0755;
        obstacle_explain(rows[i].kind, &scene, EISDIR);
        obstacle_says("not-kvm", "a directory", rows[i].device);
        scene = scene_usual();
        scene.process.gid = 108;
        snprintf(scene.process.label, sizeof scene.process.label, "profile (enforce)");
        obstacle_explain(rows[i].kind, &scene, EACCES);
        obstacle_says("no-permission", "AppArmor", rows[i].apparmor);
        scene = scene_usual();
        scene.process.namespaced = true;
        scene.node.uid = scene.node.gid = VT_UNMAPPED_ID;
        obstacle_explain(rows[i].kind, &scene, EACCES);
        obstacle_says("no-permission", "neither exists in this user namespace", rows[i].unmapped);
    }
}
END_TEST

START_TEST(a_system_container_has_groups_of_its_own)
{
    static const char *const kinds[] = {IN("lxc"), IN("lxd"), IN("incus"), IN("systemd-nspawn")};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vt_kvm_scene scene = scene_usual();
        obstacle_explain(kinds[i], &scene, EACCES);
        obstacle_says("no-permission", "for the group kvm", "usermod -aG kvm alice");
        scene.node.group[0] = '\0';
        obstacle_explain(kinds[i], &scene, EACCES);
        obstacle_says("no-permission", "no name",
                      "groupadd -g 108 hostkvm && sudo usermod -aG hostkvm alice");
        obstacle_never_offers("--group-add");
        obstacle_never_offers("chgrp");
    }
    struct vt_kvm_scene scene = scene_usual();
    obstacle_explain(IN("kubernetes"), &scene, EACCES);
    obstacle_says("no-permission", "for the group kvm", "supplementalGroups: [108]");
    scene.process.gid = 108;
    snprintf(scene.process.label, sizeof scene.process.label, "snap.qemu-run.app (enforce)");
    obstacle_explain("{" HOST "}", &scene, EACCES);
    obstacle_says("no-permission", "AppArmor profile snap.qemu-run.app", "sudo snap connect qemu-run:kvm");
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

VT_SUITE(a_sandbox_has_the_users_of_its_host, each_container_manager_is_told_in_its_own_words,
         a_system_container_has_groups_of_its_own, a_service_is_found_in_its_cgroup)

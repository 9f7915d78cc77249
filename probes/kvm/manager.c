#include "probes/kvm/manager.h"

#include <stdio.h>
#include <string.h>

#define MAPPED                                                                                               \
    "on the host: sudo setfacl -m u:UID:rw /dev/kvm, UID being what this user is outside "                   \
    "(/proc/self/uid_map)"
#define SELINUX "on the host: sudo setsebool -P container_use_devices 1"
#define OUTSIDE "let the user be in the device's group outside of it"
#define PROFILE "let the profile allow /dev/kvm rw"

/* Docker's own options, which podman, nerdctl and most others take; it stands for who is not known. */
static const struct vt_manager usual = {
    .device = "start the container with --device /dev/kvm",
    .group = "start the container with --group-add %u",
    .unmapped = "let the host's user be in the device's group, and start the container with --group-add "
                "keep-groups (podman with crun)",
    .apparmor = "start the container with --security-opt apparmor=unconfined, or " PROFILE,
    .selinux = SELINUX ", or start the container with --security-opt label=disable",
    .capability = "start the container with --cap-add DAC_OVERRIDE",
};

#define LXC(name)                                                                                            \
    {                                                                                                        \
        .kind = (name),                                                                                      \
        .device = "put lxc.cgroup2.devices.allow = c 10:232 rwm and lxc.mount.entry = /dev/kvm dev/kvm "     \
                  "none bind,create=file into the container's configuration, and restart it",                \
        .unmapped = MAPPED,                                                                                  \
        .apparmor = "put lxc.apparmor.profile = unconfined into the container's configuration, or " PROFILE, \
        .selinux = SELINUX,                                                                                  \
        .capability = "take dac_override out of lxc.cap.drop in the container's configuration",              \
    }
#define INCUS(name, command)                                                                                 \
    {                                                                                                        \
        .kind = (name),                                                                                      \
        .device = "on the host: " command " config device add NAME kvm unix-char source=/dev/kvm",           \
        .unmapped =                                                                                          \
            "on the host: " command " config device add NAME kvm unix-char source=/dev/kvm mode=0666",       \
        .apparmor = "on the host: " command " config set NAME raw.lxc lxc.apparmor.profile=unconfined",      \
        .selinux = SELINUX, .capability = "on the host: take dac_override out of lxc.cap.drop (raw.lxc)",    \
    }
#define KUBERNETES(name)                                                                                     \
    {                                                                                                        \
        .kind = (name),                                                                                      \
        .device = "let the pod ask a device plugin for it (KubeVirt's: resources.limits, "                   \
                  "devices.kubevirt.io/kvm: 1), or give it a hostPath volume of /dev/kvm and "               \
                  "securityContext.privileged: true",                                                        \
        .group = "put supplementalGroups: [%u] into the pod's securityContext",                              \
        .unmapped = "set hostUsers: true for the pod, or " MAPPED,                                           \
        .apparmor = "set the pod's securityContext.appArmorProfile.type: Unconfined, or " PROFILE,           \
        .selinux = SELINUX ", or set the pod's securityContext.seLinuxOptions.type: spc_t",                  \
        .capability = "add DAC_OVERRIDE to the pod's securityContext.capabilities.add",                      \
    }

static const struct vt_manager managers[] = {
    LXC("lxc"),
    LXC("lxc-libvirt"),
    INCUS("lxd", "lxc"),
    INCUS("incus", "incus"),
    KUBERNETES("kubernetes"),
    KUBERNETES("cri-o"),
    {
        .kind = "systemd-nspawn",
        .device = "start the container with --bind=/dev/kvm --property=\"DeviceAllow=/dev/kvm rw\" (in its "
                  ".nspawn file Bind=/dev/kvm, in its unit DeviceAllow=)",
        .unmapped = MAPPED,
        .apparmor = PROFILE,
        .selinux = SELINUX,
        .capability = "start the container with --capability=CAP_DAC_OVERRIDE",
    },
    {
        .kind = "flatpak",
        .device = "start it with flatpak run --device=kvm APP, or for good: flatpak override --user "
                  "--device=kvm APP",
        .unmapped = "let the user be in the device's group outside of Flatpak",
        .hosts_users = true,
        .apparmor = PROFILE,
        .selinux = SELINUX,
        .capability = "start it outside of Flatpak",
    },
    {
        .kind = "openvz",
        .device = "on the host: vzctl set CTID --devnodes kvm:rw --save",
        .unmapped = MAPPED,
        .apparmor = PROFILE,
        .selinux = SELINUX,
        .capability = "on the host: vzctl set CTID --capability dac_override:on --save",
    },
    {
        .kind = "bubblewrap",
        .device = "start it with bwrap --dev-bind /dev/kvm /dev/kvm (behind any --dev)",
        .unmapped = OUTSIDE,
        .hosts_users = true,
        .apparmor = PROFILE,
        .selinux = SELINUX,
        .capability = "start it with bwrap --cap-add CAP_DAC_OVERRIDE",
    },
    {
        .kind = "apptainer",
        .device = "start it without --contain and --containall, or with --bind /dev/kvm",
        .unmapped = OUTSIDE,
        .hosts_users = true,
        .apparmor = PROFILE,
        .selinux = SELINUX,
        .capability = "start it as root with --add-caps CAP_DAC_OVERRIDE",
    },
    {
        .kind = "firejail",
        .device = "start it with firejail --ignore=private-dev",
        .unmapped = OUTSIDE " (firejail --ignore=nogroups keeps it)",
        .hosts_users = true,
        .apparmor = "start it with firejail --ignore=apparmor, or " PROFILE,
        .selinux = SELINUX,
        .capability = "start it with firejail --ignore=caps.drop",
    },
};

const struct vt_manager *vt_manager_of(const char *kind)
{
    for (size_t i = 0; kind && i < sizeof managers / sizeof managers[0]; i++)
        if (strcmp(managers[i].kind, kind) == 0)
            return &managers[i];
    return &usual;
}

bool vt_manager_group(const struct vt_manager *manager, gid_t gid, char *text, size_t size)
{
    const char *mark = manager->group ? strstr(manager->group, "%u") : NULL;
    if (!mark)
        return false;
    snprintf(text, size, "%.*s%u%s", (int)(mark - manager->group), manager->group, (unsigned)gid, mark + 2);
    return true;
}

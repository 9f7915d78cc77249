/* In a container or not: by namespaces, cgroup and root file system; files only name it. */
#include "probes/outside/container.h"
#include "tests/unit/suite.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct row {
    const char *name;
    struct vt_container_facts facts;
    enum vt_answer contained;
    const char *kind;
} rows[] = {
    {"a host",
     {.first_pid = VT_YES,
      .first_cgroup = VT_YES,
      .cgroups = "0::/user.slice/user-1000.slice/session-2.scope\n",
      .root = "25 1 8:1 / / rw - ext4 /dev/sda1 rw"},
     VT_NO,
     ""},
    {"a host with a container's file left",
     {.first_pid = VT_YES,
      .first_cgroup = VT_YES,
      .cgroups = "0::/\n",
      .mark = "/.dockerenv",
      .mark_kind = "docker"},
     VT_NO,
     ""},
    {"a host with the variable set",
     {.first_pid = VT_YES, .first_cgroup = VT_YES, .cgroups = "0::/\n", .own = "podman"},
     VT_NO,
     ""},
    {"a live system's overlay",
     {.first_pid = VT_YES,
      .first_cgroup = VT_YES,
      .cgroups = "0::/\n",
      .root = "25 1 0:20 / / rw - overlay overlay rw,lowerdir=/run/live/rootfs,upperdir=/run/live/overlay"},
     VT_NO,
     ""},
    {"Docker's own service",
     {.first_pid = VT_YES, .first_cgroup = VT_YES, .cgroups = "0::/system.slice/docker.service\n"},
     VT_NO,
     ""},
    {"containerd's own service",
     {.first_pid = VT_YES, .first_cgroup = VT_YES, .cgroups = "0::/system.slice/containerd.service\n"},
     VT_NO,
     ""},
    {"Podman's monitor",
     {.first_pid = VT_YES, .first_cgroup = VT_YES, .cgroups = "0::/machine.slice/libpod-conmon-x.scope\n"},
     VT_NO,
     ""},
    {"Docker, v1",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "4:pids:/docker/" ID "\n0::/\n"},
     VT_YES,
     "docker"},
    {"Docker, v2",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "0::/system.slice/docker-" ID ".scope\n"},
     VT_YES,
     "docker"},
    {"Docker with a cgroup namespace",
     {.first_pid = VT_NO,
      .first_cgroup = VT_NO,
      .cgroups = "0::/\n",
      .root = "900 1 0:99 / / rw - overlay overlay "
              "rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B"},
     VT_YES,
     "docker"},
    {"Docker in the host's PID namespace",
     {.first_pid = VT_YES,
      .first_cgroup = VT_NO,
      .cgroups = "0::/\n",
      .root = "900 1 0:99 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A"},
     VT_YES,
     "docker"},
    {"Podman",
     {.first_pid = VT_NO,
      .first_cgroup = VT_NO,
      .cgroups = "0::/\n",
      .root = "900 1 0:99 / / rw - overlay overlay "
              "rw,lowerdir=/home/u/.local/share/containers/storage/overlay/l/A"},
     VT_YES,
     "podman"},
    {"Podman by its variable",
     {.first_pid = VT_NO, .first_cgroup = VT_NO, .cgroups = "0::/\n", .init = "podman"},
     VT_YES,
     "podman"},
    {"Kubernetes",
     {.first_pid = VT_NO,
      .first_cgroup = VT_YES,
      .cgroups = "0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-" ID ".scope\n"},
     VT_YES,
     "kubernetes"},
    {"LXC",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "0::/lxc.payload.web/system.slice\n"},
     VT_YES,
     "lxc"},
    {"nspawn",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "0::/machine.slice/machine-web.scope/payload\n"},
     VT_YES,
     "systemd-nspawn"},
    {"a manager nobody knows",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "3:cpu:/boxes/" ID "\n"},
     VT_YES,
     "boxes"},
    {"with namespaces and a mark",
     {.first_pid = VT_NO,
      .first_cgroup = VT_NO,
      .cgroups = "0::/\n",
      .mark = "/.dockerenv",
      .mark_kind = "docker"},
     VT_YES,
     "docker"},
    {"a PID namespace alone",
     {.first_pid = VT_NO, .first_cgroup = VT_YES, .cgroups = "0::/\n"},
     VT_UNKNOWN,
     ""},
    {"a PID namespace over a file that was left",
     {.first_pid = VT_NO,
      .first_cgroup = VT_YES,
      .cgroups = "0::/\n",
      .mark = "/.dockerenv",
      .mark_kind = "docker"},
     VT_UNKNOWN,
     ""},
    {"a cgroup namespace alone",
     {.first_pid = VT_YES, .first_cgroup = VT_NO, .cgroups = "0::/\n"},
     VT_UNKNOWN,
     ""},
    {"without /proc",
     {.first_pid = VT_UNKNOWN, .first_cgroup = VT_UNKNOWN, .mark = "/.dockerenv", .mark_kind = "docker"},
     VT_UNKNOWN,
     ""},
};

START_TEST(evidence_decides)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vt_container container = vt_container_judge(&rows[i].facts);
        ck_assert_msg(container.contained == rows[i].contained, "%s: %d, %s", rows[i].name,
                      (int)container.contained, container.why);
        ck_assert_msg(strcmp(container.kind, rows[i].kind) == 0, "%s: '%s'", rows[i].name, container.kind);
        ck_assert_str_ne(container.why, "");
    }
}
END_TEST

VT_SUITE(evidence_decides)

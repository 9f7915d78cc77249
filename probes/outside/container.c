#include "probes/outside/container.h"
#include "base/text.h"
#include "probes/live.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers that the kernel gives its first namespaces (include/uapi/linux/nsfs.h, *_NS_INIT_INO). */
#define FIRST_CGROUP_NAMESPACE 0xeffffffb
#define FIRST_PID_NAMESPACE    0xeffffffc

/* Hexadecimal digits of a container's name in Docker, Podman, containerd and CRI-O. */
enum { ID_LENGTH = 64, TASK_LENGTH = 32 };

static enum vt_answer is_first(const char *root, const char *name, ino_t number)
{
    char path[PATH_MAX];
    struct stat status;
    snprintf(path, sizeof path, "%s/proc/self/ns/%s", root, name);
    if (stat(path, &status) != 0)
        return VT_UNKNOWN;
    return status.st_ino == number ? VT_YES : VT_NO;
}

static size_t read_all(const char *root, const char *file, char *text, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, file);
    FILE *stream = fopen(path, "re");
    size_t length = stream ? fread(text, 1, size - 1, stream) : 0;
    if (stream)
        fclose(stream);
    text[length] = '\0';
    return length;
}

static bool exists(const char *root, const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, file);
    return access(path, F_OK) == 0;
}

static void read_root(const char *root, struct vt_container_facts *facts)
{
    char path[PATH_MAX], line[4096], point[1024];
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%*s %*s %*s %*s %1023s", point) == 1 && strcmp(point, "/") == 0)
            snprintf(facts->root, sizeof facts->root, "%.1000s", line);
    if (file)
        fclose(file);
}

/* proc_pid_environ(5): words that end in a zero byte. Of process 1 only its user may read them. */
static void read_init(const char *root, struct vt_container_facts *facts)
{
    static const char key[] = "container=";
    char text[8192];
    size_t length = read_all(root, "/proc/1/environ", text, sizeof text);
    for (char *at = text; at < text + length; at += strlen(at) + 1)
        if (strncmp(at, key, sizeof key - 1) == 0)
            snprintf(facts->init, sizeof facts->init, "%.31s", at + sizeof key - 1);
}

/* A word of theirs ends up in messages. */
static void keep_word(char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
            *text = '\0';
}

/* The first that is there, from those that say most. */
static void read_mark(const char *root, struct vt_container_facts *facts)
{
    static const struct {
        const char *path, *kind;
    } marks[] = {{"/var/run/secrets/kubernetes.io", "kubernetes"},
                 {"/dev/lxd/sock", "lxd"},
                 {"/dev/incus/sock", "incus"},
                 {"/.flatpak-info", "flatpak"},
                 {"/.dockerenv", "docker"},
                 {"/run/.containerenv", "podman"},
                 {"/run/host/container-manager", NULL},
                 {"/run/systemd/container", NULL}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        char path[PATH_MAX], line[32] = "";
        int number;
        snprintf(path, sizeof path, "%s%s", root, marks[i].path);
        if (access(path, F_OK) != 0 || (!marks[i].kind && !vt_live_line(path, line, sizeof line, &number)))
            continue;
        snprintf(facts->mark, sizeof facts->mark, "%s", marks[i].path);
        snprintf(facts->mark_kind, sizeof facts->mark_kind, "%s", marks[i].kind ? marks[i].kind : line);
        keep_word(facts->mark_kind);
        return;
    }
}

void vt_container_read(const char *root, struct vt_container_facts *facts)
{
    const char *own = getenv("container"); /* set by systemd-nspawn, podman, lxc */
    *facts = (struct vt_container_facts){.first_pid = is_first(root, "pid", FIRST_PID_NAMESPACE),
                                         .first_cgroup = is_first(root, "cgroup", FIRST_CGROUP_NAMESPACE)};
    read_all(root, "/proc/self/cgroup", facts->cgroups, sizeof facts->cgroups);
    read_root(root, facts);
    read_init(root, facts);
    keep_word(facts->init);
    snprintf(facts->own, sizeof facts->own, "%.31s", own ? own : "");
    keep_word(facts->own);
    read_mark(root, facts);
    facts->openvz = exists(root, "/proc/vz") && !exists(root, "/proc/bc");
    /* A pod may do without its account's secrets; its services it is always told of. */
    if (getenv("KUBERNETES_SERVICE_HOST") && strcmp(facts->mark_kind, "kubernetes") != 0) {
        snprintf(facts->mark, sizeof facts->mark, "the variable KUBERNETES_SERVICE_HOST");
        snprintf(facts->mark_kind, sizeof facts->mark_kind, "kubernetes");
    }
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool has_digits(const char *component, size_t wanted)
{
    size_t digits = 0;
    for (; *component; component++) {
        digits = isxdigit((unsigned char)*component) ? digits + 1 : 0;
        if (digits == wanted)
            return true;
    }
    return false;
}

static bool has_id(const char *component)
{
    return has_digits(component, ID_LENGTH);
}

/* A manager's name, not the number of a group of containers. */
static const char *name_of(const char *component)
{
    return has_digits(component, TASK_LENGTH) ? "" : component;
}

/* What a manager calls its containers' cgroups; its own service and its monitors are on the host's side. */
static const char *kind_of_component(const char *component, const char *before)
{
    static const struct {
        const char *start, *kind;
    } kinds[] = {{"libpod-conmon-", NULL},
                 {"crio-conmon-", NULL},
                 {"lxc.monitor", NULL},
                 {"docker-", "docker"},
                 {"libpod-", "podman"},
                 {"crio-", "cri-o"},
                 {"cri-containerd", "containerd"},
                 {"nerdctl-", "containerd"},
                 {"lxc.payload", "lxc"}};
    if (strstr(component, "kubepods"))
        return "kubernetes";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (starts(component, kinds[i].start) &&
            (kinds[i].kind == NULL || starts(component, "lxc.") || has_id(component)))
            return kinds[i].kind;
    if (strcmp(before, "lxc") == 0)
        return "lxc";
    if (strcmp(component, "payload") == 0 &&
        (starts(before, "machine-") || starts(before, "systemd-nspawn@")))
        return "systemd-nspawn";
    if (has_id(component))
        return strcmp(before, "libpod_parent") == 0 ? "podman" : name_of(before);
    return NULL;
}

/* Of all lines and all components the first that is a container's. */
static bool find_cgroup(const struct vt_container_facts *facts, struct vt_container *container)
{
    char text[sizeof facts->cgroups];
    snprintf(text, sizeof text, "%s", facts->cgroups);
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        char *path = strchr(line, ':');
        path = path ? strchr(path + 1, ':') : NULL;
        const char *before = "";
        for (char *component; path && (component = strsep(&path, ":/"));
             before = *component ? component : before) {
            const char *kind = kind_of_component(component, before);
            if (!kind)
                continue;
            snprintf(container->kind, sizeof container->kind, "%s", kind);
            keep_word(container->kind);
            snprintf(container->why, sizeof container->why, "/proc/self/cgroup: %.120s", component);
            return true;
        }
    }
    return false;
}

static bool find_root(const struct vt_container_facts *facts, struct vt_container *container)
{
    static const struct {
        const char *part, *kind;
    } stores[] = {{"/docker/", "docker"},
                  {"/containers/storage/", "podman"},
                  {"io.containerd.", "containerd"},
                  {"/lib/lxc/", "lxc"},
                  {"/lib/lxd/", "lxd"},
                  {"/common/lxd/", "lxd"}, /* the snap */
                  {"/lib/incus/", "incus"},
                  {"/lib/machines/", "systemd-nspawn"},
                  {"/apptainer/mnt/session/", "apptainer"},
                  {"/singularity/mnt/session/", "apptainer"},
                  {" /newroot / ", "bubblewrap"}};
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++)
        if (strstr(facts->root, stores[i].part)) {
            snprintf(container->kind, sizeof container->kind, "%s", stores[i].kind);
            snprintf(container->why, sizeof container->why,
                     "its root file system lies where a container manager puts it (%.24s)",
                     stores[i].part + strspn(stores[i].part, " "));
            return true;
        }
    return false;
}

static void tell(const struct vt_container_facts *facts, enum vt_answer contained, const char *kind,
                 char *why, size_t size)
{
    const char *base = facts->first_pid == VT_UNKNOWN ? "/proc does not tell its namespaces"
                       : facts->first_pid == VT_NO    ? "its PID namespace is not the system's first"
                       : facts->first_cgroup == VT_NO
                           ? "its cgroup namespace is not the system's first, its PID namespace is"
                           : "its PID namespace is the system's first, and neither its cgroup nor its root "
                             "file system is a container's";
    const char *namer = *facts->own ? "the variable container" : facts->mark;
    if (*kind)
        snprintf(why, size, "%s; %s%s %s", base, contained == VT_YES ? "" : "that ", namer,
                 contained == VT_YES ? "names its manager" : "is there proves nothing");
    else
        snprintf(why, size, "%s%s", base,
                 contained == VT_UNKNOWN ? ", and nothing names a container manager" : "");
}

/* With neither namespace of its own a process is not in a container, whatever files say. */
static struct vt_container judge_namespaces(const struct vt_container_facts *facts)
{
    struct vt_container container = {.contained = VT_UNKNOWN};
    const char *kind = *facts->own ? facts->own : facts->mark_kind;
    bool own_pid = facts->first_pid == VT_NO, own_cgroup = facts->first_cgroup == VT_NO;
    if (own_pid && (*facts->own || (own_cgroup && *kind)))
        container.contained = VT_YES;
    else if (facts->first_pid == VT_YES && !own_cgroup)
        container.contained = VT_NO;
    snprintf(container.kind, sizeof container.kind, "%s", container.contained == VT_YES ? kind : "");
    tell(facts, container.contained, kind, container.why, sizeof container.why);
    return container;
}

/* Who has a container started by somebody else is the one to ask; cgroup and root show that other. */
static void name_principal(const struct vt_container_facts *facts, struct vt_container *container)
{
    static const struct {
        const char *principal, *agent;
    } pairs[] = {{"kubernetes", "containerd"},
                 {"kubernetes", "cri-o"},
                 {"kubernetes", "podman"},
                 {"kubernetes", "docker"},
                 {"kubernetes", ""},
                 {"docker", "containerd"},
                 {"lxd", "lxc"},
                 {"incus", "lxc"},
                 {"flatpak", "bubblewrap"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (strcmp(facts->mark_kind, pairs[i].principal) == 0 &&
            strcmp(container->kind, pairs[i].agent) == 0) {
            snprintf(container->kind, sizeof container->kind, "%s", pairs[i].principal);
            vt_text_append(container->why, sizeof container->why, "; %s names who has it started",
                           facts->mark);
            return;
        }
}

/* vzctl(8): beancounters are shown to the host alone. */
static bool find_openvz(const struct vt_container_facts *facts, struct vt_container *container)
{
    snprintf(container->kind, sizeof container->kind, "openvz");
    snprintf(container->why, sizeof container->why,
             "there is a /proc/vz, and no /proc/bc, which its host has");
    return facts->openvz;
}

static bool find_init(const struct vt_container_facts *facts, struct vt_container *container)
{
    snprintf(container->kind, sizeof container->kind, "%s", facts->init);
    snprintf(container->why, sizeof container->why, "process 1 has the variable container");
    return *facts->init;
}

struct vt_container vt_container_judge(const struct vt_container_facts *facts)
{
    struct vt_container container = {.contained = VT_YES};
    if (!find_cgroup(facts, &container) && !find_root(facts, &container) && !find_openvz(facts, &container) &&
        !find_init(facts, &container))
        container = judge_namespaces(facts);
    if (container.contained == VT_YES)
        name_principal(facts, &container);
    return container;
}

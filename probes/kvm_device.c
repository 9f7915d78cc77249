#include "probes/kvm_device.h"
#include "probes/live.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

static void explain(struct vt_obstacle *obstacle, const char *code, const char *reason, const char *fix)
{
    obstacle->code = code;
    snprintf(obstacle->reason, sizeof obstacle->reason, "%s", reason);
    snprintf(obstacle->fix, sizeof obstacle->fix, "%s", fix);
}

static bool is_member(gid_t group)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return getegid() == group;
}

/* The mode bits decide; an ACL of the desktop's seat manager may add to them, never take away from the group.
 */
static void explain_permission(struct vt_obstacle *obstacle)
{
    struct stat status;
    if (stat(DEVICE, &status) != 0) {
        explain(obstacle, "no-permission", DEVICE " may not be opened", "");
        return;
    }
    struct group *group = getgrgid(status.st_gid);
    struct passwd *user = getpwuid(geteuid());
    char name[64], me[64];
    snprintf(name, sizeof name, "%s", group ? group->gr_name : "");
    if (!group)
        snprintf(name, sizeof name, "%u", (unsigned)status.st_gid);
    snprintf(me, sizeof me, "%s", user ? user->pw_name : "$USER");
    obstacle->code = "no-permission";
    if ((status.st_mode & 060) != 060) {
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 DEVICE " is for its owner only (mode %03o, group %s)", status.st_mode & 0777, name);
        snprintf(obstacle->fix, sizeof obstacle->fix,
                 "let the group kvm use it: sudo chown root:kvm " DEVICE " && sudo chmod 660 " DEVICE
                 " && sudo usermod -aG kvm %s, then log in again",
                 me);
    } else if (!is_member(status.st_gid)) {
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 DEVICE " is for the group %s (mode %03o), and you (%s) are not in it", name,
                 status.st_mode & 0777, me);
        snprintf(obstacle->fix, sizeof obstacle->fix, "sudo usermod -aG %s %s, then log in again", name, me);
    } else {
        explain(obstacle, "no-permission",
                DEVICE
                " may not be opened although its mode allows it: a container's device rules or a security "
                "module forbid it",
                "start the container with --device " DEVICE);
    }
}

static bool is_loaded(const char *module)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/module/%s", module);
    return access(path, F_OK) == 0;
}

/* KVM registers itself as a misc device; the list is the kernel's, not the container's. */
static bool is_registered(void)
{
    char text[4096];
    FILE *file = fopen("/proc/misc", "re");
    bool found = false;
    while (file && fgets(text, sizeof text, file))
        found = found || strstr(text, " kvm\n");
    if (file)
        fclose(file);
    return found;
}

static const char *vendor_module(const json_t *document)
{
    if (vt_document_is_true(document, "vt_x.supported"))
        return "kvm_intel";
    return vt_document_is_true(document, "amd_v.supported") ? "kvm_amd" : NULL;
}

/* Is the module among the kernel's files? -1: the files are not visible, as in a container. */
static int module_exists(const char *module)
{
    struct utsname name;
    char path[256], file[64];
    static const char *const endings[] = {"ko", "ko.xz", "ko.zst", "ko.gz"};
    if (uname(&name) != 0)
        return -1;
    snprintf(path, sizeof path, "/lib/modules/%s/kernel", name.release);
    if (access(path, F_OK) != 0)
        return -1;
    snprintf(file, sizeof file, "%s", module);
    for (char *c = file; *c; c++)
        if (*c == '_')
            *c = '-';
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "/lib/modules/%s/kernel/arch/x86/kvm/%s.%s", name.release, file,
                 endings[i]);
        if (access(path, F_OK) == 0)
            return 1;
    }
    return 0;
}

static void explain_unsupported(const json_t *document, struct vt_obstacle *obstacle)
{
    const char *outside = vt_document_text(document, "hypervisor.vendor");
    if (vt_document_is_true(document, "hypervisor.present")) {
        obstacle->code = "hidden-by-hypervisor";
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 "there is no " DEVICE
                 ": the hypervisor outside (%s) does not pass VT-x or AMD-V on to this guest",
                 outside ? outside : "unknown");
        snprintf(obstacle->fix, sizeof obstacle->fix,
                 "switch nested virtualization on for this guest in the hypervisor outside, choose a machine "
                 "type that "
                 "offers it, or use a kernel with kvm_pvm");
    } else {
        explain(obstacle, "not-supported",
                "there is no " DEVICE ": this processor has neither VT-x nor AMD-V",
                "use another machine, or software emulation");
    }
}

static void explain_module(const char *module, struct vt_obstacle *obstacle)
{
    int exists = module_exists(module);
    obstacle->code = exists == 0 ? "kernel-without-kvm" : "module-not-loaded";
    if (exists == 0) {
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 "there is no " DEVICE ": this kernel was built without the module %s", module);
        snprintf(obstacle->fix, sizeof obstacle->fix,
                 "install a kernel with KVM (Debian: apt-get install linux-image-amd64) and restart");
    } else {
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 "there is no " DEVICE ": the module %s is not loaded", module);
        snprintf(obstacle->fix, sizeof obstacle->fix, "sudo modprobe %s", module);
    }
}

static bool kvm_is_there(void)
{
    return is_registered() || is_loaded("kvm_intel") || is_loaded("kvm_amd") || is_loaded("kvm_pvm");
}

void vt_kvm_explain_missing(const json_t *document, bool loaded, struct vt_obstacle *obstacle)
{
    static const char *const sections[] = {"vt_x", "amd_v"};
    const char *module = vendor_module(document), *container = vt_document_text(document, "system.container");
    char path[128];
    if (loaded) {
        snprintf(obstacle->reason, sizeof obstacle->reason,
                 "the kernel has KVM loaded, but this %s%s has no " DEVICE,
                 container ? container : "file system",
                 container ? " container" : " (a container or chroot?)");
        snprintf(obstacle->fix, sizeof obstacle->fix, "%s",
                 container ? "start the container with --device " DEVICE
                           : "start the container with --device " DEVICE ", or: sudo mknod " DEVICE
                             " c 10 232");
        obstacle->code = "no-device";
        return;
    }
    if (!module) {
        explain_unsupported(document, obstacle);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        if (vt_document_is_true(document, vt_document_path(path, sections[i], "supported")) &&
            vt_document_is_false(document, vt_document_path(path, sections[i], "enabled"))) {
            explain(obstacle, "firmware-disabled",
                    "there is no " DEVICE ": firmware switched the processor's virtualization off",
                    "enable VT-x (\"Intel Virtualization Technology\") or AMD-V (\"SVM mode\") in the "
                    "firmware set-up "
                    "and restart");
            return;
        }
    explain_module(module, obstacle);
}

void vt_kvm_explain_open(const json_t *document, int number, struct vt_obstacle *obstacle)
{
    *obstacle = (struct vt_obstacle){0};
    if (number == ENOENT)
        vt_kvm_explain_missing(document, kvm_is_there(), obstacle);
    else if (number == EACCES)
        explain_permission(obstacle);
    else if (number == EPERM)
        explain(obstacle, "no-permission",
                DEVICE " exists, but this container's device rules forbid to open it",
                "start the container with --device " DEVICE);
    else if (number == ENODEV || number == ENXIO)
        explain(obstacle, "no-driver",
                DEVICE " exists, but no driver answers for it: no KVM module is loaded",
                "sudo modprobe kvm_intel, or kvm_amd");
    else {
        obstacle->code = "broken";
        snprintf(obstacle->reason, sizeof obstacle->reason, DEVICE " does not open: %s", strerror(number));
    }
}

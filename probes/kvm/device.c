#include "probes/kvm/device.h"
#include "probes/kvm/access.h"
#include "probes/kvm/manager.h"
#include "probes/outside/outside.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define DEVICE     "/dev/kvm"
#define MISC_MAJOR 10 /* <linux/major.h> */

/* What is said before a cause: the device is missing, or stands there alone. */
static const char missing[] = "there is no " DEVICE, idle[] = DEVICE " is there, but nothing answers for it";

struct view {
    const json_t *document;
    const struct vt_kvm_scene *scene;
    enum vt_answer contained;
    const struct vt_manager *manager; /* of the container, should it be one */
    const char *what;
};

static struct view view_of(const json_t *document, const struct vt_kvm_scene *scene)
{
    const json_t *contained = vt_document_get(document, "system.contained");
    return (struct view){
        .document = document,
        .scene = scene,
        .contained = json_is_true(contained)    ? VT_YES
                     : json_is_false(contained) ? VT_NO
                                                : VT_UNKNOWN,
        .manager = vt_manager_of(vt_document_text(document, "system.container")),
        .what = scene->node.number == ENOENT ? missing : idle,
    };
}

static bool is_inside(const struct view *view)
{
    return view->contained == VT_YES || view->scene->process.namespaced;
}

static const char *container_of(const struct view *view, char text[64])
{
    const char *kind = vt_document_text(view->document, "system.container");
    snprintf(text, 64, "%s%scontainer", kind ? kind : "", kind ? " " : "");
    return text;
}

static const char *vendor_module(const json_t *document)
{
    if (vt_document_is_true(document, "vt_x.supported"))
        return "kvm_intel";
    return vt_document_is_true(document, "amd_v.supported") ? "kvm_amd" : NULL;
}

void vt_kvm_scene_read(const json_t *document, struct vt_kvm_scene *scene)
{
    struct utsname system = {0};
    const char *module = vendor_module(document);
    uname(&system);
    vt_process_read(&scene->process);
    vt_kvm_node_read(DEVICE, &scene->process, &scene->node);
    vt_kvm_module_read("", system.release, module ? module : "kvm", &scene->module);
}

/* Who keeps it outside is judged before the processor, its firmware and the kernel's modules. */
static bool explain_outside(const struct view *view, bool usable, struct vt_obstacle *obstacle)
{
    struct vt_outside outside;
    char text[384];
    vt_outside_read(view->document, &outside);
    if (!vt_outside_withholds(&outside, usable))
        return false;
    obstacle->code = outside.control == VT_YES ? "held-by-hypervisor" : "hidden-by-hypervisor";
    vt_outside_cause(view->document, &outside, text, sizeof text);
    vt_obstacle_reason(obstacle, "%s: %s", view->what, text);
    vt_outside_fix(&outside, text, sizeof text);
    vt_obstacle_fix(obstacle, "%s", text);
    return true;
}

static void explain_unsupported(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "not-supported";
    vt_obstacle_reason(obstacle, "%s: this machine shows neither VT-x nor AMD-V", view->what);
    vt_obstacle_fix(obstacle, "use another machine, or software emulation");
}

static const char *switched_off(const json_t *document)
{
    if (vt_document_is_true(document, "vt_x.supported") && vt_document_is_false(document, "vt_x.enabled"))
        return "VT-x (\"Intel Virtualization Technology\")";
    if (vt_document_is_true(document, "amd_v.supported") && vt_document_is_false(document, "amd_v.enabled"))
        return "AMD-V (\"SVM mode\")";
    return NULL;
}

static void explain_firmware(const struct view *view, const char *extension, struct vt_obstacle *obstacle)
{
    const bool alone = vt_document_is_false(view->document, "hypervisor.present");
    obstacle->code = "firmware-disabled";
    vt_obstacle_reason(obstacle, "%s: firmware switched the processor's virtualization off%s", view->what,
                       alone ? "" : ", or a hypervisor that hides itself did");
    if (vt_document_text(view->document, "vt_x.only_in"))
        vt_obstacle_fix(obstacle,
                        "enable %s without \"Intel TXT\" in the firmware set-up and restart, or start "
                        "the kernel by tboot",
                        extension);
    else
        vt_obstacle_fix(obstacle, "enable %s in the firmware set-up and restart", extension);
}

/* Who can load a module: the host of a container, and root of the first user namespace. */
static void load(const struct view *view, const char *first, struct vt_obstacle *obstacle)
{
    const char *module = view->scene->module.name;
    if (view->contained == VT_YES)
        vt_obstacle_fix(obstacle, "on the host: %ssudo modprobe %s; then %s", first, module,
                        view->manager->device);
    else if (view->scene->process.namespaced)
        vt_obstacle_fix(obstacle, "outside this user namespace: %ssudo modprobe %s", first, module);
    else
        vt_obstacle_fix(obstacle, "%ssudo modprobe %s", first, module);
}

static void explain_not_started(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "not-started";
    vt_obstacle_reason(obstacle, "%s: the kernel has %s, but KVM did not start (/proc/misc does not list it)",
                       view->what, view->scene->module.name);
    vt_obstacle_fix(obstacle, "%slook why: sudo dmesg | grep -i -e kvm -e virtuali",
                    is_inside(view) ? "on the host, " : "");
}

static void explain_loadable(const struct view *view, struct vt_obstacle *obstacle)
{
    const struct vt_kvm_module *module = &view->scene->module;
    char first[192];
    if (!*module->blocked) {
        obstacle->code = "module-not-loaded";
        vt_obstacle_reason(obstacle, "%s: the module %s is not loaded", view->what, module->name);
        load(view, "", obstacle);
        return;
    }
    obstacle->code = "module-blocked";
    vt_obstacle_reason(obstacle, "%s: the module %s is not loaded, and %s", view->what, module->name,
                       module->blocked);
    if (strstr(module->unblock, "restart")) {
        vt_obstacle_fix(obstacle, "%s", module->unblock);
        return;
    }
    snprintf(first, sizeof first, "%s, then ", module->unblock);
    load(view, first, obstacle);
}

static void explain_unseen(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "module-not-loaded";
    vt_obstacle_reason(
        obstacle,
        "%s: the module %s is not loaded, and whether this kernel has it cannot be seen here (no "
        "/lib/modules)",
        view->what, view->scene->module.name);
    if (is_inside(view))
        load(view, "", obstacle);
    else
        vt_obstacle_fix(
            obstacle, "start a kernel that has %s built in, or bring in the modules of this one and load it",
            view->scene->module.name);
}

static void explain_gone(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "modules-gone";
    if (view->contained == VT_YES) {
        explain_unseen(view, obstacle);
        return;
    }
    vt_obstacle_reason(obstacle,
                       "%s: the module %s is not loaded, and the modules of the running kernel are gone: it "
                       "was upgraded or removed",
                       view->what, view->scene->module.name);
    vt_obstacle_fix(obstacle, "restart into the kernel that is installed");
}

static void explain_lost(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "modules-gone";
    vt_obstacle_reason(obstacle,
                       "%s: the module %s is not loaded, and its file is gone though modules.dep lists it",
                       view->what, view->scene->module.name);
    vt_obstacle_fix(obstacle,
                    "install the package of the running kernel's modules again, or restart into another "
                    "kernel that is installed");
}

static void explain_without(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "kernel-without-kvm";
    vt_obstacle_reason(
        obstacle, "%s: this kernel was built without %s%s", view->what, view->scene->module.name,
        view->scene->module.state == VT_MODULE_NO_LOADER ? ", and it loads no modules"
                                                         : ", or its package leaves the module out");
    vt_obstacle_fix(obstacle,
                    "%sinstall a kernel with KVM (Debian: apt-get install linux-image-amd64) and restart",
                    is_inside(view) ? "on the host: " : "");
}

static void explain_sandbox(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "kernel-without-kvm";
    vt_obstacle_reason(obstacle, "%s: this is %s, which has no KVM", view->what, view->scene->module.player);
    vt_obstacle_fix(obstacle, "%s", view->scene->module.instead);
}

static void explain_module(const struct view *view, struct vt_obstacle *obstacle)
{
    static void (*const explain[])(const struct view *view, struct vt_obstacle *obstacle) = {
        [VT_MODULE_UNSEEN] = explain_unseen,     [VT_MODULE_REPLACED] = explain_gone,
        [VT_MODULE_ABSENT] = explain_without,    [VT_MODULE_LOST] = explain_lost,
        [VT_MODULE_THERE] = explain_loadable,    [VT_MODULE_BUILT_IN] = explain_not_started,
        [VT_MODULE_NO_LOADER] = explain_without, [VT_MODULE_SANDBOX] = explain_sandbox,
    };
    if (view->scene->module.loaded)
        explain_not_started(view, obstacle);
    else
        explain[view->scene->module.state](view, obstacle);
}

static void explain_no_proc(const struct view *view, struct vt_obstacle *obstacle)
{
    obstacle->code = "unknown";
    vt_obstacle_reason(
        obstacle, "%s, and whether the kernel has KVM cannot be seen: /proc/misc cannot be read", view->what);
    vt_obstacle_fix(obstacle, "%s",
                    is_inside(view) ? view->manager->device
                                    : "sudo mount -t proc proc /proc, and run vmtoll probe again");
}

/* The kernel runs KVM; all that lacks is a way to it. */
static void explain_no_node(const struct view *view, struct vt_obstacle *obstacle)
{
    const struct vt_process *process = &view->scene->process;
    const char *kvm_group = view->scene->node.has_kvm_group ? " && sudo chgrp kvm " DEVICE : "";
    char container[64];
    obstacle->code = "no-device";
    if (view->contained == VT_YES) {
        vt_obstacle_reason(obstacle, "the kernel has KVM loaded, but this %s has no " DEVICE,
                           container_of(view, container));
        vt_obstacle_fix(obstacle, "%s", view->manager->device);
        return;
    }
    vt_obstacle_reason(obstacle, "the kernel has KVM loaded, but there is no " DEVICE " in this %s",
                       process->chrooted     ? "root directory (a chroot)"
                       : process->namespaced ? "sandbox"
                                             : "file system");
    if (*process->service)
        vt_obstacle_fix(
            obstacle, "the unit %s may have PrivateDevices=yes: put PrivateDevices=no into it and restart it",
            process->service);
    else if (process->namespaced)
        vt_obstacle_fix(obstacle, "hand it in from outside (bubblewrap: --dev-bind " DEVICE " " DEVICE
                                  ", a container: --device " DEVICE ")");
    else if (view->scene->node.nodev || (process->uid == 0 && !vt_process_can(process, CAP_MKNOD)))
        vt_obstacle_fix(obstacle,
                        "no device can be made here: mount the system's /dev over this one from outside "
                        "(mount --bind)");
    else
        vt_obstacle_fix(obstacle, "sudo mknod -m 660 " DEVICE " c %u %u%s%s", MISC_MAJOR,
                        view->scene->module.minor, kvm_group,
                        view->contained == VT_UNKNOWN ? ", or if this is a container: --device " DEVICE : "");
}

/* The processor, its firmware and the hypervisor outside are judged before the kernel, and a container last.
 */
static void explain_missing(const struct view *view, struct vt_obstacle *obstacle)
{
    const char *extension = switched_off(view->document);
    if (view->scene->module.registered == VT_YES)
        explain_no_node(view, obstacle);
    else if (explain_outside(view, vendor_module(view->document) && !extension, obstacle))
        return;
    else if (!vendor_module(view->document))
        explain_unsupported(view, obstacle);
    else if (extension)
        explain_firmware(view, extension, obstacle);
    else if (view->scene->module.registered == VT_UNKNOWN && view->scene->module.state != VT_MODULE_SANDBOX)
        explain_no_proc(view, obstacle);
    else
        explain_module(view, obstacle);
}

static bool is_kvms(const struct vt_kvm_scene *scene)
{
    return S_ISCHR(scene->node.mode) && scene->node.major == MISC_MAJOR &&
           scene->node.minor == scene->module.minor;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISREG(mode)  ? "a plain file"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISBLK(mode)  ? "a block device"
                            : "another device";
}

static const char *removal(const struct vt_kvm_node *node)
{
    if (node->mounted)
        return "sudo umount " DEVICE;
    return S_ISDIR(node->mode) && !*node->target ? "sudo rmdir " DEVICE : "sudo rm " DEVICE;
}

/* What stands there is not KVM's: away with it, and then the way to a device as if there were none. */
static void replace(const struct view *view, struct vt_obstacle *obstacle)
{
    struct vt_kvm_scene bare = *view->scene;
    struct view next = *view;
    struct vt_obstacle then = {0};
    if (view->contained == VT_YES) {
        vt_obstacle_fix(obstacle, "look on the host whether it has " DEVICE " (vmtoll probe there), then %s",
                        view->manager->device);
        return;
    }
    bare.node.number = ENOENT;
    next.scene = &bare;
    next.what = missing;
    explain_missing(&next, &then);
    if (bare.module.registered != VT_YES)
        vt_obstacle_fix(obstacle, "%s; KVM itself is missing too: %s", removal(&view->scene->node), then.fix);
    else if (strncmp(then.fix, "sudo ", 5) == 0)
        vt_obstacle_fix(obstacle, "%s && %s", removal(&view->scene->node), then.fix);
    else
        vt_obstacle_fix(obstacle, "%s", then.fix);
}

static void explain_wrong_kind(const struct view *view, struct vt_obstacle *obstacle)
{
    const struct vt_kvm_node *node = &view->scene->node;
    obstacle->code = "not-kvm";
    if (S_ISCHR(node->mode))
        vt_obstacle_reason(obstacle, DEVICE " is not KVM's device: its number is %u:%u, KVM's is %u:%u",
                           node->major, node->minor, MISC_MAJOR, view->scene->module.minor);
    else
        vt_obstacle_reason(obstacle, DEVICE " is not KVM's device but %s%s", kind_of(node->mode),
                           S_ISDIR(node->mode)
                               ? ", which a container manager makes where the host has no " DEVICE
                                 " to hand in"
                               : "");
    replace(view, obstacle);
}

static void explain_path(const struct view *view, int number, struct vt_obstacle *obstacle)
{
    const struct vt_kvm_node *node = &view->scene->node;
    obstacle->code = "no-device";
    if (*node->target) {
        vt_obstacle_reason(obstacle, DEVICE " is a symbolic link to %s, %s", node->target,
                           number == ENOENT ? "which is not there" : strerror(number));
        replace(view, obstacle);
    } else {
        obstacle->code = "no-permission";
        vt_obstacle_reason(obstacle, "/dev cannot be looked into: %s (%s)", strerror(number),
                           strerrorname_np(number));
        vt_obstacle_fix(obstacle, number == EACCES ? "%ssudo chmod 755 /dev" : "",
                        is_inside(view) ? "on the host: " : "");
    }
}

/* Root of a small system has none, and no use for it. */
static void drop_sudo(const struct vt_process *process, struct vt_obstacle *obstacle)
{
    static const char word[] = "sudo ";
    if (process->uid != 0 || !process->without_sudo || strstr(obstacle->fix, "on the host") ||
        strstr(obstacle->fix, "outside this"))
        return;
    for (char *at; (at = strstr(obstacle->fix, word));)
        memmove(at, at + sizeof word - 1, strlen(at + sizeof word - 1) + 1);
}

static void explain_open(const json_t *document, const struct vt_kvm_scene *scene, int number,
                         struct vt_obstacle *obstacle)
{
    struct view view = view_of(document, scene);
    if (scene->node.number && (*scene->node.target || scene->node.number != ENOENT))
        explain_path(&view, scene->node.number, obstacle);
    else if (scene->node.number == 0 && !is_kvms(scene))
        explain_wrong_kind(&view, obstacle);
    else if (number == ENOENT || (number == ENODEV && scene->module.registered != VT_YES) || number == ENXIO)
        explain_missing(&view, obstacle);
    else if (number == EACCES || number == EPERM)
        vt_kvm_explain_access(&scene->node, &scene->process, view.contained == VT_YES ? view.manager : NULL,
                              number, obstacle);
    else if (number == ENODEV) {
        obstacle->code = "no-driver";
        vt_obstacle_reason(obstacle, "%s (ENODEV): its module is being loaded or unloaded", idle);
        vt_obstacle_fix(obstacle, "try again in a moment");
    } else
        vt_vmm_explain("opening " DEVICE, number, obstacle);
}

void vt_kvm_explain_open(const json_t *document, const struct vt_kvm_scene *scene, int number,
                         struct vt_obstacle *obstacle)
{
    *obstacle = (struct vt_obstacle){0};
    explain_open(document, scene, number, obstacle);
    drop_sudo(&scene->process, obstacle);
}

void vt_kvm_explain_stranger(const json_t *document, const struct vt_kvm_scene *scene, const char *call,
                             int number, struct vt_obstacle *obstacle)
{
    struct view view = view_of(document, scene);
    *obstacle = (struct vt_obstacle){0};
    if (scene->node.number == 0 && !is_kvms(scene))
        explain_wrong_kind(&view, obstacle);
    else
        vt_vmm_explain(call, number, obstacle);
    drop_sudo(&scene->process, obstacle);
}

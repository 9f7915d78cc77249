#include "vmm/obstacle.h"
#include "base/process/limit.h"
#include "guest/abi.h"
#include "vmm/threads.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

static const char look[] = "look into the kernel's log: sudo dmesg | grep -i kvm";

void vt_obstacle_reason(struct vt_obstacle *obstacle, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(obstacle->reason, sizeof obstacle->reason, format, arguments);
    va_end(arguments);
}

void vt_obstacle_fix(struct vt_obstacle *obstacle, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(obstacle->fix, sizeof obstacle->fix, format, arguments);
    va_end(arguments);
}

int vt_obstacle_error(const struct vt_obstacle *obstacle, int number, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s%s%s", obstacle->reason,
                        *obstacle->fix ? ": " : "", obstacle->fix);
}

/* Modules of other hypervisors, which hold VT-x or AMD-V while they run a machine. */
static const char *other_hypervisor(void)
{
    static const struct {
        const char *module, *name;
    } others[] = {{"/sys/module/vboxdrv", "VirtualBox"},
                  {"/sys/module/vmmon", "VMware Workstation"},
                  {"/sys/module/xen_acpi_processor", "Xen"},
                  {"/sys/module/mshv", "Hyper-V"},
                  {"/sys/module/mshv_root", "Hyper-V"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (access(others[i].module, F_OK) == 0)
            return others[i].name;
    return NULL;
}

static void explain_busy(const char *call, int number, struct vt_obstacle *obstacle)
{
    const char *other = other_hypervisor();
    (void)number;
    obstacle->code = "busy";
    vt_obstacle_reason(obstacle, "%s: busy: another hypervisor%s%s%s holds the processor's virtualization",
                       call, other ? " (" : "", other ? other : "", other ? ")" : "");
    vt_obstacle_fix(obstacle, "stop the machines of the other hypervisor, or unload it");
}

static void explain_memory(const char *call, int number, struct vt_obstacle *obstacle)
{
    obstacle->code = "no-memory";
    vt_obstacle_reason(obstacle, "%s: not enough memory (ENOMEM)", call);
    if (!*vt_limit_advice(number, VT_GUEST_MEMORY, obstacle->fix, sizeof obstacle->fix))
        vt_obstacle_fix(obstacle, "free memory, or raise the memory limit of this container or service");
}

static void explain_files(const char *call, int number, struct vt_obstacle *obstacle)
{
    obstacle->code = "no-files";
    if (number == ENFILE) {
        vt_obstacle_reason(obstacle, "%s: the system has no open file left (ENFILE)", call);
        vt_obstacle_fix(obstacle, "close some, or raise the limit: sudo sysctl fs.file-max");
        return;
    }
    vt_obstacle_reason(obstacle, "%s: this process has as many files open as it may (EMFILE)", call);
    vt_limit_advice(number, 0, obstacle->fix, sizeof obstacle->fix);
}

static void explain_threads(const char *call, int number, struct vt_obstacle *obstacle)
{
    char limit[288];
    obstacle->code = "no-threads";
    vt_vmm_explain_threads(limit, sizeof limit, obstacle->fix, sizeof obstacle->fix);
    vt_obstacle_reason(obstacle, "%s fails (%s): KVM may not start its worker thread for this process: %s",
                       call, strerrorname_np(number), limit);
}

static void explain_stranger(const char *call, int number, struct vt_obstacle *obstacle)
{
    (void)number;
    obstacle->code = "not-kvm";
    vt_obstacle_reason(obstacle, DEVICE " is not KVM's device: it does not know %s", call);
}

/* The device is open: its mode and the device cgroup have let this process in. */
static void explain_refusal(const char *call, int number, struct vt_obstacle *obstacle)
{
    obstacle->code = "no-permission";
    vt_obstacle_reason(obstacle,
                       DEVICE " opens, but %s is refused (%s): a sandbox around this program (a security "
                              "module such as Landlock or SELinux, or a seccomp filter) forbids it",
                       call, strerrorname_np(number));
    vt_obstacle_fix(obstacle, "let the sandbox allow ioctl on " DEVICE ", or start this program outside it");
}

static void explain_between(const char *call, int number, struct vt_obstacle *obstacle)
{
    (void)number;
    obstacle->code = "no-permission";
    vt_obstacle_reason(obstacle,
                       DEVICE
                       " opens, but %s does not exist (ENOSYS): an emulation of Linux (gVisor, qemu-x86_64) "
                       "or a seccomp filter lies between this program and the kernel",
                       call);
    vt_obstacle_fix(obstacle, "start this program on the kernel itself");
}

static void explain_defect(const char *call, int number, struct vt_obstacle *obstacle)
{
    obstacle->code = "broken";
    vt_obstacle_reason(obstacle,
                       "%s fails: %s (%s): KVM could not switch virtualization on on every processor, or has "
                       "stopped the machine after an error of its own",
                       call, strerror(number), strerrorname_np(number));
    vt_obstacle_fix(obstacle, "%s", look);
}

void vt_vmm_explain(const char *call, int number, struct vt_obstacle *obstacle)
{
    static const struct {
        int number;
        void (*explain)(const char *call, int number, struct vt_obstacle *obstacle);
    } causes[] = {
        {EBUSY, explain_busy},     {ENOMEM, explain_memory},  {EMFILE, explain_files},
        {ENFILE, explain_files},   {EAGAIN, explain_threads}, {ENOTTY, explain_stranger},
        {EACCES, explain_refusal}, {EPERM, explain_refusal},  {ENOSYS, explain_between},
        {EIO, explain_defect},
    };

    *obstacle = (struct vt_obstacle){.code = "broken"};
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (causes[i].number == number) {
            causes[i].explain(call, number, obstacle);
            return;
        }
    const char *name = strerrorname_np(number);
    vt_obstacle_reason(obstacle, "%s fails: %s (%s)", call, strerror(number),
                       name ? name : "an unknown errno");
    vt_obstacle_fix(obstacle, "%s", look);
}

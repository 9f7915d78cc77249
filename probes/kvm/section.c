#include "probes/kvm/device.h"
#include "probes/kvm/run.h"
#include "probes/live.h"
#include "probes/section.h"
#include "vmm/backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

/* Every KVM_CAP_ of the header this was built with. */
static const struct {
    const char *name;
    int number;
} capabilities[] = {
#include "probes/kvm/caps.inc"
};

/* What KVM announces to guests where they may run hypervisors of their own. */
static const struct vt_cpuid_bit nesting[] = {{1, 0, VT_ECX, 5}, {0x80000001, 0, VT_ECX, 2}};

static const char *const modules[] = {"kvm", "kvm_intel", "kvm_amd", "kvm_pvm"};

static const char *const keys[] = {
    "kvm.device",     "kvm.accessible", "kvm.api_version", "kvm.backend", "kvm.creates_vm",
    "kvm.runs_guest", "kvm.cpl0",       "kvm.cpl3",        "kvm.nested",  "kvm.tsc_khz",
};

static void put_parameter(json_t *parameters, const char *module, const char *name)
{
    char path[512], line[128];
    int number;
    snprintf(path, sizeof path, "/sys/module/%s/parameters/%s", module, name);
    if (*name == '.' || !vt_live_line(path, line, sizeof line, &number))
        return;
    snprintf(path, sizeof path, "%s.%s", module, name);
    json_object_set_new(parameters, path, json_string(line));
}

static void put_parameters(json_t *document, const char *module)
{
    char folder[128];
    struct dirent **entries;
    snprintf(folder, sizeof folder, "/sys/module/%s/parameters", module);
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        put_parameter(vt_document_get(document, "kvm.parameters"), module, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void put_all_parameters(json_t *document)
{
    vt_document_put(document, "kvm.parameters", json_object(), NULL);
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        put_parameters(document, modules[i]);
}

/* Some capabilities are only known per VM (api.rst 4.4); the VM's answer counts where there is one. */
static void put_capabilities(json_t *document, int fd)
{
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        int value = ioctl(fd, KVM_CHECK_EXTENSION, capabilities[i].number);
        if (value >= 0)
            json_object_set_new(object, capabilities[i].name, json_integer(value));
    }
    vt_document_put(document, "kvm.capabilities", object, "KVM_CHECK_EXTENSION");
}

static void put_obstacle(json_t *document, const struct vt_obstacle *obstacle)
{
    vt_document_put(document, "kvm.obstacle", json_string(obstacle->code), NULL);
    vt_document_put(document, "kvm.reason", json_string(obstacle->reason), NULL);
    vt_document_put(document, "kvm.fix", *obstacle->fix ? json_string(obstacle->fix) : json_null(), NULL);
}

static void put_backend(json_t *document, enum vt_backend backend)
{
    vt_document_put(document, "kvm.backend", json_string(vt_vmm_backend_name(backend)),
                    backend == VT_BACKEND_UNKNOWN ? "KVM is not registered, or /sys/module does not have "
                                                    "exactly one of kvm_intel, kvm_amd and kvm_pvm that fits"
                                                  : "the module in /sys/module");
}

static bool offers_nesting(const struct kvm_cpuid2 *cpuid)
{
    for (uint32_t i = 0; i < cpuid->nent; i++)
        for (size_t n = 0; n < sizeof nesting / sizeof nesting[0]; n++)
            if (cpuid->entries[i].function == nesting[n].leaf && cpuid->entries[i].ecx >> nesting[n].bit & 1)
                return true;
    return false;
}

/* KVM announces VMX or SVM to guests exactly when nesting is switched on and possible. */
static void put_nested(json_t *document, int fd)
{
    enum { ENTRIES = 256 };
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof cpuid->entries[0]);
    if (cpuid)
        cpuid->nent = ENTRIES;
    if (cpuid && ioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
        bool offered = offers_nesting(cpuid);
        vt_document_put(document, "kvm.nested", json_boolean(offered),
                        offered ? "KVM_GET_SUPPORTED_CPUID offers VMX or SVM to guests"
                                : "KVM_GET_SUPPORTED_CPUID offers neither VMX nor SVM to guests");
    } else {
        vt_document_unknown(document, "kvm.nested", "KVM_GET_SUPPORTED_CPUID fails");
    }
    free(cpuid);
}

static void put_trial(json_t *document, const char *path, const struct vt_trial *trial,
                      enum vt_backend backend)
{
    char why[512];
    const char *execution = vt_kvm_execution_name(vt_kvm_judge(trial, backend));
    vt_kvm_tell(trial, backend, why, sizeof why);
    if (execution)
        vt_document_put(document, path, json_string(execution), why);
    else
        vt_document_unknown(document, path, why);
}

static void run_guest(json_t *document, enum vt_backend backend)
{
    struct vt_trials trials;
    vt_kvm_try(&trials);
    bool runs = trials.cpl0.ran || trials.cpl3.ran;
    vt_document_put(document, "kvm.runs_guest", json_boolean(runs),
                    runs ? "guest code ran to its end" : trials.cpl0.obstacle.reason);
    put_trial(document, "kvm.cpl0", &trials.cpl0, backend);
    put_trial(document, "kvm.cpl3", &trials.cpl3, backend);
    if (trials.tsc_khz)
        vt_document_put(document, "kvm.tsc_khz", json_integer(trials.tsc_khz), "KVM_GET_TSC_KHZ");
    else
        vt_document_unknown(document, "kvm.tsc_khz", "KVM_GET_TSC_KHZ gives no answer");
    if (!runs) {
        struct vt_obstacle obstacle = trials.cpl0.obstacle;
        if (strcmp(obstacle.code, "does-not-run") == 0)
            vt_obstacle_reason(&obstacle, "KVM creates a machine, but it does not run: %s",
                               trials.cpl0.obstacle.reason);
        put_obstacle(document, &obstacle);
    }
}

static void unavailable(json_t *document, const char *why)
{
    vt_document_put(document, "kvm.runs_guest", json_false(), why);
    vt_document_put(document, "kvm.cpl0", json_string("unavailable"), why);
    vt_document_put(document, "kvm.cpl3", json_string("unavailable"), why);
    vt_document_unknown(document, "kvm.tsc_khz", why);
}

static void probe_device(json_t *document, const struct vt_facts *facts)
{
    enum vt_backend backend = vt_vmm_backend();
    put_backend(document, backend);
    put_nested(document, facts->kvm_device);
    int version = ioctl(facts->kvm_device, KVM_GET_API_VERSION, 0);
    if (version >= 0)
        vt_document_put(document, "kvm.api_version", json_integer(version), "KVM_GET_API_VERSION");
    else
        vt_document_unknown(document, "kvm.api_version", "KVM_GET_API_VERSION fails");
    int vm = ioctl(facts->kvm_device, KVM_CREATE_VM, 0), number = errno;
    vt_document_put(document, "kvm.creates_vm", json_boolean(vm >= 0),
                    vm >= 0 ? "KVM_CREATE_VM" : strerror(number));
    put_capabilities(document, vm >= 0 ? vm : facts->kvm_device);
    if (vm >= 0) {
        close(vm);
        run_guest(document, backend);
        return;
    }
    struct vt_obstacle obstacle;
    struct vt_kvm_scene scene;
    vt_kvm_scene_read(document, &scene);
    vt_kvm_explain_stranger(document, &scene, version < 0 ? "KVM_GET_API_VERSION" : "KVM_CREATE_VM", number,
                            &obstacle);
    put_obstacle(document, &obstacle);
    unavailable(document, obstacle.reason);
}

static void probe_closed(json_t *document)
{
    struct vt_obstacle obstacle;
    struct vt_kvm_scene scene;
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC), number = errno;
    if (fd >= 0)
        close(fd);
    vt_kvm_scene_read(document, &scene);
    vt_kvm_explain_open(document, &scene, number, &obstacle);
    vt_document_put(document, "kvm.accessible", json_false(), obstacle.reason);
    put_obstacle(document, &obstacle);
    put_backend(document, vt_vmm_backend());
    vt_document_put(document, "kvm.creates_vm", json_false(), obstacle.reason);
    unavailable(document, obstacle.reason);
    vt_document_unknown(document, "kvm.api_version", obstacle.reason);
    vt_document_unknown(document, "kvm.nested", obstacle.reason);
    vt_document_put(document, "kvm.capabilities", json_object(), NULL);
}

static void put_device(json_t *document)
{
    struct stat status;
    if (stat(DEVICE, &status) == 0)
        vt_document_put(document, "kvm.device", json_boolean(S_ISCHR(status.st_mode)), DEVICE);
    else if (errno == ENOENT || errno == ELOOP)
        vt_document_put(document, "kvm.device", json_false(), DEVICE);
    else
        vt_document_unknown(document, "kvm.device", "/dev cannot be looked into");
}

void vt_detect_kvm(json_t *document, const struct vt_facts *facts)
{
    if (!facts->live) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            vt_document_unknown(document, keys[i], "a CPUID dump does not tell");
        vt_document_put(document, "kvm.reason", json_string("a CPUID dump does not tell what KVM does there"),
                        NULL);
        vt_document_put(document, "kvm.capabilities", json_object(), NULL);
        return;
    }
    put_device(document);
    vt_document_put(document, "kvm.obstacle", json_null(), NULL);
    vt_document_put(document, "kvm.reason", json_null(), NULL);
    vt_document_put(document, "kvm.fix", json_null(), NULL);
    put_all_parameters(document);
    if (facts->kvm_device < 0) {
        probe_closed(document);
        return;
    }
    vt_document_put(document, "kvm.accessible", json_true(), "opened for reading and writing");
    probe_device(document, facts);
}

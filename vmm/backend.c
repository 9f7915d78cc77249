#include "vmm/backend.h"
#include "base/vendor.h"

#include <cpuid.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *module;
} backends[] = {
    [VT_BACKEND_UNKNOWN] = {"unknown", NULL},
    [VT_BACKEND_VMX] = {"vmx", "/sys/module/kvm_intel"},
    [VT_BACKEND_SVM] = {"svm", "/sys/module/kvm_amd"},
    [VT_BACKEND_PVM] = {"pvm", "/sys/module/kvm_pvm"},
};

enum vt_backend vt_vmm_choose_backend(unsigned loaded, unsigned possible)
{
    for (unsigned i = VT_BACKEND_VMX; i <= VT_BACKEND_PVM; i++)
        if ((loaded & possible) == 1u << i)
            return (enum vt_backend)i;
    return VT_BACKEND_UNKNOWN;
}

unsigned vt_vmm_possible_backends(void)
{
    unsigned eax, ebx, ecx, edx, possible = 1u << VT_BACKEND_PVM;

    if (vt_vendor_has_svm()) {
        if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx >> 2 & 1)
            possible |= 1u << VT_BACKEND_SVM;
    } else if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx >> 5 & 1) {
        possible |= 1u << VT_BACKEND_VMX;
    }
    return possible;
}

/* proc(5): /proc/misc has a line "232 kvm" per device. */
int vt_vmm_registered(const char *root, unsigned *minor)
{
    char path[PATH_MAX], line[128], name[64];
    unsigned number;
    int found = 0;

    snprintf(path, sizeof path, "%s/proc/misc", root);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (!found && fgets(line, sizeof line, file))
        found = sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, "kvm") == 0;
    fclose(file);
    if (found)
        *minor = number;
    return found;
}

enum vt_backend vt_vmm_backend(void)
{
    unsigned loaded = 0, minor;

    if (vt_vmm_registered("", &minor) == 0)
        return VT_BACKEND_UNKNOWN;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (backends[i].module && access(backends[i].module, F_OK) == 0)
            loaded |= 1u << i;
    return vt_vmm_choose_backend(loaded, vt_vmm_possible_backends());
}

const char *vt_vmm_backend_name(enum vt_backend backend)
{
    return backends[backend].name;
}

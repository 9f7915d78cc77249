#include "vmm/backend.h"

#include <stddef.h>
#include <unistd.h>

static const struct {
    const char *name, *module;
} backends[] = {
    [VT_BACKEND_UNKNOWN] = {"unknown", NULL                   },
    [VT_BACKEND_VMX] = {"vmx",     "/sys/module/kvm_intel"},
    [VT_BACKEND_SVM] = {"svm",     "/sys/module/kvm_amd"  },
    [VT_BACKEND_PVM] = {"pvm",     "/sys/module/kvm_pvm"  },
};

enum vt_backend vt_vmm_backend(void)
{
    enum vt_backend found = VT_BACKEND_UNKNOWN;

    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (!backends[i].module || access(backends[i].module, F_OK) != 0)
            continue;
        if (found != VT_BACKEND_UNKNOWN)
            return VT_BACKEND_UNKNOWN;
        found = (enum vt_backend)i;
    }
    return found;
}

const char *vt_vmm_backend_name(enum vt_backend backend)
{
    return backends[backend].name;
}

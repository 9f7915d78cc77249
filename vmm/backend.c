#include "vmm/backend.h"
#include "base/vendor.h"

#include <stddef.h>
#include <unistd.h>

static const struct {
    const char *name, *module;
} backends[] = {
    [VT_BACKEND_UNKNOWN] = {"unknown", NULL},
    [VT_BACKEND_VMX] = {"vmx", "/sys/module/kvm_intel"},
    [VT_BACKEND_SVM] = {"svm", "/sys/module/kvm_amd"},
    [VT_BACKEND_PVM] = {"pvm", "/sys/module/kvm_pvm"},
};

enum vt_backend vt_vmm_choose_backend(unsigned loaded, bool svm)
{
    const unsigned both = 1u << VT_BACKEND_VMX | 1u << VT_BACKEND_SVM;

    if ((loaded & both) == both)
        loaded &= ~(1u << (svm ? VT_BACKEND_VMX : VT_BACKEND_SVM));
    for (unsigned i = VT_BACKEND_VMX; i <= VT_BACKEND_PVM; i++)
        if (loaded == 1u << i)
            return (enum vt_backend)i;
    return VT_BACKEND_UNKNOWN;
}

enum vt_backend vt_vmm_backend(void)
{
    unsigned loaded = 0;

    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (backends[i].module && access(backends[i].module, F_OK) == 0)
            loaded |= 1u << i;
    return vt_vmm_choose_backend(loaded, vt_vendor_has_svm());
}

const char *vt_vmm_backend_name(enum vt_backend backend)
{
    return backends[backend].name;
}

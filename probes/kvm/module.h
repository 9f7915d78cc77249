/*
 * What the kernel and its files say of the module that KVM needs here: registered, loaded, built in, there as
 * a file, and whether anything forbids to load it.
 */
#ifndef VT_PROBES_KVM_MODULE_H
#define VT_PROBES_KVM_MODULE_H

#include "probes/row.h"

#include <stdbool.h>
#include <stddef.h>

enum vt_module_state {
    VT_MODULE_UNSEEN,    /* no kernel's modules can be seen here */
    VT_MODULE_REPLACED,  /* other kernels' modules can, the running one's are gone */
    VT_MODULE_ABSENT,    /* it is none of this kernel's modules */
    VT_MODULE_LOST,      /* it is one of them, but its file is gone */
    VT_MODULE_THERE,     /* its file is there */
    VT_MODULE_BUILT_IN,  /* it is part of the kernel */
    VT_MODULE_NO_LOADER, /* this kernel loads no modules, and this one is not built in */
    VT_MODULE_SANDBOX,   /* the kernel is a program of user space that plays one: gVisor */
};

struct vt_kvm_module {
    char name[16];             /* "kvm_intel" */
    enum vt_answer registered; /* KVM has registered its device: /proc/misc */
    unsigned minor;            /* as registered; else what it always is */
    bool loaded;               /* stands in /sys/module */
    enum vt_module_state state;
    const char *player, *instead;    /* who plays the kernel, and what to do; NULL: nobody does */
    char blocked[160], unblock[160]; /* what forbids to load it and what to do about that; "": nothing seen */
};

/* `root` goes before every path ("": this system); `release` is uname's. */
void vt_kvm_module_read(const char *root, const char *release, const char *name,
                        struct vt_kvm_module *module);

#endif

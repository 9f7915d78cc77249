/* Which labs there are. */
#ifndef VT_LAB_LABS_H
#define VT_LAB_LABS_H

#include "lab/lab.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_lab {
    const char *name, *summary;
    const char *module;    /* of KVM for its processor, "kvm_amd"; it takes a kernel, modules, levels and a
                            * tuning. NULL: it boots no Linux */
    bool boots_hypervisor; /* takes a hypervisor */
    long profiles;         /* hypervisors, one in another, whose functions it can tell */
    long processors;       /* its machine has, at most */
    long depths;           /* hypervisors one in another, at most */
    int (*run)(const struct vt_lab_request *request, struct vt_lab_outcome *outcome, struct vt_error *error);
};

/* All labs; *count receives how many. */
const struct vt_lab *vt_labs(size_t *count);

/* Their entry points. */
int vt_lab_run_svm(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);
int vt_lab_run_svm_bochs(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                         struct vt_error *error);
int vt_lab_run_vmx(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);

int vt_lab_run_tcg(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);
int vt_lab_run_bochs(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                     struct vt_error *error);
int vt_lab_run_xen(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);

#endif

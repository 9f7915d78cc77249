/* What the labs share among themselves: their entry points and small steps each of them takes. */
#ifndef VT_LAB_LABS_H
#define VT_LAB_LABS_H

#include "lab/lab.h"

int vt_lab_run_svm(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);
int vt_lab_run_vmx(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);

int vt_lab_run_tcg(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);
int vt_lab_run_xen(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error);

/* The emulator must be installed; its version goes into the outcome. */
int vt_lab_require_emulator(struct vt_lab_outcome *outcome, const char *program, const char *package,
                            struct vt_error *error);

#endif

/*
 * What the labs with a Linux kernel share: where kernel and modules come from and
 * the initial root file system with this program as the first process.
 */
#ifndef VT_LAB_LINUX_H
#define VT_LAB_LINUX_H

#include "base/error.h"
#include "lab/lab.h"
#include "lab/package.h"
#include "lab/plan.h"

struct vt_lab_linux {
    struct vt_package package;
    char *kernel, *modules; /* owned */
};

/* The kernel's own messages on the first serial port, nothing random, an end where it panics. */
#define VT_LAB_LINUX_COMMAND_LINE                                                                            \
    "console=ttyS0 panic=-1 nokaslr norandmaps mitigations=off random.trust_cpu=on rdinit=/vmtoll -- lab "   \
    "inside"

/* Use the kernel and modules of the request, or Debian's. */
int vt_lab_linux_find(struct vt_lab_linux *linux_, const struct vt_lab_request *request,
                      struct vt_error *error);

/* Write the initial root file system with `module` and what it depends on. */
int vt_lab_linux_archive(const struct vt_lab_linux *linux_, const char *path, const char *module,
                         const struct vt_lab_plan *plan, struct vt_error *error);

/* A plan for this request; fails when the list of cases is too long. */
int vt_lab_linux_plan(struct vt_lab_plan *plan, const char *engine, const struct vt_lab_request *request,
                      struct vt_error *error);

void vt_lab_linux_release(struct vt_lab_linux *linux_);

#endif

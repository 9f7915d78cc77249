/*
 * What the labs with a Linux kernel share: where kernel and modules come from and
 * the initial root file system with this program as the first process.
 */
#ifndef VT_LAB_LINUX_H
#define VT_LAB_LINUX_H

#include "base/error.h"
#include "lab/emulator.h"
#include "lab/lab.h"
#include "lab/fetch/package.h"
#include "lab/fetch/workspace.h"

#include <stdbool.h>

#define VT_LAB_LINUX_INITRD "initrd" /* in the workspace */

struct vt_lab_linux {
    struct vt_package package;
    char *kernel, *modules; /* owned */
    struct vt_workspace workspace;
    char command_line[VT_LAB_COMMAND_LINE]; /* of the kernel */
};

/*
 * Find the kernel and modules of the request, or Debian's, and write the initial
 * root file system into a new workspace: this program, a plan for rows of engine
 * `lab`, the module `module` and what it depends on. `own`: words that this machine's kernel needs, each with
 * a blank behind it. `elf`: the boot loader takes a vmlinux as well.
 */
int vt_lab_linux_open(struct vt_lab_linux *linux_, const struct vt_lab_request *request, const char *lab,
                      const char *module, const char *own, bool elf, struct vt_error *error);

/* Safe when it failed to open. */
void vt_lab_linux_close(struct vt_lab_linux *linux_);

/* Boot it: `emulator` without what is the same for all. The document goes to the outcome, with the command
 * line. */
int vt_lab_linux_run(struct vt_lab_linux *linux_, struct vt_emulator *emulator,
                     struct vt_lab_outcome *outcome, struct vt_error *error);

#endif

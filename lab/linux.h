/*
 * What the labs with a Linux kernel share: where kernel and modules come from and
 * the initial root file system with this program as the first process.
 */
#ifndef VT_LAB_LINUX_H
#define VT_LAB_LINUX_H

#include "base/error.h"
#include "lab/emulator/emulator.h"
#include "lab/lab.h"
#include "lab/plan.h"
#include "lab/fetch/modules.h"
#include "lab/fetch/package.h"
#include "lab/fetch/workspace.h"

#include <stdbool.h>

#define VT_LAB_LINUX_INITRD "initrd" /* in the workspace */

struct vt_lab_linux {
    struct vt_package package;
    char *kernel, *modules; /* owned */
    struct vt_workspace workspace;
    char command_line[VT_LAB_COMMAND_LINE]; /* of the kernel */
    struct vt_lab_plan plan;
    struct vt_lab_modules loaded; /* in this order */
    char *rows;                   /* what runs measured that did not end, owned (rows.h) */
    size_t rows_size;
    /* Make of the initial root file system what the machine boots from; NULL: it boots from that itself. */
    int (*place)(const struct vt_lab_linux *linux_, const struct vt_lab_request *request,
                 struct vt_error *error);
};

/*
 * Find the kernel and modules of the request, or Debian's, for rows of engine `lab`: the module `module` and
 * what it depends on. `own`: words that this machine's kernel needs, each with a blank behind it. `elf`: the
 * boot loader takes a vmlinux as well. The workspace is new.
 */
int vt_lab_linux_open(struct vt_lab_linux *linux_, const struct vt_lab_request *request, const char *lab,
                      const char *module, const char *own, bool elf, struct vt_error *error);

/* Safe when it failed to open. */
void vt_lab_linux_close(struct vt_lab_linux *linux_);

/*
 * Write the initial root file system into the workspace (this program, the plan, the modules) and boot it:
 * `emulator` without what is the same for all. Where a row ends the machine or hangs it is lost, and those
 * behind it are asked of another machine; with a profile all are, of which one machine must tell. The
 * document goes to the outcome, and the command line. Symbols, where they were asked for, go to its first
 * profile.
 */
int vt_lab_linux_run(struct vt_lab_linux *linux_, struct vt_emulator *emulator,
                     struct vt_lab_outcome *outcome, struct vt_error *error);

#endif

/*
 * A disc a PC starts from: GRUB, a kernel and its initramfs (El Torito 1.0).
 */
#ifndef VT_LAB_EMULATOR_DISC_H
#define VT_LAB_EMULATOR_DISC_H

#include "base/error.h"
#include "lab/lab.h"

#define VT_DISC_FILE "disc.iso" /* in the folder */

/* The programs and files making one takes; the error names the Debian package. */
int vt_disc_require(struct vt_error *error);

/*
 * Makes "disc.iso" in `folder`, a path, of `kernel`, a path, and of `initrd`, a name in that folder, which is
 * moved away. The same three give the same bytes, whenever and wherever. The request's stop ends it.
 */
int vt_disc_make(const char *folder, const char *kernel, const char *initrd, const char *command_line,
                 const struct vt_lab_request *request, struct vt_error *error);

#endif

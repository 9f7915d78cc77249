/*
 * A disc a PC starts from (El Torito 1.0): GRUB, and a kernel with its initramfs, or an image by Multiboot 2.
 */
#ifndef VT_LAB_EMULATOR_DISC_H
#define VT_LAB_EMULATOR_DISC_H

#include "base/error.h"
#include "lab/lab.h"

#define VT_DISC_FILE "disc.iso" /* in the folder */

/* The programs and files making one takes; the error names the Debian package. */
int vt_disc_require(struct vt_error *error);

struct vt_disc {
    const char *kernel;       /* a path: Linux, or the image */
    const char *initrd;       /* a name in the folder, moved away; NULL: the kernel is an image */
    const char *command_line; /* of either */
};

/*
 * Makes "disc.iso" in `folder`, a path. The same contents give the same bytes, whenever and wherever. The
 * request's stop ends it.
 */
int vt_disc_make(const char *folder, const struct vt_disc *disc, const struct vt_lab_request *request,
                 struct vt_error *error);

#endif

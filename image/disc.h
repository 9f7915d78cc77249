/*
 * A disc or disk that any PC starts from, made of the two loaders: by BIOS through GRUB, which shows the
 * menu, by UEFI straight from a FAT volume of its own, to which the result is written.
 */
#ifndef VT_IMAGE_DISC_H
#define VT_IMAGE_DISC_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct vt_image_file {
    const uint8_t *data;
    size_t size;
};

/* Write it to `output`. A missing program is an error that names its Debian package. The same loaders give
 * the same bytes. */
int vt_image_disc_write(const char *output, const struct vt_image_file *pc, const struct vt_image_file *efi,
                        struct vt_error *error);

#endif

/* Is a file a kernel that a lab can boot? Said before a machine is started for it. */
#ifndef VT_LAB_KERNEL_H
#define VT_LAB_KERNEL_H

#include "base/error.h"

#include <stdbool.h>

/* A bzImage for 64 bits; with `elf` also a vmlinux that starts as PVH, as QEMU boots it. */
int vt_lab_kernel_check(const char *path, bool elf, struct vt_error *error);

/* A multiboot image, as Xen is one when unpacked. */
int vt_lab_hypervisor_check(const char *path, struct vt_error *error);

#endif

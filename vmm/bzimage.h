/*
 * A Linux kernel in the memory of a virtual machine, ready to be entered at its 64-bit entry
 * (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
 *
 * Owns: where kernel, initial RAM disk, command line and tables lie. Does not own: the machine
 * (vmm/pc.h), where the files come from.
 */
#ifndef VT_VMM_BZIMAGE_H
#define VT_VMM_BZIMAGE_H

#include "base/error.h"

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be booted: whole files, the caller's. */
struct vt_bzimage {
    const void *kernel, *initrd;
    size_t kernel_size, initrd_size;
    const char *command_line;
};

/*
 * Lay everything into `memory`, which starts at guest-physical 0 and is all the machine has. *entry receives
 * where the kernel is entered, with RSI at VT_BZIMAGE_PARAMETERS. An image that is none, for 32 bits, cut
 * off, or too large for the memory is an error.
 */
int vt_bzimage_load(uint8_t *memory, size_t size, const struct vt_bzimage *image, uint64_t *entry,
                    struct vt_error *error);

#define VT_BZIMAGE_PARAMETERS 0x7000 /* struct boot_params */

/* Turn `sregs` (as KVM returned it) into the state the protocol asks for, on the tables that were laid. */
void vt_bzimage_registers(struct kvm_sregs *sregs);

#endif

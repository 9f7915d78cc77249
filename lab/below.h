/*
 * A Linux below a Linux (`--depth 2`). Below: this program, as the first process of the lab's machine, starts
 * a second machine under its own KVM with the same kernel and passes on what that says. Above: it asks the
 * one below for its counters.
 */
#ifndef VT_LAB_BELOW_H
#define VT_LAB_BELOW_H

#include "base/error.h"
#include "bench/outer.h"

/* Names in the initial root file system of the machine below. */
#define VT_LAB_BELOW_KERNEL "upper-kernel"
#define VT_LAB_BELOW_INITRD "upper-initrd"
#define VT_LAB_BELOW_WORDS  "upper-words" /* the kernel's command line */

/* Ports that the machine above reads, 32 bits each: exits so far, interrupts served so far. */
#define VT_LAB_BELOW_EXITS      0x5d0
#define VT_LAB_BELOW_INTERRUPTS 0x5d4

/* Start the machine above and answer it. Returns when it ended otherwise than by being switched off with this
 * one: always an error. */
int vt_lab_below_run(struct vt_error *error);

/* From above. Needs access to ports. */
extern const struct vt_outer vt_lab_below;

#endif

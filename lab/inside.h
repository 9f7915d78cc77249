/*
 * The part of a lab that runs inside the emulated machine: this program as its
 * first process. Owns: getting from a bare kernel to a working /dev/kvm, and the
 * link to the outside. Does not own: measuring (bench/), documents (report/).
 */
#ifndef VT_LAB_INSIDE_H
#define VT_LAB_INSIDE_H

#include "base/error.h"
#include "lab/plan.h"

#include <stddef.h>

/* Names in the initial root file system. */
#define VT_LAB_INSIDE_PLAN    "plan"
#define VT_LAB_INSIDE_MODULES "modules"

/* Is this process the first one of a machine? */
int vt_lab_inside(void);

/* Mount, load the modules, find /dev/kvm, read the plan. */
int vt_lab_inside_prepare(struct vt_lab_plan *plan, struct vt_error *error);

/*
 * Ticks of the time-stamp counter per instruction, from loops of known length;
 * an error where they do not follow the length: then it counts something else.
 */
int vt_lab_inside_calibrate(double *ticks, struct vt_error *error);

/* One line to the outside; see link.h. */
void vt_lab_inside_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes of somebody else's, as they are. */
void vt_lab_inside_pass(const char *data, size_t size);

/* The result document. */
void vt_lab_inside_send(const char *document, size_t size);

/* The same of one row, as soon as it is measured. */
void vt_lab_inside_send_row(const char *document, size_t size);

/* The names of functions. When all is measured: reading them takes memory, and moves what comes after. */
void vt_lab_inside_send_symbols(void);

/* The same, handed to the plugin that watches the machine (profile/page.h). */
void vt_lab_inside_hand_over_symbols(void);

/* Say how it ended (error may be NULL) and wait for the outside to switch the machine off. */
_Noreturn void vt_lab_inside_end(const struct vt_error *error);

#endif

/*
 * The monitor as one that is asked: hypercalls by SYSCALL, with numbers and arguments of Xen's
 * (xen/include/public/xen.h), so that the forms of the catalogue for Xen run here byte for byte.
 *
 * Owns: which calls there are, and what each does to the virtual CPU. Does not own: getting here (gates.S).
 */
#ifndef VT_MONITOR_CALL_H
#define VT_MONITOR_CALL_H

#include "guest/catalogue.h"

#include <stdbool.h>

/* Does the monitor answer what this case's form for Xen asks? */
bool vt_call_offers(const struct vt_case *c);

/* What the form must know beside what the case knows; after vt_monitor_prepare. */
void vt_call_prepare(const struct vt_case *c);

#endif

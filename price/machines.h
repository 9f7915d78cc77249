/*
 * Which machines of KVM run here that this user may see.
 */
#ifndef VT_PRICE_MACHINES_H
#define VT_PRICE_MACHINES_H

#include "price/source/source.h"

enum { VT_PRICE_MACHINES = 1024 };

struct vt_price_machines {
    struct vt_price_target *list; /* owned, as are its names */
    size_t count;
};

/*
 * Domains of libvirt, by name; then processes that hold a machine and are none of those, by number. At most
 * VT_PRICE_MACHINES. `root` is "/proc". Returns 0, also where there are none, or -ENOMEM.
 */
int vt_price_machines_find(const char *root, struct vt_price_machines *machines, struct vt_error *error);

void vt_price_machines_release(struct vt_price_machines *machines);

#endif

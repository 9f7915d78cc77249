/* Names of Xen's functions: from the map that its build leaves, as Debian's debug package has it. */
#ifndef VT_LAB_PROFILE_XENMAP_H
#define VT_LAB_PROFILE_XENMAP_H

#include "base/error.h"
#include "lab/fetch/package.h"
#include "lab/lab.h"

/*
 * The text of the map that belongs to what boots: `package`, or the request's own build, beside which it lies
 * as xen-syms.map. malloc'ed and the caller's. `note` as in lab/fetch/package.h.
 */
int vt_xen_map_get(const struct vt_package *package, const struct vt_lab_request *request,
                   void (*note)(void *context, const char *text), char **text, struct vt_error *error);

/* The same as lab/profile/symbols.h reads them: malloc'ed. NULL: memory is out. */
char *vt_xen_map_symbols(const char *map);

#endif

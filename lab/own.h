/* The files this very process was made from, so that it can run elsewhere: executable, loader, libraries. */
#ifndef VT_LAB_OWN_H
#define VT_LAB_OWN_H

#include <stddef.h>

/* Called with each absolute path; not 0 ends the walk with that value. */
typedef int (*vt_lab_own_sink)(void *context, const char *path);

int vt_lab_own_libraries(vt_lab_own_sink sink, void *context);

#endif

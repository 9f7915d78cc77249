/* Files that somebody named: a pipe would be waited for without end, a folder reads as nothing. */
#ifndef VT_LAB_FETCH_GIVEN_H
#define VT_LAB_FETCH_GIVEN_H

#include "base/error.h"

/* Is `path`, links followed, a regular file that may be read? `what` is "the kernel", for messages. */
int vt_given_check(const char *path, const char *what, struct vt_error *error);

#endif

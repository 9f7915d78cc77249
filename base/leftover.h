/*
 * What the program leaves lying while it works, and what killed runs left. Its
 * maker holds a lock on each temporary file and folder (flock(2)), which ends with the
 * process however that ends: what is ours, named as ours and not locked is nobody's.
 * A process number would not do: two containers that share a folder have the same.
 */
#ifndef VT_BASE_LEFTOVER_H
#define VT_BASE_LEFTOVER_H

#include <stddef.h>

/* Lock what was just made. -EAGAIN where another run swept it away before: make another. */
int vt_leftover_claim(int fd);

/* Remove what killed runs of this user left in `folder` of that kind: files and folders named `prefix`,
 * a process number, "-" and what follows. */
void vt_leftover_sweep(int folder, const char *prefix);

/*
 * Sweep, and make a folder "PARENT/PREFIX<pid>-XXXXXX" in `path`. Returns its lock, to be
 * closed when the folder is removed, or a negative errno.
 */
int vt_leftover_make_folder(const char *parent, const char *prefix, char *path, size_t size);

/*
 * A file that goes when a signal ends the process. Both are the caller's until it is forgotten; at most a few
 * at a time, others are left to the next run.
 */
void vt_leftover_note(int folder, const char *name);
void vt_leftover_forget(const char *name);

/* For a signal handler: remove what is noted. */
void vt_leftover_drop(void);

#endif

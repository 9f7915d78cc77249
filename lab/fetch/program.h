/*
 * Other programs: found, started without a shell, ended with their parent.
 */
#ifndef VT_LAB_FETCH_PROGRAM_H
#define VT_LAB_FETCH_PROGRAM_H

#include "base/error.h"
#include "lab/fetch/stop.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Is it in $PATH? */
bool vt_program_exists(const char *name);

/* The same as an error that names the Debian package to install. */
int vt_program_require(const char *name, const char *package, struct vt_error *error);

/*
 * Start argv[0] in `folder` (NULL: here) with standard input from /dev/null and
 * both outputs going to `output` (a descriptor). It leads a process group of its
 * own, so that ^C reaches this program alone, and dies with it. Returns its id or
 * a negative errno.
 */
pid_t vt_program_start(char *const *argv, const char *folder, int output);

/* Ask the whole group to end, after a second insist; wait for all of it. Safe with pid <= 0. */
void vt_program_end(pid_t pid);

/*
 * Run to the end. What it prints is malloc'ed into *text (the caller's; may be
 * NULL to forget it). Returns its exit status, 128 + signal, or a negative errno;
 * -EINTR or -ETIME: it was ended because of `stop` (may be NULL).
 */
int vt_program_run(char *const *argv, const char *folder, char **text, const struct vt_lab_stop *stop);

/* The last line of `text` that is not empty, without surrounding blanks; text is changed. */
char *vt_program_last_line(char *text);

#endif

/*
 * Runs gnuplot: a script in, pictures out.
 *
 * gnuplot is started by its arguments alone, without a shell and without the
 * user's start-up files, in a folder of its own, and ended when it takes too long.
 * Scripts hold numbers and cleaned labels only: nothing a file says is interpreted.
 */
#ifndef VT_SHOW_PLOT_H
#define VT_SHOW_PLOT_H

#include "base/error.h"

#include <stddef.h>

/*
 * Run `script`, which writes the files 0.svg, 1.svg, ... of its working folder, and
 * read them: pictures[i] is malloc'ed text, or NULL where a file is absent. A
 * negative errno, with the missing thing named, when gnuplot cannot be run.
 */
int vt_plot_run(const char *script, char **pictures, size_t count, struct vt_error *error);

/* Run `script` in a folder of the caller's, which keeps what it writes there. */
int vt_plot_run_in(const char *folder, const char *script, int seconds, struct vt_error *error);

/* A label gnuplot takes literally inside double quotes: letters, digits and " ._-+/():,", others become '?'.
 */
void vt_plot_label(const char *text, char *label, size_t size);

#endif

/*
 * The program gnuplot, started with less than the user may do: no new privileges,
 * none of root's, limits on memory, files and time. It dies with this program.
 */
#ifndef VT_SHOW_GNUPLOT_H
#define VT_SHOW_GNUPLOT_H

/*
 * Before this process is confined (base/process/confine.h) and starts a program no more:
 * have another one that will. Without, vt_gnuplot_run starts it itself.
 */
void vt_gnuplot_prepare(void);

/*
 * Run the file "script" in `folder`; *status as waitpid gives it, where 127 says
 * that there is no gnuplot and 126 that it cannot be started. A negative errno
 * when it could not be run, or not within `seconds` (-ETIMEDOUT).
 */
int vt_gnuplot_run(const char *folder, int seconds, int *status);

#endif

/*
 * The facts of the machine this runs on. Reads only: pins the calling thread for
 * a moment on processors with several core types, loads nothing, needs no root.
 */
#ifndef VT_PROBES_LIVE_H
#define VT_PROBES_LIVE_H

#include "probes/facts.h"

/* `facts` is initialised here, and released by vt_live_close. */
int vt_live_open(struct vt_facts *facts, struct vt_error *error);

void vt_live_close(struct vt_facts *facts);

/*
 * First line of a small file below /sys, /proc or /dev, without its newline.
 * False (and *number the errno) when it cannot be read.
 */
bool vt_live_line(const char *path, char *line, size_t size, int *number);

#endif

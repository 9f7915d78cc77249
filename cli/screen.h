/*
 * What standard output can show.
 */
#ifndef VT_CLI_SCREEN_H
#define VT_CLI_SCREEN_H

#include "show/screen.h"

/* For a report that goes to `path` ("-": standard output). Colour only on a terminal and never with NO_COLOR.
 */
struct vt_screen vt_cli_screen(const char *path);

#endif

/*
 * Asking a long command to stop.
 */
#ifndef VT_CLI_STOP_H
#define VT_CLI_STOP_H

#include <stdbool.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP set what this returns, and the command ends in order. `insist`: a
 * second one ends the process at once; not where that would leave something behind.
 */
const volatile int *vt_cli_stop(bool insist);

#endif

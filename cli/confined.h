/* Commands that read what strangers wrote give up what that does not take. */
#ifndef VT_CLI_CONFINED_H
#define VT_CLI_CONFINED_H

#include <stdbool.h>

/* Before the first file is read. `output` and `folder` are what will be written, or NULL; `charts`: by
 * gnuplot. */
void vt_cli_confine(const char *output, const char *folder, bool charts);

#endif

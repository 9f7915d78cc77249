/*
 * Where memory runs out, the program ends: with one line, status 3 and no answer, since one that was made
 * without all it needed may be another. The linker leads what the layers below and jansson ask of the C
 * library through here (ALLOCATING in the Makefile).
 */
#ifndef VT_CLI_MEMORY_H
#define VT_CLI_MEMORY_H

/* Before anything else is called. `command` is what the line names; the caller's. */
void vt_cli_memory_begin(const char *command);

#endif

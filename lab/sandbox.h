/* QEMU's own sandbox: once its machine is made, it may start no program and gain no privilege. */
#ifndef VT_LAB_SANDBOX_H
#define VT_LAB_SANDBOX_H

#include <stdbool.h>

/* Has `program` one? What it then prints of its version is malloc'ed into *text (the caller's); may be NULL.
 */
bool vt_sandbox_has(const char *program, char **text);

/* A copy of `argv` with the sandbox switched on, where its program has one: malloc'ed; NULL: memory is out.
 */
char **vt_sandbox_arguments(char *const *argv);

#endif

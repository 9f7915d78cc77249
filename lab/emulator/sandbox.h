/* QEMU's own sandbox: once its machine is made, it may start no program and gain no privilege. */
#ifndef VT_LAB_EMULATOR_SANDBOX_H
#define VT_LAB_EMULATOR_SANDBOX_H

#include <stdbool.h>

/* Is there a sandbox to ask this program for? */
bool vt_sandbox_is_for(const char *program);

/* A copy of `argv` that asks for it: malloc'ed; NULL: memory is out. */
char **vt_sandbox_arguments(char *const *argv);

/* Does what QEMU printed say that it was built without one? */
bool vt_sandbox_is_missing(const char *output);

#endif

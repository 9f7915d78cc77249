#include "lab/emulator/sandbox.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

bool vt_sandbox_is_for(const char *program)
{
    return strncmp(program, "qemu-", 5) == 0;
}

char **vt_sandbox_arguments(char *const *argv)
{
    static char *const sandbox[] = {"-sandbox", SANDBOX};
    enum { EXTRA = sizeof sandbox / sizeof sandbox[0] };
    size_t count = 0;
    while (argv[count])
        count++;
    char **copy = calloc(count + EXTRA + 1, sizeof *copy);
    if (!copy)
        return NULL;
    copy[0] = argv[0];
    memcpy(copy + 1, sandbox, sizeof sandbox);
    memcpy(copy + 1 + EXTRA, argv + 1, (count - 1) * sizeof *copy);
    return copy;
}

/* The words of QEMU 3 to 10. */
bool vt_sandbox_is_missing(const char *output)
{
    return strstr(output, "no option group 'sandbox'") || strstr(output, "sandbox support is not enabled");
}

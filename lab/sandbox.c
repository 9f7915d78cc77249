#include "lab/sandbox.h"
#include "lab/fetch/program.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

bool vt_sandbox_has(const char *program, char **text)
{
    char *const argv[] = {(char *)program, "-sandbox", SANDBOX, "--version", NULL};
    if (text)
        *text = NULL;
    if (strncmp(program, "qemu-", 5) != 0)
        return false;
    if (vt_program_run(argv, NULL, text, NULL) == 0)
        return true;
    if (text) {
        free(*text);
        *text = NULL;
    }
    return false;
}

char **vt_sandbox_arguments(char *const *argv)
{
    static char *const sandbox[] = {"-sandbox", SANDBOX};
    size_t count = 0, extra = vt_sandbox_has(argv[0], NULL) ? 2 : 0;
    while (argv[count])
        count++;
    char **copy = calloc(count + extra + 1, sizeof *copy);
    if (!copy)
        return NULL;
    copy[0] = argv[0];
    memcpy(copy + 1, sandbox, extra * sizeof *copy);
    memcpy(copy + 1 + extra, argv + 1, (count - 1) * sizeof *copy);
    return copy;
}

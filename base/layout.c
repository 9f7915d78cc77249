#include "base/layout.h"

#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

#define QUERY  0xffffffffUL
#define MARKER "VMTOLL_STARTED_AGAIN"

bool vt_layout_is_fixed(void)
{
    int now = personality(QUERY);
    return now != -1 && (now & ADDR_NO_RANDOMIZE);
}

void vt_layout_fix(char **arguments)
{
    int now = personality(QUERY);
    if (now == -1 || (now & ADDR_NO_RANDOMIZE) || getenv(MARKER))
        return;
    if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) == -1 || setenv(MARKER, "1", 1) != 0)
        return;
    execv("/proc/self/exe", arguments);
    unsetenv(MARKER);
}

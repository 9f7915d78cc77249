#include "show/crossing.h"

#include <string.h>

static const struct vt_crossing_style styles[] = {
    {NULL, " ", "not observed", "no counter watches this road, so nothing is claimed"},
    {"none", ".", "no crossing", "the CPU did it in place; nobody was asked"},
    {"inline", "i", "inline",
     "the translator had rewritten the instruction; it ran inside the translated code"},
    {"callout", "c", "call-out", "translated code called the emulator, without leaving its process"},
    {"trap", "T", "trap", "the instruction faulted, and a signal handler answered"},
    {"interpreted", "I", "interpreted",
     "the hypervisor's instruction emulator executed it; the CPU never did"},
    {"hypercall", "H", "hypercall", "the guest asked the hypervisor on purpose"},
    {"exit-kernel", "K", "exit to the kernel",
     "the CPU left the guest; the kernel part of the hypervisor answered"},
    {"exit-user", "U", "exit to user space",
     "the CPU left the guest; the kernel handed it on to a process, which answered"},
};
static const struct vt_crossing_style future = {"", "*", "another crossing",
                                                "a kind that this version does not know"};

const struct vt_crossing_style *vt_crossing_styles(size_t *count)
{
    *count = sizeof styles / sizeof styles[0];
    return styles;
}

const struct vt_crossing_style *vt_crossing_style(const char *name)
{
    if (!name)
        return &styles[0];
    for (size_t i = 1; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(styles[i].name, name) == 0)
            return &styles[i];
    return &future;
}

#include "show/crossing.h"

#include <string.h>

static const struct vt_crossing_style styles[] = {
    {VT_CROSSING_UNKNOWN, NULL, " ", "not observed", "no counter watches this road, so nothing is claimed"},
    {VT_CROSSING_NONE, "none", ".", "no crossing", "the CPU did it in place; nobody was asked"},
    {VT_CROSSING_INLINE, "inline", "i", "inline",
     "the translator had rewritten the instruction; it ran inside the translated code"},
    {VT_CROSSING_CALLOUT, "callout", "c", "call-out",
     "translated code called the emulator, without leaving its process"},
    {VT_CROSSING_TRAP, "trap", "T", "trap", "the instruction faulted, and a handler answered"},
    {VT_CROSSING_INTERPRETED, "interpreted", "I", "interpreted",
     "the hypervisor's instruction emulator executed it; the CPU never did"},
    {VT_CROSSING_HYPERCALL, "hypercall", "H", "hypercall", "the guest asked the hypervisor on purpose"},
    {VT_CROSSING_EXIT_KERNEL, "exit-kernel", "K", "exit to the kernel",
     "the CPU left the guest; the kernel part of the hypervisor answered"},
    {VT_CROSSING_EXIT_USER, "exit-user", "U", "exit to user space",
     "the CPU left the guest; the kernel handed it on to a process, which answered"},
    {VT_CROSSING_SYSTEM_CALL, "system-call", "S", "system call",
     "the host's process asked its own kernel; nothing of the guest was waited for"},
};
static const struct vt_crossing_style future = {VT_CROSSINGS, "", "*", "another crossing",
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

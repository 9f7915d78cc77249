#include "base/process/affinity.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define WORD_BITS (8 * (long)sizeof(unsigned long))

int vt_affinity_get(struct vt_affinity *affinity)
{
    memset(affinity, 0, sizeof *affinity);
    return sched_getaffinity(0, sizeof affinity->bits, (cpu_set_t *)affinity->bits) == 0 ? 0 : -errno;
}

int vt_affinity_set(const struct vt_affinity *affinity)
{
    return sched_setaffinity(0, sizeof affinity->bits, (const cpu_set_t *)affinity->bits) == 0 ? 0 : -errno;
}

int vt_affinity_pin(long cpu)
{
    struct vt_affinity one = {0};

    if (cpu < 0 || cpu >= VT_AFFINITY_CPUS)
        return -EINVAL;
    one.bits[cpu / WORD_BITS] = 1UL << (cpu % WORD_BITS);
    return vt_affinity_set(&one);
}

bool vt_affinity_is_pinned(long cpu)
{
    struct vt_affinity now;
    return sched_getcpu() == cpu && vt_affinity_get(&now) == 0 && vt_affinity_has(&now, cpu) &&
           vt_affinity_count(&now) == 1;
}

bool vt_affinity_has(const struct vt_affinity *affinity, long cpu)
{
    return cpu >= 0 && cpu < VT_AFFINITY_CPUS && (affinity->bits[cpu / WORD_BITS] >> (cpu % WORD_BITS) & 1);
}

int vt_affinity_last(const struct vt_affinity *affinity)
{
    for (int cpu = VT_AFFINITY_CPUS - 1; cpu >= 0; cpu--)
        if (vt_affinity_has(affinity, cpu))
            return cpu;
    return -1;
}

size_t vt_affinity_count(const struct vt_affinity *affinity)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof affinity->bits / sizeof affinity->bits[0]; i++)
        count += (size_t)__builtin_popcountl(affinity->bits[i]);
    return count;
}

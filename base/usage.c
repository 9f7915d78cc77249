#include "base/usage.h"

#include <sys/resource.h>

struct vt_usage vt_usage_now(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_THREAD, &usage);
    return (struct vt_usage){.preemptions = (uint64_t)usage.ru_nivcsw,
                             .page_faults = (uint64_t)usage.ru_minflt};
}

uint64_t vt_usage_of_children(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_CHILDREN, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

void vt_usage_count(const struct vt_usage *before, const struct vt_usage *after, struct vt_counters *counters)
{
    vt_counters_put(counters, VT_PREEMPTIONS, after->preemptions - before->preemptions);
    vt_counters_put(counters, VT_PAGE_FAULTS, after->page_faults - before->page_faults);
}

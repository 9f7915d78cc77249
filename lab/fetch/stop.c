#include "lab/fetch/stop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

double vt_lab_stop_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

struct vt_lab_stop vt_lab_stop_after(const volatile int *flag, double limit)
{
    return (struct vt_lab_stop){flag, limit > 0 ? vt_lab_stop_clock() + limit : 0, limit};
}

int vt_lab_stop_asked(const struct vt_lab_stop *stop)
{
    if (!stop)
        return 0;
    if (stop->flag && *stop->flag)
        return -EINTR;
    return stop->deadline > 0 && vt_lab_stop_clock() > stop->deadline ? -ETIME : 0;
}

int vt_lab_stop_tell(const struct vt_lab_stop *stop, int why, struct vt_error *error, const char *doing)
{
    if (why == -EINTR)
        return vt_error_set(error, VT_EXIT_NO, EINTR, "interrupted while %s", doing);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, ETIME,
                        "no result within %.0f s while %s: give it longer with --limit", stop->limit, doing);
}

#include "bench/measurement.h"

#include <math.h>
#include <stdlib.h>

static const char *const path_names[VT_PATHS] = {
    [VT_PATH_NATIVE] = "native",         [VT_PATH_EMULATED] = "emulated",
    [VT_PATH_TRANSLATED] = "translated", [VT_PATH_PARAVIRTUAL] = "paravirtual",
    [VT_PATH_HARDWARE] = "hardware",
};

static const char *const crossing_names[VT_CROSSINGS] = {
    [VT_CROSSING_NONE] = "none",
    [VT_CROSSING_INLINE] = "inline",
    [VT_CROSSING_CALLOUT] = "callout",
    [VT_CROSSING_TRAP] = "trap",
    [VT_CROSSING_EXIT_KERNEL] = "exit-kernel",
    [VT_CROSSING_EXIT_USER] = "exit-user",
    [VT_CROSSING_INTERPRETED] = "interpreted",
    [VT_CROSSING_HYPERCALL] = "hypercall",
    [VT_CROSSING_SYSTEM_CALL] = "system-call",
};

static const char *const part_names[VT_PARTS] = {
    [VT_PART_BARE] = "bare",
    [VT_PART_EMULATION] = "emulation",
    [VT_PART_KERNEL] = "kernel",
    [VT_PART_USER] = "user",
};

static const char *const status_names[VT_STATUSES] = {
    [VT_STATUS_OK] = "ok",
    [VT_STATUS_UNVERIFIED] = "unverified",
    [VT_STATUS_UNSUPPORTED] = "unsupported",
    [VT_STATUS_FAILED] = "failed",
    [VT_STATUS_TIMEOUT] = "timeout",
};

static const char *const stop_names[VT_STOPS] = {
    [VT_STOP_NOT_RUN] = "not-run", [VT_STOP_PRECISION] = "precision",     [VT_STOP_BUDGET] = "budget",
    [VT_STOP_SAMPLES] = "samples", [VT_STOP_INTERRUPTED] = "interrupted",
};

void vt_measurement_release(struct vt_measurement *measurement)
{
    free(measurement->body);
    free(measurement->baseline);
    free(measurement->bare);
    free(measurement->outer);
    free(measurement->served);
    free(measurement->marks);
    free(measurement->rounds);
    measurement->body = measurement->baseline = measurement->bare = measurement->outer = NULL;
    measurement->served = NULL;
    measurement->marks = NULL;
    measurement->rounds = NULL;
}

double vt_measurement_per_operation(const struct vt_measurement *measurement, enum vt_counter counter)
{
    const struct vt_counters *body = &measurement->body_counters, *baseline = &measurement->baseline_counters;
    double operations = (double)measurement->iterations * (double)measurement->batches;
    if (!vt_counters_has(body, counter) || !vt_counters_has(baseline, counter) || operations == 0)
        return NAN;
    return ((double)body->value[counter] - (double)baseline->value[counter]) / operations;
}

const char *vt_path_name(enum vt_path path)
{
    return path_names[path];
}

const char *vt_crossing_name(enum vt_crossing crossing)
{
    return crossing_names[crossing];
}

const char *vt_part_name(enum vt_part part)
{
    return part_names[part];
}

const char *vt_status_name(enum vt_status status)
{
    return status_names[status];
}

const char *vt_stop_name(enum vt_stop stop)
{
    return stop_names[stop];
}

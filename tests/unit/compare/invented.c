#include "tests/unit/compare/invented.h"
#include "base/statistics.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252ULL;

double vt_test_uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

double vt_test_normal(void)
{
    return sqrt(-2 * log(vt_test_uniform())) * cos(2 * M_PI * vt_test_uniform());
}

struct vt_result *vt_test_run(double noise, double between_runs)
{
    static char names[VT_TEST_CASES][24];
    struct vt_result *result = vt_result_new();
    result->rows = calloc(VT_TEST_CASES, sizeof *result->rows);
    result->count = VT_TEST_CASES;
    for (int i = 0; i < VT_TEST_CASES; i++) {
        double level = 100 * (i + 1) * exp(between_runs * vt_test_normal()), work[VT_TEST_SAMPLES];
        double *samples = vt_arena_take(&result->arena, VT_TEST_SAMPLES * sizeof *samples);
        snprintf(names[i], sizeof names[i], "case-%d", i);
        for (int k = 0; k < VT_TEST_SAMPLES; k++)
            samples[k] =
                level * (1 + noise * vt_test_normal() + (vt_test_uniform() < 0.05 ? vt_test_uniform() : 0));
        result->rows[i] =
            (struct vt_result_row){.name = names[i],
                                   .engine = i % 2 ? "kvm" : "native",
                                   .crossing = i % 2 ? "exit-kernel" : "none",
                                   .unit = VT_UNIT_NS,
                                   .cpl = 3,
                                   .status = VT_STATUS_OK,
                                   .batches = VT_TEST_SAMPLES,
                                   .marked = 0,
                                   .toll = vt_statistics_summarize(samples, VT_TEST_SAMPLES, work),
                                   .samples = {samples, VT_TEST_SAMPLES}};
    }
    return result;
}

struct vt_result *vt_test_lab(const char *engine)
{
    struct vt_result *result = vt_test_run(0, 0);
    for (int i = 0; i < VT_TEST_CASES; i++) {
        struct vt_result_row *row = &result->rows[i];
        row->engine = engine;
        row->unit = VT_UNIT_INSTRUCTIONS;
        row->simulated = true;
        row->samples = (struct vt_result_series){NULL, 0};
        row->toll = (struct vt_summary){.median = 1000, .ci_low = 1000, .ci_high = 1000};
    }
    return result;
}

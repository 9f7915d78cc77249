/* Results of an invented machine and an invented lab, the same each time a program runs. */
#ifndef VT_TESTS_COMPARE_INVENTED_H
#define VT_TESTS_COMPARE_INVENTED_H

#include "result/result.h"

enum { VT_TEST_CASES = 60, VT_TEST_SAMPLES = 100 };

/* Between 0 and 1, both excluded; of mean 0 and deviation 1. */
double vt_test_uniform(void);
double vt_test_normal(void);

/*
 * A run: VT_TEST_CASES cases on two roads, each with noise between samples, a drift of its own between runs,
 * and now and then an outlier. The caller frees it.
 */
struct vt_result *vt_test_run(double noise, double between_runs);

/* Cases of a lab, every count 1000. */
struct vt_result *vt_test_lab(const char *engine);

#endif

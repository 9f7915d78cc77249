/* The tolls of `price`: those of a file, or the few it takes, measured first. */
#ifndef VT_CLI_PRICE_TOLLS_H
#define VT_CLI_PRICE_TOLLS_H

#include "base/error.h"
#include "result/result.h"

/*
 * Measure what `price` multiplies with. Returns 0 with *tolls NULL where no guest of ours runs here: `why`
 * says what stands in the way. The result is to be freed with vt_result_free.
 */
int vt_cli_measure_tolls(struct vt_result **tolls, const json_t *host, char *why, size_t size,
                         struct vt_error *error);

#endif

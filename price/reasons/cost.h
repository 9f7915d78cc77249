/*
 * What counting by reason costs the machine that is counted: measured on one of our own.
 */
#ifndef VT_PRICE_REASONS_COST_H
#define VT_PRICE_REASONS_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * By how many nanoseconds the events of `set` (vt_price_reasons_open_set) make an exit dearer, from batches
 * of an instruction that exits, with and without them in turns. False: none can be measured here; `why` says
 * what stands in the way.
 */
bool vt_price_reasons_cost(uint32_t set, double *each_ns, char *why, size_t size);

#endif

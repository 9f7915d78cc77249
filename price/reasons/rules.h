/*
 * What exits by reason mean in tolls: the rows that take the place of rules.h's where tracepoints count.
 */
#ifndef VT_PRICE_REASONS_RULES_H
#define VT_PRICE_REASONS_RULES_H

#include "price/rules.h"

/* They take every exit once; of rows of one reason at most one has its counter. VT_PRICE_RULES of them at
 * most. */
const struct vt_price_rule *vt_price_reason_rules(size_t *count);

#endif

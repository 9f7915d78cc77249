/*
 * Bills to look at: what counters of a machine came to, and the tolls they are made with. Texts and rows live
 * as long as the test.
 */
#ifndef VT_TESTS_PRICE_BILL_H
#define VT_TESTS_PRICE_BILL_H

#include "price/price.h"
#include "result/result.h"

enum { BILL_USUAL = 16, BILL_TRACED = 17 };

/* What KVM counts of a machine. */
extern const struct vt_price_count bill_usual[BILL_USUAL];

/* Of an SVM host: what tracepoints counted beside KVM's own. */
extern const struct vt_price_count bill_traced[BILL_TRACED];

/* A result with the tolls of this machine; to be freed. */
struct vt_result *bill_tolls(void);

/* Ten seconds of one vCPU that ran for eight, six of them in the guest. */
struct vt_price_watch bill_watch(const struct vt_price_count *list, size_t count);

/* It can be made. `with`: tolls, or NULL. */
void bill_make(struct vt_price *price, const struct vt_price_watch *watch, const struct vt_result *with);

/* There is one of that reason. */
const struct vt_price_line *bill_line(const struct vt_price *price, const char *reason);

#endif

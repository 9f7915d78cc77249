/*
 * What would make crossing cheaper, as rows: when it is said, what to change, what it saves and who says so.
 */
#ifndef VT_PRICE_ADVICE_H
#define VT_PRICE_ADVICE_H

#include "price/price.h"

struct vt_price_advice {
    const char *name;
    const char *reasons[3]; /* whose lines it is about, as far as the bill has them; none: about `share_of` */
    double (*share_of)(const struct vt_price *price); /* what is compared with `share` then */
    double rate;                                      /* said from so many a second on */
    double share;                 /* or from this share of run time on, where that is known */
    const char *change;           /* what to do, in guest or host */
    const char *from, *to;        /* cases whose tolls differ by what it saves; NULL: no such pair. `to` alone
                                   * NULL: all of it is saved */
    enum vt_price_proof proof[2]; /* of these */
    bool form;                    /* `to` is a paravirtual form */
    const char *figures;          /* of docs/LAB.md, in instructions on AMD-V and VT-x; NULL: none */
    const char *source;           /* who says so */
};

/* All of it. */
const struct vt_price_advice *vt_price_advice_rows(size_t *count);

/* Fill advice and advice_count of a bill. */
void vt_price_advise(struct vt_price *price);

#endif

/*
 * What would make crossing cheaper, as rows: when it is said, what to change, what it saves and who says so.
 */
#ifndef VT_PRICE_ADVICE_H
#define VT_PRICE_ADVICE_H

#include "price/price.h"

struct vt_price_advice {
    const char *name;
    const char *reason; /* whose line it is about; NULL: about `counter` */
    const char *counter;
    double rate;                  /* said from so many a second on */
    double share;                 /* or from this share of run time on, where that is known */
    const char *change;           /* what to do, in guest or host */
    const char *from, *to;        /* cases whose tolls differ by what it saves; NULL: no such pair */
    enum vt_price_proof proof[2]; /* of these */
    const char *figures;          /* measured by vmtoll beforehand, counted in instructions; NULL: none */
    const char *source;           /* who says so */
};

/* Fill advice and advice_count of a bill. */
void vt_price_advise(struct vt_price *price);

#endif

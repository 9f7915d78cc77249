/*
 * What a crossing costs here, from a result document: the least that rows of the fitting evidence measured.
 */
#ifndef VT_PRICE_TOLLS_H
#define VT_PRICE_TOLLS_H

#include "base/error.h"
#include "result/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What the counters of a row must have said per operation. */
enum vt_price_proof {
    VT_PROOF_NONE,        /* no price */
    VT_PROOF_USER_EXIT,   /* one exit that user space answered */
    VT_PROOF_KERNEL_EXIT, /* one exit that the kernel answered, nothing else */
    VT_PROOF_INTERPRETED, /* no exit, one instruction emulated */
};

struct vt_price_toll {
    const char *name; /* of the case; the result's. NULL: no row fits */
    int cpl;
    double
        ns; /* the 5th percentile of the row; of a result without, the lower end of the median's interval */
    double middle; /* ns: of the medians of all rows that fit, the middle one */
};

/*
 * The least toll among rows of engine kvm, proved and in time, whose name is in `cases` ("in-user,out-user";
 * NULL: any) and whose counters give `proof`, and the middle of them all.
 */
struct vt_price_toll vt_price_toll_find(const struct vt_result *tolls, const char *cases,
                                        enum vt_price_proof proof);

/* The toll of a paravirtual form of the case, of engine hypercall, that is in memory alone; without a name:
 * no row. */
struct vt_price_toll vt_price_toll_find_form(const struct vt_result *tolls, const char *name);

/*
 * Was it measured on what `host` (a probe document of this machine) describes: kernel, microcode,
 * mitigations, processor? False: `why` says what differs, in one line;
 * else it is empty.
 */
bool vt_price_tolls_fit(const struct vt_result *tolls, const json_t *host, char *why, size_t size);

/* The same as an error: 0, or -EINVAL with `error`. */
int vt_price_tolls_check(const struct vt_result *tolls, const json_t *host, struct vt_error *error);

/* The only document of a file, or the first of several. Free with vt_result_free. */
int vt_price_tolls_load(const char *path, struct vt_result **tolls, struct vt_error *error);

#endif

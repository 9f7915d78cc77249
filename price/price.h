/*
 * What a machine that runs pays for crossing: how often it crosses, counted by KVM, times what a crossing
 * costs here, measured beforehand, which is the least it pays; and the time its vCPUs were not in the guest,
 * which is the most.
 *
 * Owns: the reading (source/), the arithmetic, advice, the formats (format/). Does not own: tolls (bench/).
 * A machine is only read: never attached to, stopped or written to.
 */
#ifndef VT_PRICE_PRICE_H
#define VT_PRICE_PRICE_H

#include "price/rules.h"
#include "price/tolls.h"
#include "price/watcher.h"

struct vt_price_line {
    const struct vt_price_rule *rule;
    double count;              /* NaN: the source does not tell */
    struct vt_price_toll toll; /* without a name: no price */
    double ns;                 /* count times the least toll; NaN: no price */
    double middle_ns;          /* count times the middle of all tolls that fit; NaN: no price */
    double share;              /* of run time; NaN: unknown */
};

enum { VT_PRICE_UNPRICED = 64, VT_PRICE_NOTES = 8, VT_PRICE_ADVICE = 24 };

struct vt_price_advice;

struct vt_price_given {
    const struct vt_price_advice *advice;
    const char *reason; /* because of whose line; NULL: of none */
    double saves;       /* share of run time; NaN: not to be said with the tolls at hand */
};

struct vt_price {
    const struct vt_price_watch *watch;
    const struct vt_result *tolls; /* NULL: none */
    char forced[256];              /* why the tolls do not fit, which --force overruled; empty: they do */
    struct vt_price_line lines[VT_PRICE_RULES];
    size_t line_count;
    double low, high;         /* crossing, as shares of run time; NaN: unknown */
    double low_ns;            /* NaN: no tolls */
    double middle, middle_ns; /* by the middle of the tolls that fit, within both; NaN: no tolls */
    double polling_ns;        /* CPU time; not in the bounds */
    double waiting_ns;        /* no CPU time */
    double observing;       /* share of run time that counting by reason took; NaN: unknown, or not counted */
    double polling, waited; /* shares of run time: polling before sleep; runnable without a CPU */
    const char *unpriced[VT_PRICE_UNPRICED]; /* counters that rose and that no line speaks of; the watch's */
    double unpriced_count[VT_PRICE_UNPRICED];
    size_t unpriced_total;
    char notes[VT_PRICE_NOTES][320]; /* what a reader must know of these figures */
    size_t note_count;
    struct vt_price_given advice[VT_PRICE_ADVICE];
    size_t advice_count;
    char page[256];         /* of metrics (show/metrics.h); empty: none */
    struct vt_price *parts; /* of intervals, where there are several; the caller's */
    size_t part_count;
};

/*
 * The bill of a watch. `tolls` may be NULL. `host` is a probe document of this machine. Tolls of another
 * kernel, microcode, processor or other mitigations, and a machine that runs guests of its own, are refused,
 * unless `force`, which the bill then says. Both must outlive it.
 */
int vt_price_make(struct vt_price *price, const struct vt_price_watch *watch, const struct vt_result *tolls,
                  const json_t *host, bool force, struct vt_error *error);

#endif

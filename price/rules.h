/*
 * What KVM's counters mean in tolls: a row for each kind of crossing that can be told apart without tracing.
 */
#ifndef VT_PRICE_RULES_H
#define VT_PRICE_RULES_H

#include "price/counts.h"
#include "price/tolls.h"

enum { VT_PRICE_TERMS = 17, VT_PRICE_RULES = 24 };

struct vt_price_rule {
    const char *reason; /* a word, for programs: "mmio-user" */
    const char *title;  /* for people */
    /* How many: the sum of `plus` less that of `minus`, never below 0. Ended by NULL. */
    const char *plus[VT_PRICE_TERMS], *minus[VT_PRICE_TERMS + 1];
    enum vt_price_proof proof;
    const char *cases; /* whose least toll is the price; NULL: any that is so proved */
    const char *note;  /* what the price leaves out, or why there is none */
    bool interpreting; /* has a price only where KVM interprets; the contrary of `crossing` */
    bool crossing;     /* has a price only where KVM does not interpret */
    bool beside;       /* not an exit of its own: another line has it */
    bool ring0;        /* an instruction of ring 0's: where KVM interprets, it is priced as interpreted */
};

/* What KVM's own counters tell apart. They take every exit once: VT_PRICE_RULES of them at most. */
const struct vt_price_rule *vt_price_rules(size_t *count);

/* How many in `delta`; NaN where the first counter of `plus` is unknown. What else is unknown counts nothing.
 */
double vt_price_rule_count(const struct vt_price_rule *rule, const struct vt_price_counts *delta);

/* The cases to measure where there are no tolls yet: all that rules and advice name, and what stands for any.
 */
extern const char vt_price_cases[];

/* Does one of the rules speak of the counter, or the bill beside them? */
bool vt_price_rules_know(const struct vt_price_rule *rules, size_t count, const char *counter);

/* Does KVM interpret guest code as a matter of course, as one without VT-x and AMD-V does? */
bool vt_price_interprets(const struct vt_price_counts *delta);

#endif

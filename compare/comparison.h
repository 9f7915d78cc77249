/*
 * A comparison as data: pairs of rows, their groups and the verdicts. compare.h makes
 * one, format/ shows it.
 */
#ifndef VT_COMPARE_COMPARISON_H
#define VT_COMPARE_COMPARISON_H

#include "result/result.h"

#include <stdbool.h>
#include <stddef.h>

enum vt_change {
    VT_CHANGE_NONE,
    VT_CHANGE_SLOWER,
    VT_CHANGE_FASTER,
    VT_CHANGE_LONGER,   /* more instructions, of a row that counts them */
    VT_CHANGE_SHORTER,  /* fewer */
    VT_CHANGE_CROSSING, /* it crosses in another way: a finding of its own, whatever the time */
    VT_CHANGE_STATUS,   /* measured on one side, failed or unsupported on the other */
    VT_CHANGE_UNCLEAR,  /* whether it changed cannot be told; why, says enum vt_unclear */
    VT_CHANGES
};

/* What one can be told of a row. */
enum vt_answer {
    VT_ANSWER_NONE, /* measured on one side at most, and on neither before or after in another way */
    VT_ANSWER_CHANGED,
    VT_ANSWER_UNCHANGED, /* a change of `detectable` would have been found */
    VT_ANSWER_UNCLEAR,
    VT_ANSWERS
};

/* Why it cannot be told whether a row changed. */
enum vt_unclear {
    VT_UNCLEAR_NOT,
    VT_UNCLEAR_UNVERIFIED,   /* the crossing is not proved */
    VT_UNCLEAR_DISTURBED,    /* hardly a pair was quiet */
    VT_UNCLEAR_LENGTHS,      /* batches of unlike lengths */
    VT_UNCLEAR_ZERO,         /* too close to zero for a ratio */
    VT_UNCLEAR_PASSING,      /* a stretch of a run without a quiet pair: what moved may have passed */
    VT_UNCLEAR_CONTRADICTED, /* it moved further than could have been missed, and a witness disagrees */
    VT_UNCLEAR_COARSE,       /* only a change beyond what was asked for could have been found */
    VT_UNCLEARS
};

struct vt_compared {
    const struct vt_result_row *before, *after; /* of the results compared */
    enum vt_change change;
    bool worse;                 /* slower, longer, a heavier crossing, or no longer measured */
    bool counts;                /* instructions of the lab: only change, worse and difference apply */
    double difference;          /* after - before of a row that counts, in instructions; else NaN */
    double ratio;               /* after / before, of the medians; NaN where there is none */
    double floor_ratio;         /* of what the quiet pairs saw; see compare/floor.h */
    double lever, disagreement; /* what its error is made of */
    size_t parts;               /* of both sides, from which disagreement is known; 0: from intervals */
    double baseline_ratio;      /* the same of the baseline alone; NaN where that is next to nothing */
    double length_ratio;        /* logarithm of the longer batch's operations over the shorter one's */
    double shaken;              /* share of the pairs that something shook, of the side where it is larger */
    double error;   /* standard deviation of the logarithm of floor_ratio between runs when nothing changed */
    double freedom; /* degrees of, with which that is known */
    double low, high;  /* its 95 % bootstrap interval, spread between runs included */
    double p_samples;  /* Mann-Whitney, two-sided, corrected; NaN without samples */
    double p_runs;     /* that the case differs from its group, against the spread between runs, corrected */
    size_t group;      /* index of its group */
    bool with_group;   /* the whole group changed */
    double detectable; /* the smallest change, as a share, that is found in 95 of 100; infinite: none is;
                          NaN: nothing was compared */
    enum vt_unclear unclear;
};

/* Cases that cross alike: they drift together, and a kernel or a mitigation changes them together. */
struct vt_compare_group {
    size_t count;          /* cases with a ratio */
    double shift;          /* median of their log ratios; where they are too few, of their engine and level */
    double baseline_shift; /* median of their baselines' log ratios */
    double error;          /* of it, by what the group drifted during the runs, and by what no run shows */
    double p; /* that it moved, against that and how far groups lie apart, corrected; NaN: too small */
    bool changed;
};

struct vt_comparison {
    const struct vt_result *before, *after;
    double threshold;       /* a ratio of times nearer to 1 than this is no change */
    double count_threshold; /* the same of instruction counts; NaN: each lab's own noise */
    double resolution;      /* a row in which only a larger change could have been found is unclear */
    double level;           /* a corrected p below it is a finding */
    size_t pairs;  /* of runs in turns, within which differences are judged; 0: of two results as wholes */
    double spread; /* median of all rows' errors */
    struct vt_compared *rows;
    size_t count;
    struct vt_compare_group *groups;
    size_t group_count;
    size_t alone_before, alone_after; /* rows without a counterpart */
    size_t changes[VT_CHANGES];
    size_t answers[VT_ANSWERS];
    size_t measured; /* rows measured on both sides */
    size_t judged;   /* ... of which something can be said */
    size_t worse;
    size_t counts; /* rows that count instructions */
    char warnings[20][512];
    size_t warning_count;
};

void vt_compare_release(struct vt_comparison *comparison);

/* Add a sentence for the reader, unless there are too many already. */
void vt_compare_warn(struct vt_comparison *comparison, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "slower": for people. */
const char *vt_compare_change_name(enum vt_change change);

/* "unchanged": as in the document; NULL for VT_ANSWER_NONE. */
const char *vt_compare_answer_name(enum vt_answer answer);

/* "disturbed": as in the document; NULL for VT_UNCLEAR_NOT. */
const char *vt_compare_unclear_name(enum vt_unclear unclear);

enum vt_answer vt_compare_answer(const struct vt_compared *row);

#endif

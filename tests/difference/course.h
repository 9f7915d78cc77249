/*
 * Which state a judge sees next: of the form that has been judged least, until all have been judged often
 * enough or time is over. What it made of each form is counted, and said at the end.
 */
#ifndef VT_TESTS_DIFFERENCE_COURSE_H
#define VT_TESTS_DIFFERENCE_COURSE_H

#include "tests/difference/difference.h"

#include <time.h>

/* How many states of every form of an emulated instruction its judges see (tests/judges): 20000, or VT_ROUNDS
 * in the environment. */
unsigned difference_promise(void);

struct difference_tally {
    unsigned rounds, judged, refused, ignored, different;
};

struct difference_course {
    const char *name; /* of the judge, for the text */
    enum judge judge;
    bool (*takes)(const struct form *form); /* which of its forms; NULL: all */
    uint64_t seed;
    struct timespec start;
    unsigned seconds; /* 0: no limit */
    bool late;        /* time was over before all was done */
    size_t form;      /* whose turn it is */
    unsigned left;    /* of this turn */
    struct difference_tally tallies[DIFFERENCE_FORMS];
};

/* Prints the seed. With VT_ROUNDS in the environment there is no limit of time. */
void difference_course_open(struct difference_course *course, enum judge judge, const char *name,
                            bool (*takes)(const struct form *form), unsigned seconds);

/* The seed of a state of one of the judge's forms; false when there is to be no other. */
bool difference_course_next(struct difference_course *course, size_t *form, uint64_t *seed);

/* Print the lines that tests/judges adds up. Returns how many states were judged. */
unsigned difference_course_say(const struct difference_course *course);

/* Forms the judge was good for too few states of, though time was left. */
unsigned difference_course_given_up(const struct difference_course *course);

#endif

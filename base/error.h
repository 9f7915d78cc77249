/*
 * Error records.
 *
 * Outside cli/ nothing prints and nothing exits: a function that can fail
 * returns 0 or a negative errno and fills a record that says what failed, where
 * and what to do about it, in one line a person can act on.
 */
#ifndef VT_BASE_ERROR_H
#define VT_BASE_ERROR_H

/* Exit statuses of the program; an error record carries the one it leads to. */
enum vt_exit {
    VT_EXIT_DONE = 0,        /* done, or the answer is yes */
    VT_EXIT_NO = 1,          /* the answer is no */
    VT_EXIT_USAGE = 2,       /* bad command line or bad input file */
    VT_EXIT_ENVIRONMENT = 3, /* this machine or its set-up cannot do it */
    VT_EXIT_INTERNAL = 4,    /* a defect of vmtoll itself */
    VT_EXIT_UNCLEAR = 5,     /* it cannot be told whether the answer is yes or no */
};

struct vt_error {
    int number;        /* errno at the time of failure, 0 when there was none */
    enum vt_exit exit; /* what the process should end with */
    char text[512];    /* one line, no newline at its end */
};

/*
 * Fill `error` (may be NULL) and return the negative errno: -number, or
 * -EINVAL when `number` is 0. The text is cut, never overrun; what a terminal
 * would obey and what is not UTF-8 is replaced by '?'.
 */
int vt_error_set(struct vt_error *error, enum vt_exit exit, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* There is no memory for `what` ("the report"). Returns -ENOMEM. */
int vt_error_memory(struct vt_error *error, const char *what);

#endif

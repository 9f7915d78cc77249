/*
 * One run of an emulator: started, listened to, ended. Owns the process and the
 * time limit; what the machine is made of is its caller's.
 */
#ifndef VT_LAB_EMULATOR_EMULATOR_H
#define VT_LAB_EMULATOR_EMULATOR_H

#include "base/error.h"
#include "lab/lab.h"
#include "lab/link.h"

#include <stddef.h>

/* How a run failed, for a caller that can do without the case that was running. */
enum vt_emulator_end {
    VT_EMULATOR_REFUSED, /* in a way that another run would not mend */
    VT_EMULATOR_SILENT,  /* a case does not return */
    VT_EMULATOR_DIED,    /* the machine ended in a case */
};

/* What an emulator writes into its own log when nothing follows, and what that means. */
struct vt_emulator_last_words {
    const char *text, *meaning;
};

/* Reads along what an emulator prints, and takes what is its own; the rest is as without it. */
struct vt_emulator_tap {
    /* Before each run, in the emulator's folder. */
    int (*start)(void *context, const char *folder, struct vt_error *error);
    /* Returns 0, a negative errno, or what `pass` returned, which gets the rest. */
    int (*take)(void *context, const char *data, size_t size,
                int (*pass)(void *to, const char *data, size_t size), void *to);
    void *context;
};

struct vt_emulator {
    const char *lab; /* "svm": for messages */
    char *const *argv;
    const char *folder;       /* where it runs; the files below are in it */
    const char *link_file;    /* what comes out of the debug port */
    const char *console_file; /* the machine's serial port */
    const char *panic;        /* text on the console after which nothing follows, or NULL */
    const char *own_log;      /* of the emulator itself, or NULL ... */
    const struct vt_emulator_last_words *own_last; /* ... and after what in it, ended by NULL */
    const struct vt_emulator_tap *tap;             /* or NULL; then the link is what is printed */
    /* Seconds of its processor's time, where the request has no deadline: others may be busy on this machine.
     */
    double limit;
    const struct vt_lab_request *request;
    /* Of several runs in one lab. */
    double spent;             /* of the limit, by runs that have ended */
    size_t before;            /* cases that earlier runs have dealt with */
    size_t cases;             /* as many there are at all; 0: the machine says */
    enum vt_emulator_end end; /* of the run that failed, ... */
    char why[400];            /* ... in words, with what the machine said last */
};

/* What the row says of a case that ended the machine or hung, so that another run does without it: its
 * status, and the reason, clean. */
enum vt_status vt_emulator_judge_lost(const struct vt_emulator *emulator, char *reason, size_t size);

/* Name of the file both outputs of the emulator itself go to. */
#define VT_EMULATOR_OUTPUT "emulator.log"

/*
 * Run until the machine has said all, and end it. On failure the whole log is kept
 * in the cache folder and `error` names it.
 */
int vt_emulator_run(struct vt_emulator *emulator, struct vt_lab_link *link, struct vt_error *error);

#endif

/*
 * What the program outside an emulated machine tells the program inside: one
 * "key=value" per line, carried as a file of the initial root file system.
 */
#ifndef VT_LAB_PLAN_H
#define VT_LAB_PLAN_H

#include "base/error.h"
#include "bench/runner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A machine that dies more often is not worth another boot. */
#define VT_LAB_LOST_MOST 16

/* Hypervisors one in another, at most. */
#define VT_LAB_DEPTH_MOST 2

struct vt_lab_plan {
    char engine[16];  /* the name the rows carry */
    char cases[4096]; /* list of patterns as on the command line; empty: all */
    char levels[8];
    char parameters[1024]; /* of KVM's modules, as in parameters.h; empty: none */
    uint64_t iterations;   /* operations per batch, at most */
    size_t pairs;
    struct vt_lost_row lost[VT_LAB_LOST_MOST];
    size_t lost_count;
    size_t before;  /* rows up to this number are not asked again (bench/runner.h) */
    bool profile;   /* symbols are wanted outside ... */
    bool pages;     /* ... in pages (profile/page.h) */
    unsigned depth; /* of the guest that is measured, in hypervisors; the machine's own place in it: */
    bool starts;    /* it starts the machine that measures, instead of measuring (below.h) */
};

/* Text of the plan, malloc'ed and the caller's; NULL: memory is out. */
char *vt_lab_plan_print(const struct vt_lab_plan *plan);

/* Reads what vt_lab_plan_print wrote; `name` stands for the file in messages. */
int vt_lab_plan_parse(struct vt_lab_plan *plan, const char *name, char *text, struct vt_error *error);

#endif

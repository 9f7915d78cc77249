/*
 * Turns the lists of a command line ("cpuid,mov-*", "native,kvm", "0,3") into
 * what a plan names. Every word must select something: a name that matches
 * nothing is an error, with the nearest name there is.
 */
#ifndef VT_BENCH_SELECT_H
#define VT_BENCH_SELECT_H

#include "base/error.h"
#include "bench/engine.h"
#include "bench/runner.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Cases whose name matches one of the comma-separated shell patterns (fnmatch(3)),
 * in the catalogue's order, each once; NULL selects all. *cases is malloc'ed and
 * the caller's.
 */
int vt_select_cases(const char *list, const struct vt_case ***cases, size_t *count, struct vt_error *error);

/* The four lists of a command line, each NULL where it was not given: all, of levels 0 and 3. */
struct vt_selection {
    const char *cases, *engines, *paths, *levels;
};

/*
 * What they name into `plan`, whose other members stay as they are: engines in the
 * registry's order, paths and levels as a bit each. On success and on failure the
 * caller calls vt_select_release.
 */
int vt_select(const struct vt_selection *selection, struct vt_plan *plan, struct vt_error *error);
void vt_select_release(struct vt_plan *plan);

#endif

/*
 * Whether an engine can work here, found by opening it: a limit of this process that
 * stops it in `bench` must not go unseen in `list engines`.
 */
#ifndef VT_BENCH_AVAILABLE_H
#define VT_BENCH_AVAILABLE_H

#include "bench/engine.h"

/* On no: false and, in `reason`, why and what to do. */
bool vt_bench_available(const struct vt_engine *engine, char *reason, size_t size);

#endif

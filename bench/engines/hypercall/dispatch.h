/*
 * A hypercall without a hypervisor: the guest is code in this process, its SYSCALL
 * with a number of its own is turned into a signal (syscall user dispatch, Linux
 * 5.11), and the handler answers. Owns a copy of the cases' code at an address below
 * all other code, so that every system call but the guest's passes.
 */
#ifndef VT_BENCH_ENGINES_HYPERCALL_DISPATCH_H
#define VT_BENCH_ENGINES_HYPERCALL_DISPATCH_H

#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "guest/abi.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct vt_dispatch {
    struct vt_engine_settings settings;
    struct vt_watchdog watchdog;
    uint8_t *code; /* the copy; NULL when closed */
    size_t size;
    struct sigaction previous;
    sigjmp_buf escape;
    volatile sig_atomic_t inside;
    volatile uint64_t calls; /* answered since the batch began */
    struct vt_scratch scratch;
};

/* Does this kernel offer it? On no: why. */
bool vt_dispatch_available(char *reason, size_t size);

/* One per thread at a time; stays at its address until it is closed. */
int vt_dispatch_open(struct vt_dispatch *dispatch, const struct vt_engine_settings *settings,
                     struct vt_error *error);
void vt_dispatch_close(struct vt_dispatch *dispatch);

/* Run one batch of a function of the cases' machine code. Fills *out when it ends as VT_BATCH_DONE. */
enum vt_batch_end vt_dispatch_batch(struct vt_dispatch *dispatch, vt_case_function function,
                                    uint64_t iterations, struct vt_batch *out, struct vt_error *error);

#endif

/*
 * Faults of guest code, caught as signals and turned into what the virtual CPU does.
 *
 * Owns: the signal handlers, the decode cache, the way between ucontext and virtual CPU.
 * Does not own: what an instruction does (vcpu/), the guest's machine (machine/).
 */
#ifndef VT_TRAP_CATCH_H
#define VT_TRAP_CATCH_H

#include "base/process/watchdog.h"
#include "bench/engine.h"
#include "bench/engines/machine/machine.h"
#include "bench/engines/trap/enter.h"
#include "vcpu/instruction.h"

#include <signal.h>

/*
 * Decoded instructions, by address. Several of one set: where a case and the handler
 * it leads to lie is decided anew in every process, and two of one slot would be
 * decoded again at every trap of that process.
 */
#define VT_TRAP_CACHE_SETS 64 /* a power of two */
#define VT_TRAP_CACHE_WAYS 4
#define VT_TRAP_SIGNALS    6

/* How a run of guest code ended. */
enum vt_trap_end {
    VT_TRAP_RETURNED,
    VT_TRAP_FAULT,   /* an exception without a handler: machine->vcpu.fault and .rip */
    VT_TRAP_HALTED,  /* HLT with nothing to wait for */
    VT_TRAP_TIMEOUT, /* the watchdog */
};

struct vt_trap_cached {
    uint64_t address; /* 0: free */
    struct vt_instruction instruction;
};

struct vt_trap_set {
    struct vt_trap_cached ways[VT_TRAP_CACHE_WAYS];
    unsigned next; /* to be overwritten */
};

struct vt_trap_catcher {
    struct vt_machine *machine;
    struct vt_watchdog watchdog;
    struct vt_trap_call call;
    volatile sig_atomic_t inside; /* guest code is running, or a handler on its behalf */
    volatile sig_atomic_t depth;  /* handlers under way */
    volatile sig_atomic_t expired;
    enum vt_trap_end end;
    bool has_base_instructions; /* RDFSBASE and its kin */
    uint64_t host_fs, host_gs;
    uint64_t signals, interrupts; /* since vt_trap_run */
    void *stack;
    stack_t previous_stack;
    struct sigaction previous[VT_TRAP_SIGNALS];
    void (*expire)(int, siginfo_t *, void *); /* the watchdog's own handler */
    struct vt_trap_set cache[VT_TRAP_CACHE_SETS];
};

/* Install the handlers for the calling thread. `catcher` must stay at its address until close. */
int vt_trap_open(struct vt_trap_catcher *catcher, struct vt_machine *machine, struct vt_error *error);
void vt_trap_close(struct vt_trap_catcher *catcher);

/* What it writes in the heap and in static data while guest code runs, beside itself; how many. */
size_t vt_trap_own(const struct vt_trap_catcher *catcher, struct vt_own *own);

/* Forget decoded instructions: the code at their addresses may have changed. */
void vt_trap_forget(struct vt_trap_catcher *catcher);

/* Call `function` as guest code, for at most `limit_ns`. */
enum vt_trap_end vt_trap_run(struct vt_trap_catcher *catcher, uint64_t function, const uint64_t arguments[4],
                             uint64_t limit_ns);

#endif

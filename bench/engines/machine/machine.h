/*
 * The machine around a guest that runs deprivileged inside this process: a virtual
 * CPU with this processor's CPUID, descriptor tables, handlers, devices and the
 * scratch block of a case. Shared by the engines that need no hypervisor.
 *
 * Owns: the guest's memory and what answers at its ports, device pages and MSRs. Does
 * not own: how guest code gets to run and how its faults are caught (the engines).
 *
 * Linear addresses of the guest are addresses of this process.
 */
#ifndef VT_MACHINE_MACHINE_H
#define VT_MACHINE_MACHINE_H

#include "base/code.h"
#include "base/error.h"
#include "bench/engine.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "vcpu/emulate/emulate.h"

#include <stdbool.h>
#include <ucontext.h>

/* What a case needs that no such machine has, in words; NULL: nothing. */
const char *vt_machine_lacks(const struct vt_case *c);

#define VT_MACHINE_STACK 65536 /* bytes of the guest's stack; a guard page lies on either side */

/* What reached the devices since vt_machine_prepare. */
struct vt_machine_traffic {
    uint64_t port_reads, port_writes, mmio_reads, mmio_writes, doorbells, hypercalls, flushes, write_backs;
};

struct vt_machine {
    struct vt_vcpu vcpu;
    struct vt_scratch scratch;
    struct vt_environment environment; /* context: this machine */
    struct vt_machine_traffic traffic;

    uint8_t *region; /* everything below lies in it */
    size_t region_size;
    uint8_t *tables;    /* GDT, IDT, TSS and LDT at VT_MACHINE_* offsets */
    uint8_t *stubs;     /* code of the handlers, where it runs */
    uint8_t *stack_top; /* 16-byte aligned */
    uint8_t
        *devices;   /* pages without access: user, eventfd, coalesced, xAPIC, then one that is never there */
    uint8_t *touch; /* VT_GUEST_TOUCH_SIZE bytes that are discarded before a batch */

    struct vt_code handlers; /* the same, where it is written */

    int doorbell;          /* eventfd */
    bool clock_is_hidden;  /* RDTSC faults in this thread: the clock is read another way */
    double cycles_per_ns;  /* of the time-stamp counter */
    uint64_t clock_origin; /* time-stamp counter ... */
    uint64_t clock_ns;     /* ... at this reading of CLOCK_MONOTONIC_RAW */
    uint32_t port_latch;   /* the 8259A mask */
    uint64_t msr_user;
};

/* On failure nothing is left behind. `*result` is the caller's until vt_machine_close. */
int vt_machine_open(struct vt_machine **result, struct vt_error *error);
void vt_machine_close(struct vt_machine *machine);

/*
 * The state `c` starts from: registers, tables, handlers and scratch block. The case's
 * provoked exception, when it has one, and the self-IPI vectors have handlers; no other vector has.
 */
void vt_machine_prepare(struct vt_machine *machine, const struct vt_case *c);

/*
 * How a batch ended whose code raised vcpu->fault, `offset` bytes into the cases, and nobody handled it: the
 * processor lacks the instruction, or something went wrong.
 */
enum vt_batch_end vt_machine_explain(const struct vt_vcpu *vcpu, const struct vt_case *c, uint64_t offset,
                                     struct vt_error *error);

/* Has the virtual IDT a handler for this vector? */
bool vt_machine_has_handler(const struct vt_machine *machine, uint8_t vector);

/* Is this one of the device pages? */
bool vt_machine_is_device(const struct vt_machine *machine, uint64_t address);

/*
 * XCR0 of this process, from which every machine in it starts; 1, the x87 state that
 * is always there, where the host does not use XSAVE (Intel SDM 1 13.3).
 */
uint64_t vt_machine_host_xcr0(void);

/* Discard the pages of the touch region. */
void vt_machine_discard(struct vt_machine *machine);

/* The time-stamp counter now, also while RDTSC faults. Async-signal-safe. */
uint64_t vt_machine_clock(const struct vt_machine *machine);

/*
 * For handlers of SIGSEGV and SIGBUS: was it the emulator's own access to guest memory? Then the
 * context is edited so that the access reports a fault, and the handler returns.
 */
bool vt_machine_fix_access(ucontext_t *context);

#endif

/*
 * What a test and the image with the monitor inside agree on (tests/difference/effect_monitor.c): one case or
 * one piece of bad code at a time, its state handed in and out through memory that both share.
 */
#ifndef VT_TESTS_MONITOR_SHARED_H
#define VT_TESTS_MONITOR_SHARED_H

#include "guest/abi.h"
#include "vcpu/vcpu.h"

#include <stdint.h>

#define MONITOR_MEMORY 0x2000000 /* bytes of the machine */
#define MONITOR_CONTROL                                                                                      \
    0x1000000 /* guest-physical: above the guest's own memory, which the monitor's guest cannot reach */
#define MONITOR_ACCESSES 128
#define MONITOR_BAD_MOST 32

/* What devices answer; nothing else reads like it. */
#define MONITOR_PORT 0xa7c3d1e5u
#define MONITOR_MMIO 0x89abcdefu
#define MONITOR_MSR  UINT64_C(0x1122334455667788)

enum monitor_order {
    MONITOR_PREPARE,  /* case `number`: the state it starts from, in `vcpu` and `scratch` */
    MONITOR_EXIT,     /* the same as a guest of AMD-V, all intercepted; `refusal` when there is none */
    MONITOR_EXIT_FEW, /* the same, intercepted as KVM does */
    MONITOR_RUN,      /* its body once, from the state in `vcpu` and `scratch`; the state afterwards */
    MONITOR_CALL,     /* its form for Xen once, likewise */
    MONITOR_BAD,      /* bad code `number`, in the case "nop" */
};

enum monitor_device { MONITOR_IS_PORT, MONITOR_IS_MMIO, MONITOR_IS_MSR };

struct monitor_access {
    uint32_t device, write, size, where;
    uint64_t value;
};

struct monitor_control {
    volatile uint64_t ready; /* 1: waits for orders; 2: refused, `refusal` says why */
    volatile uint64_t go, done;
    uint64_t order, number;
    uint64_t end, vector; /* of enum vt_monitor_end */
    uint64_t traps;
    uint64_t mask;       /* of the 8259A, before and after */
    uint64_t redirected; /* 1 + the vector that leads to the recorder's handler; 0: none does */
    uint64_t body;       /* of the prepared case: where it lies */
    uint64_t bad_count;
    uint64_t accesses;
    struct monitor_access access[MONITOR_ACCESSES];
    char names[MONITOR_BAD_MOST][32];
    char refusal[128];
    struct vt_vcpu vcpu;
    struct vt_scratch scratch __attribute__((aligned(64)));
};

#endif

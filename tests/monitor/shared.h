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
    MONITOR_PREPARE, /* case `number`: the state it starts from, in `vcpu` and `scratch` */
    MONITOR_RUN,  /* its body once on `road`, from the state in `vcpu` and `scratch`; the state afterwards */
    MONITOR_CALL, /* its form for Xen once, likewise; there is one road for that */
    MONITOR_BAD,  /* bad code `number` on `road`, in the case "nop" */
};

/* How the monitor's guest is run. Where the processor cannot, `refusal` says why. */
enum monitor_road {
    MONITOR_BY_FAULT,
    MONITOR_BY_SVM,
    MONITOR_BY_SVM_AS_KVM,
    MONITOR_BY_VMX,
    MONITOR_BY_VMX_AS_KVM,
    MONITOR_BY_TRANSLATION,       /* for the first time */
    MONITOR_BY_TRANSLATION_AGAIN, /* twice from that state: the second time finds all that was learned */
    MONITOR_ROADS,
    MONITOR_ROADS_TOLD = MONITOR_BY_TRANSLATION /* of these the image tells by itself: Bochs takes its time */
};

/* A case that is one crossing on that road, beside its return. */
#define MONITOR_SANE(road)                                                                                   \
    ((road) == MONITOR_BY_FAULT || (road) >= MONITOR_BY_TRANSLATION ? "mov-to-cr3" : "cpuid")

enum monitor_device { MONITOR_IS_PORT, MONITOR_IS_MMIO, MONITOR_IS_MSR };

struct monitor_access {
    uint32_t device, write, size, where;
    uint64_t value;
};

struct monitor_control {
    volatile uint64_t ready; /* 1: waits for orders; 2: refused, `refusal` says why */
    volatile uint64_t go, done;
    uint64_t order, number, road;
    uint64_t end, vector; /* of enum vt_monitor_end */
    uint64_t traps;       /* on the way out: exceptions or exits */
    uint64_t mask;        /* of the 8259A, before and after */
    uint64_t redirected;  /* 1 + the vector that leads to the recorder's handler; 0: none does */
    uint64_t body;        /* of the prepared case: where it lies */
    uint64_t bad_count;
    uint64_t accesses;
    struct monitor_access access[MONITOR_ACCESSES];
    char names[MONITOR_BAD_MOST][32];
    char refusal[128];
    struct vt_vcpu vcpu;
    struct vt_scratch scratch __attribute__((aligned(64)));
};

/*
 * Without such memory (Bochs) the image does all orders by itself and tells what came of each, through the
 * debug port: a mark, then the words of this that differ from those before, each with its place, and a place
 * that is none. Its command line says what it does.
 */
#define MONITOR_CASES    "cases"
#define MONITOR_MISDEEDS "misdeeds"

#define MONITOR_MARK     UINT64_C(0x21646c6f74207476) /* "vt told!" */
#define MONITOR_PLACE    uint16_t
#define MONITOR_NO_PLACE 0xffff

struct monitor_told {
    uint64_t order, number, road, marked;
    uint64_t ldt, ldt_limit; /* of the prepared state */
    struct vt_vcpu before;
    struct vt_scratch scratch_before;
    struct monitor_control control; /* afterwards */
};
_Static_assert(sizeof(struct monitor_told) % 8 == 0, "told by words");
_Static_assert(sizeof(struct monitor_told) / 8 < MONITOR_NO_PLACE, "places fit");

#endif

/* A state run by this processor at ring 3, in this process: its world is mapped where the world says, a fault
 * is a signal, and the segment registers are the process's own before and after. */
#ifndef VT_TESTS_DIFFERENCE_RING3_H
#define VT_TESTS_DIFFERENCE_RING3_H

#include "tests/difference/difference.h"

/* Where far transfers may lead: the way out begins there as well as behind the instruction. */
#define RING3_TARGET (WORLD_CODE + 0x200)

struct ring3_state {
    uint64_t gpr[16], rflags;
    uint64_t fs_base, gs_base; /* 0 without ring3_has_segments() */
    uint16_t selector[6];      /* by VT_ES and so on; not of CS */
};

struct ring3_fault {
    int vector; /* -1: none */
    uint64_t error, address;
};

/*
 * The emulator `base` as this processor is: vendor and width of addresses. Skips the test where the world
 * cannot be mapped.
 */
void ring3_open(struct emulator *base);

/* Are states run whose instruction changes segment registers, or their bases? */
bool ring3_has_segments(void);

/* Does a null selector clear the base? A hypervisor may keep the processor's bit in CPUID to itself. */
bool ring3_null_clears_base(void);

/* The base of FS that a state starts with; the other bases are 0. */
uint64_t ring3_thread_base(void);

/* Registers, flags and memory as the state has them, the rest as the process has it. */
const struct ring3_state *ring3_run(const struct difference *d, struct ring3_fault *caught);

/* Once after a run: where memory is not what the world has, and what is there; or -1. */
long ring3_memory(const struct difference *d, uint8_t *theirs);

/* Pages may differ from the base's whatever was noted. */
void ring3_forget(void);

#endif

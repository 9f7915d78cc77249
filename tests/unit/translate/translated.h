/*
 * A translator with the smallest environment there is: guest memory, no devices but one page,
 * and the same code run natively at the same address for comparison.
 */
#ifndef VT_TESTS_UNIT_TRANSLATE_TRANSLATED_H
#define VT_TESTS_UNIT_TRANSLATE_TRANSLATED_H

#include "translate/process/process.h"

/* Layout of the window. */
#define TRANSLATED_CODE  0x00000
#define TRANSLATED_DATA  0x80000
#define TRANSLATED_STACK 0xa0000 /* grows down */
#define TRANSLATED_SPAN  0xa1000 /* bytes the tests use */

/* A device: reads as its offset, counts writes. */
#define TRANSLATED_DEVICE 0x7f000000u

struct translated {
    struct vt_translate *translate;
    struct vt_environment environment;
    struct vt_vcpu *vcpu;
    uint8_t *window;
    void *device; /* the page, mapped without access */
    uint64_t device_writes, device_value;
};

/* Skips the test where there is no room for a translator. */
void translated_open(struct translated *t, size_t cache);
void translated_close(struct translated *t);

/* The same, with the CPUID leaves and the registers of a kernel that uses FSGSBASE and RDTSCP. */
void translated_kernel(struct translated *t);

/* Registers before a run: seeded, RBP = data, RSP = stack. */
void translated_registers(struct translated *t, uint64_t seed);

/* Lay code at offset TRANSLATED_CODE and call it, at most `exits` exits. */
enum vt_translate_end translated_run(struct translated *t, const void *code, size_t size, uint64_t exits);

/* What a run leaves behind. */
struct outcome {
    uint64_t gpr[16];
    uint64_t flags;                                         /* status flags */
    uint8_t memory[TRANSLATED_STACK - TRANSLATED_DATA - 8]; /* data and stack, but for the return address */
};

void translated_outcome(const struct translated *t, struct outcome *outcome);

/* The code at TRANSLATED_CODE, run by the processor itself with the registers of the virtual CPU. */
void translated_native(struct translated *t, struct outcome *outcome);

/*
 * The code run natively, then twice translated: the first run translates and learns, the second finds all
 * there is. Aborts the test unless the outcomes are equal. In a world whose code has not been translated yet.
 */
void translated_both(struct translated *t, const char *name, const void *code, size_t size);

#endif

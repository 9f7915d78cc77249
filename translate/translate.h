/*
 * A dynamic binary translator for 64-bit kernel-mode code.
 *
 * Owns: a window of guest memory, a bounded cache of translated code, the virtual
 * CPU that the code runs on. Does not own: what a sensitive instruction does (vcpu/), the
 * world outside the CPU (the environment), cases and measuring (engine.c).
 *
 * Guest registers are host registers; RSP is the guest's own stack. Innocuous instructions
 * are copied, sensitive ones become inline sequences on the virtual CPU's state or
 * callouts to the emulator. Flags, registers and memory are those of the
 * untranslated code at every instruction boundary.
 *
 * Limits: guest code must lie in the window. The instruction set is that of the
 * processor below; segment bases other than FS and GS are 0.
 */
#ifndef VT_TRANSLATE_TRANSLATE_H
#define VT_TRANSLATE_TRANSLATE_H

#include "vcpu/environment.h"
#include "vcpu/vcpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_translate;

/* How a run ended; vt_translate_vcpu() holds the state at that moment, RIP included. */
enum vt_translate_end {
    VT_TRANSLATE_RETURNED,  /* the function that was started returned */
    VT_TRANSLATE_HALTED,    /* HLT with nothing pending */
    VT_TRANSLATE_FAULT,     /* an exception the guest has no handler for: vcpu->fault */
    VT_TRANSLATE_UNHANDLED, /* an instruction neither translated nor emulated, at vcpu->rip */
    VT_TRANSLATE_STOPPED,   /* vt_translate_stop was called */
    VT_TRANSLATE_FULL,      /* the limit of exits given to vt_translate_run was reached */
};

/* Totals since creation. */
struct vt_translate_counts {
    uint64_t inline_hits;   /* sensitive instructions executed inline; counted in counting mode only */
    uint64_t callouts;      /* sensitive instructions executed by the emulator */
    uint64_t blocks;        /* stretches of code translated */
    uint64_t bytes;         /* guest code translated */
    uint64_t chain_misses;  /* direct branches resolved and linked */
    uint64_t lookup_misses; /* indirect branches and returns that generated code could not resolve */
    uint64_t signals;       /* faults of translated code */
    uint64_t flushes;       /* times the cache was emptied */
    uint64_t interrupts;    /* delivered to the guest */
    uint64_t modifications; /* writes to code that had been translated */
};

/* Lives as long as the translator. Reset by create; its CPUID table is empty. */
struct vt_vcpu *vt_translate_vcpu(struct vt_translate *translate);

/* Vector and x87 registers as after FNINIT on zeroes; a run keeps them for the next. Create does it, too. */
void vt_translate_reset_vectors(struct vt_translate *translate);

/*
 * Count inline hits while running? The counting code is slower and separate:
 * changing the mode empties the cache.
 */
void vt_translate_count(struct vt_translate *translate, bool on);

/*
 * Run from vcpu->rip on until the guest reaches the translator's gate, an address that is no code of its, or
 * something else ends it. `exits`: how often translated code may be left before the run is ended, 0: any
 * number.
 */
enum vt_translate_end vt_translate_run(struct vt_translate *translate, uint64_t exits);

/*
 * Access to guest memory for the environment's load and store, on behalf of the emulator: a store to
 * translated code is noticed. False: not in the window.
 */
bool vt_translate_load(const struct vt_translate *translate, uint64_t address, void *value, unsigned size);
bool vt_translate_store(struct vt_translate *translate, uint64_t address, const void *value, unsigned size);

/* Translate what can be reached from `address` without running it. False: no code there. */
bool vt_translate_prepare(struct vt_translate *translate, uint64_t address);

/* Forget all translations. */
void vt_translate_flush(struct vt_translate *translate);

/* Forget, besides, which instructions have been seen to access devices: the code is another now. */
void vt_translate_forget(struct vt_translate *translate);

struct vt_translate_counts vt_translate_counts(const struct vt_translate *translate);

#endif

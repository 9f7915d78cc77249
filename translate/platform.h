/*
 * What the translator asks of the place it runs in: a process (translate/process/), ring 0 of an image
 * (monitor/).
 *
 * Owns: the contract. Whoever makes a translator fills the places of struct vt_translate, names one platform
 * and starts it. All functions but `enter` are mandatory.
 */
#ifndef VT_TRANSLATE_PLATFORM_H
#define VT_TRANSLATE_PLATFORM_H

#include "translate/decode.h"
#include "vcpu/instruction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_translate;
struct vt_emitter;

struct vt_translate_platform {
    /* Memory behind `size` bytes of a lookup table, to be written here and read by translated code. False:
     * there is none. `take` takes it away: from then on an access is a fault. */
    bool (*give)(struct vt_translate *t, void *chunk, size_t size);
    void (*take)(struct vt_translate *t, void *chunk, size_t size);

    void (*populate)(void *memory, size_t size); /* it is about to be written */
    void (*clear)(void *memory, size_t size);    /* it reads as 0 from now on */

    /* May translated code write to this page of the window? Where not, a write is a fault. */
    void (*protect)(struct vt_translate *t, void *page, bool writable);

    /* Call the fixed code at `address`, which runs what context->target says until it leaves; the guest's
     * state is in the context afterwards. NULL: it is a function, and is called. */
    void (*enter)(uint64_t address);
    /* What the fixed code does first, and last: nothing of the guest's is in a register. Its beginning finds
     * the host's stack, its end has a few bytes at context->host_stack. */
    void (*emit_way_in)(struct vt_translate *t, struct vt_emitter *e);
    void (*emit_way_out)(struct vt_translate *t, struct vt_emitter *e);
    uint64_t (*flags)(void); /* RFLAGS that translated code runs with, as far as they are not the guest's */

    /* What a jump of translated code would read at `address`. False: nothing, it is a fault. */
    bool (*peek)(const struct vt_translate *t, uint64_t address, uint64_t *value);
    /* Is an access that faulted there for the emulator to do, now and whenever that instruction comes again?
     */
    bool (*is_emulated)(const struct vt_translate *t, uint64_t address);

    /* The instruction at `code`, which the tables of opcodes do not know; `size` bytes may be read. */
    void (*decode)(const struct vt_translate *t, const uint8_t *code, size_t size, struct vt_insn *insn);
    /* The same for the emulator: vt_vcpu_decode (vcpu/decode.h). */
    int (*decode_sensitive)(const uint8_t *code, size_t size, struct vt_instruction *instruction);
};

/* The processor stopped in translated code: its state, in words that no operating system has. */
struct vt_translate_machine {
    const uint64_t *gpr; /* by enum vt_gpr */
    uint64_t rip, flags; /* vt_translate_take may change them: there it goes on */
    uint8_t vector;
    uint32_t error;
    uint64_t address; /* of a page fault */
};

/* A fault: has it been the guest's, or of a table that had no memory yet? False: it is somebody else's. */
bool vt_translate_take(struct vt_translate *t, struct vt_translate_machine *machine);

/* Leave translated code wherever it is, and end the run (vt_translate_run). */
void vt_translate_interrupt(struct vt_translate *t, struct vt_translate_machine *machine);

/* The places are filled: lay the fixed code, reset the virtual CPU. Once. */
void vt_translate_start(struct vt_translate *t);

#endif

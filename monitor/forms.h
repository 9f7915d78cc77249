/*
 * Each encoding that the guest's code holds and that needs a decoder, with what a decoder said of it while
 * the program was built: what the translator makes of it, and what the emulator does.
 *
 * Owns: finding an instruction by its bytes. It is known wherever it stands, code that the guest has
 * changed included. Does not own: writing the table (generate_forms.c).
 */
#ifndef VT_MONITOR_FORMS_H
#define VT_MONITOR_FORMS_H

#include "translate/decode.h"
#include "vcpu/instruction.h"

#define VT_FORM_LENGTH 15

struct vt_form {
    uint8_t bytes[VT_FORM_LENGTH]; /* insn.length of them, then zeros */
    struct vt_insn insn;
    struct vt_instruction instruction;
};

/* In the generated file: ascending by their bytes. No instruction is the beginning of another. */
extern const struct vt_form vt_forms[];
extern const uint32_t vt_forms_count;

/* The instruction at `code`, of which `size` bytes may be read; NULL: the guest's code did not hold it. */
const struct vt_form *vt_forms_find(const uint8_t *code, size_t size);

#endif

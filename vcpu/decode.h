/*
 * From bytes to what the emulator takes. The only part of vcpu/ that needs a
 * decoder library (Zydis).
 */
#ifndef VT_VCPU_DECODE_H
#define VT_VCPU_DECODE_H

#include "vcpu/instruction.h"

#include <stddef.h>

/*
 * Decode the 64-bit-mode instruction at `code`, of which `size` bytes may be read.
 * Returns 0 and fills *instruction: `length` is right for every valid instruction, `operation` is
 * VT_OP_NONE for one the emulator does not take. Bytes that are no instruction give
 * VT_OP_UNDEFINED with length 1; -ENODATA when the instruction does not end within `size`.
 */
int vt_vcpu_decode(const uint8_t *code, size_t size, struct vt_instruction *instruction);

#endif

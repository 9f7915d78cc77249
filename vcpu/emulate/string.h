/* The repeat machinery of the string instructions. Private to vcpu/emulate*.c. */
#ifndef VT_VCPU_EMULATE_STRING_H
#define VT_VCPU_EMULATE_STRING_H

#include "vcpu/emulate/internal.h"

/* One turn; false: a fault was raised and the registers still belong to this turn. */
typedef bool vt_emulate_turn(struct vt_emulation *e);

/* Run `turn` once, or RCX times under a repeat prefix. Pauses with VT_STEP_AGAIN now and then. */
enum vt_step vt_emulate_repeat(struct vt_emulation *e, vt_emulate_turn *turn);

/* Linear address of the element at RSI or RDI; FS and GS have a base, the others none. */
uint64_t vt_emulate_string_address(const struct vt_emulation *e, unsigned reg, unsigned segment);

/* Step RSI or RDI over one element, in the direction of DF. */
void vt_emulate_string_advance(struct vt_emulation *e, unsigned reg);

#endif

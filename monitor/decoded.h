/*
 * Instructions of the guest's code, decoded while the program is built: the image has no decoder, and
 * decoding at each fault would cost more than all the rest.
 *
 * Owns: finding the instruction at an address. Does not own: what is done with it (serve.c), writing the
 * table (generate.c).
 */
#ifndef VT_MONITOR_DECODED_H
#define VT_MONITOR_DECODED_H

#include "vcpu/instruction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece of code that the guest runs, as it was decoded. */
struct vt_decoded_part {
    const uint16_t *offsets; /* of the instructions below, from the part's start; ascending */
    const struct vt_instruction *instructions;
    uint32_t count;
    uint32_t size;     /* bytes of the part */
    uint32_t checksum; /* of them: vt_decoded_sum */
};

/* In the generated file: the cases (vt_guest_code_start), and the handlers of their exceptions. */
extern const struct vt_decoded_part vt_decoded_cases, vt_decoded_handlers;

/* FNV-1a, 32 bits. */
static inline uint32_t vt_decoded_sum(const uint8_t *code, size_t size)
{
    uint32_t sum = 0x811c9dc5;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ code[i]) * 0x01000193;
    return sum;
}

/* Index the table once. False: it is of other code than lies here. */
bool vt_decoded_open(void);

/* The instruction that starts there, if it is one the emulator takes; NULL: it is not, or nothing starts
 * there. */
const struct vt_instruction *vt_decoded_find(uint64_t address);

#endif

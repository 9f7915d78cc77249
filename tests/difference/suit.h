/*
 * Values worth trying, and inputs that only make sense for some instructions: random alone would have nearly
 * all of their states fault. What faults stays among them.
 */
#ifndef VT_TESTS_DIFFERENCE_SUIT_H
#define VT_TESTS_DIFFERENCE_SUIT_H

#include "tests/difference/difference.h"

/* Each bit set one time in four. */
static inline uint64_t difference_sparse(uint64_t *state)
{
    uint64_t first = difference_random(state);
    return first & difference_random(state);
}

static inline bool difference_one_in(uint64_t *random, unsigned n)
{
    return difference_random(random) % n == 0;
}

#define DIFFERENCE_PICK(random, table)                                                                       \
    ((table)[difference_random(random) % (sizeof(table) / sizeof((table)[0]))])

/* Edges of widths, selectors of the world, and random numbers of every width. */
uint64_t difference_pick_value(uint64_t *random);

/* Bits of CR4 that both sides know. */
#define DIFFERENCE_CR4                                                                                       \
    (VT_CR4_TSD | VT_CR4_DE | VT_CR4_PCE | VT_CR4_UMIP | VT_CR4_FSGSBASE | VT_CR4_OSXSAVE | VT_CR4_PKE)

/* Before the operand is aimed at the world. */
void difference_suit_registers(struct difference *d, uint64_t *random);

/* Once memory is filled. */
void difference_suit_memory(struct difference *d, uint64_t *random);

#endif

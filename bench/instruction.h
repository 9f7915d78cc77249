/*
 * Names an instruction of the cases for a message: what a reader can look up, where an address
 * of one build tells nothing.
 */
#ifndef VT_BENCH_INSTRUCTION_H
#define VT_BENCH_INSTRUCTION_H

#include <stdint.h>

struct vt_bench_instruction {
    char text[96];
};

/* The one `offset` bytes into the cases, "div (f7 f1)"; where none is, that. */
struct vt_bench_instruction vt_bench_instruction_at(uint64_t offset);

#endif

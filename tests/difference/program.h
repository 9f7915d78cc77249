/*
 * Random programs of innocuous instructions: functions with branches, loops, calls,
 * indirect calls and jump tables. The same seed gives the same program everywhere; a failing
 * one is made smaller by leaving items out.
 *
 * A program is a function. It keeps RBP, which must point to PROGRAM_DATA bytes of memory, and
 * RSP; it changes everything else, ends, raises no exception, and uses at most
 * PROGRAM_STACK bytes of stack.
 */
#ifndef VT_TESTS_DIFFERENCE_PROGRAM_H
#define VT_TESTS_DIFFERENCE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRAM_ITEMS 192
#define PROGRAM_DATA  4096
#define PROGRAM_STACK 8192
#define PROGRAM_SIZE  32768

struct program {
    uint64_t seed;
    bool without[PROGRAM_ITEMS];
};

/* Machine code of the program, position-independent; returns its size, at most PROGRAM_SIZE. */
size_t program_generate(const struct program *program, uint8_t code[PROGRAM_SIZE]);

/* "seed N" and, one to a line, "without N". */
void program_write(const struct program *program, FILE *file);
bool program_read(struct program *program, FILE *file);

/* Leave out all items that do not matter to `fails`. */
void program_minimize(struct program *program, bool (*fails)(const struct program *program));

#endif

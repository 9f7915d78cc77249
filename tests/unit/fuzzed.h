/*
 * A fuzz target as a plain program: what its corpus holds and random inputs, on every run and with any
 * compiler. A test includes the target's own file and hands it over.
 */
#ifndef VT_TESTS_FUZZED_H
#define VT_TESTS_FUZZED_H

#include <stddef.h>
#include <stdint.h>

typedef int fuzzed_target(const uint8_t *data, size_t size);

/* Every file of a directory, which must hold one. */
void fuzzed_corpus(fuzzed_target *target, const char *path);

/* Each file of the directory `rounds` times with a few bytes changed, as a fuzzer would begin. */
void fuzzed_variations(fuzzed_target *target, const char *path, unsigned rounds);

/* 64-bit numbers of a fixed sequence (Knuth's MMIX). */
uint64_t fuzzed_random(uint64_t *state);

#endif

/* Function symbols of an ELF file in memory (System V ABI, chapter 4). */
#ifndef VT_LAB_PROFILE_ELF_H
#define VT_LAB_PROFILE_ELF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Write "ADDRESS T NAME [MODULE]" for each function of `image`, moved by `base`. Of a file without symbols,
 * or one that is none, nothing; what lies outside the file is left out.
 */
void vt_elf_functions(const char *image, size_t size, uint64_t base, const char *module, FILE *to);

/* The value of symbol `name`, or 0. */
uint64_t vt_elf_find(const char *image, size_t size, const char *name);

/* The addresses its loaded segments take, from *low to below *high; both 0: none. */
void vt_elf_span(const char *image, size_t size, uint64_t *low, uint64_t *high);

#endif

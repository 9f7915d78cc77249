/*
 * Names of functions by address: lines as in Linux's /proc/kallsyms, "ADDRESS TYPE NAME [MODULE]".
 * They come from an emulated machine, which is not trusted.
 */
#ifndef VT_LAB_PROFILE_SYMBOLS_H
#define VT_LAB_PROFILE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#define VT_SYMBOLS_MOST ((size_t)32 << 20) /* bytes of text */

#define VT_SYMBOLS_NONE (-1) /* no function is known there */

/* A function may lie in several places: what compilers move out of it (".cold") is still the function. */
struct vt_function {
    const char *name, *module; /* the symbols' */
    uint8_t entry;             /* enum vt_entry */
};

/* What it tells of how the processor came there. */
enum vt_entry {
    VT_ENTRY_NONE,
    VT_ENTRY_INTERRUPT,
    VT_ENTRY_RESTARTED, /* of a fault after which the instruction that raised it was not executed */
    VT_ENTRY_FAULT,     /* any other */
    VT_ENTRY_BETWEEN,   /* called where a guest was left between two instructions, not at one */
};

struct vt_symbol {
    uint64_t address;
    const char *name, *module;
    int32_t function; /* VT_SYMBOLS_NONE until it is asked for */
    uint8_t rank;     /* of several at one address the lowest is shown */
};

struct vt_symbols {
    char *text; /* owned, as is what follows */
    struct vt_symbol *all;
    size_t count;
    struct vt_function *functions;
    size_t function_count;
    int32_t *buckets; /* of functions, by name and module */
};

/* Take `text` (malloc'ed, terminated; the symbols' from now on, even on failure). 0 or -ENOMEM. */
int vt_symbols_read(struct vt_symbols *symbols, char *text);

/* The function at `address`, or VT_SYMBOLS_NONE; *start receives where its symbol begins. */
int32_t vt_symbols_find(struct vt_symbols *symbols, uint64_t address, uint64_t *start);

/* A function without an address. VT_SYMBOLS_NONE: memory or room is out. The texts are the caller's. */
int32_t vt_symbols_add(struct vt_symbols *symbols, const char *name, const char *module);

void vt_symbols_release(struct vt_symbols *symbols);

#endif

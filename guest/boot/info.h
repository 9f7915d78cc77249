/*
 * What the two halves of an image that boots anywhere agree on. The loader (pc.c, efi.c) runs where its
 * firmware put it, finds memory, places the core there and enters it; the core (core.c) measures. Included by
 * both and by their assembler.
 *
 * Owns: the block of memory and what lies in it beside the payload's machine (guest/abi.h). Does not own: how
 * the block is found (memory.h), what is said of it (say.h).
 *
 * The block is mapped from linear 0 on, so that cases meet the same addresses as in engine `kvm`; and where
 * it lies, so that the core can be entered and left. Everything else below 4 GiB is mapped as it is,
 * uncached.
 */
#ifndef VT_GUEST_BOOT_INFO_H
#define VT_GUEST_BOOT_INFO_H

#include "guest/abi.h"

#define VT_BOOT_BLOCK     VT_GUEST_MEMORY
#define VT_BOOT_ALIGNMENT 0x200000
#define VT_BOOT_LIMIT     0x100000000 /* the block lies below */
#define VT_BOOT_CORE      VT_GUEST_PAYLOAD
#define VT_BOOT_INFO      (VT_GUEST_PV + 0x4000)      /* behind the pages that hypercalls share */
#define VT_BOOT_WINDOW    0x100000000                 /* linear: 1 GiB in which the core looks at anything */
#define VT_BOOT_WINDOWS   (VT_GUEST_TABLES + 0x6000)  /* the directory that maps it; its first entry is 0 */
#define VT_BOOT_TOP       (VT_GUEST_TABLES + 0x7000)  /* above the PML4 where the processor has five levels */
#define VT_BOOT_LOG       (VT_GUEST_TOUCH + 0x400000) /* what was said, for a file */
#define VT_BOOT_LOG_SIZE  0x200000

#define VT_BOOT_MAGIC 0x746f6f626c6c6f74 /* "tollboot" */

/* Before the words in a loader that count where nobody gives others (image/write.c puts them there). */
#define VT_BOOT_WORDS_MARK "vmtoll's words:"
#define VT_BOOT_WORDS_SIZE 1008

/* What the core is entered for. */
#define VT_BOOT_OPEN  0 /* look around, say so */
#define VT_BOOT_CASE  1 /* the next one; returns 0 when there is none */
#define VT_BOOT_CLOSE 2 /* that was all */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The core's first bytes. */
struct vt_boot_head {
    uint64_t magic;
    uint64_t enter;  /* offset from the head: uint64_t enter(uint64_t what), where the block really lies */
    uint64_t stubs;  /* linear address of the payload's entry stubs */
    uint64_t loaded; /* bytes of code and data */
    uint64_t size;   /* ... and of what must be 0 behind them */
    uint64_t cr3;    /* filled by the loader */
};

enum vt_boot_firmware { VT_BOOT_PVH, VT_BOOT_MULTIBOOT, VT_BOOT_EFI };

/* Written by the loader at VT_BOOT_INFO, below the line by the core. */
struct vt_boot_info {
    uint64_t magic;
    uint64_t base;     /* physical address of the block */
    uint64_t rsdp;     /* ACPI's root pointer, physical; 0: unknown */
    uint32_t firmware; /* enum vt_boot_firmware */
    uint32_t screen;   /* is there a text screen at 0xb8000? */
    char line[1024];   /* command line */
    /* --- */
    uint32_t total, done; /* cases */
    uint64_t log;         /* bytes at VT_BOOT_LOG */
    char name[64];        /* of the next case */
    char last[80];        /* what came of the last one, for a person */
    char end[16];         /* what is to be done in the end: "hold", "off", "reset" */
};
#endif

#endif

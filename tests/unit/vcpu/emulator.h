/*
 * A virtual CPU in a small world of its own, for tests: flat memory, one device
 * at a port and one in memory, both remembering what reached them.
 */
#ifndef VT_TESTS_UNIT_VCPU_EMULATOR_H
#define VT_TESTS_UNIT_VCPU_EMULATOR_H

#include "vcpu/decode.h"
#include "vcpu/emulate/emulate.h"

/* Linear addresses of the world, inside the memory of a virtual machine of ours. Everything else is a page
 * fault. */
#define WORLD_MEMORY 0x600000
#define WORLD_SIZE   0xa000
#define WORLD_CODE   0x600000
#define WORLD_GDT    0x601000
#define WORLD_IDT    0x602000
#define WORLD_TSS    0x603000
#define WORLD_LDT    0x604000
#define WORLD_DATA   0x605000
#define WORLD_STACK  0x608000 /* grows down */
#define WORLD_STACK0 0x609000 /* of CPL 0, in the TSS */
#define WORLD_DEVICE 0xd0000000

/* Selectors of its GDT. */
#define WORLD_CODE0      0x08
#define WORLD_DATA0      0x10
#define WORLD_DATA3      0x2b
#define WORLD_CODE3      0x33
#define WORLD_TSS_SEL    0x40
#define WORLD_LDT_SEL    0x50
#define WORLD_GATE       0x60 /* call gate to WORLD_CODE + 0x800 at CPL 0, DPL 3 */
#define WORLD_CONFORMING 0x70
#define WORLD_ABSENT     0x78 /* data, not present */
#define WORLD_READONLY   0x80
#define WORLD_CODE32     0x88
#define WORLD_GDT_LIMIT  0x8f

struct emulator {
    struct vt_vcpu vcpu;
    struct vt_environment environment;
    uint8_t memory[WORLD_SIZE];
    uint32_t
        touched; /* pages of it, by bits, that may have been written to: by the CPU or through emulator_at */
    uint64_t clock;
    uint32_t port_value; /* what a read of any port gives */
    uint16_t port;       /* last port touched */
    unsigned port_reads, port_writes, port_size;
    uint64_t device_value; /* what a read of the device gives; the last value written */
    uint64_t device_address;
    unsigned device_reads, device_writes, device_size;
    uint64_t flushed; /* last address flushed */
    unsigned flushes, write_backs, hypercalls;
};

/* The CPUID of a processor with every feature the emulator knows. */
void emulator_fill_cpuid(struct vt_vcpu *vcpu);

/* Flat kernel at CPL 0 with GDT, IDT (handler of vector v at WORLD_CODE + 0x400 + v: HLT), TSS and LDT. */
void emulator_open(struct emulator *e);

/* The same CPU at CPL 3. */
void emulator_go_user(struct emulator *e);

/* Decode and execute the instruction `code`, of `size` bytes, at WORLD_CODE. */
enum vt_step emulator_step(struct emulator *e, const void *code, size_t size);
#define STEP(e, code) emulator_step(e, code, sizeof(code) - 1)

/* Memory of the world as a host pointer; its page counts as touched. Nobody writes across its end. */
void *emulator_at(struct emulator *e, uint64_t address);

/* Puts a descriptor of 8 bytes into the GDT. */
void emulator_put_descriptor(struct emulator *e, uint16_t selector, uint64_t descriptor);

#endif

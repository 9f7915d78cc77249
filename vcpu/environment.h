/*
 * The world outside the virtual CPU: memory, ports, device registers, clock.
 *
 * Owns: the contract. The owner of a virtual CPU fills one environment and passes
 * it to every step. All functions are mandatory.
 */
#ifndef VT_VCPU_ENVIRONMENT_H
#define VT_VCPU_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/* How an access outside the CPU ended. */
enum vt_access {
    VT_ACCESS_DONE,
    VT_ACCESS_FAULT, /* memory: no such page, raise #PF; MSR: raise #GP */
    VT_ACCESS_MMIO,  /* memory: a device answers for this address, ask mmio_read or mmio_write */
};

struct vt_environment {
    void *context; /* first argument of every function below */

    /*
     * `size` is 1 to 16 bytes at a linear address, all or nothing. On VT_ACCESS_FAULT *error receives
     * the error code's P and I/D bits; the emulator adds W and U.
     */
    enum vt_access (*load)(void *context, uint64_t address, void *value, unsigned size, uint32_t *error);
    enum vt_access (*store)(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error);

    /* `size` is 1, 2, 4 or 8; what no device answers reads as all ones. */
    uint64_t (*mmio_read)(void *context, uint64_t address, unsigned size);
    void (*mmio_write)(void *context, uint64_t address, unsigned size, uint64_t value);

    /* `size` is 1, 2 or 4. */
    uint32_t (*port_read)(void *context, uint16_t port, unsigned size);
    void (*port_write)(void *context, uint16_t port, unsigned size, uint32_t value);

    /* MSRs the virtual CPU has no state for: VT_ACCESS_DONE or VT_ACCESS_FAULT. */
    enum vt_access (*msr_read)(void *context, uint32_t index, uint64_t *value);
    enum vt_access (*msr_write)(void *context, uint32_t index, uint64_t value);

    uint64_t (*clock)(void *context);                   /* time-stamp counter before vt_vcpu.tsc_offset */
    uint64_t (*counter)(void *context, uint32_t index); /* performance counter for RDPMC */
    void (*flush)(void *context, uint64_t address);     /* a translation; ~0: all of them */
    void (*write_back)(void *context);                  /* WBINVD, INVD */
    void (*hypercall)(void *context, uint64_t gpr[16]); /* answers in gpr[0] */
};

#endif

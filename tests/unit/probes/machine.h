/*
 * Machines as they are met, and how one is put together: CPUID leaves, files below a root folder, registers.
 */
#ifndef VT_TESTS_PROBES_MACHINE_H
#define VT_TESTS_PROBES_MACHINE_H

#include "probes/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANNOUNCED = 1, EXTENSION = 2, SEV = 4, TME = 8, TDX = 16 };
enum { NO_MSR = -1 };

/* What a machine consists of, and what is to be said of it. */
struct vt_test_machine {
    const char *name, *vendor;
    int traits;
    struct {
        uint32_t base;
        const char *signature;
        bool hyperv;
        uint32_t feature; /* EAX of the next leaf where that is no interface, EBX of Hyper-V's features where
                             it is */
        uint32_t isolation[2];
    } layers[2];
    struct {
        const char *path, *text;
    } files[8];
    int64_t control, sev_status; /* IA32_FEATURE_CONTROL or VM_CR; SEV_STATUS */
    /* true, false, null or a text, as JSON; NULL: not looked at */
    const char *present, *who, *own, *enabled, *kind, *bare;
    const char *says, *never; /* somewhere in what is said of it; nowhere in it */
};

extern const struct vt_test_machine vt_test_machines[];
extern const size_t vt_test_machine_count;

/* The facts that probe would read on it; to be freed with vt_facts_free(). */
void vt_test_machine_build(struct vt_facts *facts, const struct vt_test_machine *machine);

/* As on a machine whose registers cannot be read. */
void vt_test_machine_no_registers(struct vt_facts *facts);

#endif

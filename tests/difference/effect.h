/*
 * What one turn of a case does to the architecture, on one engine: registers and flags as the instruction
 * leaves them, the scratch block, privileged state, what devices saw. Engines lie at different addresses:
 * values are compared as they are, or as the same place (scratch + 8, the GDT, ...) on either side.
 */
#ifndef VT_TESTS_DIFFERENCE_EFFECT_H
#define VT_TESTS_DIFFERENCE_EFFECT_H

#include "bench/engine.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "tests/difference/effect_state.h"
#include "tests/monitor/shared.h"
#include "vcpu/vcpu.h"

enum effect_engine {
    EFFECT_TRAP = 1,
    EFFECT_TRANSLATE = 2,
    EFFECT_KVM = 4,
    EFFECT_MONITOR = 8,
    EFFECT_SVM = 16,
    EFFECT_SVM_KVM = 32,
    EFFECT_VMX = 64,
    EFFECT_VMX_KVM = 128,
    EFFECT_TRANSLATION = 256,
    EFFECT_TRANSLATION_AGAIN = 512
};

/* Ports that user space answers for. */
#define EFFECT_IS_PORT(port) ((port) == VT_PORT_USER || (port) == VT_PORT_PM_TIMER)

/* What devices answer; nothing else reads like it. */
#define EFFECT_PORT MONITOR_PORT
#define EFFECT_MMIO MONITOR_MMIO
#define EFFECT_MSR  MONITOR_MSR

enum effect_device { DEVICE_PORT, DEVICE_MMIO, DEVICE_MSR };

struct effect_access {
    uint8_t device; /* enum effect_device */
    bool write;
    uint8_t size;
    uint32_t where; /* port, offset in the device pages, MSR */
    uint64_t value;
};
#define EFFECT_ACCESSES 128

/* Places that lie elsewhere on every engine. */
enum effect_fact {
    FACT_CODE,
    FACT_STACK,
    FACT_SCRATCH,
    FACT_GDT,
    FACT_IDT,
    FACT_TSS,
    FACT_LDT,
    FACT_TSS_LIMIT,
    FACT_LDT_LIMIT,
    FACT_CS,
    FACT_SS,
    FACT_ABSENT,
    FACT_TOUCH,
    FACT_DEVICES,
    FACT_XAPIC,
    FACT_CR4,
    FACT_CR4_TO_BE,
    FACT_CR4_FLIPPED, /* PGE */
    FACT_FS_BASE,
    FACT_FS_BASE_LOW,
    FACT_FS_BASE_HIGH,
    FACT_XCR0, /* KVM keeps components from its guests: AMX without permission, MPX */
    FACTS
};

enum effect_end { EFFECT_DONE, EFFECT_FAULT, EFFECT_UNSUPPORTED };

struct effect {
    enum effect_engine engine;
    bool bochs; /* the image ran on Bochs' processor, not on QEMU's */
    enum effect_end end;
    uint64_t vector;  /* of EFFECT_FAULT */
    bool crossed;     /* the engine saw the instruction: it did not pass by on the processor alone */
    char reason[256]; /* of any end but EFFECT_DONE */
    struct vt_vcpu before, after; /* GPRs and rflags of `after` are those the instruction left */
    struct vt_scratch scratch_before, scratch_after;
    uint64_t stack_delta, stack_top; /* RSP less RBP; the word there when something was pushed */
    uint64_t doorbells, mask;
    uint64_t fact[FACTS], fact_size[FACTS];
    struct effect_access access[EFFECT_ACCESSES];
    unsigned accesses;
};

/* Code of the test beside the cases (guest/cases/case.h): called where a body's loop ends, and a handler. */
struct effect_code {
    const void *record, *handler;
};

/* Make every body call the recorder at its end. Before any engine is opened. */
bool effect_patch(const struct effect_code *code);

/* One turn of the case. `state`: of the engine's open; `turn` 0 is the first after prepare, 1 comes when all
 * code has run once. */
void effect_run_virtual(struct effect *e, enum effect_engine engine, void *state, const struct vt_case *c,
                        const struct effect_setup *setup, const struct effect_code *code, int turn);
void effect_run_kvm(struct effect *e, void *state, const struct vt_case *c, const struct effect_setup *setup,
                    const struct effect_code *code);

/* For the two above. */
void effect_begin(struct effect *e, const struct vt_case *c, const struct effect_setup *setup,
                  struct vt_vcpu *vcpu, struct vt_scratch *scratch);
/* `code`: where the body lies for the engine; `at`: the scratch block. */
void effect_facts(struct effect *e, const struct vt_scratch *scratch, uint64_t code, uint64_t at);
void effect_redirect(uint8_t *idt, uint8_t vector, uint64_t handler);
void effect_finish(struct effect *e, const struct vt_scratch *scratch);
void effect_note(struct effect *e, enum effect_device device, bool write, unsigned size, uint64_t where,
                 uint64_t value);

/* Places that need not be equal, by bits: 1 << enum vt_gpr, or these. What is no register is still written
 * on both sides or on neither. */
#define EFFECT_END    (UINT32_C(1) << 20) /* how it ended, and then all */
#define EFFECT_FLAGS  (UINT32_C(1) << 16)
#define EFFECT_STATE  (UINT32_C(1) << 17) /* privileged state */
#define EFFECT_MEMORY (UINT32_C(1) << 18) /* the scratch block */
#define EFFECT_STACK  (UINT32_C(1) << 19)

/* False and what differs in `text`. `licence`: places that need not be equal. */
bool effect_equal(const struct effect *a, const struct effect *b, uint32_t licence, char *text, size_t size);

const char *effect_engine_name(enum effect_engine engine);

#endif

/*
 * What the parts of the emulator share: one instruction under way, operands, memory
 * and descriptors. Private to vcpu/emulate*.c and vcpu/deliver.c.
 */
#ifndef VT_VCPU_EMULATE_INTERNAL_H
#define VT_VCPU_EMULATE_INTERNAL_H

#include "vcpu/environment.h"
#include "vcpu/instruction.h"
#include "vcpu/raise.h"

/* One instruction under way. `next` and `shadow` take effect when the step is done. */
struct vt_emulation {
    struct vt_vcpu *vcpu;
    const struct vt_environment *environment;
    const struct vt_instruction *instruction;
    uint64_t next;  /* RIP afterwards */
    uint8_t shadow; /* vt_vcpu.shadow afterwards */
    bool keep_rf;   /* the instruction loaded RF itself */
};

typedef enum vt_step vt_emulate_function(struct vt_emulation *e);

/* Implemented in emulate_*.c, listed in emulate.c. */
#define VT_EMULATE_FUNCTIONS(X)                                                                              \
    X(CPUID, cpuid)                                                                                          \
    X(RDTSC, rdtsc)                                                                                          \
    X(RDTSCP, rdtscp)                                                                                        \
    X(RDPMC, rdpmc)                                                                                          \
    X(RDPID, rdpid)                                                                                          \
    X(MOV_FROM_CR, mov_from_cr)                                                                              \
    X(MOV_TO_CR, mov_to_cr)                                                                                  \
    X(MOV_FROM_DR, mov_from_dr)                                                                              \
    X(MOV_TO_DR, mov_to_dr)                                                                                  \
    X(CLTS, clts)                                                                                            \
    X(LMSW, lmsw)                                                                                            \
    X(SMSW, smsw)                                                                                            \
    X(SGDT, store_table)                                                                                     \
    X(SIDT, store_table)                                                                                     \
    X(SLDT, store_selector)                                                                                  \
    X(STR, store_selector)                                                                                   \
    X(LGDT, load_table)                                                                                      \
    X(LIDT, load_table)                                                                                      \
    X(LLDT, lldt)                                                                                            \
    X(LTR, ltr)                                                                                              \
    X(LAR, lar)                                                                                              \
    X(LSL, lsl)                                                                                              \
    X(VERR, verify)                                                                                          \
    X(VERW, verify)                                                                                          \
    X(MOV_FROM_SEGMENT, mov_from_segment)                                                                    \
    X(MOV_TO_SEGMENT, mov_to_segment)                                                                        \
    X(PUSH_SEGMENT, push_segment)                                                                            \
    X(POP_SEGMENT, pop_segment)                                                                              \
    X(LSS, load_far_pointer)                                                                                 \
    X(LFS, load_far_pointer)                                                                                 \
    X(LGS, load_far_pointer)                                                                                 \
    X(SWAPGS, swapgs)                                                                                        \
    X(RDFSBASE, read_base)                                                                                   \
    X(RDGSBASE, read_base)                                                                                   \
    X(WRFSBASE, write_base)                                                                                  \
    X(WRGSBASE, write_base)                                                                                  \
    X(PUSHF, pushf)                                                                                          \
    X(POPF, popf)                                                                                            \
    X(CLI, cli)                                                                                              \
    X(STI, sti)                                                                                              \
    X(CLAC, access_control)                                                                                  \
    X(STAC, access_control)                                                                                  \
    X(RDMSR, rdmsr)                                                                                          \
    X(WRMSR, wrmsr)                                                                                          \
    X(XGETBV, xgetbv)                                                                                        \
    X(XSETBV, xsetbv)                                                                                        \
    X(RDPKRU, rdpkru)                                                                                        \
    X(WRPKRU, wrpkru)                                                                                        \
    X(INVLPG, invlpg)                                                                                        \
    X(INVPCID, invpcid)                                                                                      \
    X(WBINVD, write_back)                                                                                    \
    X(INVD, write_back)                                                                                      \
    X(IN, in)                                                                                                \
    X(OUT, out)                                                                                              \
    X(INS, ins)                                                                                              \
    X(OUTS, outs)                                                                                            \
    X(HLT, hlt)                                                                                              \
    X(PAUSE, pause)                                                                                          \
    X(VMCALL, hypercall)                                                                                     \
    X(VMMCALL, hypercall)                                                                                    \
    X(INT, int_n)                                                                                            \
    X(INT3, int_n)                                                                                           \
    X(INT1, int_n)                                                                                           \
    X(IRET, iret)                                                                                            \
    X(CALL_FAR, call_far)                                                                                    \
    X(JMP_FAR, jmp_far)                                                                                      \
    X(RET_FAR, ret_far)                                                                                      \
    X(SYSCALL, syscall)                                                                                      \
    X(SYSRET, sysret)                                                                                        \
    X(MOV_LOAD, mov_load)                                                                                    \
    X(MOV_STORE, mov_store)                                                                                  \
    X(MOV_STORE_IMMEDIATE, mov_store)                                                                        \
    X(MOVZX, mov_extend)                                                                                     \
    X(MOVSX, mov_extend)                                                                                     \
    X(STOS, stos)                                                                                            \
    X(LODS, lods)                                                                                            \
    X(MOVS, movs)                                                                                            \
    X(ALU_LOAD, alu)                                                                                         \
    X(ALU_STORE, alu)                                                                                        \
    X(ALU_STORE_IMMEDIATE, alu)                                                                              \
    X(XCHG, xchg)

#define VT_DECLARE(operation, function) vt_emulate_function vt_emulate_##function;
VT_EMULATE_FUNCTIONS(VT_DECLARE)
#undef VT_DECLARE

/* Faults. Each returns VT_STEP_FAULT. */
static inline enum vt_step vt_emulate_ud(struct vt_emulation *e)
{
    return vt_vcpu_raise(e->vcpu, VT_EXCEPTION_UD);
}

static inline enum vt_step vt_emulate_gp(struct vt_emulation *e, uint32_t error)
{
    return vt_vcpu_raise_error(e->vcpu, VT_EXCEPTION_GP, error);
}

/* The same for what answers whether it succeeded: false. */
static inline bool vt_emulate_refuse(struct vt_emulation *e, uint8_t vector, uint32_t error)
{
    vt_vcpu_raise_error(e->vcpu, vector, error);
    return false;
}

/*
 * General registers. A 4-byte write clears the upper half, shorter ones keep it
 * (Intel SDM 1 3.4.1.1). `high`: the second byte of the register.
 */
uint64_t vt_emulate_get(const struct vt_vcpu *vcpu, unsigned reg, unsigned size, bool high);
void vt_emulate_put(struct vt_vcpu *vcpu, unsigned reg, unsigned size, bool high, uint64_t value);

/* EDX:EAX, upper halves cleared on a write. */
uint64_t vt_emulate_get_pair(const struct vt_vcpu *vcpu);
void vt_emulate_put_pair(struct vt_vcpu *vcpu, uint64_t value);

/*
 * Memory at a linear address that segment `segment` led to: checks that it is
 * canonical and aligned where that is asked for. False: a fault was raised.
 * `as_user` is false for the accesses the CPU itself makes to its tables.
 */
bool vt_emulate_load(struct vt_emulation *e, uint64_t address, unsigned segment, void *value, unsigned size);
bool vt_emulate_store(struct vt_emulation *e, uint64_t address, unsigned segment, const void *value,
                      unsigned size);
bool vt_emulate_load_system(struct vt_emulation *e, uint64_t address, void *value, unsigned size);
bool vt_emulate_store_system(struct vt_emulation *e, uint64_t address, const void *value, unsigned size);

/* Operand m, memory or register. False: a fault was raised. */
bool vt_emulate_read_operand(struct vt_emulation *e, unsigned size, uint64_t *value);
/* A memory operand that will be written: an access that fails says so, though it only reads yet. */
bool vt_emulate_read_for_write(struct vt_emulation *e, unsigned size, uint64_t *value);
bool vt_emulate_write_operand(struct vt_emulation *e, unsigned size, uint64_t value);

/* The stack; RSP moves only when the access succeeded. False: a fault was raised. */
bool vt_emulate_push(struct vt_emulation *e, unsigned size, uint64_t value);
bool vt_emulate_pop(struct vt_emulation *e, unsigned size, uint64_t *value);

/* A descriptor as it lies in a table; `high` is the second half of a 16-byte one. */
struct vt_descriptor {
    uint64_t low, high;
    uint64_t address; /* where it lies */
};

static inline unsigned vt_descriptor_type(const struct vt_descriptor *d)
{
    return d->low >> 40 & 0xf;
}

/* Code or data, not a system descriptor. */
static inline bool vt_descriptor_is_memory(const struct vt_descriptor *d)
{
    return d->low >> 44 & 1;
}

static inline unsigned vt_descriptor_dpl(const struct vt_descriptor *d)
{
    return d->low >> 45 & 3;
}

static inline bool vt_descriptor_is_present(const struct vt_descriptor *d)
{
    return d->low >> 47 & 1;
}

static inline bool vt_descriptor_is_long(const struct vt_descriptor *d)
{
    return d->low >> 53 & 1;
}

/* Type bits of code and data descriptors (Intel SDM 3A table 3-1). */
#define VT_TYPE_CODE       8
#define VT_TYPE_CONFORMING 4
#define VT_TYPE_WRITABLE   2 /* of data; of code: readable */
#define VT_TYPE_ACCESSED   1
/* System types in 64-bit mode (Intel SDM 3A table 3-2). */
#define VT_TYPE_LDT       2
#define VT_TYPE_TSS       9
#define VT_TYPE_TSS_BUSY  11
#define VT_TYPE_CALL_GATE 12
#define VT_TYPE_INTERRUPT 14
#define VT_TYPE_TRAP      15

enum vt_descriptor_result { VT_DESCRIPTOR_FOUND, VT_DESCRIPTOR_OUTSIDE, VT_DESCRIPTOR_FAULT };

/*
 * Read the descriptor `selector` names; `size` is 8 or 16. OUTSIDE: null, or beyond its table's
 * limit; FAULT: reading it raised a page fault.
 */
enum vt_descriptor_result vt_emulate_descriptor(struct vt_emulation *e, uint16_t selector, unsigned size,
                                                struct vt_descriptor *descriptor);

uint64_t vt_descriptor_base(const struct vt_descriptor *descriptor);

/* The segment register that holds it. */
struct vt_segment vt_descriptor_segment(const struct vt_descriptor *descriptor, uint16_t selector);

/* Load the hidden part of segment `name`; marks the descriptor accessed. False: a fault was raised. */
bool vt_emulate_fill_segment(struct vt_emulation *e, unsigned name, uint16_t selector,
                             struct vt_descriptor *descriptor);

static inline bool vt_selector_is_null(uint16_t selector)
{
    return (selector & 0xfffc) == 0;
}

/* What entering a handler needs beyond the gate. */
struct vt_delivery {
    uint8_t vector;
    uint8_t event; /* enum vt_event */
    bool has_error;
    bool checks_gate; /* INT n and INT3 obey the gate's DPL */
    uint32_t error;
    uint64_t rip; /* to be saved */
};

/* Enter through the IDT. On success e->next is the handler; false: a fault was raised, nothing changed. */
bool vt_emulate_enter(struct vt_emulation *e, const struct vt_delivery *delivery);

#endif

/*
 * The virtual CPU: the privileged half of an x86-64 processor as data, for code
 * that believes to run at ring 0 and does not.
 *
 * Owns: the state, its layout and what may be read from it without executing
 * anything. Does not own: executing an instruction (vcpu/emulate/emulate.h), decoding one
 * (vcpu/decode.h), the world outside the CPU (vcpu/environment.h).
 *
 * The struct is plain data of fixed layout: generated code addresses its members by
 * offset, and it works the same in a process, on a signal stack and inside a ring-0
 * image. Nothing in vcpu/ but decode.c uses a library, allocates or knows of signals.
 *
 * 64-bit mode alone: CS.L is always set, and the bases of ES, CS, SS and DS are not
 * used (Intel SDM 3A 3.4.4). There is no page walk: a linear address goes to the
 * environment as it is.
 */
#ifndef VT_VCPU_VCPU_H
#define VT_VCPU_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General registers in the order of their encoding. */
enum vt_gpr {
    VT_RAX,
    VT_RCX,
    VT_RDX,
    VT_RBX,
    VT_RSP,
    VT_RBP,
    VT_RSI,
    VT_RDI,
    VT_R8,
    VT_R9,
    VT_R10,
    VT_R11,
    VT_R12,
    VT_R13,
    VT_R14,
    VT_R15,
    VT_GPRS
};

/* Segment registers in the order of their encoding, then the two system segments. */
enum vt_segment_name { VT_ES, VT_CS, VT_SS, VT_DS, VT_FS, VT_GS, VT_LDTR, VT_TR, VT_SEGMENTS };

/* A segment register with its hidden part. */
struct vt_segment {
    uint16_t selector;
    uint16_t rights; /* second word of the descriptor: bits 8-15 as 0-7, 20-23 as 12-15; 0: null */
    uint32_t limit;  /* in bytes, granularity applied */
    uint64_t base;
};

/* GDTR and IDTR. */
struct vt_table_register {
    uint64_t base;
    uint16_t limit;
    uint16_t reserved[3];
};

/* MSRs that are state of the virtual CPU: slots of vt_vcpu.msr. FS.base and GS.base live in the segments. */
enum vt_msr_slot {
    VT_MSR_KERNEL_GS_BASE,
    VT_MSR_STAR,
    VT_MSR_LSTAR,
    VT_MSR_CSTAR,
    VT_MSR_FMASK,
    VT_MSR_TSC_AUX,
    VT_MSR_APIC_BASE,
    VT_MSR_SYSENTER_CS,
    VT_MSR_SYSENTER_ESP,
    VT_MSR_SYSENTER_EIP,
    VT_MSR_PAT,
    VT_MSR_MISC_ENABLE,
    VT_MSR_TSC_ADJUST,
    VT_MSR_BIOS_SIGN_ID,
    VT_MSR_MTRR_DEF_TYPE,
    VT_MSR_XSS,
    VT_MSR_SPEC_CTRL,
    VT_MSR_DEBUGCTL,
    VT_MSR_SLOTS
};

/* One row of the virtual CPUID; a subleaf that does not matter is 0 in the row and `any_subleaf`. */
struct vt_cpuid_leaf {
    uint32_t leaf, subleaf;
    uint32_t value[4]; /* EAX EBX ECX EDX: index by enum vt_cpuid_register */
    uint32_t any_subleaf;
    uint32_t reserved;
};
#define VT_CPUID_LEAVES 64

/* The local APIC, as far as it exists. Bit v of irr and isr: vector v. TPR is cr[8] << 4 | tpr_subclass. */
struct vt_apic {
    uint64_t irr[4], isr[4];
    uint32_t id;       /* initial APIC ID; the xAPIC register holds its low byte in bits 24-31 */
    uint32_t svr;      /* spurious-interrupt vector register; bit 8: software enabled */
    uint32_t icr_high; /* second half of the xAPIC's ICR */
    uint32_t icr_low;  /* last command written */
    uint32_t esr, lvt_timer, lvt_lint0, lvt_lint1;
    uint8_t tpr_subclass; /* TPR[3:0] */
    uint8_t pending;      /* not 0: a vector in irr beats the processor priority; kept up by the emulator */
    uint8_t reserved[6];
    uint64_t sent, ended; /* self-IPIs accepted, EOIs received: evidence */
};

/* Exceptions by vector (Intel SDM 3A table 6-1; AMD APM 2 table 8-1). */
enum vt_exception {
    VT_EXCEPTION_DE = 0,
    VT_EXCEPTION_DB = 1,
    VT_EXCEPTION_BP = 3,
    VT_EXCEPTION_UD = 6,
    VT_EXCEPTION_DF = 8,
    VT_EXCEPTION_TS = 10,
    VT_EXCEPTION_NP = 11,
    VT_EXCEPTION_SS = 12,
    VT_EXCEPTION_GP = 13,
    VT_EXCEPTION_PF = 14,
    VT_EXCEPTION_AC = 17,
};

enum vt_event { VT_EVENT_NONE, VT_EVENT_FAULT, VT_EVENT_TRAP, VT_EVENT_SOFTWARE, VT_EVENT_INTERRUPT };

/* The exception an instruction raised; valid after VT_STEP_FAULT. */
struct vt_fault {
    uint8_t vector;
    uint8_t event;     /* enum vt_event: where the saved RIP points depends on it */
    uint8_t has_error; /* an error code is pushed */
    uint8_t reserved;
    uint32_t error;
    uint64_t address; /* of a page fault: goes to CR2 on delivery */
};

enum vt_vendor { VT_VENDOR_OTHER, VT_VENDOR_INTEL, VT_VENDOR_AMD };

/* What the virtual CPUID allows, worked out once by vt_vcpu_apply_cpuid: the emulator's reserved-bit checks.
 */
struct vt_vcpu_limits {
    uint64_t cr4;      /* bits that may be 1 */
    uint64_t efer;     /* bits that may be 1 */
    uint64_t xcr0;     /* bits that may be 1 */
    uint32_t features; /* enum vt_feature */
    uint8_t physical_bits;
    uint8_t vendor;   /* enum vt_vendor */
    uint8_t counters; /* general performance counters RDPMC reaches */
    uint8_t reserved;
};

/* Instructions that exist, and what they do, only when the virtual CPUID says so. */
enum vt_feature {
    VT_FEATURE_RDTSCP = 1 << 0,
    VT_FEATURE_RDPID = 1 << 1,
    VT_FEATURE_FSGSBASE = 1 << 2,
    VT_FEATURE_INVPCID = 1 << 3,
    VT_FEATURE_XSAVE = 1 << 4,
    VT_FEATURE_SMAP = 1 << 5,
    VT_FEATURE_X2APIC = 1 << 6,
    VT_FEATURE_PCID = 1 << 7,
    VT_FEATURE_SYSCALL = 1 << 8,
    VT_FEATURE_NULL_BASE = 1 << 9, /* a null selector clears the base of FS and GS on AMD's, too */
};

#define VT_ENGINE_WORDS 64

struct vt_vcpu {
    /* Within reach of an 8-bit displacement. */
    uint64_t gpr[VT_GPRS];

    uint64_t rip;
    /*
     * RFLAGS in three parts, so that generated code changes each with a plain MOV, which
     * leaves the processor's own flags alone: `rflags` holds what ring 3 may change itself
     * (VT_FLAGS_USER, bit 1 always set), `interrupt_flag` is 0 or VT_FLAG_IF, and
     * `system_flags` holds IOPL, VM, VIF, VIP and RF. Their OR is the register.
     */
    uint64_t rflags;
    uint64_t interrupt_flag;
    uint64_t system_flags;
    uint64_t cr[9]; /* by number; 0, 2, 3, 4 and 8 exist */
    uint64_t dr[8]; /* by number; 4 and 5 are aliases and unused */
    uint64_t xcr0;
    uint64_t efer;
    uint64_t msr[VT_MSR_SLOTS];
    struct vt_segment segment[VT_SEGMENTS];
    struct vt_table_register gdtr, idtr;
    uint64_t tsc_offset; /* added to what the environment's clock says */

    uint8_t cpl;
    uint8_t halted;
    uint8_t shadow; /* interrupts are held off for one more instruction: after STI, MOV SS, POP SS */
    uint8_t reserved;
    uint32_t pkru;
    struct vt_fault fault;
    struct vt_apic apic;
    struct vt_vcpu_limits limits;

    /* Free for whoever runs the CPU (spill slots, host stack pointer, counters); the emulator never touches
     * it. */
    uint64_t engine[VT_ENGINE_WORDS];

    uint32_t cpuid_count;
    uint32_t cpuid_reserved;
    struct vt_cpuid_leaf cpuid[VT_CPUID_LEAVES];
};

_Static_assert(offsetof(struct vt_vcpu, gpr) == 0, "generated code counts on it");
_Static_assert(offsetof(struct vt_vcpu, rip) == 0x80, "generated code counts on it");
_Static_assert(offsetof(struct vt_vcpu, rflags) == 0x88, "generated code counts on it");
_Static_assert(offsetof(struct vt_vcpu, interrupt_flag) == 0x90, "generated code counts on it");
_Static_assert(offsetof(struct vt_vcpu, cr) == 0xa0, "generated code counts on it");
_Static_assert(sizeof(struct vt_segment) == 16, "generated code counts on it");
_Static_assert(sizeof(struct vt_vcpu) % 8 == 0, "copied by words");

/* RFLAGS (Intel SDM 1 3.4.3) */
#define VT_FLAG_CF   UINT64_C(0x1)
#define VT_FLAG_ONE  UINT64_C(0x2)
#define VT_FLAG_PF   UINT64_C(0x4)
#define VT_FLAG_AF   UINT64_C(0x10)
#define VT_FLAG_ZF   UINT64_C(0x40)
#define VT_FLAG_SF   UINT64_C(0x80)
#define VT_FLAG_TF   UINT64_C(0x100)
#define VT_FLAG_IF   UINT64_C(0x200)
#define VT_FLAG_DF   UINT64_C(0x400)
#define VT_FLAG_OF   UINT64_C(0x800)
#define VT_FLAG_IOPL UINT64_C(0x3000)
#define VT_FLAG_NT   UINT64_C(0x4000)
#define VT_FLAG_RF   UINT64_C(0x10000)
#define VT_FLAG_VM   UINT64_C(0x20000)
#define VT_FLAG_AC   UINT64_C(0x40000)
#define VT_FLAG_VIF  UINT64_C(0x80000)
#define VT_FLAG_VIP  UINT64_C(0x100000)
#define VT_FLAG_ID   UINT64_C(0x200000)

#define VT_FLAGS_STATUS (VT_FLAG_CF | VT_FLAG_PF | VT_FLAG_AF | VT_FLAG_ZF | VT_FLAG_SF | VT_FLAG_OF)
#define VT_FLAGS_USER   (VT_FLAGS_STATUS | VT_FLAG_TF | VT_FLAG_DF | VT_FLAG_NT | VT_FLAG_AC | VT_FLAG_ID)
#define VT_FLAGS_SYSTEM (VT_FLAG_IOPL | VT_FLAG_RF | VT_FLAG_VM | VT_FLAG_VIF | VT_FLAG_VIP)

/* Control registers (Intel SDM 3A 2.5; AMD APM 2 3.1) */
#define VT_CR0_PE UINT64_C(0x1)
#define VT_CR0_MP UINT64_C(0x2)
#define VT_CR0_EM UINT64_C(0x4)
#define VT_CR0_TS UINT64_C(0x8)
#define VT_CR0_ET UINT64_C(0x10)
#define VT_CR0_NE UINT64_C(0x20)
#define VT_CR0_WP UINT64_C(0x10000)
#define VT_CR0_AM UINT64_C(0x40000)
#define VT_CR0_NW UINT64_C(0x20000000)
#define VT_CR0_CD UINT64_C(0x40000000)
#define VT_CR0_PG UINT64_C(0x80000000)

#define VT_CR4_TSD      UINT64_C(0x4)
#define VT_CR4_DE       UINT64_C(0x8)
#define VT_CR4_PAE      UINT64_C(0x20)
#define VT_CR4_PCE      UINT64_C(0x100)
#define VT_CR4_UMIP     UINT64_C(0x800)
#define VT_CR4_LA57     UINT64_C(0x1000)
#define VT_CR4_FSGSBASE UINT64_C(0x10000)
#define VT_CR4_PCIDE    UINT64_C(0x20000)
#define VT_CR4_OSXSAVE  UINT64_C(0x40000)
#define VT_CR4_PKE      UINT64_C(0x400000)

#define VT_EFER_SCE UINT64_C(0x1)
#define VT_EFER_LME UINT64_C(0x100)
#define VT_EFER_LMA UINT64_C(0x400)
#define VT_EFER_NXE UINT64_C(0x800)

#define VT_APIC_BASE_X2APIC UINT64_C(0x400)
#define VT_APIC_BASE_ENABLE UINT64_C(0x800)

/* The whole RFLAGS register. */
static inline uint64_t vt_vcpu_rflags(const struct vt_vcpu *vcpu)
{
    return vcpu->rflags | vcpu->interrupt_flag | vcpu->system_flags | VT_FLAG_ONE;
}

/* Every bit of `value` that exists is taken over; privilege is the caller's business. */
static inline void vt_vcpu_set_rflags(struct vt_vcpu *vcpu, uint64_t value)
{
    vcpu->rflags = (value & VT_FLAGS_USER) | VT_FLAG_ONE;
    vcpu->interrupt_flag = value & VT_FLAG_IF;
    vcpu->system_flags = value & VT_FLAGS_SYSTEM;
}

static inline bool vt_vcpu_has(const struct vt_vcpu *vcpu, uint32_t features)
{
    return (vcpu->limits.features & features) == features;
}

/*
 * The state after power-up into a flat 64-bit kernel: CPL 0, paging on, interrupts off,
 * all registers 0 and no descriptor table. The CPUID table and limits are kept.
 */
void vt_vcpu_reset(struct vt_vcpu *vcpu);

/* Work out vcpu->limits from vcpu->cpuid. Call after filling the table, before the first step. */
void vt_vcpu_apply_cpuid(struct vt_vcpu *vcpu);

/* Bring the CPUID rows up to date that follow CR4, XCR0 and the APIC base. Call after changing those
 * directly. */
void vt_vcpu_refresh(struct vt_vcpu *vcpu);

/*
 * The row that answers CPUID with this EAX and ECX, or NULL when it answers zeros. Above the highest leaf of
 * its range Intel answers as for the highest basic leaf, AMD with zeros (SDM 2A CPUID; APM 3 appendix E).
 */
const struct vt_cpuid_leaf *vt_vcpu_find_cpuid(const struct vt_vcpu *vcpu, uint32_t leaf, uint32_t subleaf);

/*
 * Where the value of an MSR lies that is plain state of the virtual CPU: reading and writing it has
 * no effect but on the value itself. One table serves generated code and emulator.
 */
struct vt_msr_place {
    uint32_t index;    /* MSR number */
    uint16_t offset;   /* in struct vt_vcpu */
    uint8_t canonical; /* a write must be canonical, else #GP(0) */
    uint8_t read_only; /* a write is #GP(0) */
    uint64_t mask;     /* bits a write may set, else #GP(0) */
};

/* The place of MSR `index`, or NULL: then only the emulator knows what to do. Lives as long as the program.
 */
const struct vt_msr_place *vt_vcpu_find_msr(uint32_t index);

static inline bool vt_vcpu_fits(uint64_t address, bool wide)
{
    int shift = wide ? 64 - 57 : 64 - 48;
    return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

/* Is a linear address canonical under the current paging mode? (Intel SDM 1 3.3.7.1) */
static inline bool vt_vcpu_is_canonical(const struct vt_vcpu *vcpu, uint64_t address)
{
    return vt_vcpu_fits(address, vcpu->cr[4] & VT_CR4_LA57);
}

/*
 * May an address be loaded as the base of a table or into an MSR? Processors ask that by the width they have,
 * whatever the paging mode (Intel, 5-Level Paging and 5-Level EPT, 2.2; Linux, arch/x86/kvm/mmu.h).
 */
static inline bool vt_vcpu_is_loadable(const struct vt_vcpu *vcpu, uint64_t address)
{
    return vt_vcpu_fits(address, vcpu->limits.cr4 & VT_CR4_LA57);
}

#endif

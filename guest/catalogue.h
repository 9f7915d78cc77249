/*
 * The catalogue of cases: one const table, in the order reports show it.
 *
 * Owns: what a case is and everything known of it beforehand. Does not own: how
 * a case is run (bench/engines/), what running it showed (bench/).
 *
 * Adding a case is one entry in cases.def and its assembly in cases/; adding a
 * paravirtual form of one is an entry in forms.def and its assembly there.
 */
#ifndef VT_GUEST_CATALOGUE_H
#define VT_GUEST_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_scratch;

enum vt_class {
    VT_CLASS_CONTROL,
    VT_CLASS_IDENTIFICATION,
    VT_CLASS_TIME,
    VT_CLASS_RANDOM,
    VT_CLASS_CONTROL_REGISTER,
    VT_CLASS_DEBUG_REGISTER,
    VT_CLASS_DESCRIPTOR_TABLE,
    VT_CLASS_SEGMENT,
    VT_CLASS_FLAGS,
    VT_CLASS_MSR,
    VT_CLASS_TLB_CACHE,
    VT_CLASS_PORT_IO,
    VT_CLASS_MMIO,
    VT_CLASS_APIC,
    VT_CLASS_IDLE,
    VT_CLASS_HYPERCALL,
    VT_CLASS_VIRTUALIZATION,
    VT_CLASS_EXCEPTION,
    VT_CLASS_XSTATE,
    VT_CLASS_MEMORY,
    VT_CLASS_COMPUTE,
    VT_CLASS_LIFECYCLE,
    VT_CLASSES
};

/* What the instruction does outside ring 0 (Popek and Goldberg's words). */
enum vt_sensitivity {
    VT_INNOCUOUS,     /* neither reads nor changes what a hypervisor must own */
    VT_SENSITIVE,     /* touches such state, yet is legal at CPL 3 */
    VT_IO_PRIVILEGED, /* legal at CPL 3 only with IOPL 3 (or the I/O permission map) */
    VT_PRIVILEGED,    /* faults at CPL 3 */
};

/* What the manuals say of VM exits in VMX non-root operation and in an SVM guest. */
enum vt_exiting {
    VT_EXITS_NEVER,   /* no control can make it exit */
    VT_EXITS_CONTROL, /* depends on how the hypervisor sets a control, bitmap or mask */
    VT_EXITS_ALWAYS,  /* exits unconditionally */
    VT_EXITS_ABSENT,  /* the vendor has no such instruction (#UD, or an exit that ends in #UD) */
};

/* Who answers when KVM runs it with the devices the engine sets up. */
enum vt_handler {
    VT_BY_CPU,    /* the CPU, or the hypervisor's kernel part: not fixed beforehand */
    VT_BY_KERNEL, /* always the kernel: an in-kernel device or an eventfd */
    VT_BY_USER,   /* always user space */
    VT_BY_HYPERCALL,
};

/* How a case can be run on a machine nobody knows, firmware's or somebody else's hypervisor below it
 * (guest/boot/). */
enum vt_bare {
    VT_BARE_SAFE,     /* as it is */
    VT_BARE_RESTORED, /* it changes what is put back afterwards */
    VT_BARE_GUARDED,  /* there it may raise an exception, take milliseconds, or really ask a hypervisor */
    VT_BARE_QUIET,    /* with all interrupts but its own masked */
    VT_BARE_PORT,     /* with another port than KVM's engine keeps free for it */
    VT_BARE_ADDRESS,  /* with another device's page */
    VT_BARE_REFUSED,  /* not at all: it needs what only KVM's engine sets up, or harms others */
};

/* What a case asks of the engine beyond memory and the instruction itself. */
enum vt_need {
    VT_NEED_PORTS = 1 << 0,       /* the three ports of the ABI */
    VT_NEED_MMIO = 1 << 1,        /* the MMIO pages of the ABI */
    VT_NEED_EVENTFD = 1 << 2,     /* a doorbell answered by the kernel */
    VT_NEED_COALESCED = 1 << 3,   /* writes gathered by the kernel */
    VT_NEED_XAPIC = 1 << 4,       /* a local APIC at its page */
    VT_NEED_X2APIC = 1 << 5,      /* a local APIC in MSRs */
    VT_NEED_INTERRUPTS = 1 << 6,  /* delivery of self-IPIs */
    VT_NEED_MSR_FILTER = 1 << 7,  /* VT_MSR_USER reaches user space */
    VT_NEED_HANDLERS = 1 << 8,    /* an IDT whose handlers skip the faulting instruction */
    VT_NEED_TABLES = 1 << 9,      /* writable GDT with TSS and LDT descriptors */
    VT_NEED_DISCARD = 1 << 10,    /* the touch region is without backing before each batch */
    VT_NEED_PAGING = 1 << 11,     /* page tables of its own, which it may write */
    VT_NEED_PEER = 1 << 12,       /* a second processor that takes what it is sent, one of each vector */
    VT_NEED_PKE = 1 << 13,        /* CR4.PKE: for its cases alone, since every exit pays for it */
    VT_NEED_PM_TIMER = 1 << 14,   /* a clock at VT_PORT_PM_TIMER */
    VT_NEED_ANY_LENGTH = 1 << 15, /* a doorbell at VT_MMIO_ANY */
    VT_NEED_PRIORITY = 1 << 19,   /* an interrupt that the task priority holds back until it is lowered */
    VT_NEED_PARTNER = 1 << 18,    /* a second processor that runs, answers calls and echoes a token */
    VT_NEED_HOST = 1 << 17,       /* nothing of a guest: its host makes and ends machines */
    VT_NEED_DEADLINE = 1 << 16,   /* the APIC's timer in TSC-deadline mode */
    VT_NEED_SVM = 1 << 20,        /* AMD-V of its own, and the pages at VT_GUEST_NESTED */
    VT_NEED_NPT = 1 << 21,        /* ... with nested paging */
    VT_NEED_VMX = 1 << 22,        /* VT-x of its own, and the same pages */
    VT_NEED_EPT = 1 << 23,        /* ... with nested paging */
    VT_NEED_VPID = 1 << 24,       /* ... with tags of its guests in the TLB */
    VT_NEED_USER = 1 << 25, /* programs of its own at CPL 3, and their system calls: EFER.SCE, user pages */
};

#define VT_NEED_HYPERVISOR (VT_NEED_SVM | VT_NEED_VMX)

/* How a case of a guest that is a hypervisor uses a guest of its own. */
enum vt_inner {
    VT_INNER_NONE,     /* not at all */
    VT_INNER_SAVES,    /* not at all, but a control block must be written */
    VT_INNER_LOADS,    /* ... or read */
    VT_INNER_POINTS,   /* ... or its address be told */
    VT_INNER_REFUSED,  /* each entry is refused: its control block is not valid, or not in the state for it */
    VT_INNER_CALLS,    /* each entry comes back by the guest's call */
    VT_INNER_SHADOWED, /* the same without nested paging */
    VT_INNER_AS_KVM,   /* the same with what KVM intercepts */
    VT_INNER_RUNS,     /* the case runs in it */
};

/* What makes an instruction fault at ring 3 that by itself is silent there. */
enum vt_trapped_by {
    VT_TRAPPED_BY_NOTHING,
    VT_TRAPPED_BY_TSD,            /* CR4.TSD (Intel SDM 3A 2.5; AMD APM 2 3.1.3) */
    VT_TRAPPED_BY_CPUID_FAULTING, /* CPUID faulting (Intel SDM 4, MSR_MISC_FEATURES_ENABLES); AMD's
                                     CpuidUserDis (APM 2 3.2.10) */
};

/* Which cases a road has rows of. */
enum vt_rows {
    VT_ROWS_ALL,
    VT_ROWS_FORMS,    /* those that have a form for Xen, which it runs in the case's place */
    VT_ROWS_ASSISTED, /* those an assist is about */
};

/* The life of a machine, in its order. */
enum vt_life_step {
    VT_LIFE_NOTHING, /* the same reads of the clock around nothing */
    VT_LIFE_CREATE,
    VT_LIFE_MEMORY,
    VT_LIFE_VCPU,
    VT_LIFE_FIRST_RUN,
    VT_LIFE_DESTROY,
    VT_LIFE_STEPS
};

/* A CPUID bit as a value: where a feature is announced. leaf 0: no condition. */
enum vt_cpuid_register { VT_EAX, VT_EBX, VT_ECX, VT_EDX };
struct vt_cpuid_bit {
    uint32_t leaf, subleaf;
    uint8_t reg, bit;
};

typedef void (*vt_case_function)(uint64_t iterations, struct vt_scratch *scratch);

/* Whose agreement between guest and hypervisor a paravirtual form keeps to. */
enum vt_pv_interface {
    VT_PV_KVM,     /* Documentation/virt/kvm/x86: msr.rst, cpuid.rst, hypercalls.rst */
    VT_PV_XEN,     /* xen/include/public */
    VT_PV_PROCESS, /* a system call of this process that its own SIGSYS handler answers */
    VT_PV_INTERFACES
};

/* What a paravirtual form asks of the hypervisor. */
enum vt_pv_need {
    VT_PV_NEED_CALL = 1 << 0,          /* a way to call it: scratch.hypercall, or the bare instruction */
    VT_PV_NEED_CLOCK = 1 << 1,         /* scratch.pv_clock: struct pvclock_vcpu_time_info, kept up to date */
    VT_PV_NEED_EOI = 1 << 2,           /* scratch.pv_eoi: the word whose bit 0 stands for an EOI */
    VT_PV_NEED_STEAL = 1 << 3,         /* scratch.pv_steal: struct kvm_steal_time, kept up to date */
    VT_PV_NEED_TLB_FLUSH = 1 << 4,     /* ... and its `preempted` takes a flush */
    VT_PV_NEED_TASK_PRIORITY = 1 << 5, /* scratch.pv_priority: a copy of the APIC's task priority */
    VT_PV_NEED_SEND_IPI = 1 << 6,
    VT_PV_NEED_YIELD = 1 << 7,
    VT_PV_NEED_CLOCK_PAIRING = 1 << 8,
    VT_PV_NEED_USER_CALL = 1 << 9,   /* a call that user space answers */
    VT_PV_NEED_EVENT_MASK = 1 << 10, /* scratch.event_mask: vcpu_info.evtchn_upcall_mask, honoured */
    VT_PV_NEED_PV_MMU = 1 << 11, /* a guest that runs without ring 0 and asks for what needs it (Xen PV) */
    VT_PV_NEED_KICK = 1 << 12,   /* a halted vCPU can be woken by a call */
};

/*
 * What a guest that knows its hypervisor does in place of a case's instruction.
 * Its twins are made as a case's are, with a set-up of their own.
 */
struct vt_pv_form {
    const char *operation; /* in words, for a row of a report; NULL: there is no such form */
    const char *code;      /* the assembler text by which the twins differ */
    const char *reference;
    bool calls;     /* crosses by a hypercall; otherwise it is memory alone */
    uint32_t needs; /* enum vt_pv_need */
    vt_case_function body, baseline;
};

struct vt_case {
    const char *name;
    enum vt_class class;
    const char *summary;
    const char *operation; /* the assembler text of the instruction under test */
    const char *reference; /* where the manuals describe it */
    const char *unit_test; /* what kvm-unit-tests' x86/vmexit.c calls it, or NULL */
    enum vt_sensitivity sensitivity;
    enum vt_exiting vmx, svm; /* at CPL 0, in non-root operation */
    enum vt_bare bare;
    enum vt_handler handler;
    uint32_t needs; /* enum vt_need */
    struct vt_cpuid_bit feature;
    bool ring0_only; /* legal at CPL 3 in principle, but set up for CPL 0 alone */
    const char
        *refusal; /* what #GP from this case means, where that is an answer and not a failure; or NULL */
    bool partner_halts;      /* with VT_NEED_PARTNER: it halts until it is called; else it spins */
    uint8_t step;            /* of a machine's life, with VT_NEED_HOST: enum vt_life_step */
    uint8_t inner;           /* of VT_NEED_HYPERVISOR: enum vt_inner */
    uint8_t trapped_by;      /* that is about it: enum vt_trapped_by */
    uint8_t skip_vector;     /* exception the case provokes, with VT_NEED_HANDLERS */
    uint8_t skip_length;     /* bytes its handler skips */
    uint32_t max_iterations; /* 0: no limit */
    vt_case_function body, baseline;
    const struct vt_pv_form *pv; /* VT_PV_INTERFACES of them, by interface */
};

/* The table; *count receives its length. Lives as long as the program. */
const struct vt_case *vt_guest_cases(size_t *count);

/* The case of that name, or NULL. */
const struct vt_case *vt_guest_find_case(const char *name);

/* Where the case stands in the catalogue; behind the last one where it is not there. */
size_t vt_guest_case_position(const char *name);

const char *vt_guest_class_name(enum vt_class class);
const char *vt_guest_sensitivity_name(enum vt_sensitivity sensitivity);
const char *vt_guest_exiting_name(enum vt_exiting exiting);
const char *vt_guest_bare_name(enum vt_bare bare);

/* The case's form under that interface, or NULL. */
const struct vt_pv_form *vt_guest_pv_form(const struct vt_case *c, enum vt_pv_interface interface);

/* "kvm", "xen", "process" */
const char *vt_guest_pv_interface_name(enum vt_pv_interface interface);

/* "#GP", "#UD", ... for an exception vector below 32; "interrupt" above. */
const char *vt_guest_vector_name(uint64_t vector);

/* "CR4.TSD", "CPUID faulting" */
const char *vt_guest_trapped_by_name(enum vt_trapped_by assist);

/* Has a road of such rows one of this case? */
bool vt_guest_has_row(const struct vt_case *c, enum vt_rows rows);

/* May the case run at this CPL where the engine can grant IOPL 3? */
bool vt_guest_case_runs_at(const struct vt_case *c, int cpl, bool iopl3);

/* The machine code of all cases, position-independent: [start, end). */
extern const uint8_t vt_guest_code_start[] __asm__("__start_vt_cases");
extern const uint8_t vt_guest_code_end[] __asm__("__stop_vt_cases");

/*
 * Calls `function` between two fenced time-stamp reads; part of the same machine
 * code. tsc[0] and tsc[1] are in TSC cycles.
 */
void vt_batch(vt_case_function function, uint64_t iterations, struct vt_scratch *scratch, uint64_t tsc[2]);

#endif

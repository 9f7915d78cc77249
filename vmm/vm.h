/*
 * A small virtual machine on /dev/kvm: one vCPU, one memory slot, in-kernel
 * interrupt controller, started straight in 64-bit mode with its own page
 * tables, GDT, TSS and IDT (guest/abi.h).
 *
 * Owns: the descriptors, the guest memory, the vCPU's architectural state.
 * Does not own: devices, cases, what an exit means (the caller handles exits).
 */
#ifndef VT_VMM_VM_H
#define VT_VMM_VM_H

#include "base/error.h"
#include "guest/catalogue.h"
#include "guest/longmode.h"
#include "guest/vmx.h"
#include "vmm/obstacle.h"
#include "vmm/stats.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a step of the machine's life took: cycles of the time-stamp counter, and calls that succeeded. */
struct vt_vm_step {
    uint64_t cycles;
    uint32_t calls;
};

enum vt_apic_mode { VT_APIC_X2, VT_APIC_X };

struct vt_vm {
    int system, vm, vcpu; /* descriptors, -1 when closed */
    struct kvm_run *run;  /* shared with the kernel */
    size_t run_size;
    unsigned index;        /* of the vCPU; 0: the one the machine was made with */
    uint64_t base;         /* guest-physical address of its copy of the guest; linear 0 there */
    uint8_t *memory;       /* VT_GUEST_MEMORY bytes from `base` on */
    struct vt_stats stats; /* KVM's counters of the vCPU */
    struct vt_longmode_features features;
    uint64_t payload_entry, stubs, spin, halt, inner_call, run_inner; /* guest addresses, of its header */
    uint64_t vmx_entry, vmx_run, vmx_inner, vmx_call;
    uint32_t kvm_features; /* the guest's CPUID 0x40000001 EAX (cpuid.rst); 0: none */
    uint32_t tsc_khz;      /* of the guest; 0 when KVM does not say */
    bool irqchip;
    bool has_deadline;     /* its APIC's timer has the TSC-deadline mode */
    bool dirty;            /* the owner's note that its last run ended badly */
    bool has_pku;          /* its CPUID offers protection keys; features.pke, off at first, uses them */
    bool has_svm, has_npt; /* ... AMD-V, nested paging; features.svm */
    bool has_vmx;          /* ... VT-x; features.vmx */
    struct vt_vmx_capabilities vmx;        /* ... and what there is of it; all 0: nothing */
    struct vt_vm_step life[VT_LIFE_STEPS]; /* by enum vt_life_step; stays when it is closed */
    struct vt_obstacle obstacle;           /* why it did not open or start; stays when it is closed */
};

/*
 * Open /dev/kvm read-write. Returns the descriptor, or a negative errno; why it is so and what to do, probes/
 * can say, which see more than the errno.
 */
int vt_vmm_open_device(struct vt_error *error);

/* Create the machine and load payload and cases. On failure nothing stays open. */
int vt_vmm_open(struct vt_vm *vm, struct vt_error *error);

#define VT_VMM_VCPUS 64 /* as many copies of the guest fit below VT_GUEST_ABSENT */

/*
 * One more vCPU, numbered `index` (1 to VT_VMM_VCPUS - 1), of a machine that is open, with a copy of the
 * guest of its own. It is used, and closed, like a machine; the machine lives until the last of them is
 * closed. On failure nothing stays open.
 */
int vt_vmm_join(struct vt_vm *vm, const struct vt_vm *first, unsigned index, struct vt_error *error);

/* The time-stamp counter, fenced on both sides: how the steps of a machine's life are timed. */
static inline uint64_t vt_vmm_clock(void)
{
    __builtin_ia32_lfence();
    uint64_t now = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return now;
}

/* Safe on a machine that failed to open or is already closed. */
void vt_vmm_close(struct vt_vm *vm);

/*
 * Put the vCPU at `rip` in 64-bit mode at CPL 0 or 3, rdi = `argument`, and the
 * tables in guest memory into their first state. At CPL 3 IOPL is 3, so that
 * ports and CLI work there.
 */
int vt_vmm_start(struct vt_vm *vm, int cpl, enum vt_apic_mode apic, uint64_t rip, uint64_t argument,
                 struct vt_error *error);

/*
 * Address of [gpa, gpa + size) in this process, or NULL when any of it lies
 * outside the guest's memory.
 */
void *vt_vmm_memory(const struct vt_vm *vm, uint64_t gpa, size_t size);

/* Write one MSR of a vCPU as the host may. 0, or -1 with errno where KVM refuses it. */
int vt_vmm_set_msr(int vcpu, uint32_t index, uint64_t value);

/* Read one. 0, or -1 with errno. */
int vt_vmm_get_msr(int vcpu, uint32_t index, uint64_t *value);

/* Name of a KVM_EXIT_ reason ("io", "shutdown", ...); "unknown" for numbers this build has no name for. */
const char *vt_vmm_exit_name(uint32_t reason);

/* The payload image inside this program. */
extern const uint8_t vt_payload_image[], vt_payload_image_end[];

#endif

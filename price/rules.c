#include "price/rules.h"

#include <math.h>
#include <string.h>

/*
 * What is counted where: arch/x86/kvm of Linux. fpu_reload rises once each KVM_RUN (x86.c,
 * kvm_load_guest_fpu), so it counts what user space answered. mmio_exits are those user space answered
 * (x86_emulate_instruction); io_exits are not: vmx.c and svm.c count those that the kernel answered as well.
 * irq_exits are interrupts of the host.
 */
static const struct vt_price_rule rules[] = {
    {.reason = "mmio-user",
     .title = "device memory, in user space",
     .plus = {"mmio_exits"},
     .proof = VT_PROOF_USER_EXIT,
     .cases = "mmio-read-user,mmio-write-user",
     .note = "with vmtoll's own handler: a device model's work comes on top"},
    {.reason = "other-user",
     .title = "other exits to user space",
     .plus = {"fpu_reload"},
     .minus = {"mmio_exits", "signal_exits", "request_irq_exits"},
     .proof = VT_PROOF_USER_EXIT,
     .cases = "in-user,out-user",
     .note = "ports, as a rule; with vmtoll's own handler: a device model's work comes on top"},
    {.reason = "hlt",
     .title = "HLT",
     .plus = {"halt_exits"},
     .proof = VT_PROOF_KERNEL_EXIT,
     .ring0 = true,
     .note = "the crossing alone: polling and waiting are lines of their own"},
    {.reason = "hypercall",
     .title = "hypercalls",
     .plus = {"hypercalls"},
     .proof = VT_PROOF_KERNEL_EXIT,
     .cases = "vmcall,vmmcall",
     .ring0 = true},
    {.reason = "page-fault",
     .title = "page faults below the guest",
     .plus = {"pf_taken"},
     .proof = VT_PROOF_KERNEL_EXIT,
     .note = "the crossing alone: finding and mapping a page comes on top"},
    {.reason = "interrupt",
     .title = "interrupts of the host",
     .plus = {"irq_exits"},
     .note = "counted without a price: the host's own work is in them"},
    {.reason = "interrupt-window",
     .title = "interrupts that waited",
     .plus = {"irq_window_exits", "nmi_window_exits"},
     .proof = VT_PROOF_KERNEL_EXIT,
     .crossing = true},
    {.reason = "other-kernel",
     .title = "other exits, in the kernel",
     .plus = {"exits", "signal_exits", "request_irq_exits"},
     .minus = {"fpu_reload", "halt_exits", "hypercalls", "pf_taken", "irq_exits", "irq_window_exits",
               "nmi_window_exits"},
     .proof = VT_PROOF_KERNEL_EXIT,
     .crossing = true,
     .note = "MSRs, CPUID, timers, ...: the least of the kernel exits measured"},
    {.reason = "interpreted",
     .title = "interpreted instructions",
     .plus = {"insn_emulation"},
     .minus = {"exits"},
     .proof = VT_PROOF_INTERPRETED,
     .interpreting = true,
     .note = "the least of the interpreted instructions measured"},
};

_Static_assert(sizeof rules / sizeof rules[0] <= VT_PRICE_RULES, "bills have a line for each");

const struct vt_price_rule *vt_price_rules(size_t *count)
{
    *count = sizeof rules / sizeof rules[0];
    return rules;
}

static double known(const struct vt_price_counts *delta, const char *name)
{
    double value = vt_price_count_of(delta, name);
    return isnan(value) ? 0 : value;
}

const char vt_price_cases[] =
    "nop,cpuid,rdmsr-kernel,wrmsr-kernel,in-kernel,out-kernel,in-user,out-user,out-eventfd,"
    "mmio-read-user,mmio-write-user,mmio-write-eventfd,vmcall,vmmcall,x2apic-eoi,xapic-eoi";

double vt_price_rule_count(const struct vt_price_rule *rule, const struct vt_price_counts *delta)
{
    double sum = vt_price_count_of(delta, rule->plus[0]);
    for (size_t i = 1; i < VT_PRICE_TERMS && rule->plus[i]; i++)
        sum += known(delta, rule->plus[i]);
    for (size_t i = 0; rule->minus[i]; i++)
        sum -= known(delta, rule->minus[i]);
    return sum < 0 ? 0 : sum;
}

static bool is_among(const char *const *names, size_t most, const char *name)
{
    for (size_t i = 0; i < most && names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Where the time goes beside crossing. */
static const char *const beside[] = {"halt_poll_success_ns", "halt_poll_fail_ns", "halt_wait_ns",
                                     "nested_run", NULL};

bool vt_price_rules_know(const struct vt_price_rule *list, size_t count, const char *counter)
{
    for (size_t i = 0; i < count; i++)
        if (is_among(list[i].plus, VT_PRICE_TERMS, counter) ||
            is_among(list[i].minus, VT_PRICE_TERMS + 1, counter))
            return true;
    return is_among(beside, VT_PRICE_TERMS, counter);
}

/* On hardware the emulator is only entered from an exit, for one instruction of it. */
bool vt_price_interprets(const struct vt_price_counts *delta)
{
    return vt_price_count_of(delta, "insn_emulation") > 1.02 * vt_price_count_of(delta, "exits");
}

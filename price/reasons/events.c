#include "price/reasons/events.h"

/* Numbers of exits: Intel SDM 3D appendix C; AMD APM 2 appendix C; of returns to user space: linux/kvm.h. */

/* clang-format off */
#define IN_USER_SPACE                                              \
    {"kvm_userspace_exit", NULL, "user_all", true},                \
    {"kvm_userspace_exit", "reason == 2", "user_io", true},        \
    {"kvm_userspace_exit", "reason == 6", "user_mmio", true},      \
    {"kvm_userspace_exit", "reason == 10", "user_signal", true}
/* clang-format on */

static const struct vt_price_event vmx[] = {
    {"kvm_exit", NULL, "exit_all", true},
    {"kvm_exit", "exit_reason == 0", "exit_exception", false},
    {"kvm_exit", "exit_reason == 1", "exit_interrupt", false},
    {"kvm_exit", "exit_reason == 7 || exit_reason == 8", "exit_window", false},
    {"kvm_exit", "exit_reason == 10", "exit_cpuid", false},
    {"kvm_exit", "exit_reason == 12", "exit_hlt", false},
    {"kvm_exit", "exit_reason == 14 || exit_reason == 58", "exit_invlpg", false},
    {"kvm_exit", "exit_reason == 18", "exit_hypercall", false},
    {"kvm_exit", "exit_reason == 28", "exit_cr", false},
    {"kvm_exit", "exit_reason == 30", "exit_io", true},
    {"kvm_exit", "exit_reason == 31 || exit_reason == 84", "exit_msr_read", false},
    {"kvm_exit", "exit_reason == 32 || exit_reason == 85", "exit_msr_write", false},
    {"kvm_exit", "exit_reason == 40", "exit_pause", false},
    {"kvm_exit", "(exit_reason >= 43 && exit_reason <= 45) || exit_reason == 56", "exit_apic", false},
    {"kvm_exit", "exit_reason == 48", "exit_ept_violation", false},
    {"kvm_exit", "exit_reason == 49", "exit_ept_misconfig", true},
    {"kvm_exit", "exit_reason == 52", "exit_timer", false},
    IN_USER_SPACE,
};

static const struct vt_price_event svm[] = {
    {"kvm_exit", NULL, "exit_all", true},
    {"kvm_exit", "exit_reason <= 0x18 || exit_reason == 0x65", "exit_cr", false},
    {"kvm_exit", "(exit_reason >= 0x40 && exit_reason <= 0x5f) || exit_reason == 0x61", "exit_exception",
     false},
    {"kvm_exit", "exit_reason == 0x60", "exit_interrupt", false},
    {"kvm_exit", "exit_reason == 0x64", "exit_window", false},
    {"kvm_exit", "exit_reason == 0x72", "exit_cpuid", false},
    {"kvm_exit", "exit_reason == 0x77", "exit_pause", false},
    {"kvm_exit", "exit_reason == 0x78", "exit_hlt", false},
    {"kvm_exit", "exit_reason == 0x79 || exit_reason == 0xa2", "exit_invlpg", false},
    {"kvm_exit", "exit_reason == 0x7b", "exit_io", true},
    {"kvm_exit", "exit_reason == 0x7c && info1 == 0", "exit_msr_read", false},
    {"kvm_exit", "exit_reason == 0x7c && info1 == 1", "exit_msr_write", false},
    {"kvm_exit", "exit_reason == 0x81", "exit_hypercall", false},
    {"kvm_exit", "exit_reason == 0x400", "exit_npf", true},
    {"kvm_exit", "exit_reason == 0x401 || exit_reason == 0x402", "exit_apic", false},
    IN_USER_SPACE,
};

/* Where KVM interprets ring 0 most never exits: what it did itself is counted. */
static const struct vt_price_event interpreting[] = {
    {"kvm_exit", NULL, "exit_all", true},
    {"kvm_cpuid", NULL, "exit_cpuid", false},
    {"kvm_msr", "write == 0", "exit_msr_read", false},
    {"kvm_msr", "write == 1", "exit_msr_write", false},
    IN_USER_SPACE,
};

#define LIST(events)                                                                                         \
    {                                                                                                        \
        events, sizeof(events) / sizeof(events)[0]                                                           \
    }

static const struct {
    const struct vt_price_event *events;
    size_t count;
} lists[] = {
    [VT_BACKEND_UNKNOWN] = LIST(interpreting),
    [VT_BACKEND_VMX] = LIST(vmx),
    [VT_BACKEND_SVM] = LIST(svm),
    [VT_BACKEND_PVM] = LIST(interpreting),
};

_Static_assert(sizeof vmx / sizeof vmx[0] <= VT_PRICE_EVENTS && sizeof svm / sizeof svm[0] <= VT_PRICE_EVENTS,
               "who opens them has room");

const struct vt_price_event *vt_price_events(enum vt_backend backend, size_t *count)
{
    *count = lists[backend].count;
    return lists[backend].events;
}

#include "price/advice.h"

#include <math.h>
#include <string.h>

/* Instructions are those of lab svm: docs/LAB.md. */
static const struct vt_price_advice rows[] = {
    {.name = "hardware",
     .reason = "interpreted",
     .rate = 10000,
     .share = 0.05,
     .change =
         "host: run it where KVM has VT-x or AMD-V; here it interprets the guest's ring 0 (vmtoll probe says "
         "what stands in the way)",
     .source = "vmtoll probe"},
    {.name = "ioeventfd",
     .reason = "other-user",
     .rate = 2000,
     .share = 0.02,
     .change = "host: let the kernel take the doorbells (virtio with ioeventfd=on, vhost, vhost-user); "
               "guest: drivers "
               "of virtio in place of emulated devices",
     .from = "out-user",
     .to = "out-eventfd",
     .proof = {VT_PROOF_USER_EXIT, VT_PROOF_KERNEL_EXIT},
     .figures = "3103 -> 1455 instructions each",
     .source = "Linux Documentation/virt/kvm/api.rst, KVM_IOEVENTFD"},
    {.name = "mmio-eventfd",
     .reason = "mmio-user",
     .rate = 2000,
     .share = 0.02,
     .change =
         "host: let the kernel take the doorbells (virtio-pci with ioeventfd=on, vhost); no emulated disk, "
         "network or HPET",
     .from = "mmio-write-user",
     .to = "mmio-write-eventfd",
     .proof = {VT_PROOF_USER_EXIT, VT_PROOF_KERNEL_EXIT},
     .source = "Linux Documentation/virt/kvm/api.rst, KVM_IOEVENTFD"},
    {.name = "timer-and-apic",
     .reason = "other-kernel",
     .rate = 5000,
     .share = 0.02,
     .change = "host: give the guest x2APIC and the paravirtual end of interrupt (kvm-pv-eoi), APICv or AVIC "
               "where the "
               "processor has it; guest: clocksource tsc or kvm-clock, fewer timers (nohz)",
     .figures = "an end of interrupt 2910 -> 2 instructions, steal time by its page 2853 -> 5",
     .source = "Linux Documentation/virt/kvm/x86/cpuid.rst, KVM_FEATURE_PV_EOI"},
    {.name = "posted-interrupts",
     .reason = "interrupt-window",
     .rate = 1000,
     .share = 0.01,
     .change =
         "host: APICv or AVIC (kvm_intel enable_apicv=1, kvm_amd avic=1) deliver interrupts without a window",
     .source = "Intel SDM 3C 30.6; AMD APM 2 15.29"},
    {.name = "haltpoll",
     .reason = "hlt",
     .rate = 5000,
     .share = 0.02,
     .change = "guest: cpuidle-haltpoll polls before it halts, without an exit",
     .source = "Linux Documentation/virt/guest-halt-polling.rst"},
    {.name = "halt-polling",
     .counter = "halt_poll_fail_ns",
     .rate = INFINITY,
     .share = 0.05,
     .change = "host: kvm's parameter halt_poll_ns bounds how long a vCPU that halted keeps its CPU; polling "
               "in vain is "
               "lost to others, less of it costs latency",
     .source = "Linux Documentation/virt/kvm/halt-polling.rst"},
    {.name = "huge-pages",
     .reason = "page-fault",
     .rate = 2000,
     .share = 0.01,
     .change =
         "host: huge pages under the guest's memory, given beforehand (-mem-prealloc, hugetlbfs or THP); no "
         "balloon, no KSM",
     .source = "Linux Documentation/admin-guide/mm/transhuge.rst"},
    {.name = "host-interrupts",
     .reason = "interrupt",
     .rate = 5000,
     .share = INFINITY,
     .change = "host: keep interrupts and ticks off the CPUs of vCPUs (irqaffinity=, isolcpus=, nohz_full=); "
               "posted "
               "interrupts reach a guest without an exit",
     .source = "Linux Documentation/admin-guide/kernel-parameters.txt"},
    {.name = "hypercalls",
     .reason = "hypercall",
     .rate = 5000,
     .share = 0.02,
     .change = "guest: yields and kicks of paravirtual locks come from vCPUs that wait for each other: give "
               "it as many "
               "CPUs as vCPUs, or fewer vCPUs",
     .source = "Linux Documentation/virt/kvm/x86/hypercalls.rst"},
};

_Static_assert(sizeof rows / sizeof rows[0] <= VT_PRICE_ADVICE, "a bill has room for all");

static const struct vt_price_line *line_of(const struct vt_price *price, const char *reason)
{
    for (size_t i = 0; reason && i < price->line_count; i++)
        if (strcmp(price->lines[i].rule->reason, reason) == 0)
            return &price->lines[i];
    return NULL;
}

static bool holds(const struct vt_price *price, const struct vt_price_advice *advice)
{
    const struct vt_price_line *line = line_of(price, advice->reason);
    if (line)
        return line->count / price->watch->seconds >= advice->rate || line->share >= advice->share;
    return advice->counter &&
           vt_price_count_of(&price->watch->delta, advice->counter) / price->watch->times.run >=
               advice->share;
}

/* Between the two cases as measured here: what would be saved if all were of the first. */
static double saving(const struct vt_price *price, const struct vt_price_advice *advice)
{
    const struct vt_price_line *line = line_of(price, advice->reason);
    if (!line || !advice->from)
        return NAN;
    double from = vt_price_toll_find(price->tolls, advice->from, advice->proof[0]).ns,
           to = vt_price_toll_find(price->tolls, advice->to, advice->proof[1]).ns;
    if (isnan(to))
        to = vt_price_toll_find(price->tolls, advice->to, VT_PROOF_INTERPRETED).ns;
    double saved = line->count * (from - to) / price->watch->times.run;
    return saved > 0 ? saved : NAN;
}

void vt_price_advise(struct vt_price *price)
{
    price->advice_count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (holds(price, &rows[i]))
            price->advice[price->advice_count++] = (struct vt_price_given){&rows[i], saving(price, &rows[i])};
}

#include "price/advice.h"

#include <math.h>
#include <string.h>

static double polling_in_vain(const struct vt_price *price)
{
    return vt_price_count_of(&price->watch->delta, "halt_poll_fail_ns") / price->watch->times.run;
}

/* Of all its time, not of run time. */
static double without_cpu(const struct vt_price *price)
{
    const struct vt_price_times *times = &price->watch->times;
    return times->wait / (times->run + times->wait);
}

static const struct vt_price_advice rows[] = {
    {.name = "hardware",
     .reasons = {"interpreted"},
     .rate = 10000,
     .share = 0.05,
     .change = "host: run it where KVM has VT-x or AMD-V; here it interprets the guest's ring 0 (vmtoll "
               "probe says what "
               "stands in the way)",
     .source = "vmtoll-probe(1)"},
    {.name = "ioeventfd",
     .reasons = {"other-user", "io-user"},
     .rate = 2000,
     .share = 0.02,
     .change = "host: let the kernel take doorbells (ioeventfd=on); guest: drivers of virtio in place of "
               "emulated devices",
     .from = "out-user",
     .to = "out-eventfd",
     .proof = {VT_PROOF_USER_EXIT, VT_PROOF_KERNEL_EXIT},
     .source = "Linux Documentation/virt/kvm/api.rst, KVM_IOEVENTFD"},
    {.name = "mmio-eventfd",
     .reasons = {"mmio-user"},
     .rate = 2000,
     .share = 0.02,
     .change =
         "host: let the kernel take doorbells (virtio-pci with ioeventfd=on); no emulated disk or network",
     .from = "mmio-write-user",
     .to = "mmio-write-eventfd",
     .proof = {VT_PROOF_USER_EXIT, VT_PROOF_KERNEL_EXIT},
     .source = "Linux Documentation/virt/kvm/api.rst, KVM_IOEVENTFD"},
    {.name = "vhost",
     .reasons = {"other-user", "io-user", "mmio-user"},
     .rate = 10000,
     .share = 0.05,
     .change = "host: move the device out of the vCPU's thread: vhost-net, vhost-user, vhost-vdpa, an "
               "iothread for disks",
     .source = "Linux Documentation/virt/kvm/api.rst, KVM_IRQFD and KVM_IOEVENTFD; QEMU "
               "docs/devel/multiple-iothreads"},
    {.name = "clocksource",
     .reasons = {"other-user", "io-user", "mmio-user"},
     .rate = 2000,
     .share = 0.02,
     .change = "guest: clocksource tsc or kvm-clock "
               "(/sys/devices/system/clocksource/clocksource0/current_clocksource): "
               "acpi_pm and hpet go to user space for each reading",
     .from = "in-user",
     .proof = {VT_PROOF_USER_EXIT, VT_PROOF_NONE},
     .figures = "a reading in user space 5562 and 6384, by kvm-clock's page 19 and 19",
     .source = "Linux Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW"},
    {.name = "pv-eoi",
     .reasons = {"msr-write", "apic", "other-kernel"},
     .rate = 5000,
     .share = 0.02,
     .change = "host: let the guest end interrupts in memory (kvm-pv-eoi=on)",
     .from = "x2apic-eoi",
     .to = "x2apic-eoi",
     .proof = {VT_PROOF_KERNEL_EXIT, VT_PROOF_NONE},
     .form = true,
     .figures = "an end of interrupt 1330 and 1178, in memory 2 and 2",
     .source = "Linux Documentation/virt/kvm/x86/msr.rst, MSR_KVM_PV_EOI_EN"},
    {.name = "x2apic",
     .reasons = {"apic"},
     .rate = 2000,
     .share = 0.01,
     .change = "host: offer x2APIC (-cpu ...,+x2apic); guest: use it (no nox2apic): the APIC page is "
               "emulated instruction by "
               "instruction",
     .from = "xapic-eoi",
     .to = "x2apic-eoi",
     .proof = {VT_PROOF_KERNEL_EXIT, VT_PROOF_KERNEL_EXIT},
     .figures = "an end of interrupt by the page 3501 and 3857, by x2APIC 1330 and 1178",
     .source = "Linux Documentation/virt/kvm/x86/cpuid.rst; Intel SDM 3A 12.12"},
    {.name = "apicv",
     .reasons = {"apic", "msr-write", "interrupt-window"},
     .rate = 5000,
     .share = 0.02,
     .change = "host: let the processor do the APIC's work (kvm_intel enable_apicv=1, kvm_amd avic=1): ends "
               "of interrupts and "
               "their delivery do not exit",
     .source = "Intel SDM 3C 30; AMD APM 2 15.29"},
    {.name = "timers",
     .reasons = {"msr-write", "timer", "other-kernel"},
     .rate = 5000,
     .share = 0.02,
     .change = "guest: fewer timers (nohz=on, nohz_full=, a lower CONFIG_HZ): each is a write and an exit "
               "when it fires",
     .source = "Linux Documentation/timers/no_hz.rst"},
    {.name = "steal-time",
     .reasons = {"msr-read"},
     .rate = 5000,
     .share = 0.02,
     .change = "guest: what it polls for through MSRs KVM can keep in memory, as stolen time "
               "(CONFIG_PARAVIRT, kvm-steal-time)",
     .from = "rdmsr-kernel",
     .to = "rdmsr-kernel",
     .proof = {VT_PROOF_KERNEL_EXIT, VT_PROOF_NONE},
     .form = true,
     .figures = "a RDMSR 1252 and 1117, the page 5 and 5",
     .source = "Linux Documentation/virt/kvm/x86/msr.rst, MSR_KVM_STEAL_TIME"},
    {.name = "cpuid",
     .reasons = {"cpuid"},
     .rate = 5000,
     .share = 0.01,
     .change = "guest: find who executes CPUID (perf record -e instructions:u, a JIT, a profiler that "
               "serializes with it): it "
               "always exits; LFENCE or RDTSCP serialize without",
     .from = "cpuid",
     .proof = {VT_PROOF_KERNEL_EXIT, VT_PROOF_NONE},
     .source = "Intel SDM 3C 26.1.2; Intel SDM 2A CPUID"},
    {.name = "pause-loop",
     .reasons = {"pause"},
     .rate = 1000,
     .share = 0.005,
     .change = "host: vCPUs spin for one that does not run: fewer vCPUs on its CPUs, or kvm's ple_gap and "
               "ple_window",
     .source = "Intel SDM 3C 26.1.3; AMD APM 2 15.14.4"},
    {.name = "paging",
     .reasons = {"control-register", "invlpg"},
     .rate = 2000,
     .share = 0.01,
     .change = "host: nested paging (kvm_intel ept=1, kvm_amd npt=1): page tables that KVM shadows exit at "
               "each change",
     .source = "Intel SDM 3C 29.3; AMD APM 2 15.25"},
    {.name = "haltpoll",
     .reasons = {"hlt"},
     .rate = 5000,
     .share = 0.02,
     .change = "guest: cpuidle-haltpoll polls before it halts, without an exit",
     .source = "Linux Documentation/virt/guest-halt-polling.rst"},
    {.name = "halt-polling",
     .share_of = polling_in_vain,
     .share = 0.05,
     .change = "host: kvm's parameter halt_poll_ns bounds how long a vCPU that halted keeps its CPU; polling "
               "in vain is lost to "
               "others, less of it costs latency",
     .source = "Linux Documentation/virt/kvm/halt-polling.rst"},
    {.name = "overcommit",
     .share_of = without_cpu,
     .share = 0.15,
     .change = "host: its vCPUs wait for CPUs that others have: this is no crossing, and dearer than any; "
               "fewer vCPUs, or CPUs of "
               "its own",
     .source = "Linux Documentation/scheduler/sched-stats.rst"},
    {.name = "huge-pages",
     .reasons = {"page-fault"},
     .rate = 2000,
     .share = 0.01,
     .change = "host: huge pages under the guest's memory, given beforehand (-mem-prealloc, hugetlbfs or "
               "THP); no balloon, no "
               "KSM",
     .source = "Linux Documentation/admin-guide/mm/transhuge.rst"},
    {.name = "host-interrupts",
     .reasons = {"interrupt"},
     .rate = 5000,
     .share = INFINITY,
     .change = "host: keep interrupts and ticks off the CPUs of vCPUs (irqaffinity=, isolcpus=, nohz_full=); "
               "posted interrupts "
               "reach a guest without an exit",
     .source = "Linux Documentation/admin-guide/kernel-parameters.txt"},
    {.name = "hypercalls",
     .reasons = {"hypercall"},
     .rate = 5000,
     .share = 0.02,
     .change = "guest: yields and kicks of paravirtual locks come from vCPUs that wait for each other: give "
               "it as many CPUs as "
               "vCPUs, or fewer vCPUs",
     .source = "Linux Documentation/virt/kvm/x86/hypercalls.rst"},
};

_Static_assert(sizeof rows / sizeof rows[0] <= VT_PRICE_ADVICE, "a bill has room for all");

const struct vt_price_advice *vt_price_advice_rows(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}

static const struct vt_price_line *line_of(const struct vt_price *price, const char *reason)
{
    for (size_t i = 0; reason && i < price->line_count; i++)
        if (strcmp(price->lines[i].rule->reason, reason) == 0)
            return &price->lines[i];
    return NULL;
}

enum { REASONS = sizeof rows[0].reasons / sizeof rows[0].reasons[0] };

/* Of its lines, the one it is said because of; NULL: it is not, or not because of a line. */
static const struct vt_price_line *cause(const struct vt_price *price, const struct vt_price_advice *advice)
{
    const struct vt_price_line *most = NULL;
    for (size_t i = 0; i < REASONS; i++) {
        const struct vt_price_line *line = line_of(price, advice->reasons[i]);
        if (!line || !(line->count / price->watch->seconds >= advice->rate || line->share >= advice->share))
            continue;
        if (!most || line->count > most->count)
            most = line;
    }
    return most;
}

/* Between the two cases as measured here: what would be saved if all were of the first. */
static double saving(const struct vt_price *price, const struct vt_price_advice *advice,
                     const struct vt_price_line *line)
{
    if (!line || !advice->from)
        return NAN;
    double from = vt_price_toll_find(price->tolls, advice->from, advice->proof[0]).ns, to = 0;
    if (isnan(from))
        from = vt_price_toll_find(price->tolls, advice->from, VT_PROOF_INTERPRETED).ns;
    if (advice->form)
        to = vt_price_toll_find_form(price->tolls, advice->to).ns;
    else if (advice->to)
        to = vt_price_toll_find(price->tolls, advice->to, advice->proof[1]).ns;
    if (isnan(to) && !advice->form)
        to = vt_price_toll_find(price->tolls, advice->to, VT_PROOF_INTERPRETED).ns;
    double saved = line->count * (from - to) / price->watch->times.run;
    return saved > 0 ? fmin(1, saved) : NAN;
}

void vt_price_advise(struct vt_price *price)
{
    price->advice_count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct vt_price_line *line = cause(price, &rows[i]);
        if (line || (rows[i].share_of && rows[i].share_of(price) >= rows[i].share))
            price->advice[price->advice_count++] = (struct vt_price_given){
                &rows[i], line ? line->rule->reason : NULL, saving(price, &rows[i], line)};
    }
}

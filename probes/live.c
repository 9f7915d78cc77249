#include "probes/live.h"
#include "base/process/affinity.h"
#include "probes/outside/hypervisor.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool vt_live_line(const char *path, char *line, size_t size, int *number)
{
    *line = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, size - 1);
    *number = length < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (length < 0)
        return false;
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* Leaves whose subleaves probes ask for, and how many. Every CPUID is an exit when in a guest: no more than
 * needed. */
static unsigned subleaves(uint32_t leaf, const uint32_t first[4])
{
    switch (leaf) {
    case 0x4:
    case 0x8000001d:
        return 5;
    case 0x7:
        return first[VT_EAX] < 8 ? first[VT_EAX] + 1 : 1;
    case 0xb:
    case 0xd:
    case 0x12:
    case 0x14:
        return 4;
    default:
        return 1;
    }
}

static int read_leaf(struct vt_processor *processor, uint32_t number)
{
    unsigned wanted = 1;
    for (uint32_t i = 0; i < wanted; i++) {
        struct vt_leaf leaf = {.leaf = number, .subleaf = i};
        __cpuid_count(number, i, leaf.reg[VT_EAX], leaf.reg[VT_EBX], leaf.reg[VT_ECX], leaf.reg[VT_EDX]);
        if (vt_facts_add_leaf(processor, &leaf) != 0)
            return -ENOMEM;
        if (i == 0)
            wanted = subleaves(number, leaf.reg);
    }
    return 0;
}

/* A range of leaves from `base` to what its first leaf announces, at most `most` of them. */
static int read_range(struct vt_processor *processor, uint32_t base, uint32_t most)
{
    size_t at = processor->count;
    int status = read_leaf(processor, base);
    if (status != 0)
        return status;
    uint32_t last = processor->leaves[at].reg[VT_EAX];
    if (last < base)
        return 0;
    last = last - base < most ? last : base + most;
    for (uint32_t leaf = base + 1; leaf <= last && status == 0; leaf++)
        status = read_leaf(processor, leaf);
    return status;
}

static bool starts_range(const uint32_t reg[4], uint32_t base)
{
    /* KVM before 2.6.34 announced 0 for base + 1. */
    return reg[VT_EAX] - base <= 0xff || (reg[VT_EAX] == 0 && reg[VT_EBX] != 0);
}

/*
 * Hypervisors that speak another's language put their own leaves at a later
 * multiple of 0x100, up to 0x40010000 (Xen: public/arch-x86/cpuid.h).
 */
static int read_hypervisor(struct vt_processor *processor)
{
    int status = 0;
    for (uint32_t base = VT_HYPERVISOR_FIRST; base < VT_HYPERVISOR_END && status == 0;
         base += VT_HYPERVISOR_STRIDE) {
        size_t at = processor->count;
        status = read_leaf(processor, base);
        if (status != 0)
            break;
        uint32_t last = processor->leaves[at].reg[VT_EAX];
        if (!starts_range(processor->leaves[at].reg, base)) {
            processor->count = at;
            continue;
        }
        for (uint32_t leaf = base + 1; leaf <= (last ? last : base + 1) && leaf < base + 0x20 && status == 0;
             leaf++)
            status = read_leaf(processor, leaf);
    }
    return status;
}

/*
 * Some take back the bit that announces them and leave their leaves. Where there
 * is no hypervisor these leaves hold another leaf's data, or nothing: a signature that is known is proof.
 */
static int read_unannounced(struct vt_processor *processor)
{
    size_t before = processor->count;
    int status = read_hypervisor(processor);
    for (size_t i = before; i < processor->count && !processor->unannounced; i++)
        processor->unannounced = processor->leaves[i].leaf % VT_HYPERVISOR_STRIDE == 0 &&
                                 vt_hypervisor_of(processor->leaves[i].reg);
    if (!processor->unannounced)
        processor->count = before;
    return status;
}

static int read_processor(struct vt_facts *facts, long number)
{
    struct vt_processor *processor = vt_facts_add_processor(facts, number, 0);
    if (!processor)
        return -ENOMEM;
    int status = read_range(processor, 0, 0x40);
    uint32_t eax, ebx, ecx = 0, edx;
    if (status == 0)
        __cpuid(1, eax, ebx, ecx, edx);
    if (status == 0)
        status = ecx >> 31 ? read_hypervisor(processor) : read_unannounced(processor);
    if (status == 0)
        status = read_range(processor, 0x80000000, 0x40);
    vt_facts_sort(processor);
    return status;
}

static int read_pinned(struct vt_facts *facts, long cpu)
{
    if (vt_affinity_pin(cpu) != 0)
        return 0; /* outside what this process may use: that core type stays unknown */
    return read_processor(facts, cpu);
}

/* One processor of a type answers for all of it. */
static int read_core_type(struct vt_facts *facts, const char *path)
{
    char line[sizeof facts->processors->alike];
    int number;
    if (!vt_live_line(path, line, sizeof line, &number) || line[0] < '0' || line[0] > '9')
        return 0;
    long cpu = strtol(line, NULL, 10);
    size_t before = facts->count;
    int status = read_pinned(facts, cpu);
    if (facts->count > before)
        memcpy(facts->processors[before].alike, line, sizeof line);
    return status;
}

/* The kernel lists the processors of each core type where there are several. */
static int read_core_types(struct vt_facts *facts)
{
    static const char *const lists[] = {"/sys/devices/cpu_core/cpus", "/sys/devices/cpu_atom/cpus",
                                        "/sys/devices/cpu_lowpower/cpus"};
    struct vt_affinity before;
    if (vt_affinity_get(&before) != 0)
        return 0;
    int status = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && status == 0; i++)
        status = read_core_type(facts, lists[i]);
    vt_affinity_set(&before);
    return status;
}

/* KVM_GET_MSRS on the system descriptor (api.rst 4.18): no VM, no privilege beyond opening /dev/kvm. */
static bool read_kvm(const struct vt_facts *facts, uint32_t index, uint64_t *value)
{
    union {
        struct kvm_msrs list;
        uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } request = {.list.nmsrs = 1};
    request.list.entries[0].index = index;
    if (facts->kvm_device < 0 || ioctl(facts->kvm_device, KVM_GET_MSRS, &request) != 1)
        return false;
    *value = request.list.entries[0].data;
    return true;
}

static bool read_msr(const struct vt_facts *facts, uint32_t index, struct vt_msr *msr)
{
    msr->source = VT_MSR_REGISTER;
    if (facts->msr_device >= 0 &&
        pread(facts->msr_device, &msr->value, sizeof msr->value, index) == sizeof msr->value)
        return true;
    msr->source = VT_MSR_KVM;
    return read_kvm(facts, index, &msr->value);
}

int vt_live_open(struct vt_facts *facts, struct vt_error *error)
{
    vt_facts_init(facts);
    facts->live = true;
    facts->read_msr = read_msr;
    facts->msr_device = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
    facts->msr_device_errno = facts->msr_device < 0 ? errno : 0;
    facts->kvm_device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    vt_facts_read_kernel(facts, "");
    int status = read_core_types(facts);
    if (status == 0 && facts->count == 0)
        status = read_processor(facts, 0);
    if (status == 0)
        return 0;
    vt_live_close(facts);
    return vt_error_memory(error, "the leaves of CPUID");
}

void vt_live_close(struct vt_facts *facts)
{
    if (facts->msr_device >= 0)
        close(facts->msr_device);
    if (facts->kvm_device >= 0)
        close(facts->kvm_device);
    vt_facts_free(facts);
}

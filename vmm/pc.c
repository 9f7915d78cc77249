#include "vmm/pc.h"
#include "vmm/obstacle.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* As in vm.c: below the APIC, above any memory. */
#define TSS_ADDRESS          0xfffbd000
#define IDENTITY_MAP_ADDRESS UINT64_C(0xfffbc000)

#define MAX_CPUID_ENTRIES        256
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID_1_EBX_APIC_ID      0xff000000u

static int fail(struct vt_error *error, int number, const char *what)
{
    struct vt_obstacle obstacle;

    vt_vmm_explain(what, number, &obstacle);
    return vt_obstacle_error(&obstacle, number, error);
}

static int create_machine(struct vt_pc *pc, struct vt_error *error)
{
    struct kvm_pit_config timer = {0};

    pc->vm = ioctl(pc->system, KVM_CREATE_VM, 0);
    if (pc->vm < 0)
        return fail(error, errno, "KVM_CREATE_VM");
    /* Both fail harmlessly where VMX is not the backend. */
    ioctl(pc->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS);
    ioctl(pc->vm, KVM_SET_IDENTITY_MAP_ADDR, &(uint64_t){IDENTITY_MAP_ADDRESS});
    if (ioctl(pc->vm, KVM_CREATE_IRQCHIP, 0) != 0)
        return fail(error, errno, "KVM_CREATE_IRQCHIP");
    if (ioctl(pc->vm, KVM_CREATE_PIT2, &timer) != 0)
        return fail(error, errno, "KVM_CREATE_PIT2");
    return 0;
}

static int create_memory(struct vt_pc *pc, size_t size, struct vt_error *error)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return fail(error, errno, "mapping guest memory");
    pc->memory = memory;
    pc->size = size;
    struct kvm_userspace_memory_region region = {.memory_size = size, .userspace_addr = (uintptr_t)memory};
    if (ioctl(pc->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
        return fail(error, errno, "KVM_SET_USER_MEMORY_REGION");
    return 0;
}

static int create_vcpu(struct vt_pc *pc, struct vt_error *error)
{
    pc->vcpu = ioctl(pc->vm, KVM_CREATE_VCPU, 0);
    if (pc->vcpu < 0)
        return fail(error, errno, "KVM_CREATE_VCPU");
    int size = ioctl(pc->system, KVM_GET_VCPU_MMAP_SIZE, 0);
    void *run = size < (int)sizeof(struct kvm_run)
                    ? MAP_FAILED
                    : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, pc->vcpu, 0);
    if (run == MAP_FAILED)
        return fail(error, errno, "mapping kvm_run");
    pc->run = run;
    pc->run_size = (size_t)size;
    return vt_stats_adopt(&pc->stats, ioctl(pc->vcpu, KVM_GET_STATS_FD, NULL), error);
}

/* What KVM leaves to user space (api.rst, KVM_GET_SUPPORTED_CPUID): the deadline timer, this CPU's number. */
static void mend(struct kvm_cpuid_entry2 *leaf)
{
    switch (leaf->function) {
    case 1:
        leaf->ecx |= CPUID_1_ECX_TSC_DEADLINE;
        leaf->ebx &= ~CPUID_1_EBX_APIC_ID;
        break;
    case 0xb:
    case 0x1f:
        leaf->edx = 0;
        break;
    default:
        break;
    }
}

/* What may be in XCR0: leaf 0xD, EDX:EAX. */
static uint64_t offered_state(const struct kvm_cpuid2 *cpuid)
{
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 0xd && cpuid->entries[i].index == 0)
            return (uint64_t)cpuid->entries[i].edx << 32 | cpuid->entries[i].eax;
    return 0;
}

/*
 * All of XCR0 is on from the start: leaf 0xD tells the size of what is on, and where the guest's XSETBV does
 * not exit (QEMU before 8.2), KVM does not learn that the guest changed it. A kernel that then finds another
 * size than it computed switches XSAVE off.
 */
static void switch_on_state(const struct vt_pc *pc, const struct kvm_cpuid2 *cpuid)
{
    struct kvm_xcrs registers = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = offered_state(cpuid)}}};
    if (registers.xcrs[0].value)
        ioctl(pc->vcpu, KVM_SET_XCRS, &registers);
}

static int set_cpuid(struct vt_pc *pc, struct vt_error *error)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + MAX_CPUID_ENTRIES * sizeof cpuid->entries[0]);
    int number = 0;

    if (!cpuid)
        return vt_error_memory(error, "the guest's CPUID leaves");
    cpuid->nent = MAX_CPUID_ENTRIES;
    if (ioctl(pc->system, KVM_GET_SUPPORTED_CPUID, cpuid) != 0)
        number = errno;
    for (uint32_t i = 0; number == 0 && i < cpuid->nent; i++)
        mend(&cpuid->entries[i]);
    if (number == 0 && ioctl(pc->vcpu, KVM_SET_CPUID2, cpuid) != 0)
        number = errno;
    if (number == 0)
        switch_on_state(pc, cpuid);
    free(cpuid);
    return number ? fail(error, number, "setting the guest's CPUID") : 0;
}

int vt_pc_open(struct vt_pc *pc, size_t size, struct vt_error *error)
{
    *pc = (struct vt_pc){.system = -1, .vm = -1, .vcpu = -1, .stats.fd = -1};
    int status = pc->system = vt_vmm_open_device(error);
    if (status >= 0)
        status = create_machine(pc, error);
    if (status == 0)
        status = create_memory(pc, size, error);
    if (status == 0)
        status = create_vcpu(pc, error);
    if (status == 0)
        status = set_cpuid(pc, error);
    if (status < 0)
        vt_pc_close(pc);
    return status;
}

int vt_pc_boot(struct vt_pc *pc, const struct vt_bzimage *image, struct vt_error *error)
{
    struct kvm_regs regs = {.rsi = VT_BZIMAGE_PARAMETERS, .rflags = 2};
    struct kvm_sregs sregs;
    uint64_t entry;

    int status = vt_bzimage_load(pc->memory, pc->size, image, &entry, error);
    if (status != 0)
        return status;
    if (ioctl(pc->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return fail(error, errno, "KVM_GET_SREGS");
    vt_bzimage_registers(&sregs);
    regs.rip = entry;
    if (ioctl(pc->vcpu, KVM_SET_SREGS, &sregs) != 0)
        return fail(error, errno, "KVM_SET_SREGS");
    if (ioctl(pc->vcpu, KVM_SET_REGS, &regs) != 0)
        return fail(error, errno, "KVM_SET_REGS");
    return 0;
}

int vt_pc_run(struct vt_pc *pc, struct vt_error *error)
{
    while (ioctl(pc->vcpu, KVM_RUN, 0) != 0)
        if (errno != EINTR)
            return fail(error, errno, "KVM_RUN");
    return 0;
}

void vt_pc_close(struct vt_pc *pc)
{
    vt_stats_close(&pc->stats);
    if (pc->run)
        munmap(pc->run, pc->run_size);
    if (pc->vcpu >= 0)
        close(pc->vcpu);
    if (pc->vm >= 0)
        close(pc->vm);
    if (pc->memory)
        munmap(pc->memory, pc->size);
    if (pc->system >= 0)
        close(pc->system);
    *pc = (struct vt_pc){.system = -1, .vm = -1, .vcpu = -1, .stats.fd = -1};
}

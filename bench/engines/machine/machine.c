#include "bench/engines/machine/machine.h"

#include "bench/engines/machine/internal.h"
#include "vcpu/identity.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION (TABLES + PAGE + PAGE + VT_MACHINE_STACK + PAGE + DEVICES * PAGE + VT_GUEST_TOUCH_SIZE)

/* One mapping without access; what is memory in it is opened piece by piece, guard pages stay shut. */
static int map_region(struct vt_machine *machine)
{
    uint8_t *region = mmap(NULL, REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            *at = region;

    if (region == MAP_FAILED)
        return -errno;
    machine->region = region;
    machine->region_size = REGION;
    machine->tables = at;
    machine->stubs = at += TABLES;
    at += PAGE + PAGE;
    machine->stack_top = at += VT_MACHINE_STACK;
    machine->devices = at += PAGE;
    machine->touch = at + DEVICES * PAGE;
    if (mprotect(machine->tables, TABLES, PROT_READ | PROT_WRITE) != 0 ||
        mprotect(machine->stack_top - VT_MACHINE_STACK, VT_MACHINE_STACK, PROT_READ | PROT_WRITE) != 0 ||
        mprotect(machine->touch, VT_GUEST_TOUCH_SIZE, PROT_READ | PROT_WRITE) != 0)
        return -errno;
    madvise(machine->touch, VT_GUEST_TOUCH_SIZE, MADV_NOHUGEPAGE);
    return 0;
}

static int map_handlers(struct vt_machine *machine)
{
    int status = vt_code_open(&machine->handlers, PAGE);

    return status == 0 ? vt_code_map(&machine->handlers, machine->stubs, MAP_FIXED) : status;
}

void vt_machine_close(struct vt_machine *machine)
{
    if (!machine)
        return;
    vt_code_close(&machine->handlers);
    if (machine->region)
        munmap(machine->region, machine->region_size);
    if (machine->doorbell >= 0)
        close(machine->doorbell);
    free(machine);
}

int vt_machine_open(struct vt_machine **result, struct vt_error *error)
{
    struct vt_machine *machine = aligned_alloc(64, (sizeof *machine + 63) & ~(size_t)63);
    int status;

    if (!machine)
        return vt_error_memory(error, "the guest's machine");
    memset(machine, 0, sizeof *machine);
    machine->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    status = machine->doorbell < 0 ? -errno : map_region(machine);
    if (status == 0)
        status = map_handlers(machine);
    if (status != 0) {
        vt_machine_close(machine);
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status,
                            "cannot make the guest's machine: %s (see ulimit -a; SELinux: execmem)",
                            strerror(-status));
    }
    vt_vcpu_fill_cpuid(&machine->vcpu);
    vt_machine_connect(machine);
    *result = machine;
    return 0;
}

void vt_machine_discard(struct vt_machine *machine)
{
    madvise(machine->touch, VT_GUEST_TOUCH_SIZE, MADV_DONTNEED);
}

uint64_t vt_machine_host_xcr0(void)
{
    uint32_t eax, ebx, ecx, edx;

    __cpuid(1, eax, ebx, ecx, edx);
    if (!(ecx & bit_OSXSAVE))
        return 1;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return (uint64_t)edx << 32 | eax;
}

const char *vt_machine_lacks(const struct vt_case *c)
{
    static const struct {
        uint32_t need;
        const char *why;
    } lacking[] = {
        {VT_NEED_HOST, "needs KVM: what it makes and ends is a machine of the kernel's"},
        {VT_NEED_PAGING, "needs page tables of its own: this guest lives in the process's"},
        {VT_NEED_PEER | VT_NEED_PARTNER, "needs a second processor: this guest has one"},
        {VT_NEED_HYPERVISOR, "needs VT-x or AMD-V: this guest's processor has neither"},
        {VT_NEED_DEADLINE, "needs a timer: this guest's APIC has none"},
    };

    for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++)
        if (c->needs & lacking[i].need)
            return lacking[i].why;
    return NULL;
}

static void switch_on(struct vt_vcpu *vcpu, const struct vt_case *c)
{
    vt_vcpu_apply_cpuid(vcpu);
    vt_vcpu_reset(vcpu);
    vcpu->cr[4] |= (VT_CR4_OSXSAVE | VT_CR4_FSGSBASE) & vcpu->limits.cr4;
    if (c->needs & VT_NEED_PKE)
        vcpu->cr[4] |= VT_CR4_PKE & vcpu->limits.cr4;
    if (vt_vcpu_has(vcpu, VT_FEATURE_XSAVE))
        vcpu->xcr0 = vt_machine_host_xcr0() & vcpu->limits.xcr0;
    if (c->needs & VT_NEED_X2APIC)
        vcpu->msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_X2APIC;
    vcpu->apic.svr |= 0x100;
    vt_vcpu_refresh(vcpu);
}

static void fill_table_operand(uint8_t operand[16], const struct vt_table_register *table)
{
    memcpy(operand, &table->limit, 2);
    memcpy(operand + 2, &table->base, 8);
}

static void fill_scratch(struct vt_machine *machine)
{
    const struct vt_vcpu *vcpu = &machine->vcpu;
    uint64_t devices = (uintptr_t)machine->devices;

    machine->scratch = (struct vt_scratch){
        .cr0 = vcpu->cr[0],
        .cr3 = vcpu->cr[3],
        .cr4 = vcpu->cr[4],
        .cr8 = vcpu->cr[8],
        .dr7 = vcpu->dr[7],
        .xcr0 = vcpu->xcr0,
        .fs_base = vcpu->segment[VT_FS].base,
        .msr_user = VT_MSR_USER,
        .msr_kernel_read = VT_MSR_KERNEL_READ,
        .msr_kernel_write = VT_MSR_KERNEL_WRITE,
        .port_kernel = VT_PORT_KERNEL,
        .port_user = VT_PORT_USER,
        .port_eventfd = VT_PORT_EVENTFD,
        .mmio_user = devices + VT_MMIO_USER,
        .mmio_eventfd = devices + VT_MMIO_EVENTFD,
        .mmio_coalesced = devices + VT_MMIO_COALESCED,
        .xapic = devices + DEVICE_XAPIC * PAGE,
        .code_selector = VT_SEL_CODE3,
        .data_selector = VT_SEL_DATA3,
        .tss_selector = VT_SEL_TSS,
        .ldt_selector = VT_SEL_LDT,
        .tss_descriptor = (uintptr_t)machine->tables + TABLE_GDT + VT_SEL_TSS,
        .absent = devices + DEVICE_ABSENT * PAGE,
        .touch = (uintptr_t)machine->touch,
        .page = (uintptr_t)machine->touch,
        .port_elcr = VT_PORT_ELCR,
        .port_pm_timer = VT_PORT_PM_TIMER,
        .port_match = VT_PORT_MATCH,
        .mmio_match = devices + VT_MMIO_MATCH,
        .mmio_any = devices + VT_MMIO_ANY,
    };
    fill_table_operand(machine->scratch.gdtr, &vcpu->gdtr);
    fill_table_operand(machine->scratch.idtr, &vcpu->idtr);
}

void vt_machine_prepare(struct vt_machine *machine, const struct vt_case *c)
{
    uint64_t fs_base = machine->vcpu.segment[VT_FS].base, gs_base = machine->vcpu.segment[VT_GS].base;

    switch_on(&machine->vcpu, c);
    machine->vcpu.segment[VT_FS].base = fs_base;
    machine->vcpu.segment[VT_GS].base = gs_base;
    vt_machine_lay_tables(machine, c);
    machine->traffic = (struct vt_machine_traffic){0};
    machine->port_latch = 0xff;
    fill_scratch(machine);
}

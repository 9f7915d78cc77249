/* The environment of the virtual CPU: guest memory, ports, device pages, MSRs and clock. */
#include "bench/engines/machine/copy.h"
#include "bench/engines/machine/internal.h"
#include "bench/engines/machine/machine.h"

#include "bench/pmtimer.h"
#include "vcpu/apic.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static size_t device_of(const struct vt_machine *machine, uint64_t address)
{
    return (address - (uintptr_t)machine->devices) / PAGE;
}

bool vt_machine_is_device(const struct vt_machine *machine, uint64_t address)
{
    return device_of(machine, address) < DEVICE_ABSENT;
}

static enum vt_access answer(uint32_t result, uint32_t *error)
{
    *error = result & 0xffff;
    return result ? VT_ACCESS_FAULT : VT_ACCESS_DONE;
}

static enum vt_access load(void *context, uint64_t address, void *value, unsigned size, uint32_t *error)
{
    if (vt_machine_is_device(context, address))
        return VT_ACCESS_MMIO;
    return answer(vt_machine_copy(value, (const void *)(uintptr_t)address, size), error);
}

/* An access that spans two pages must not write to the first one when the second is not there. */
static uint32_t probe(uint64_t address, unsigned size)
{
    void *last = (void *)(uintptr_t)(address + size - 1);

    return (address ^ (address + size - 1)) & ~(PAGE - 1) ? vt_machine_copy(last, last, 1) : 0;
}

static enum vt_access store(void *context, uint64_t address, const void *value, unsigned size,
                            uint32_t *error)
{
    uint32_t result;

    if (vt_machine_is_device(context, address))
        return VT_ACCESS_MMIO;
    result = probe(address, size);
    return answer(result ? result : vt_machine_copy((void *)(uintptr_t)address, value, size), error);
}

static void ring(struct vt_machine *machine)
{
    uint64_t one = 1;

    machine->traffic.doorbells++;
    /* Nobody reads it: a counter at its limit is as good as one that moved. */
    if (write(machine->doorbell, &one, sizeof one) < 0)
        machine->traffic.doorbells++;
}

static uint64_t mmio_read(void *context, uint64_t address, unsigned size)
{
    struct vt_machine *machine = context;

    (void)size;
    machine->traffic.mmio_reads++;
    if (device_of(machine, address) == DEVICE_XAPIC)
        return vt_vcpu_apic_read(&machine->vcpu, address & (PAGE - 1));
    return ~UINT64_C(0);
}

static void mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct vt_machine *machine = context;

    (void)size;
    machine->traffic.mmio_writes++;
    if (device_of(machine, address) == DEVICE_XAPIC)
        vt_vcpu_apic_write(&machine->vcpu, address & (PAGE - 1), value);
    else if (device_of(machine, address) == VT_MMIO_EVENTFD / PAGE &&
             (address % PAGE != VT_MMIO_MATCH % PAGE || value == VT_EVENTFD_MATCH))
        ring(machine);
}

/* Past the vDSO, which reads the very counter that is hidden. */
static uint64_t system_ns(void)
{
    struct timespec now = {0};

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    struct vt_machine *machine = context;

    (void)size;
    machine->traffic.port_reads++;
    if (port == VT_PORT_PM_TIMER)
        return vt_bench_pm_timer(system_ns());
    if (port == VT_PORT_ELCR)
        return 0; /* all lines by their edges, and what is written is what is there */
    return port == VT_PORT_KERNEL ? machine->port_latch : UINT32_MAX;
}

static void port_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    struct vt_machine *machine = context;

    (void)size;
    machine->traffic.port_writes++;
    if (port == VT_PORT_KERNEL)
        machine->port_latch = value & 0xff;
    else if (port == VT_PORT_EVENTFD || (port == VT_PORT_MATCH && value == VT_EVENTFD_MATCH))
        ring(machine);
}

static enum vt_access msr_read(void *context, uint32_t index, uint64_t *value)
{
    struct vt_machine *machine = context;

    if (index != VT_MSR_USER)
        return VT_ACCESS_FAULT;
    *value = machine->msr_user;
    return VT_ACCESS_DONE;
}

static enum vt_access msr_write(void *context, uint32_t index, uint64_t value)
{
    struct vt_machine *machine = context;

    if (index != VT_MSR_USER)
        return VT_ACCESS_FAULT;
    machine->msr_user = value;
    return VT_ACCESS_DONE;
}

uint64_t vt_machine_clock(const struct vt_machine *machine)
{
    if (!machine->clock_is_hidden)
        return __builtin_ia32_rdtsc();
    return machine->clock_origin +
           (uint64_t)((double)(system_ns() - machine->clock_ns) * machine->cycles_per_ns);
}

static uint64_t read_clock(void *context)
{
    return vt_machine_clock(context);
}

/* No event is ever programmed. */
static uint64_t counter(void *context, uint32_t index)
{
    (void)context, (void)index;
    return 0;
}

static void flush(void *context, uint64_t address)
{
    struct vt_machine *machine = context;

    (void)address;
    machine->traffic.flushes++;
}

static void write_back(void *context)
{
    struct vt_machine *machine = context;

    machine->traffic.write_backs++;
}

/* KVM_ENOSYS (Linux, include/uapi/linux/kvm_para.h): what a hypervisor answers to a number it does not know.
 */
static void hypercall(void *context, uint64_t gpr[16])
{
    struct vt_machine *machine = context;

    machine->traffic.hypercalls++;
    gpr[VT_RAX] = (uint64_t)-1000;
}

/* Two readings far enough apart that their own cost does not show. */
static void calibrate(struct vt_machine *machine)
{
    uint64_t ns, tsc;

    machine->clock_ns = system_ns();
    machine->clock_origin = __builtin_ia32_rdtsc();
    do {
        ns = system_ns();
        tsc = __builtin_ia32_rdtsc();
    } while (ns - machine->clock_ns < 5000000);
    machine->cycles_per_ns = (double)(tsc - machine->clock_origin) / (double)(ns - machine->clock_ns);
}

void vt_machine_connect(struct vt_machine *machine)
{
    machine->environment = (struct vt_environment){
        .context = machine,
        .load = load,
        .store = store,
        .mmio_read = mmio_read,
        .mmio_write = mmio_write,
        .port_read = port_read,
        .port_write = port_write,
        .msr_read = msr_read,
        .msr_write = msr_write,
        .clock = read_clock,
        .counter = counter,
        .flush = flush,
        .write_back = write_back,
        .hypercall = hypercall,
    };
    calibrate(machine);
}

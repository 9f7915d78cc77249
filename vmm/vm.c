#include "vmm/vm.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "guest/longmode.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

/* Intel's VMX wants three pages and one more for real mode; below the APIC, where nothing of ours lies. */
#define TSS_ADDRESS          0xfffbd000
#define IDENTITY_MAP_ADDRESS UINT64_C(0xfffbc000)

#define APIC_BASE_ENABLE   (UINT64_C(1) << 11)
#define APIC_BASE_X2       (UINT64_C(1) << 10)
#define APIC_BASE_BSP      (UINT64_C(1) << 8)
#define APIC_SVR           0xf0
#define APIC_SVR_ENABLE    0x1ff
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_MASKED    0x10000
#define APIC_INITIAL_COUNT 0x380

#define MAX_CPUID_ENTRIES        256
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)

/* The machine remembers what was in its way; the error is the same in one line. */
static int fail(struct vt_vm *vm, struct vt_error *error, int number, const char *what)
{
    vt_vmm_explain(what, number, &vm->obstacle);
    return vt_obstacle_error(&vm->obstacle, number, error);
}

/* Of one call that was begun at `from` and returned `result`. */
static int finish_step(struct vt_vm *vm, enum vt_life_step step, uint64_t from, int result)
{
    vm->life[step].cycles += vt_vmm_clock() - from;
    vm->life[step].calls += result >= 0;
    return result;
}

int vt_vmm_open_device(struct vt_error *error)
{
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC), number = errno;
    if (fd >= 0)
        return fd;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "%s does not open: %s (%s)", DEVICE,
                        strerror(number), strerrorname_np(number));
}

static int create_machine(struct vt_vm *vm, struct vt_error *error)
{
    int version = ioctl(vm->system, KVM_GET_API_VERSION, 0);
    if (version < 0)
        return fail(vm, error, errno, "KVM_GET_API_VERSION");
    if (version != KVM_API_VERSION) {
        vm->obstacle = (struct vt_obstacle){.code = "api-version"};
        vt_obstacle_reason(&vm->obstacle, "%s speaks API version %d, this program %d", DEVICE, version,
                           KVM_API_VERSION);
        return vt_obstacle_error(&vm->obstacle, ENOTSUP, error);
    }
    do {
        uint64_t from = vt_vmm_clock();
        vm->vm = finish_step(vm, VT_LIFE_CREATE, from, ioctl(vm->system, KVM_CREATE_VM, 0));
    } while (vm->vm < 0 && errno == EINTR);
    if (vm->vm < 0)
        return fail(vm, error, errno, "KVM_CREATE_VM");
    /* Both fail harmlessly where VMX is not the backend. */
    ioctl(vm->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS);
    ioctl(vm->vm, KVM_SET_IDENTITY_MAP_ADDR, &(uint64_t){IDENTITY_MAP_ADDRESS});
    return 0;
}

static int create_memory(struct vt_vm *vm, struct vt_error *error)
{
    void *memory = mmap(NULL, VT_GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return fail(vm, error, errno, "mapping guest memory");
    vm->memory = memory;
    /* Small pages: a discarded page must come back alone, and equal machines must look equal. */
    madvise(memory, VT_GUEST_MEMORY, MADV_NOHUGEPAGE);
    struct kvm_userspace_memory_region region = {.slot = vm->index,
                                                 .guest_phys_addr = vm->base,
                                                 .memory_size = VT_GUEST_MEMORY,
                                                 .userspace_addr = (uintptr_t)memory};
    uint64_t from = vt_vmm_clock();
    if (finish_step(vm, VT_LIFE_MEMORY, from, ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region)) != 0)
        return fail(vm, error, errno, "KVM_SET_USER_MEMORY_REGION");
    return 0;
}

/*
 * After the memory: installing a slot waits for all readers of KVM's tables, and
 * right after the interrupt controller has changed them that wait is milliseconds.
 */
static void create_interrupt_controller(struct vt_vm *vm)
{
    vm->irqchip = ioctl(vm->vm, KVM_CREATE_IRQCHIP, 0) == 0;
}

static int open_counters(struct vt_vm *vm, struct vt_error *error)
{
    char folder[64];
    int fd = ioctl(vm->vcpu, KVM_GET_STATS_FD, NULL);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return fail(vm, error, errno, "KVM_GET_STATS_FD");
    int status = vt_stats_adopt(&vm->stats, fd, error);
    if (status == 0 && vm->stats.fd < 0 && vt_stats_name_folder(vm->vm, folder, sizeof folder))
        vt_stats_open_folder(&vm->stats, folder);
    return status;
}

static int create_vcpu(struct vt_vm *vm, struct vt_error *error)
{
    uint64_t from = vt_vmm_clock();
    vm->vcpu = finish_step(vm, VT_LIFE_VCPU, from, ioctl(vm->vm, KVM_CREATE_VCPU, vm->index));
    if (vm->vcpu < 0)
        return fail(vm, error, errno, "KVM_CREATE_VCPU");
    int size = ioctl(vm->system, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run))
        return fail(vm, error, size < 0 ? errno : EPROTO, "KVM_GET_VCPU_MMAP_SIZE");
    void *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
    if (run == MAP_FAILED)
        return fail(vm, error, errno, "mapping kvm_run");
    vm->run = run;
    vm->run_size = (size_t)size;
    int khz = ioctl(vm->vcpu, KVM_GET_TSC_KHZ, 0);
    vm->tsc_khz = khz > 0 ? (uint32_t)khz : 0;
    return open_counters(vm, error);
}

/* KVM leaves this bit to whoever made the interrupt controller (api.rst, KVM_GET_SUPPORTED_CPUID). */
static void offer_deadline(struct vt_vm *vm, struct kvm_cpuid2 *cpuid)
{
    vm->has_deadline = vm->irqchip && ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    for (uint32_t i = 0; vm->has_deadline && i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 1)
            cpuid->entries[i].ecx |= CPUID_1_ECX_TSC_DEADLINE;
}

static void note_leaf(struct vt_vm *vm, const struct kvm_cpuid_entry2 *leaf)
{
    switch (leaf->function) {
    case 1:
        vm->features.xsave = leaf->ecx >> 26 & 1;
        vm->has_vmx = leaf->ecx >> 5 & 1;
        break;
    case 7:
        if (leaf->index == 0) {
            vm->features.fsgsbase = leaf->ebx & 1;
            vm->has_pku = leaf->ecx >> 3 & 1;
        }
        break;
    case KVM_CPUID_FEATURES:
        vm->kvm_features = leaf->eax;
        break;
    case 0x80000001:
        vm->has_svm = leaf->ecx >> 2 & 1;
        break;
    case 0x8000000a:
        vm->has_npt = leaf->edx & 1;
        break;
    default:
        break;
    }
}

static int read_capability(void *context, uint32_t msr, uint64_t *value)
{
    return vt_vmm_get_msr(((const struct vt_vm *)context)->vcpu, msr, value);
}

/* The guest sees what KVM says it supports. */
static int set_cpuid(struct vt_vm *vm, struct vt_error *error)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + MAX_CPUID_ENTRIES * sizeof cpuid->entries[0]);
    int number = 0;

    if (!cpuid)
        return vt_error_memory(error, "the guest's CPUID leaves");
    cpuid->nent = MAX_CPUID_ENTRIES;
    if (ioctl(vm->system, KVM_GET_SUPPORTED_CPUID, cpuid) != 0)
        number = errno;
    else
        offer_deadline(vm, cpuid);
    if (number == 0 && ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid) != 0)
        number = errno;
    for (uint32_t i = 0; number == 0 && i < cpuid->nent; i++)
        note_leaf(vm, &cpuid->entries[i]);
    free(cpuid);
    vm->has_vmx = vm->has_vmx && vt_vmx_read_capabilities(&vm->vmx, read_capability, vm) == 0;
    return number ? fail(vm, error, number, "setting the guest's CPUID") : 0;
}

static int load_image(struct vt_vm *vm, struct vt_error *error)
{
    size_t payload = (size_t)(vt_payload_image_end - vt_payload_image);
    size_t code = (size_t)(vt_guest_code_end - vt_guest_code_start);
    const struct vt_payload_header *header = (const void *)vt_payload_image;

    if (payload > VT_GUEST_CASES - VT_GUEST_PAYLOAD || code > VT_GUEST_TOUCH - VT_GUEST_CASES ||
        header->magic != VT_PAYLOAD_MAGIC)
        return vt_error_set(error, VT_EXIT_INTERNAL, 0, "the payload built into this program is damaged");
    memcpy(vm->memory + VT_GUEST_PAYLOAD, vt_payload_image, payload);
    memcpy(vm->memory + VT_GUEST_CASES, vt_guest_code_start, code);
    vm->payload_entry = header->entry;
    vm->stubs = header->stubs;
    vm->spin = header->spin;
    vm->halt = header->halt;
    vm->inner_call = header->inner_call;
    vm->run_inner = header->run_inner;
    vm->vmx_entry = header->vmx_entry;
    vm->vmx_run = header->vmx_run;
    vm->vmx_inner = header->vmx_inner;
    vm->vmx_call = header->vmx_call;
    return 0;
}

int vt_vmm_open(struct vt_vm *vm, struct vt_error *error)
{
    *vm = (struct vt_vm){.system = -1, .vm = -1, .vcpu = -1, .stats.fd = -1};
    int status = vm->system = vt_vmm_open_device(error);
    if (status >= 0)
        status = create_machine(vm, error);
    if (status == 0)
        status = create_memory(vm, error);
    if (status == 0)
        create_interrupt_controller(vm);
    if (status == 0)
        status = create_vcpu(vm, error);
    if (status == 0)
        status = set_cpuid(vm, error);
    if (status == 0)
        status = load_image(vm, error);
    if (status < 0)
        vt_vmm_close(vm);
    return status < 0 ? status : 0;
}

int vt_vmm_join(struct vt_vm *vm, const struct vt_vm *first, unsigned index, struct vt_error *error)
{
    *vm = (struct vt_vm){.index = index,
                         .base = (uint64_t)index * VT_GUEST_MEMORY,
                         .irqchip = first->irqchip,
                         .system = fcntl(first->system, F_DUPFD_CLOEXEC, 0),
                         .vm = fcntl(first->vm, F_DUPFD_CLOEXEC, 0),
                         .vcpu = -1,
                         .stats.fd = -1};
    int status = vm->system < 0 || vm->vm < 0 ? fail(vm, error, errno, "a descriptor for another vCPU") : 0;
    if (status == 0)
        status = create_memory(vm, error);
    if (status == 0)
        status = create_vcpu(vm, error);
    if (status == 0)
        status = set_cpuid(vm, error);
    if (status == 0)
        status = load_image(vm, error);
    if (status != 0)
        vt_vmm_close(vm);
    return status;
}

/* Whoever is the last to let go of the machine waits for its end: each of these may be. */
static void release_machine(struct vt_vm *vm)
{
    struct vt_vm_step *step = &vm->life[VT_LIFE_DESTROY];
    uint64_t from = vt_vmm_clock();

    step->calls += vm->stats.fd >= 0;
    vt_stats_close(&vm->stats);
    if (vm->run)
        step->calls += munmap(vm->run, vm->run_size) == 0;
    if (vm->vcpu >= 0)
        step->calls += close(vm->vcpu) == 0;
    if (vm->vm >= 0)
        step->calls += close(vm->vm) == 0;
    step->cycles += vt_vmm_clock() - from;
}

void vt_vmm_close(struct vt_vm *vm)
{
    release_machine(vm);
    if (vm->memory)
        munmap(vm->memory, VT_GUEST_MEMORY);
    if (vm->system >= 0)
        close(vm->system);
    struct vt_vm closed = {.system = -1, .vm = -1, .vcpu = -1, .stats.fd = -1, .obstacle = vm->obstacle};
    memcpy(closed.life, vm->life, sizeof closed.life);
    *vm = closed;
}

/*
 * The APIC must be software-enabled before it takes a self-IPI (Intel SDM 3A 11.4.7.2). A timer that the last
 * case set is as after a reset again: KVM looks further at each HLT for one that is not masked.
 */
static int reset_apic(struct vt_vm *vm, struct vt_error *error)
{
    static const struct {
        size_t offset;
        uint32_t value;
    } registers[] = {{APIC_SVR, APIC_SVR_ENABLE}, {APIC_LVT_TIMER, APIC_LVT_MASKED}, {APIC_INITIAL_COUNT, 0}};
    struct kvm_lapic_state apic;

    if (!vm->irqchip)
        return 0;
    if (ioctl(vm->vcpu, KVM_GET_LAPIC, &apic) != 0)
        return fail(vm, error, errno, "KVM_GET_LAPIC");
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
        memcpy(apic.regs + registers[i].offset, &registers[i].value, sizeof registers[i].value);
    if (ioctl(vm->vcpu, KVM_SET_LAPIC, &apic) != 0)
        return fail(vm, error, errno, "KVM_SET_LAPIC");
    return 0;
}

/* An exit to user space leaves its instruction half done; KVM finishes it on the next entry (api.rst,
 * KVM_RUN). */
static void complete_exit(struct vt_vm *vm)
{
    vm->run->immediate_exit = 1;
    ioctl(vm->vcpu, KVM_RUN, 0);
    vm->run->immediate_exit = 0;
}

int vt_vmm_start(struct vt_vm *vm, int cpl, enum vt_apic_mode apic, uint64_t rip, uint64_t argument,
                 struct vt_error *error)
{
    struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rip = rip, .rdi = argument, .rsp = VT_GUEST_STACK, .rflags = cpl ? 0x3002 : 0x2};

    complete_exit(vm);
    vt_longmode_tables(vm->memory, vm->base, vm->stubs);
    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return fail(vm, error, errno, "KVM_GET_SREGS");
    vt_longmode_registers(&sregs, cpl, &vm->features);
    sregs.cr3 += vm->base;
    if (vm->irqchip)
        sregs.apic_base = VT_GUEST_XAPIC | (vm->index ? 0 : APIC_BASE_BSP) | APIC_BASE_ENABLE |
                          (apic == VT_APIC_X2 ? APIC_BASE_X2 : 0);
    if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) != 0)
        return fail(vm, error, errno, "KVM_SET_SREGS");
    if (ioctl(vm->vcpu, KVM_SET_REGS, &regs) != 0)
        return fail(vm, error, errno, "KVM_SET_REGS");
    /* All but the first wait for an INIT otherwise. */
    if (vm->index && ioctl(vm->vcpu, KVM_SET_MP_STATE, &runnable) != 0)
        return fail(vm, error, errno, "KVM_SET_MP_STATE");
    return reset_apic(vm, error);
}

void *vt_vmm_memory(const struct vt_vm *vm, uint64_t gpa, size_t size)
{
    if (gpa > VT_GUEST_MEMORY || size > VT_GUEST_MEMORY - gpa)
        return NULL;
    return vm->memory + gpa;
}

/* A list of one. */
union one_msr {
    struct kvm_msrs list;
    uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

int vt_vmm_get_msr(int vcpu, uint32_t index, uint64_t *value)
{
    union one_msr msrs = {.list.nmsrs = 1};

    msrs.list.entries[0] = (struct kvm_msr_entry){.index = index};
    errno = EINVAL; /* KVM stops before an MSR it does not know and reports no error */
    if (ioctl(vcpu, KVM_GET_MSRS, &msrs) != 1)
        return -1;
    *value = msrs.list.entries[0].data;
    return 0;
}

int vt_vmm_set_msr(int vcpu, uint32_t index, uint64_t value)
{
    union one_msr msrs = {.list.nmsrs = 1};

    msrs.list.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
    errno = EINVAL; /* KVM stops before an MSR it refuses and reports no error */
    return ioctl(vcpu, KVM_SET_MSRS, &msrs) == 1 ? 0 : -1;
}

const char *vt_vmm_exit_name(uint32_t reason)
{
    static const char *const names[] = {
        [KVM_EXIT_EXCEPTION] = "exception",
        [KVM_EXIT_IO] = "io",
        [KVM_EXIT_HYPERCALL] = "hypercall",
        [KVM_EXIT_DEBUG] = "debug",
        [KVM_EXIT_HLT] = "hlt",
        [KVM_EXIT_MMIO] = "mmio",
        [KVM_EXIT_IRQ_WINDOW_OPEN] = "irq-window-open",
        [KVM_EXIT_SHUTDOWN] = "shutdown",
        [KVM_EXIT_FAIL_ENTRY] = "fail-entry",
        [KVM_EXIT_INTR] = "intr",
        [KVM_EXIT_SET_TPR] = "set-tpr",
        [KVM_EXIT_TPR_ACCESS] = "tpr-access",
        [KVM_EXIT_NMI] = "nmi",
        [KVM_EXIT_INTERNAL_ERROR] = "internal-error",
        [KVM_EXIT_SYSTEM_EVENT] = "system-event",
        [KVM_EXIT_IOAPIC_EOI] = "ioapic-eoi",
        [KVM_EXIT_X86_RDMSR] = "x86-rdmsr",
        [KVM_EXIT_X86_WRMSR] = "x86-wrmsr",
        [KVM_EXIT_NOTIFY] = "notify",
    };
    if (reason >= sizeof names / sizeof names[0] || !names[reason])
        return "unknown";
    return names[reason];
}

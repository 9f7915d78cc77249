/*
 * The emulator against KVM: the processor where KVM runs ring 0 on it, the kernel's own
 * interpreter where it does not. Registers, flags, segments, tables, memory, port and
 * device traffic and the frames of delivered faults must be equal.
 */
#include "guest/abi.h"
#include "tests/difference/compare.h"
#include "tests/difference/course.h"
#include "tests/difference/kvm_state.h"
#include "tests/unit/suite.h"
#include "vmm/backend.h"
#include "vmm/vm.h"

#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEMORY  VT_GUEST_MEMORY
#define ENTRIES 256

#define UPPER_HALF (~(uint64_t)UINT32_MAX)

struct machine {
    int device, vm, vcpu;
    struct kvm_run *run;
    size_t run_size;
    uint8_t *memory;
    uint32_t stale; /* pages of the world in it: see difference_lay */
    struct kvm_sregs first;
    enum vt_backend backend;
};

/* What KVM showed of the world. */
struct outcome {
    struct vt_vcpu vcpu;
    uint32_t exit;
    uint32_t suberror;
    unsigned port_reads, port_writes, device_reads, device_writes;
    uint64_t device_value;
    uint32_t port_value;
};

static struct machine m;
static struct emulator base;

/* Leaves that states ask for (difference.c), and the one that Intel's answer beyond the highest with. */
static bool is_asked_for(uint32_t leaf, uint32_t highest)
{
    return (leaf & 0x7fffffff) <= 0xf || leaf == highest;
}

/* What KVM has of it once it is the vCPU's: the size of the XSAVE area in leaf 0xd follows XCR0. */
static bool give_cpuid(void)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof cpuid->entries[0]);
    struct vt_vcpu *vcpu = &base.vcpu;
    bool given;

    cpuid->nent = ENTRIES;
    given = ioctl(m.device, KVM_GET_SUPPORTED_CPUID, cpuid) == 0 && ioctl(m.vcpu, KVM_SET_CPUID2, cpuid) == 0;
    cpuid->nent = ENTRIES;
    given = given && ioctl(m.vcpu, KVM_GET_CPUID2, cpuid) == 0;
    vcpu->cpuid_count = 0; /* the same rows again when the machine is opened anew */
    for (uint32_t i = 0; given && i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
        bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        if (!is_asked_for(entry->function, cpuid->entries[0].eax) || vcpu->cpuid_count == VT_CPUID_LEAVES)
            continue;
        vcpu->cpuid[vcpu->cpuid_count++] = (struct vt_cpuid_leaf){
            entry->function, entry->index, {entry->eax, entry->ebx, entry->ecx, entry->edx}, !indexed, 0};
    }
    free(cpuid);
    return given;
}

static bool open_machine(void)
{
    struct kvm_userspace_memory_region slot = {.memory_size = MEMORY};
    struct vt_longmode_features features = {.xsave = true, .fsgsbase = true};

    m.stale = DIFFERENCE_ALL;
    m.device = vt_vmm_open_device(NULL);
    if (m.device < 0)
        return false;
    m.vm = ioctl(m.device, KVM_CREATE_VM, 0);
    m.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 0);
    m.run_size = (size_t)ioctl(m.device, KVM_GET_VCPU_MMAP_SIZE, 0);
    m.run = mmap(NULL, m.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
    m.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    slot.userspace_addr = (uintptr_t)m.memory;
    if (m.vcpu < 0 || m.run == MAP_FAILED || m.memory == MAP_FAILED ||
        ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &slot) != 0 || !give_cpuid())
        return false;
    vt_longmode_tables(m.memory, 0, 0);
    ioctl(m.vcpu, KVM_GET_SREGS, &m.first);
    vt_longmode_registers(&m.first, 0, &features);
    m.backend = vt_vmm_backend();
    return true;
}

static void close_machine(void)
{
    munmap(m.memory, MEMORY);
    munmap(m.run, m.run_size);
    close(m.vcpu);
    close(m.vm);
    close(m.device);
}

static void serve_port(struct outcome *o)
{
    uint8_t *data = (uint8_t *)m.run + m.run->io.data_offset;

    for (uint32_t i = 0; i < m.run->io.count; i++, data += m.run->io.size) {
        if (m.run->io.direction == KVM_EXIT_IO_IN) {
            memcpy(data, &o->port_value, m.run->io.size);
            o->port_reads++;
        } else {
            o->port_value = 0;
            memcpy(&o->port_value, data, m.run->io.size);
            o->port_writes++;
        }
    }
}

static bool run_to_halt(struct outcome *o)
{
    for (unsigned exits = 0; exits < 64; exits++) {
        if (ioctl(m.vcpu, KVM_RUN, 0) != 0 && errno != EINTR)
            return false;
        o->exit = m.run->exit_reason;
        if (o->exit == KVM_EXIT_IO)
            serve_port(o);
        else if (o->exit != KVM_EXIT_SET_TPR && o->exit != KVM_EXIT_INTR)
            break;
    }
    o->suberror = m.run->internal.suberror;
    return o->exit == KVM_EXIT_HLT;
}

/* False: KVM does not do this instruction, or ended the machine. */
static bool judge(const struct difference *d, struct outcome *o)
{
    bool halted;

    *o = (struct outcome){.port_value = d->world.port_value};
    difference_lay(d, m.memory + WORLD_MEMORY, &m.stale);
    if (!kvm_state_set(m.vcpu, &m.first, &d->world.vcpu))
        return false;
    kvm_state_set_xcr0(m.vcpu, d->world.vcpu.xcr0);
    m.run->cr8 = d->world.vcpu.cr[8];
    halted = run_to_halt(o);
    kvm_state_get(m.vcpu, &o->vcpu);
    return halted;
}

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    return difference_value(&(struct difference_ignored){.judge = "KVM"}, what, ours, theirs);
}

/*
 * KVM lets DR7's RTM be set without its bit in CPUID, and DR6's be cleared where the processor has it. It
 * shows 32 bits of an AMD processor's SYSENTER_ESP and SYSENTER_EIP (arch/x86/kvm/svm/svm.c) and of an Intel
 * processor's SYSENTER_CS, and the VMCS has bit 13 of access rights for CS alone (Intel SDM 3C table 24-2).
 * Delivering an exception, PVM clears AC as SYSCALL would; processors keep it.
 */
static struct difference_ignored ignored_of(const struct difference *d)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    unsigned eax, ebx = 0, ecx, edx;

    __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
    bool delivered = vcpu->rip - (WORLD_CODE + 0x400) < 0x100;

    return (struct difference_ignored){
        .judge = "KVM",
        .rflags = delivered && m.backend == VT_BACKEND_PVM ? VT_FLAG_AC : 0,
        .dr6 = ebx & bit_RTM ? 0x10000 : 0,
        .dr7 = 0x800,
        .sysenter = m.backend == VT_BACKEND_SVM ? UPPER_HALF : 0,
        .sysenter_cs = m.backend == VT_BACKEND_VMX ? UPPER_HALF : 0,
        .rights = m.backend == VT_BACKEND_VMX ? 0x2000 : 0,
        .reg = d->instruction.reg,
        .reg_bits = difference_undefined(d),
    };
}

static bool memory_differs(const struct difference *d)
{
    long at = difference_memory(d, m.memory + WORLD_MEMORY, &m.stale);
    char where[64];

    snprintf(where, sizeof where, "memory at 0x%lx", WORLD_MEMORY + at);
    return at >= 0 && differs(where, d->world.memory[at], m.memory[WORLD_MEMORY + at]);
}

static bool outcome_differs(const struct difference *d, enum vt_step step, struct outcome *o)
{
    const struct emulator *e = &d->world;
    struct difference_ignored kvm = ignored_of(d);
    uint64_t halt = step == VT_STEP_HALT ? 0 : 1;

    return differs("rip", e->vcpu.rip + halt, o->vcpu.rip) ||
           difference_registers(&kvm, &e->vcpu, &o->vcpu) || difference_segments(&kvm, &e->vcpu, &o->vcpu) ||
           difference_control(&kvm, &e->vcpu, &o->vcpu) || memory_differs(d) ||
           differs("ports read", e->port_reads, o->port_reads) ||
           differs("ports written", e->port_writes, o->port_writes) ||
           differs("port", e->port_value, o->port_value);
}

/* MSRs whose reserved bits the PVM backend does not check: FMASK, PAT, SYSENTER_ESP and SYSENTER_EIP. */
static bool accepts_anything(uint32_t msr)
{
    return msr == 0xc0000084 || msr == 0x277 || msr == 0x175 || msr == 0x176;
}

/* What the instruction itself raised, before the fault was delivered; vector -1: nothing. */
static struct {
    int vector;
    uint32_t error;
} first;

static enum vt_step emulate(struct difference *d)
{
    enum vt_step step = difference_emulate(d);

    first.vector = step == VT_STEP_FAULT ? d->world.vcpu.fault.vector : -1;
    first.error = d->world.vcpu.fault.error;
    if (step == VT_STEP_FAULT)
        step = vt_vcpu_deliver(&d->world.vcpu, &d->world.environment);
    return difference_go_on(d, step);
}

/* LLDT and LTR: a descriptor whose second half has type bits or lies beyond the limit, or a 16-bit TSS. */
static bool is_odd_system(const struct difference *d)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    uint32_t selector = first.error & 0xfff8;
    const uint8_t *descriptor = d->world.memory + (WORLD_GDT - WORLD_MEMORY) + selector;

    if (first.vector != VT_EXCEPTION_GP || selector + 7 > vcpu->gdtr.limit)
        return false;
    return selector + 15 > vcpu->gdtr.limit || descriptor[13] & 0x1f || (descriptor[5] & 0x1f) == 1;
}

/* ... or a selector of the LDT, which KVM and Bochs refuse with error code 0. */
static bool is_odd_selector(const struct difference *d)
{
    return (first.vector >= 0 && first.error & 4) || is_odd_system(d);
}

#define REX_W 8
#define REX_R 4

/* The REX prefix in front of a move of or to a segment register, SLDT or STR; 0: none. */
static uint8_t rex_of(const struct difference *d)
{
    for (size_t k = 0; k + 1 < d->length; k++)
        if (d->code[k] >> 4 == 4 &&
            (d->code[k + 1] == 0x0f || d->code[k + 1] == 0x8c || d->code[k + 1] == 0x8e))
            return d->code[k];
    return 0;
}

/*
 * Where the processor runs ring 0: code of 16 and 32 bits, which the emulator does not have, and what the
 * manuals leave open or a vendor does in its own way. Bits 63:32 of FMASK and the components in use are not
 * the emulator's to know, nor which part of an operand in two parts is read first. KVM stores a
 * selector with REX.W in eight bytes where it emulates UMIP. AMD's processors take far pointers of 32 bits
 * and fault behind a return; Bochs looks at less of a system descriptor, and REX.R in front of a segment
 * register, which they ignore, is #UD to Bochs.
 */
static bool processors_differ(const struct difference *d)
{
    const struct vt_instruction *i = &d->instruction;
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    bool amd = vcpu->limits.vendor == VT_VENDOR_AMD, page_fault = first.vector == VT_EXCEPTION_PF;
    uint8_t rex = rex_of(d);

    switch (i->operation) {
    case VT_OP_XGETBV:
        return (uint32_t)vcpu->gpr[VT_RCX] == 1;
    case VT_OP_WRMSR:
        return (uint32_t)vcpu->gpr[VT_RCX] == 0xc0000084 && (uint32_t)vcpu->gpr[VT_RDX];
    case VT_OP_LGDT:
    case VT_OP_LIDT:
        return page_fault;
    case VT_OP_LSS:
    case VT_OP_LFS:
    case VT_OP_LGS:
        return page_fault || (amd && (i->size == 8 || first.vector >= 0));
    case VT_OP_LLDT:
    case VT_OP_LTR:
        return is_odd_selector(d);
    case VT_OP_SLDT:
    case VT_OP_STR:
        return i->flags & VT_INSN_MEMORY && rex & REX_W && vcpu->cr[4] & VT_CR4_UMIP;
    case VT_OP_MOV_FROM_SEGMENT:
        return !amd && rex & REX_R;
    case VT_OP_MOV_TO_SEGMENT:
        return amd ? first.vector == VT_EXCEPTION_GP && !first.error : rex & REX_R;
    case VT_OP_SYSRET:
    case VT_OP_IRET:
        return i->size != 8 || first.vector >= 0;
    case VT_OP_CALL_FAR:
    case VT_OP_JMP_FAR:
        return first.vector >= 0 || (amd && i->size == 8);
    case VT_OP_RET_FAR:
        return first.vector >= 0;
    default:
        return false;
    }
}

static bool has_wide_addresses(void)
{
    unsigned eax, ebx, ecx = 0, edx;

    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ecx & UINT32_C(1) << 16;
}

/*
 * Where KVM interprets ring 0 itself it takes liberties (Linux, arch/x86/kvm/emulate.c and the PVM patches):
 * no look at the upper halves of DR6 and DR7 written through their aliases, nor at the second half of a
 * system descriptor, and a 16-bit TSS for LTR; more than two bytes of a selector stored with REX.W; #UD for
 * REX.R with a segment register, which processors ignore; error code 0 for a system segment in the LDT. It
 * shows features that its CPUID denies, and lets IRETQ and bits of CR4 through unchecked. How wide an address
 * may be that is loaded as a base it asks the host's processor, not its CPUID (arch/x86/kvm/mmu.h).
 */
static bool interpreter_errs(const struct difference *d)
{
    const struct vt_instruction *i = &d->instruction;
    bool stores = i->flags & VT_INSN_MEMORY;
    bool rex_w = rex_of(d) & REX_W, rex_r = rex_of(d) & REX_R, wide = has_wide_addresses();

    switch (i->operation) {
    case VT_OP_CPUID:
    case VT_OP_INT:
    case VT_OP_IRET:
    case VT_OP_SYSRET:
    case VT_OP_RDFSBASE:
    case VT_OP_RDGSBASE:
    case VT_OP_WRFSBASE:
    case VT_OP_WRGSBASE:
        return true;
    case VT_OP_MOV_TO_CR:
        return d->world.vcpu.gpr[i->rm] & ~(i->reg == 4 ? d->world.vcpu.limits.cr4 : UINT32_MAX);
    case VT_OP_MOV_TO_DR:
        return i->reg == 4 || i->reg == 5;
    case VT_OP_LGDT:
    case VT_OP_LIDT:
        return wide && first.vector == VT_EXCEPTION_GP && !first.error;
    case VT_OP_LLDT:
    case VT_OP_LTR:
        return is_odd_selector(d);
    case VT_OP_WRMSR:
        return accepts_anything(d->world.vcpu.gpr[VT_RCX]) || (wide && first.vector == VT_EXCEPTION_GP);
    case VT_OP_SLDT:
    case VT_OP_STR:
        return stores && rex_w;
    case VT_OP_MOV_FROM_SEGMENT:
        return rex_r || (stores && rex_w);
    case VT_OP_MOV_TO_SEGMENT:
        return rex_r;
    default:
        return false;
    }
}

static bool is_excused(const struct difference *d)
{
    return m.backend == VT_BACKEND_PVM ? interpreter_errs(d) : processors_differ(d);
}

static bool fails(const struct difference *before)
{
    static struct difference d;
    struct outcome outcome;
    enum vt_step step;

    d = *before;
    d.world.environment.context = &d.world;
    d.world.touched = DIFFERENCE_ALL;
    if (!judge(&d, &outcome)) {
        close_machine();
        open_machine();
        return false;
    }
    step = emulate(&d);
    return difference_is_comparable(&d.world) && !is_excused(&d) && outcome_differs(&d, step, &outcome);
}

/* How the first state of a form ended that KVM did not do. */
static struct {
    uint32_t exit, suberror;
} first_exits[DIFFERENCE_FORMS];

/* A machine that ended this way may keep exceptions pending: the next state gets a new one. */
static void refuse(size_t form, const struct outcome *outcome, struct difference_tally *tally)
{
    close_machine();
    ck_assert(open_machine());
    if (tally->refused++)
        return;
    first_exits[form].exit = outcome->exit;
    first_exits[form].suberror = outcome->suberror;
}

static void compare(size_t form, uint64_t seed, struct difference_tally *tally)
{
    static struct difference d;
    struct outcome outcome;
    enum vt_step step;

    if (!difference_make(&d, &base, &difference_forms[form], LEVEL_KERNEL, seed))
        return;
    if (!judge(&d, &outcome)) {
        refuse(form, &outcome, tally);
        return;
    }
    step = emulate(&d);
    if (d.world.vcpu.rflags & VT_FLAG_TF && m.backend != VT_BACKEND_PVM) {
        close_machine(); /* the single step is still to come */
        ck_assert(open_machine());
    }
    if (!difference_is_comparable(&d.world) || is_excused(&d)) {
        tally->ignored++;
        return;
    }
    tally->judged++;
    if (outcome_differs(&d, step, &outcome) && tally->different++ < 3) {
        printf("# %s: %s\n", difference_describe(&d), difference_verdict());
        difference_make(&d, &base, &difference_forms[form], LEVEL_KERNEL, seed);
        difference_keep(&d, &base, fails);
    }
}

static void say_undone(const struct difference_course *course)
{
    for (size_t i = 0; i < difference_form_count; i++)
        if (course->tallies[i].refused && !course->tallies[i].judged)
            printf("# %s: not done by KVM: exit %s, %u\n", difference_forms[i].name,
                   vt_vmm_exit_name(first_exits[i].exit), first_exits[i].suberror);
}

static void open_base(void)
{
    emulator_open(&base);
    if (!open_machine())
        vt_skip("no usable /dev/kvm: %s", strerror(errno));
    vt_vcpu_apply_cpuid(&base.vcpu);
    vt_vcpu_reset(&base.vcpu);
    base.vcpu.rip = WORLD_CODE;
    base.vcpu.gdtr = (struct vt_table_register){WORLD_GDT, WORLD_GDT_LIMIT, {0}};
    base.vcpu.idtr = (struct vt_table_register){WORLD_IDT, 0xfff, {0}};
    base.vcpu.cr[3] = m.first.cr3;
    base.vcpu.apic.svr = 0xff;
}

/* A state costs 15 us on VT-x and 150 us on PVM. */
#define SECONDS 30

START_TEST(emulator_and_kvm_agree)
{
    static struct difference_course course;
    unsigned total, different = 0;
    uint64_t seed;
    size_t form;

    open_base();
    difference_course_open(&course, JUDGE_KVM, "KVM", NULL, SECONDS);
    while (difference_course_next(&course, &form, &seed))
        compare(form, seed, &course.tallies[form]);
    for (size_t i = 0; i < difference_form_count; i++)
        different += course.tallies[i].different;
    total = difference_course_say(&course);
    say_undone(&course);
    different += difference_replay(&base, JUDGE_KVM, fails, &total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, 20 * difference_form_count);
}
END_TEST

VT_SUITE(emulator_and_kvm_agree)

/*
 * The emulator against KVM: the processor where KVM runs ring 0 on it, the kernel's own
 * interpreter where it does not. Registers, flags, segments, tables, memory, port and
 * device traffic and the frames of delivered faults must be equal.
 */
#include "guest/abi.h"
#include "tests/unit/difference.h"
#include "tests/unit/suite.h"
#include "vmm/backend.h"
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY  VT_GUEST_MEMORY
#define ENTRIES 100

static const uint32_t compared_msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000081,
                                         0xc0000082, 0xc0000083, 0xc0000084, 0x174,
                                         0x175,      0x176,      0x277,      0xc0000080};
#define MSRS (sizeof compared_msrs / sizeof compared_msrs[0])

struct machine {
    int device, vm, vcpu;
    struct kvm_run *run;
    size_t run_size;
    uint8_t *memory;
    struct kvm_sregs first;
    enum vt_backend backend;
};

/* What KVM showed of the world. */
struct outcome {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_debugregs debug;
    uint64_t msrs[MSRS];
    uint32_t exit;
    uint32_t suberror;
    unsigned port_reads, port_writes, device_reads, device_writes;
    uint64_t device_value;
    uint32_t port_value;
};

static struct machine m;
static struct emulator base;

static bool give_cpuid(void)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof cpuid->entries[0]);
    struct vt_vcpu *vcpu = &base.vcpu;
    bool given;

    cpuid->nent = ENTRIES;
    given = ioctl(m.device, KVM_GET_SUPPORTED_CPUID, cpuid) == 0;
    vcpu->cpuid_count = 0; /* the same rows again when the machine is opened anew */
    for (uint32_t i = 0; given && i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
        bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        if (entry->function >> 16 == 0x4000 || vcpu->cpuid_count == VT_CPUID_LEAVES)
            continue;
        vcpu->cpuid[vcpu->cpuid_count++] = (struct vt_cpuid_leaf){
            entry->function, entry->index, {entry->eax, entry->ebx, entry->ecx, entry->edx},
              !indexed, 0
        };
    }
    given = given && ioctl(m.vcpu, KVM_SET_CPUID2, cpuid) == 0;
    free(cpuid);
    return given;
}

static bool open_machine(void)
{
    struct kvm_userspace_memory_region slot = {.memory_size = MEMORY};
    struct vt_longmode_features features = {true, true};

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
    vt_longmode_tables(m.memory, 0);
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

static struct kvm_segment to_segment(const struct vt_segment *s)
{
    return (struct kvm_segment){
        .base = s->base,
        .limit = s->limit,
        .selector = s->selector,
        .type = s->rights & 15,
        .s = s->rights >> 4 & 1,
        .dpl = s->rights >> 5 & 3,
        .present = s->rights >> 7 & 1,
        .avl = s->rights >> 12 & 1,
        .l = s->rights >> 13 & 1,
        .db = s->rights >> 14 & 1,
        .g = s->rights >> 15 & 1,
        .unusable = !s->rights,
    };
}

static uint16_t to_rights(const struct kvm_segment *s)
{
    return s->unusable ? 0
                       : s->type | s->s << 4 | s->dpl << 5 | s->present << 7 | s->avl << 12 | s->l << 13 |
                             s->db << 14 | s->g << 15;
}

static struct kvm_segment *segment_of(struct kvm_sregs *sregs, unsigned name)
{
    struct kvm_segment *const table[VT_SEGMENTS] = {&sregs->es, &sregs->cs, &sregs->ss,  &sregs->ds,
                                                    &sregs->fs, &sregs->gs, &sregs->ldt, &sregs->tr};
    return table[name];
}

static void set_regs(const struct vt_vcpu *vcpu)
{
    const uint64_t *g = vcpu->gpr;
    struct kvm_regs regs = {g[0], g[3],  g[1],  g[2],  g[6],  g[7],  g[4],  g[5],      g[8],
                            g[9], g[10], g[11], g[12], g[13], g[14], g[15], vcpu->rip, vt_vcpu_rflags(vcpu)};

    ioctl(m.vcpu, KVM_SET_REGS, &regs);
}

static void get_regs(const struct kvm_regs *r, uint64_t g[16])
{
    const uint64_t values[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                                 r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};
    memcpy(g, values, sizeof values);
}

static bool set_state(const struct vt_vcpu *vcpu)
{
    struct kvm_sregs sregs = m.first;
    struct kvm_debugregs debug = {.dr6 = vcpu->dr[6], .dr7 = vcpu->dr[7]};

    for (unsigned i = 0; i < VT_SEGMENTS; i++)
        *segment_of(&sregs, i) = to_segment(&vcpu->segment[i]);
    sregs.gdt = (struct kvm_dtable){vcpu->gdtr.base, vcpu->gdtr.limit, {0}};
    sregs.idt = (struct kvm_dtable){vcpu->idtr.base, vcpu->idtr.limit, {0}};
    sregs.cr0 = vcpu->cr[0];
    sregs.cr2 = vcpu->cr[2];
    sregs.cr3 = vcpu->cr[3];
    sregs.cr4 = vcpu->cr[4];
    sregs.cr8 = vcpu->cr[8];
    sregs.efer = vcpu->efer;
    memcpy(debug.db, vcpu->dr, sizeof debug.db);
    if (ioctl(m.vcpu, KVM_SET_SREGS, &sregs) != 0)
        return false;
    set_regs(vcpu);
    return ioctl(m.vcpu, KVM_SET_DEBUGREGS, &debug) == 0;
}

static uint64_t msr_value(const struct vt_vcpu *vcpu, uint32_t index)
{
    const struct vt_msr_place *place = vt_vcpu_find_msr(index);
    uint64_t value = index == 0x277 ? vcpu->msr[VT_MSR_PAT] : vcpu->efer;

    if (place)
        memcpy(&value, (const uint8_t *)vcpu + place->offset, 8);
    return value;
}

static void move_msrs(unsigned long request, uint64_t values[MSRS])
{
    union {
        struct kvm_msrs list;
        uint8_t room[sizeof(struct kvm_msrs) + MSRS * sizeof(struct kvm_msr_entry)];
    } msrs = {.list.nmsrs = MSRS};

    for (size_t i = 0; i < MSRS; i++)
        msrs.list.entries[i] = (struct kvm_msr_entry){.index = compared_msrs[i], .data = values[i]};
    ioctl(m.vcpu, request, &msrs);
    for (size_t i = 0; i < MSRS; i++)
        values[i] = msrs.list.entries[i].data;
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
    for (size_t i = 0; i < MSRS; i++)
        o->msrs[i] = msr_value(&d->world.vcpu, compared_msrs[i]);
    memcpy(m.memory + WORLD_MEMORY, d->world.memory, WORLD_SIZE);
    move_msrs(KVM_SET_MSRS, o->msrs);
    if (!set_state(&d->world.vcpu))
        return false;
    m.run->cr8 = d->world.vcpu.cr[8];
    halted = run_to_halt(o);
    ioctl(m.vcpu, KVM_GET_REGS, &o->regs);
    ioctl(m.vcpu, KVM_GET_SREGS, &o->sregs);
    ioctl(m.vcpu, KVM_GET_DEBUGREGS, &o->debug);
    move_msrs(KVM_GET_MSRS, o->msrs);
    return halted;
}

static char verdict[512];

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    if (ours == theirs)
        return false;
    snprintf(verdict, sizeof verdict, "%s: emulator 0x%llx, KVM 0x%llx", what, (unsigned long long)ours,
             (unsigned long long)theirs);
    return true;
}

/* KVM gives a null SS the attributes that VM entry wants. */
static bool is_null_stack(unsigned name, const struct vt_segment *ours)
{
    return name == VT_SS && !ours->rights;
}

static bool segments_differ(const struct vt_vcpu *vcpu, struct outcome *o)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

    for (unsigned i = 0; i < VT_SEGMENTS; i++) {
        const struct kvm_segment *theirs = segment_of(&o->sregs, i);
        const struct vt_segment *ours = &vcpu->segment[i];
        if (differs(names[i], ours->selector, theirs->selector))
            return true;
        if (!is_null_stack(i, ours) && differs(names[i], ours->rights, to_rights(theirs)))
            return true;
        if (ours->rights && (differs(names[i], ours->limit, theirs->limit) ||
                             (i > VT_DS && differs(names[i], ours->base, theirs->base))))
            return true;
    }
    return false;
}

static bool registers_differ(const struct vt_vcpu *vcpu, const struct outcome *o)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    /* Delivering an exception, PVM clears AC as SYSCALL would; processors keep it. */
    bool delivered = vcpu->rip - (WORLD_CODE + 0x400) < 0x100;
    uint64_t theirs[16], ignored = delivered && m.backend == VT_BACKEND_PVM ? VT_FLAG_AC : 0;

    get_regs(&o->regs, theirs);
    for (unsigned i = 0; i < 16; i++)
        if (differs(names[i], vcpu->gpr[i], theirs[i]))
            return true;
    return differs("rflags", vt_vcpu_rflags(vcpu) & ~ignored, o->regs.rflags & ~ignored);
}

static bool control_differs(const struct vt_vcpu *vcpu, const struct outcome *o)
{
    for (unsigned i = 0; i < 4; i++)
        if (differs("debug address", vcpu->dr[i], o->debug.db[i]))
            return true;
    for (unsigned i = 0; i < MSRS; i++)
        if (differs("msr", msr_value(vcpu, compared_msrs[i]), o->msrs[i]))
            return true;
    return differs("cr0", vcpu->cr[0], o->sregs.cr0) || differs("cr2", vcpu->cr[2], o->sregs.cr2) ||
           differs("cr3", vcpu->cr[3], o->sregs.cr3) || differs("cr4", vcpu->cr[4], o->sregs.cr4) ||
           differs("cr8", vcpu->cr[8], o->sregs.cr8) || differs("efer", vcpu->efer, o->sregs.efer) ||
           differs("dr6", vcpu->dr[6], o->debug.dr6) ||
           differs("dr7", vcpu->dr[7],
                   o->debug.dr7 & ~UINT64_C(0x800)) /* KVM lets RTM be set without CPUID */
           || differs("gdt", vcpu->gdtr.base, o->sregs.gdt.base) ||
           differs("gdt limit", vcpu->gdtr.limit, o->sregs.gdt.limit) ||
           differs("idt", vcpu->idtr.base, o->sregs.idt.base) ||
           differs("idt limit", vcpu->idtr.limit, o->sregs.idt.limit);
}

static bool memory_differs(const struct emulator *e)
{
    for (size_t i = 0; memcmp(e->memory, m.memory + WORLD_MEMORY, WORLD_SIZE) != 0 && i < WORLD_SIZE; i++)
        if (e->memory[i] != m.memory[WORLD_MEMORY + i]) {
            char where[64];
            snprintf(where, sizeof where, "memory at 0x%zx", WORLD_MEMORY + i);
            return differs(where, e->memory[i], m.memory[WORLD_MEMORY + i]);
        }
    return false;
}

static bool outcome_differs(const struct difference *d, enum vt_step step, struct outcome *o)
{
    const struct emulator *e = &d->world;
    uint64_t halt = step == VT_STEP_HALT ? 0 : 1;

    return differs("rip", e->vcpu.rip + halt, o->regs.rip) || registers_differ(&e->vcpu, o) ||
           segments_differ(&e->vcpu, o) || control_differs(&e->vcpu, o) || memory_differs(e) ||
           differs("ports read", e->port_reads, o->port_reads) ||
           differs("ports written", e->port_writes, o->port_writes) ||
           differs("port", e->port_value, o->port_value);
}

/* MSRs whose reserved bits the PVM backend does not check: FMASK, PAT, SYSENTER_ESP and SYSENTER_EIP. */
static bool accepts_anything(uint32_t msr)
{
    return msr == 0xc0000084 || msr == 0x277 || msr == 0x175 || msr == 0x176;
}

/* Did LLDT or LTR meet a 16-byte descriptor whose second half has type bits, or lies beyond the limit? */
static bool has_bad_half(const struct difference *d)
{
    const struct vt_vcpu *vcpu = &d->world.vcpu;
    uint32_t selector = vcpu->fault.error & 0xfff8;

    if (vcpu->fault.vector != VT_EXCEPTION_GP || selector + 7 > vcpu->gdtr.limit)
        return false;
    return selector + 15 > vcpu->gdtr.limit ||
           d->world.memory[WORLD_GDT - WORLD_MEMORY + selector + 13] & 0x1f;
}

/*
 * Where KVM interprets ring 0 itself it takes liberties (Linux, arch/x86/kvm/emulate.c and the PVM patches):
 * no look at the upper halves of DR6 and DR7 written through their aliases, nor at the second half of a
 * system descriptor; more than two bytes of a selector stored with REX.W; #UD for REX.R with a segment
 * register, which processors ignore; error code 0 for a system segment in the LDT. It shows features that its
 * CPUID denies, and lets IRETQ and bits of CR4 through unchecked.
 */
static bool interpreter_errs(const struct difference *d)
{
    const struct vt_instruction *i = &d->instruction;
    bool stores = i->flags & VT_INSN_MEMORY;
    bool rex_w = false, rex_r = false;

    for (size_t k = 0; k + 1 < d->length; k++)
        if (d->code[k] >> 4 == 4 &&
            (d->code[k + 1] == 0x0f || d->code[k + 1] == 0x8c || d->code[k + 1] == 0x8e)) {
            rex_w = d->code[k] & 8;
            rex_r = d->code[k] & 4;
            break;
        }
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
    case VT_OP_LLDT:
    case VT_OP_LTR:
        return d->world.vcpu.fault.error & 4 || has_bad_half(d);
    case VT_OP_WRMSR:
        return accepts_anything(d->world.vcpu.gpr[VT_RCX]);
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

/* What follows the instruction is HLT: outside ring 0 it faults in its turn. */
static enum vt_step go_on_to_halt(struct difference *d, enum vt_step step)
{
    static const struct vt_instruction halt = {.operation = VT_OP_HLT, .length = 1, .size = 4};
    struct emulator *e = &d->world;

    if (step != VT_STEP_DONE || e->vcpu.cpl == 0)
        return step;
    vt_vcpu_execute(&e->vcpu, &e->environment, &halt);
    return vt_vcpu_deliver(&e->vcpu, &e->environment);
}

/* The state after says nothing when the next instruction is single-stepped or lies outside the world. */
static bool is_comparable(const struct emulator *e)
{
    return !(e->vcpu.rflags & VT_FLAG_TF) && e->vcpu.rip - WORLD_CODE < 0x1000;
}

static bool fails(const struct difference *before)
{
    static struct difference d;
    struct outcome outcome;
    enum vt_step step;

    d = *before;
    d.world.environment.context = &d.world;
    if (!judge(&d, &outcome)) {
        close_machine();
        open_machine();
        return false;
    }
    step = go_on_to_halt(&d, difference_emulate(&d, true));
    return is_comparable(&d.world) && !(m.backend == VT_BACKEND_PVM && interpreter_errs(&d)) &&
           outcome_differs(&d, step, &outcome);
}

struct tally {
    unsigned run, refused, different;
    uint32_t exit, suberror;
};

static void compare(struct difference *d, struct tally *tally)
{
    static struct difference before;
    struct outcome outcome;
    bool judged = judge(d, &outcome);
    enum vt_step step;

    before = *d;
    step = go_on_to_halt(d, difference_emulate(d, true));
    if (!judged) {
        /* A machine that ended this way may keep exceptions pending: the next state gets a new one. */
        close_machine();
        ck_assert(open_machine());
        tally->refused++;
        tally->exit = outcome.exit;
        tally->suberror = outcome.suberror;
        return;
    }
    if (!is_comparable(&d->world) || (m.backend == VT_BACKEND_PVM && interpreter_errs(d)))
        return;
    tally->run++;
    if (outcome_differs(d, step, &outcome) && tally->different++ < 3) {
        printf("# %s: %s\n", difference_describe(d), verdict);
        difference_keep(&before, &base, fails);
    }
}

START_TEST(emulator_and_kvm_agree)
{
    unsigned rounds = difference_rounds(300), total = 0, different = 0, expected = 0;
    uint64_t seed = difference_seed();
    static struct difference d;

    emulator_open(&base);
    if (!open_machine())
        vt_skip("no usable /dev/kvm: %s", strerror(errno));
    vt_vcpu_apply_cpuid(&base.vcpu);
    vt_vcpu_reset(&base.vcpu);
    base.vcpu.gdtr = (struct vt_table_register){WORLD_GDT, WORLD_GDT_LIMIT, {0}};
    base.vcpu.idtr = (struct vt_table_register){WORLD_IDT, 0xfff, {0}};
    base.vcpu.cr[3] = m.first.cr3;
    base.vcpu.apic.svr = 0xff;
    for (size_t i = 0; i < difference_form_count; i++) {
        struct tally tally = {0};
        if (!(difference_forms[i].judges & JUDGE_KVM))
            continue;
        for (unsigned round = 0; round < rounds && (tally.run || tally.refused < 10); round++)
            if (difference_make(&d, &base, &difference_forms[i], LEVEL_KERNEL,
                                difference_seed_of(seed, i, round)))
                compare(&d, &tally);
        if (tally.refused || tally.different)
            printf("# %s: %u compared, %u different, %u not done by KVM (exit %s, %u)\n",
                   difference_forms[i].name, tally.run, tally.different, tally.refused,
                   vt_vmm_exit_name(tally.exit), tally.suberror);
        total += tally.run;
        different += tally.different;
        expected += rounds;
    }
    different += difference_replay(&base, JUDGE_KVM, fails, &total);
    printf("# %u states compared\n", total);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_gt(total, expected / 2);
}
END_TEST

VT_SUITE(emulator_and_kvm_agree)

/*
 * The emulator against Unicorn (QEMU's TCG as a library) at CPL 0, for what KVM's interpreter leaves out or
 * takes liberties with. Unicorn delivers nothing and shows no error code: a fault is compared by its vector.
 *
 * Unicorn 2.0.1 is no judge of LGDT, LIDT, LLDT, LTR, of loads of segment registers and of SWAPGS and the
 * base instructions: it lets through what the manuals refuse (types, privilege, canonical bases,
 * CR4.FSGSBASE), and its own interface does not show the hidden state they change. Nor does it carry out
 * SYSCALL, INT n or IRETQ. QEMU as a whole machine judges those (test_difference_tcg.c).
 *
 * beside others
 */
#include "tests/difference/compare.h"
#include "tests/difference/course.h"
#include "tests/unit/suite.h"

#include "config.h"
#include "guest/abi.h"
#include "guest/longmode.h"

#if VT_HAVE_UNICORN
#include <stdio.h>
#include <string.h>
#include <unicorn/unicorn.h>

#define NO_VECTOR (-1)

static struct {
    uc_engine *uc;
    uc_context *idle; /* no exception under way */
    uint8_t memory[WORLD_SIZE] __attribute__((aligned(4096)));
    uint8_t tables[0x20000] __attribute__((aligned(4096))); /* the first pages: page tables among them */
    uint32_t stale;
    int vector;
    uint32_t port_value;
    unsigned port_reads, port_writes;
} u;

static const int gpr_ids[16] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
                                UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
                                UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
                                UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

static void on_interrupt(uc_engine *uc, uint32_t vector, void *context)
{
    (void)context;
    u.vector = (int)vector;
    uc_emu_stop(uc);
}

static bool on_invalid_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                              void *context)
{
    (void)uc, (void)type, (void)address, (void)size, (void)value, (void)context;
    u.vector = VT_EXCEPTION_PF;
    return false;
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *context)
{
    (void)uc, (void)port, (void)size, (void)context;
    u.port_reads++;
    return u.port_value;
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *context)
{
    (void)uc, (void)port, (void)context;
    u.port_writes++;
    u.port_value = size == 4 ? value : value & ((1u << (8 * size)) - 1);
}

static void hook(int type, void *callback, int instruction)
{
    uc_hook handle;

    if (instruction)
        uc_hook_add(u.uc, &handle, type, callback, NULL, 1, 0, instruction);
    else
        uc_hook_add(u.uc, &handle, type, callback, NULL, 1, 0);
}

static bool open_unicorn(void)
{
    if (uc_open(UC_ARCH_X86, UC_MODE_64, &u.uc) != UC_ERR_OK ||
        uc_context_alloc(u.uc, &u.idle) != UC_ERR_OK || uc_context_save(u.uc, u.idle) != UC_ERR_OK)
        return false;
    u.stale = DIFFERENCE_ALL;
    vt_longmode_tables(u.tables, 0, 0);
    uc_mem_map_ptr(u.uc, 0, sizeof u.tables, UC_PROT_ALL, u.tables);
    uc_mem_map_ptr(u.uc, WORLD_MEMORY, WORLD_SIZE, UC_PROT_ALL, u.memory);
    hook(UC_HOOK_INTR, (void *)(uintptr_t)on_interrupt, 0);
    hook(UC_HOOK_MEM_INVALID, (void *)(uintptr_t)on_invalid_memory, 0);
    hook(UC_HOOK_INSN, (void *)(uintptr_t)on_in, UC_X86_INS_IN);
    hook(UC_HOOK_INSN, (void *)(uintptr_t)on_out, UC_X86_INS_OUT);
    return true;
}

static void put(int reg, uint64_t value)
{
    uc_reg_write(u.uc, reg, &value);
}

static uint64_t get(int reg)
{
    uint64_t value = 0;

    uc_reg_read(u.uc, reg, &value);
    return value;
}

static void put_table(int reg, uint16_t selector, uint64_t base, uint32_t limit, uint16_t rights)
{
    uc_x86_mmr table = {selector, base, limit,
                        (uint32_t)(rights & 0xff) << 8 | (uint32_t)(rights & 0xf000) << 8};

    uc_reg_write(u.uc, reg, &table);
}

/*
 * Nothing is delivered, so an exception stays under way for Unicorn: from the next one it makes a double
 * fault, of the third a reset (unicorn-engine/unicorn, issue 1883). The vector of a first one is the
 * question.
 */
static void forget_exception(void)
{
    if (u.vector != NO_VECTOR)
        uc_context_restore(u.uc, u.idle);
    u.vector = NO_VECTOR;
}

static void set_state(const struct vt_vcpu *vcpu)
{
    put_table(UC_X86_REG_GDTR, 0, vcpu->gdtr.base, vcpu->gdtr.limit, 0);
    put_table(UC_X86_REG_IDTR, 0, vcpu->idtr.base, vcpu->idtr.limit, 0);
    put_table(UC_X86_REG_LDTR, WORLD_LDT_SEL, WORLD_LDT, 0xff, vcpu->segment[VT_LDTR].rights);
    put_table(UC_X86_REG_TR, WORLD_TSS_SEL, WORLD_TSS, 0x67, vcpu->segment[VT_TR].rights);
    for (unsigned i = 0; i < 16; i++)
        put(gpr_ids[i], vcpu->gpr[i]);
    put(UC_X86_REG_CR0, vcpu->cr[0]);
    put(UC_X86_REG_CR2, vcpu->cr[2]);
    put(UC_X86_REG_CR3, VT_GUEST_TABLES);
    put(UC_X86_REG_CR4, vcpu->cr[4]);
    put(UC_X86_REG_CR8, vcpu->cr[8]);
    put(UC_X86_REG_FS_BASE, vcpu->segment[VT_FS].base);
    put(UC_X86_REG_GS_BASE, vcpu->segment[VT_GS].base);
    for (unsigned i = 0; i < 4; i++)
        put(UC_X86_REG_DR0 + (int)i, vcpu->dr[i]);
    put(UC_X86_REG_DR6, vcpu->dr[6]);
    put(UC_X86_REG_DR7, vcpu->dr[7]);
    put(UC_X86_REG_EFLAGS, vt_vcpu_rflags(vcpu));
}

/* False: Unicorn gives up on it. */
static bool judge(const struct difference *d)
{
    uc_err error;

    difference_lay(d, u.memory, &u.stale);
    forget_exception();
    u.port_value = d->world.port_value;
    u.port_reads = u.port_writes = 0;
    set_state(&d->world.vcpu);
    /* The code of the state before may still be translated. */
    uc_ctl_remove_cache(u.uc, WORLD_CODE, WORLD_CODE + 0x20);
    error = uc_emu_start(u.uc, WORLD_CODE, WORLD_CODE + d->length, 0, 0);
    if (error == UC_ERR_INSN_INVALID)
        u.vector = VT_EXCEPTION_UD;
    return error == UC_ERR_OK || u.vector != NO_VECTOR;
}

static bool differs(const char *what, uint64_t ours, uint64_t theirs)
{
    return difference_value(&(struct difference_ignored){.judge = "Unicorn"}, what, ours, theirs);
}

static bool registers_differ(const struct vt_vcpu *vcpu)
{
    for (unsigned i = 0; i < 16; i++)
        if (differs("register", vcpu->gpr[i], get(gpr_ids[i])))
            return true;
    return differs("rip", vcpu->rip, get(UC_X86_REG_RIP)) ||
           differs("rflags", vt_vcpu_rflags(vcpu) & ~VT_FLAG_RF, get(UC_X86_REG_EFLAGS) & ~VT_FLAG_RF) ||
           differs("cr0", vcpu->cr[0], get(UC_X86_REG_CR0)) ||
           differs("cr4", vcpu->cr[4], get(UC_X86_REG_CR4)) ||
           differs("fs base", vcpu->segment[VT_FS].base, get(UC_X86_REG_FS_BASE)) ||
           differs("gs base", vcpu->segment[VT_GS].base, get(UC_X86_REG_GS_BASE));
}

/*
 * An address that is not canonical: Unicorn 2.0 does not look, and the page walk fails instead; Unicorn 2.1
 * raises #GP also where the address is the stack segment's (Intel SDM 3A 6.15, Interrupt 12: #SS).
 */
static bool is_canonical_fault(const struct vt_fault *fault)
{
    return (u.vector == VT_EXCEPTION_PF &&
            (fault->vector == VT_EXCEPTION_GP || fault->vector == VT_EXCEPTION_SS)) ||
           (u.vector == VT_EXCEPTION_GP && fault->vector == VT_EXCEPTION_SS);
}

/* LAR and LSL know 16-bit TSSs, call gates and task gates in TCG, which do not exist in 64-bit mode. */
static bool is_legacy_descriptor(const struct difference *d)
{
    bool asks = d->instruction.operation == VT_OP_LAR || d->instruction.operation == VT_OP_LSL;

    return asks && !(d->world.vcpu.rflags & VT_FLAG_ZF) && get(UC_X86_REG_EFLAGS) & VT_FLAG_ZF;
}

static bool outcome_differs(const struct difference *d, enum vt_step step)
{
    uint64_t vector = step == VT_STEP_FAULT ? d->world.vcpu.fault.vector : (uint64_t)NO_VECTOR;
    long at;

    if (step == VT_STEP_FAULT && is_canonical_fault(&d->world.vcpu.fault))
        return false;
    if (differs("vector", vector, (uint64_t)(int64_t)u.vector))
        return true;
    if (step == VT_STEP_FAULT || is_legacy_descriptor(d))
        return false;
    at = difference_memory(d, u.memory, &u.stale);
    if (at >= 0)
        return differs("memory", d->world.memory[at], u.memory[at]);
    return registers_differ(&d->world.vcpu) || differs("ports read", d->world.port_reads, u.port_reads) ||
           differs("ports written", d->world.port_writes, u.port_writes);
}

static bool fails(const struct difference *before)
{
    static struct difference d;

    d = *before;
    d.world.environment.context = &d.world;
    d.world.touched = DIFFERENCE_ALL;
    return judge(&d) && outcome_differs(&d, difference_emulate(&d));
}

static void compare(const struct emulator *base, size_t form, uint64_t seed, struct difference_tally *tally)
{
    static struct difference d;

    if (!difference_make(&d, base, &difference_forms[form], LEVEL_KERNEL, seed))
        return;
    if (!judge(&d)) {
        tally->refused++;
        return;
    }
    tally->judged++;
    if (outcome_differs(&d, difference_emulate(&d)) && tally->different++ < 3) {
        printf("# %s: %s\n", difference_describe(&d), difference_verdict());
        difference_make(&d, base, &difference_forms[form], LEVEL_KERNEL, seed);
        difference_keep(&d, base, fails);
    }
}

START_TEST(emulator_and_unicorn_agree)
{
    static struct emulator base;
    static struct difference_course course;
    unsigned total, different = 0;
    uint64_t seed;
    size_t form;

    emulator_open(&base);
    base.vcpu.cr[3] = VT_GUEST_TABLES;
    if (!open_unicorn())
        vt_skip("Unicorn does not open");
    difference_course_open(&course, JUDGE_UNICORN, "Unicorn", NULL, 0);
    while (difference_course_next(&course, &form, &seed))
        compare(&base, form, seed, &course.tallies[form]);
    for (size_t i = 0; i < difference_form_count; i++)
        different += course.tallies[i].different;
    total = difference_course_say(&course);
    different += difference_replay(&base, JUDGE_UNICORN, fails, &total);
    uc_context_free(u.idle);
    uc_close(u.uc);
    ck_assert_uint_eq(different, 0);
    ck_assert_uint_eq(difference_course_given_up(&course), 0);
    ck_assert_uint_gt(total, 0);
}
END_TEST
#else
START_TEST(emulator_and_unicorn_agree)
{
    vt_skip("built without Unicorn: apt-get install libunicorn-dev, then ./configure");
}
END_TEST
#endif

VT_SUITE(emulator_and_unicorn_agree)

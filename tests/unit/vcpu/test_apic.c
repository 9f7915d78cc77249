/* The virtual local APIC through its page and through its MSRs, by the manual's rules. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"
#include "vcpu/apic.h"

static struct emulator world, *const w = &world;

#define READ(offset)         vt_vcpu_apic_read(&w->vcpu, offset)
#define WRITE(offset, value) vt_vcpu_apic_write(&w->vcpu, offset, value)

static void open_apic(void)
{
    emulator_open(w);
    w->vcpu.apic.id = 3;
    w->vcpu.cr[8] = 0;
    WRITE(0xf0, 0x1ff);
}

/* WRMSR or RDMSR of EDX:EAX. */
static enum vt_step write_msr(uint32_t index, uint64_t value)
{
    *reg(VT_RCX) = index;
    *reg(VT_RAX) = value & 0xffffffff;
    *reg(VT_RDX) = value >> 32;
    return STEP(w, "\x0f\x30");
}

static uint64_t read_msr(uint32_t index)
{
    *reg(VT_RCX) = index;
    ck_done(STEP(w, "\x0f\x32"));
    return *reg(VT_RDX) << 32 | *reg(VT_RAX);
}

START_TEST(registers_keep_what_the_manual_lets_them)
{
    open_apic();
    ck_assert_uint_eq(READ(0x20), 3u << 24);
    ck_assert_uint_eq(READ(0x30) & 0xff, 0x14);
    ck_assert_uint_eq(READ(0xf0), 0x1ff);
    static const uint32_t vectors[] = {0x320, 0x350, 0x360};
    for (size_t i = 0; i < 3; i++) {
        WRITE(vectors[i], 0xffffffff);
        ck_assert_uint_eq(READ(vectors[i]), 0x170ff);
    }
    WRITE(0x310, 0x07000000);
    ck_assert_uint_eq(READ(0x310), 0x07000000);
    ck_assert_uint_eq(READ(0x40), 0);
}
END_TEST

/* SDM 3A 11.5.3: an illegal register address and an illegal vector are remembered until ESR is written. */
START_TEST(errors_are_remembered)
{
    open_apic();
    WRITE(0x40, 1);
    ck_assert_uint_eq(READ(0x280), 0x80);
    WRITE(0x300, 0x4000f);
    ck_assert_uint_eq(READ(0x280), 0xa0);
    WRITE(0x280, 0);
    ck_assert_uint_eq(READ(0x280), 0);
}
END_TEST

/* SDM 3A 11.8.3.1: PPR is the higher of TPR and the class in service. */
START_TEST(an_interrupt_waits_for_its_priority_and_is_ended)
{
    open_apic();
    WRITE(0x80, 0x57);
    WRITE(0x300, 0x40051);
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), -1);
    WRITE(0x300, 0x40061);
    ck_assert_uint_eq(READ(0x230), 1u << 1); /* IRR, vectors 0x60 to 0x7f */
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), 0x61);
    vt_vcpu_apic_accept(&w->vcpu, 0x61);
    ck_assert_uint_eq(READ(0x130), 1u << 1);
    ck_assert_uint_eq(READ(0xa0), 0x60);
    WRITE(0x80, 0);
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), -1);
    WRITE(0xb0, 0);
    ck_assert_uint_eq(READ(0xa0), 0);
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), 0x51);
    ck_assert_uint_eq(w->vcpu.apic.ended, 1);
}
END_TEST

START_TEST(only_what_names_this_cpu_arrives)
{
    static const struct {
        uint32_t high, low;
        bool arrives;
    } commands[] = {
        {0, 0x40031, true},                              /* to itself */
        {0, 0x80031, true},                              /* to all */
        {0, 0xc0031, false},                             /* to all others */
        {3u << 24, 0x00031, true},                       /* by its identity */
        {4u << 24, 0x00031, false}, {0, 0x40431, false}, /* an NMI is no vector */
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        open_apic();
        WRITE(0x310, commands[i].high);
        WRITE(0x300, commands[i].low);
        ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), commands[i].arrives ? 0x31 : -1);
    }
    open_apic();
    WRITE(0xf0, 0xff); /* switched off by software */
    WRITE(0x300, 0x40031);
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), -1);
}
END_TEST

/* SDM 3A 11.12.1: reserved bits and absent registers raise #GP; MSRs exist in this mode only. */
START_TEST(x2apic_refuses_what_xapic_ignores)
{
    open_apic();
    ck_fault(write_msr(0x80b, 0), VT_EXCEPTION_GP, 0);
    w->vcpu.msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_ENABLE | VT_APIC_BASE_X2APIC;
    static const struct {
        uint32_t index;
        uint64_t value;
    } bad[] = {
        {0x802, 0},                 /* identity is read-only */
        {0x808, 0x100},             /* TPR */
        {0x80b, 1},                 /* EOI takes 0 alone */
        {0x80f, 0x200},             /* SVR */
        {0x828, 1},                 /* ESR takes 0 alone */
        {0x830, UINT64_C(1) << 20}, /* ICR, reserved */
        {0x832, UINT64_C(1) << 31}, /* LVT timer, reserved */
        {0x83f, 0x100},             /* self-IPI */
        {0x831, 0},                 /* no second half of ICR */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_fault(write_msr(bad[i].index, bad[i].value), VT_EXCEPTION_GP, 0);
    ck_assert_uint_eq(read_msr(0x802), 3);
    ck_assert_uint_eq(read_msr(0x80d), 1u << 3);
    ck_done(write_msr(0x830, UINT64_C(3) << 32 | 0x31));
    ck_assert_uint_eq(read_msr(0x830), UINT64_C(3) << 32 | 0x31);
    ck_assert_int_eq(vt_vcpu_apic_next(&w->vcpu), 0x31);
}
END_TEST

VT_SUITE(registers_keep_what_the_manual_lets_them, errors_are_remembered,
         an_interrupt_waits_for_its_priority_and_is_ended, only_what_names_this_cpu_arrives,
         x2apic_refuses_what_xapic_ignores)

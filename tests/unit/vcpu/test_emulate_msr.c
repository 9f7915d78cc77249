/* Model-specific registers, XCR0 and the counters: the manual's corner cases. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"

static struct emulator world, *const w = &world;

START_TEST(msr_bases_must_be_canonical)
{
    emulator_open(w);
    *reg(VT_RCX) = 0xc0000100;
    *reg(VT_RDX) = 0x80000000; /* of 48 bits and of 57 */
    ck_fault(STEP(w, "\x0f\x30"), VT_EXCEPTION_GP, 0);
    *reg(VT_RDX) = 0xffff8000;
    *reg(VT_RAX) = 0x1000;
    ck_done(STEP(w, "\x0f\x30"));
    ck_assert_uint_eq(w->vcpu.segment[VT_FS].base, 0xffff800000001000);
    *reg(VT_RDX) = *reg(VT_RAX) = ~UINT64_C(0);
    ck_done(STEP(w, "\x0f\x32"));
    ck_assert_uint_eq(*reg(VT_RDX), 0xffff8000);
    *reg(VT_RCX) = 0x1234567;
    ck_fault(STEP(w, "\x0f\x32"), VT_EXCEPTION_GP, 0);
}
END_TEST

START_TEST(efer_keeps_long_mode)
{
    emulator_open(w);
    *reg(VT_RCX) = 0xc0000080;
    *reg(VT_RAX) = VT_EFER_SCE;
    *reg(VT_RDX) = 0;
    ck_fault(STEP(w, "\x0f\x30"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = VT_EFER_LME;
    ck_done(STEP(w, "\x0f\x30"));
    ck_assert_uint_eq(w->vcpu.efer, VT_EFER_LME | VT_EFER_LMA);
}
END_TEST

/* SDM 4 2.1, IA32_PRED_CMD */
START_TEST(a_prediction_barrier_is_only_written)
{
    emulator_open(w);
    *reg(VT_RCX) = 0x49;
    ck_fault(STEP(w, "\x0f\x32"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = 2;
    *reg(VT_RDX) = 0;
    ck_fault(STEP(w, "\x0f\x30"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = 1;
    ck_done(STEP(w, "\x0f\x30"));
    *reg(VT_RDX) = 1;
    ck_fault(STEP(w, "\x0f\x30"), VT_EXCEPTION_GP, 0);
}
END_TEST

/* SDM 1 13.3 */
START_TEST(xsetbv_refuses_components_without_their_base)
{
    emulator_open(w);
    ck_fault(STEP(w, "\x0f\x01\xd1"), VT_EXCEPTION_UD, 0);
    w->vcpu.cr[4] |= VT_CR4_OSXSAVE;
    static const uint32_t bad[] = {0, 2, 5, 0x67, 0xe3, 0x1e7};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        *reg(VT_RAX) = bad[i];
        ck_fault(STEP(w, "\x0f\x01\xd1"), VT_EXCEPTION_GP, 0);
    }
    *reg(VT_RAX) = 0xe7;
    ck_done(STEP(w, "\x0f\x01\xd1"));
    *reg(VT_RAX) = 0;
    ck_done(STEP(w, "\x0f\x01\xd0"));
    ck_assert_uint_eq(*reg(VT_RAX), 0xe7);
}
END_TEST

/* SDM 2B RDPKRU, 2D WRPKRU */
START_TEST(protection_keys_need_cr4_and_zeros)
{
    emulator_open(w);
    *reg(VT_RCX) = *reg(VT_RDX) = 0;
    ck_fault(STEP(w, "\x0f\x01\xee"), VT_EXCEPTION_UD, 0);
    ck_fault(STEP(w, "\x0f\x01\xef"), VT_EXCEPTION_UD, 0);
    w->vcpu.cr[4] |= VT_CR4_PKE;
    emulator_go_user(w);
    *reg(VT_RAX) = UINT64_C(0xdeadbeef55555554);
    *reg(VT_RCX) = *reg(VT_RDX) = UINT64_C(1) << 32;
    ck_done(STEP(w, "\x0f\x01\xef"));
    *reg(VT_RAX) = *reg(VT_RDX) = ~UINT64_C(0);
    ck_done(STEP(w, "\x0f\x01\xee"));
    ck_assert_uint_eq(*reg(VT_RAX), 0x55555554);
    ck_assert_uint_eq(*reg(VT_RDX), 0);
    *reg(VT_RDX) = 1;
    ck_fault(STEP(w, "\x0f\x01\xef"), VT_EXCEPTION_GP, 0);
    *reg(VT_RDX) = 0;
    *reg(VT_RCX) = 1;
    ck_fault(STEP(w, "\x0f\x01\xef"), VT_EXCEPTION_GP, 0);
    ck_fault(STEP(w, "\x0f\x01\xee"), VT_EXCEPTION_GP, 0);
    ck_assert_uint_eq(w->vcpu.pkru, 0x55555554);
}
END_TEST

START_TEST(tsd_and_pce_guard_the_counters)
{
    emulator_open(w);
    emulator_go_user(w);
    w->clock = 0x123456789abcdef0;
    ck_done(STEP(w, "\x0f\x31"));
    ck_assert_uint_eq(*reg(VT_RAX), 0x9abcdef0);
    ck_assert_uint_eq(*reg(VT_RDX), 0x12345678);
    w->vcpu.cr[4] |= VT_CR4_TSD;
    ck_fault(STEP(w, "\x0f\x31"), VT_EXCEPTION_GP, 0);
    *reg(VT_RCX) = 0;
    ck_fault(STEP(w, "\x0f\x33"), VT_EXCEPTION_GP, 0);
    w->vcpu.cr[4] |= VT_CR4_PCE;
    ck_done(STEP(w, "\x0f\x33"));
    *reg(VT_RCX) = 100;
    ck_fault(STEP(w, "\x0f\x33"), VT_EXCEPTION_GP, 0);
}
END_TEST

VT_SUITE(msr_bases_must_be_canonical, efer_keeps_long_mode, a_prediction_barrier_is_only_written,
         xsetbv_refuses_components_without_their_base, protection_keys_need_cr4_and_zeros,
         tsd_and_pce_guard_the_counters)

/* Control and debug registers, and what CR4 opens: the manual's corner cases. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct emulator world, *const w = &world;

START_TEST(privileged_instructions_fault_outside_ring_0)
{
    static const char *const codes[] = {
        "\x0f\x06",     "\xf4",         "\x0f\x09",     "\x0f\x08",     "\x0f\x32",     "\x0f\x30",
        "\x0f\x20\xc0", "\x0f\x22\xd8", "\x0f\x21\xf8", "\x0f\x23\xf8", "\x0f\x01\xf0", "\x0f\x01\xf8",
        "\x0f\x01\x13", "\x0f\x01\x1b", "\xfa",         "\xfb",         "\xec",         "\xee",
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        emulator_open(w);
        emulator_go_user(w);
        *reg(VT_RBX) = WORLD_DATA;
        char code[16] = {0};
        memcpy(code, codes[i], strlen(codes[i]));
        ck_fault(emulator_step(w, code, sizeof code), VT_EXCEPTION_GP, 0);
    }
}
END_TEST

/* SDM 2B MOV CR: bits 63:32 of CR0 are reserved; PG cannot be cleared in 64-bit mode; NW needs CD. */
START_TEST(cr0_refuses_invalid_combinations)
{
    static const uint64_t bad[] = {0x180000011, 0x11, 0x80000010, 0xa0000011};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        emulator_open(w);
        *reg(VT_RAX) = bad[i];
        ck_fault(STEP(w, "\x0f\x22\xc0"), VT_EXCEPTION_GP, 0);
    }
    *reg(VT_RAX) = 0x80000001;
    ck_done(STEP(w, "\x0f\x22\xc0"));
    ck_assert_uint_eq(w->vcpu.cr[0], 0x80000011); /* ET is always 1 */
}
END_TEST

START_TEST(control_registers_that_do_not_exist_are_undefined)
{
    emulator_open(w);
    ck_fault(STEP(w, "\x0f\x20\xc8"), VT_EXCEPTION_UD, 0);     /* mov rax, cr1 */
    ck_fault(STEP(w, "\x44\x0f\x20\xc8"), VT_EXCEPTION_UD, 0); /* mov rax, cr9 */
}
END_TEST

/* SDM 3A 4.10.4.1: bit 63 of the source keeps the translations and is not stored. */
START_TEST(cr3_bit_63_is_a_command)
{
    emulator_open(w);
    *reg(VT_RAX) = UINT64_C(1) << 63 | 0x5000;
    ck_fault(STEP(w, "\x0f\x22\xd8"), VT_EXCEPTION_GP, 0);
    w->vcpu.cr[4] |= VT_CR4_PCIDE;
    ck_done(STEP(w, "\x0f\x22\xd8"));
    ck_assert_uint_eq(w->vcpu.cr[3], 0x5000);
    ck_assert_uint_eq(w->flushes, 0);
    *reg(VT_RAX) = 0x6000;
    ck_done(STEP(w, "\x0f\x22\xd8"));
    ck_assert_uint_eq(w->flushes, 1);
}
END_TEST

START_TEST(cr4_refuses_what_cpuid_does_not_offer)
{
    emulator_open(w);
    *reg(VT_RAX) = w->vcpu.cr[4] | UINT64_C(1) << 13; /* VMXE */
    ck_fault(STEP(w, "\x0f\x22\xe0"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = w->vcpu.cr[4] & ~VT_CR4_PAE;
    ck_fault(STEP(w, "\x0f\x22\xe0"), VT_EXCEPTION_GP, 0);
    w->vcpu.cr[3] = 1;
    *reg(VT_RAX) = w->vcpu.cr[4] | VT_CR4_PCIDE;
    ck_fault(STEP(w, "\x0f\x22\xe0"), VT_EXCEPTION_GP, 0);
}
END_TEST

/* CPUID follows CR4: OSXSAVE (SDM 2A CPUID, leaf 1). */
START_TEST(cpuid_shows_osxsave_as_cr4_has_it)
{
    emulator_open(w);
    *reg(VT_RAX) = w->vcpu.cr[4] | VT_CR4_OSXSAVE;
    ck_done(STEP(w, "\x0f\x22\xe0"));
    *reg(VT_RAX) = 1;
    ck_done(STEP(w, "\x0f\xa2"));
    ck_assert_uint_eq(*reg(VT_RCX) >> 27 & 1, 1);
    *reg(VT_RAX) = w->vcpu.cr[4] & ~VT_CR4_OSXSAVE;
    ck_done(STEP(w, "\x0f\x22\xe0"));
    *reg(VT_RAX) = 1;
    ck_done(STEP(w, "\x0f\xa2"));
    ck_assert_uint_eq(*reg(VT_RCX) >> 27 & 1, 0);
}
END_TEST

/* SDM 2A CPUID, leaf 0x0b. */
START_TEST(cpuid_beyond_the_last_level_names_the_level)
{
    static const struct vt_cpuid_leaf levels[] = {{0xb, 0, {1, 2, 0x100, 0x77}, 0, 0},
                                                  {0xb, 1, {4, 8, 0x201, 0x77}, 0, 0}};
    emulator_open(w);
    for (uint32_t given = 0; given <= 2; given++) {
        if (given)
            w->vcpu.cpuid[w->vcpu.cpuid_count++] = levels[given - 1];
        *reg(VT_RAX) = 0xb;
        *reg(VT_RCX) = 3;
        ck_done(STEP(w, "\x0f\xa2"));
        ck_assert_uint_eq(*reg(VT_RAX) | *reg(VT_RBX), 0);
        ck_assert_uint_eq(*reg(VT_RCX), given == 2 ? 3 : 0);
        ck_assert_uint_eq(*reg(VT_RDX), given == 2 ? 0x77 : 0);
    }
    *reg(VT_RAX) = 13; /* no level: zeros */
    *reg(VT_RCX) = 3;
    ck_done(STEP(w, "\x0f\xa2"));
    ck_assert_uint_eq(*reg(VT_RCX) | *reg(VT_RDX), 0);
}
END_TEST

/* SDM 3A 11.8.6: CR8 is TPR[7:4], and writing it clears TPR[3:0]. */
START_TEST(cr8_is_the_task_priority)
{
    emulator_open(w);
    w->vcpu.apic.tpr_subclass = 7;
    *reg(VT_RAX) = 16;
    ck_fault(STEP(w, "\x44\x0f\x22\xc0"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = 9;
    ck_done(STEP(w, "\x44\x0f\x22\xc0"));
    ck_assert_uint_eq(w->vcpu.cr[8], 9);
    ck_assert_uint_eq(w->vcpu.apic.tpr_subclass, 0);
}
END_TEST

/* SDM 3B 18.2.2 and 18.2.4 */
START_TEST(debug_registers_4_and_5_are_aliases_or_undefined)
{
    emulator_open(w);
    ck_done(STEP(w, "\x0f\x21\xe8")); /* mov rax, dr5 */
    ck_assert_uint_eq(*reg(VT_RAX), w->vcpu.dr[7]);
    w->vcpu.cr[4] |= VT_CR4_DE;
    ck_fault(STEP(w, "\x0f\x21\xe8"), VT_EXCEPTION_UD, 0);
    *reg(VT_RAX) = UINT64_C(1) << 32;
    ck_fault(STEP(w, "\x0f\x23\xf8"), VT_EXCEPTION_GP, 0);
}
END_TEST

START_TEST(general_detect_stops_an_access_to_debug_registers)
{
    emulator_open(w);
    w->vcpu.dr[7] |= 0x2000;
    ck_fault(STEP(w, "\x0f\x21\xf8"), VT_EXCEPTION_DB, 0);
    ck_assert_uint_eq(w->vcpu.dr[6] >> 13 & 1, 1);
    ck_assert_uint_eq(w->vcpu.dr[7] & 0x2000, 0);
}
END_TEST

/* SDM 2A LMSW: PE may be set, not cleared. */
START_TEST(lmsw_changes_four_bits_at_most)
{
    emulator_open(w);
    uint64_t before = w->vcpu.cr[0];
    *reg(VT_RAX) = 0xfff8;
    ck_done(STEP(w, "\x0f\x01\xf0"));
    ck_assert_uint_eq(w->vcpu.cr[0], (before & ~UINT64_C(0xe)) | 8);
}
END_TEST

START_TEST(invpcid_checks_its_descriptor)
{
    emulator_open(w);
    *reg(VT_RBX) = WORLD_DATA;
    *reg(VT_RAX) = 4;
    ck_fault(STEP(w, "\x66\x0f\x38\x82\x03"), VT_EXCEPTION_GP, 0);
    *reg(VT_RAX) = 2;
    ck_done(STEP(w, "\x66\x0f\x38\x82\x03"));
    memset(emulator_at(w, WORLD_DATA), 0xff, 8);
    ck_fault(STEP(w, "\x66\x0f\x38\x82\x03"), VT_EXCEPTION_GP, 0);
}
END_TEST

START_TEST(what_is_no_instruction_is_undefined)
{
    emulator_open(w);
    ck_fault(STEP(w, "\x0f\x0b"), VT_EXCEPTION_UD, 0);
    ck_fault(STEP(w, "\x06\x00"), VT_EXCEPTION_UD, 0);
    ck_assert_int_eq(STEP(w, "\x01\xc8"), VT_STEP_UNHANDLED);
}
END_TEST

VT_SUITE(privileged_instructions_fault_outside_ring_0, cr0_refuses_invalid_combinations,
         control_registers_that_do_not_exist_are_undefined, cr3_bit_63_is_a_command,
         cr4_refuses_what_cpuid_does_not_offer, cpuid_shows_osxsave_as_cr4_has_it,
         cpuid_beyond_the_last_level_names_the_level, cr8_is_the_task_priority,
         debug_registers_4_and_5_are_aliases_or_undefined, general_detect_stops_an_access_to_debug_registers,
         lmsw_changes_four_bits_at_most, invpcid_checks_its_descriptor, what_is_no_instruction_is_undefined)

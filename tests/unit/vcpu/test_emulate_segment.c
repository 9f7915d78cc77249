/* Descriptor tables, segment registers and their bases: the manual's corner cases. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct emulator world, *const w = &world;

START_TEST(umip_hides_the_tables_from_ring_3)
{
    static const char *const codes[] = {"\x0f\x01\x03", "\x0f\x01\x0b", "\x0f\x00\xc0", "\x0f\x00\xc8",
                                        "\x0f\x01\xe0"};
    for (size_t i = 0; i < 5; i++) {
        emulator_open(w);
        emulator_go_user(w);
        *reg(VT_RBX) = WORLD_DATA;
        char code[16] = {0};
        memcpy(code, codes[i], 3);
        ck_done(emulator_step(w, code, sizeof code));
        w->vcpu.cr[4] |= VT_CR4_UMIP;
        ck_fault(emulator_step(w, code, sizeof code), VT_EXCEPTION_GP, 0);
    }
}
END_TEST

START_TEST(sgdt_stores_ten_bytes)
{
    emulator_open(w);
    memset(emulator_at(w, WORLD_DATA), 0xee, 16);
    *reg(VT_RBX) = WORLD_DATA;
    ck_done(STEP(w, "\x0f\x01\x03"));
    ck_assert_mem_eq(emulator_at(w, WORLD_DATA), "\x8f\x00\x00\x10\x60\x00\x00\x00\x00\x00\xee", 11);
}
END_TEST

START_TEST(lgdt_refuses_a_base_that_is_not_canonical)
{
    emulator_open(w);
    *reg(VT_RBX) = WORLD_DATA;
    memcpy(emulator_at(w, WORLD_DATA), "\xff\xff\0\0\0\0\0\0\0\x80", 10);
    ck_fault(STEP(w, "\x0f\x01\x13"), VT_EXCEPTION_GP, 0);
    ck_assert_uint_eq(w->vcpu.gdtr.base, WORLD_GDT);
}
END_TEST

START_TEST(ltr_marks_the_descriptor_busy_and_refuses_a_busy_one)
{
    emulator_open(w);
    *reg(VT_RAX) = WORLD_TSS_SEL;
    ck_done(STEP(w, "\x0f\x00\xd8"));
    ck_assert_uint_eq(w->vcpu.segment[VT_TR].base, WORLD_TSS);
    ck_assert_uint_eq(*(uint8_t *)emulator_at(w, WORLD_GDT + WORLD_TSS_SEL + 5) & 0xf, 11);
    ck_fault(STEP(w, "\x0f\x00\xd8"), VT_EXCEPTION_GP, WORLD_TSS_SEL);
    *reg(VT_RAX) = 0;
    ck_fault(STEP(w, "\x0f\x00\xd8"), VT_EXCEPTION_GP, 0);
}
END_TEST

START_TEST(lldt_takes_null_and_refuses_what_is_no_ldt)
{
    emulator_open(w);
    *reg(VT_RAX) = WORLD_LDT_SEL;
    ck_done(STEP(w, "\x0f\x00\xd0"));
    ck_assert_uint_eq(w->vcpu.segment[VT_LDTR].base, WORLD_LDT);
    *reg(VT_RAX) = 3;
    ck_done(STEP(w, "\x0f\x00\xd0"));
    ck_assert_uint_eq(w->vcpu.segment[VT_LDTR].rights, 0);
    *reg(VT_RAX) = WORLD_DATA0;
    ck_fault(STEP(w, "\x0f\x00\xd0"), VT_EXCEPTION_GP, WORLD_DATA0);
    *reg(VT_RAX) = WORLD_LDT_SEL | 4;
    ck_fault(STEP(w, "\x0f\x00\xd0"), VT_EXCEPTION_GP, WORLD_LDT_SEL | 4);
}
END_TEST

/* APM 2 4.5.3 and CPUID Fn8000_0021_EAX[6]; Intel SDM 3A 3.4.4: cleared. */
START_TEST(null_selectors_clear_the_base_as_the_vendor_has_it)
{
    static const struct {
        uint8_t vendor;
        uint16_t features;
        uint64_t base;
    } rows[] = {
        {VT_VENDOR_INTEL, 0, 0},
        {VT_VENDOR_AMD, 0, 0x1234},
        {VT_VENDOR_AMD, VT_FEATURE_NULL_BASE, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        emulator_open(w);
        w->vcpu.limits.vendor = rows[i].vendor;
        w->vcpu.limits.features |= rows[i].features;
        w->vcpu.segment[VT_FS].base = 0x1234;
        *reg(VT_RAX) = 3;
        ck_done(STEP(w, "\x8e\xe0"));
        ck_assert_uint_eq(w->vcpu.segment[VT_FS].selector, 3);
        ck_assert_uint_eq(w->vcpu.segment[VT_FS].base, rows[i].base);
    }
}
END_TEST

/* SDM 2A LAR: ZF says whether the selector is visible; the register keeps its value when it is not. */
START_TEST(lar_and_lsl_show_only_what_is_visible)
{
    emulator_open(w);
    emulator_go_user(w);
    *reg(VT_RAX) = 0x1234;
    *reg(VT_RCX) = WORLD_CODE0 | 3;
    ck_done(STEP(w, "\x48\x0f\x02\xc1"));
    ck_assert_uint_eq(w->vcpu.rflags & VT_FLAG_ZF, 0);
    ck_assert_uint_eq(*reg(VT_RAX), 0x1234);
    *reg(VT_RCX) = WORLD_CODE3;
    ck_done(STEP(w, "\x48\x0f\x02\xc1"));
    ck_assert_uint_eq(w->vcpu.rflags & VT_FLAG_ZF, VT_FLAG_ZF);
    ck_assert_uint_eq(*reg(VT_RAX) & 0xf0ff00, 0xa0fb00);
    *reg(VT_RCX) = WORLD_CONFORMING | 3;
    ck_done(STEP(w, "\x48\x0f\x03\xc1"));
    ck_assert_uint_eq(*reg(VT_RAX), 0xffffffff);
    *reg(VT_RCX) = WORLD_GDT_LIMIT + 1;
    ck_done(STEP(w, "\x48\x0f\x03\xc1"));
    ck_assert_uint_eq(w->vcpu.rflags & VT_FLAG_ZF, 0);
}
END_TEST

START_TEST(segment_loads_check_type_privilege_and_presence)
{
    emulator_open(w);
    *reg(VT_RAX) = WORLD_DATA0;
    ck_done(STEP(w, "\x8e\xc0")); /* mov es, eax */
    *reg(VT_RAX) = WORLD_ABSENT;
    ck_fault(STEP(w, "\x8e\xc0"), VT_EXCEPTION_NP, WORLD_ABSENT);
    ck_fault(STEP(w, "\x8e\xd0"), VT_EXCEPTION_SS, WORLD_ABSENT); /* mov ss, eax */
    *reg(VT_RAX) = WORLD_READONLY;
    ck_done(STEP(w, "\x8e\xc0"));
    ck_fault(STEP(w, "\x8e\xd0"), VT_EXCEPTION_GP, WORLD_READONLY);
    *reg(VT_RAX) = WORLD_DATA0 | 3;
    ck_fault(STEP(w, "\x8e\xc0"), VT_EXCEPTION_GP, WORLD_DATA0);
    ck_fault(STEP(w, "\x8e\xc8"), VT_EXCEPTION_UD, 0); /* mov cs, eax */
}
END_TEST

START_TEST(loading_ss_holds_interrupts_off_for_one_instruction)
{
    emulator_open(w);
    *reg(VT_RAX) = WORLD_DATA0;
    ck_done(STEP(w, "\x8e\xd0"));
    ck_assert_uint_eq(w->vcpu.shadow, 1);
    ck_done(STEP(w, "\xfa"));
    ck_assert_uint_eq(w->vcpu.shadow, 0);
}
END_TEST

START_TEST(swapgs_exchanges_the_bases)
{
    emulator_open(w);
    w->vcpu.segment[VT_GS].base = 1;
    w->vcpu.msr[VT_MSR_KERNEL_GS_BASE] = 2;
    ck_done(STEP(w, "\x0f\x01\xf8"));
    ck_assert_uint_eq(w->vcpu.segment[VT_GS].base, 2);
    ck_assert_uint_eq(w->vcpu.msr[VT_MSR_KERNEL_GS_BASE], 1);
}
END_TEST

START_TEST(fsgsbase_instructions_need_cr4)
{
    emulator_open(w);
    ck_fault(STEP(w, "\xf3\x48\x0f\xae\xc0"), VT_EXCEPTION_UD, 0);
    w->vcpu.cr[4] |= VT_CR4_FSGSBASE;
    w->vcpu.segment[VT_FS].base = 0x1122334455;
    ck_done(STEP(w, "\xf3\x48\x0f\xae\xc0"));
    ck_assert_uint_eq(*reg(VT_RAX), 0x1122334455);
    ck_done(STEP(w, "\xf3\x0f\xae\xc0")); /* rdfsbase eax */
    ck_assert_uint_eq(*reg(VT_RAX), 0x22334455);
}
END_TEST

VT_SUITE(umip_hides_the_tables_from_ring_3, sgdt_stores_ten_bytes, lgdt_refuses_a_base_that_is_not_canonical,
         null_selectors_clear_the_base_as_the_vendor_has_it,
         ltr_marks_the_descriptor_busy_and_refuses_a_busy_one, lldt_takes_null_and_refuses_what_is_no_ldt,
         lar_and_lsl_show_only_what_is_visible, segment_loads_check_type_privilege_and_presence,
         loading_ss_holds_interrupts_off_for_one_instruction, swapgs_exchanges_the_bases,
         fsgsbase_instructions_need_cr4)

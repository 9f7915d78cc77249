/* Corner cases of emulated instructions, each with the manual's section that decides it. */
#include "tests/unit/emulator.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct emulator world, *const w = &world;

#define ck_done(step)  ck_assert_int_eq(step, VT_STEP_DONE)
#define ck_rip(offset) ck_assert_uint_eq(w->vcpu.rip, WORLD_CODE + (offset))
#define ck_fault(step, number, code)                                                                         \
    do {                                                                                                     \
        ck_assert_int_eq(step, VT_STEP_FAULT);                                                               \
        ck_assert_uint_eq(w->vcpu.fault.vector, number);                                                     \
        ck_assert_uint_eq(w->vcpu.fault.error, code);                                                        \
        ck_rip(0);                                                                                           \
    } while (0)

static uint64_t *reg(enum vt_gpr number)
{
    return &w->vcpu.gpr[number];
}

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

/* SDM 2B POPF: outside ring 0 IOPL never changes, IF only by the grace of IOPL; nothing faults. */
START_TEST(popf_silently_keeps_what_it_may_not_change)
{
    emulator_open(w);
    emulator_go_user(w);
    memcpy(emulator_at(w, WORLD_STACK - 8), "\xd7\x3e\x20\0\0\0\0\0", 8);
    *reg(VT_RSP) = WORLD_STACK - 8;
    ck_done(STEP(w, "\x9d"));
    ck_assert_uint_eq(vt_vcpu_rflags(&w->vcpu), 0x200cd7 & ~UINT64_C(0x200) & ~UINT64_C(0x100000));
    w->vcpu.system_flags = VT_FLAG_IOPL;
    *reg(VT_RSP) = WORLD_STACK - 8;
    ck_done(STEP(w, "\x9d"));
    ck_assert_uint_eq(w->vcpu.interrupt_flag, VT_FLAG_IF);
}
END_TEST

START_TEST(sixteen_bit_popf_leaves_the_upper_half)
{
    emulator_open(w);
    w->vcpu.rflags |= VT_FLAG_ID;
    memset(emulator_at(w, WORLD_STACK - 2), 0, 2);
    *reg(VT_RSP) = WORLD_STACK - 2;
    ck_done(STEP(w, "\x66\x9d"));
    ck_assert_uint_eq(vt_vcpu_rflags(&w->vcpu), VT_FLAG_ID | VT_FLAG_ONE);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK);
}
END_TEST

START_TEST(single_stepping_traps_after_the_instruction)
{
    emulator_open(w);
    w->vcpu.rflags |= VT_FLAG_TF;
    ck_assert_int_eq(STEP(w, "\x0f\x06"), VT_STEP_FAULT);
    ck_assert_uint_eq(w->vcpu.fault.vector, VT_EXCEPTION_DB);
    ck_assert_uint_eq(w->vcpu.fault.event, VT_EVENT_TRAP);
    ck_rip(2);
    ck_assert_uint_eq(w->vcpu.dr[6] >> 14 & 1, 1);
}
END_TEST

START_TEST(msr_bases_must_be_canonical)
{
    emulator_open(w);
    *reg(VT_RCX) = 0xc0000100;
    *reg(VT_RDX) = 0x8000;
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

START_TEST(ports_obey_iopl_and_the_permission_map)
{
    emulator_open(w);
    emulator_go_user(w);
    *reg(VT_RDX) = 0x21;
    ck_fault(STEP(w, "\xec"), VT_EXCEPTION_GP, 0);
    /* A map that allows port 0x21 alone. */
    w->vcpu.segment[VT_TR].limit = 0x100;
    memcpy(emulator_at(w, WORLD_TSS + 102), "\x68\0", 2);
    memset(emulator_at(w, WORLD_TSS + 0x68), 0xff, 16);
    *(uint8_t *)emulator_at(w, WORLD_TSS + 0x68 + 4) = 0xfd;
    w->port_value = 0x5a;
    ck_done(STEP(w, "\xec"));
    ck_assert_uint_eq(*reg(VT_RAX), 0x5a);
    ck_fault(STEP(w, "\x66\xed"), VT_EXCEPTION_GP, 0); /* in ax, dx needs port 0x22 too */
    w->vcpu.system_flags = VT_FLAG_IOPL;
    ck_done(STEP(w, "\xed"));
    ck_assert_uint_eq(w->port_size, 4);
}
END_TEST

START_TEST(outs_repeats_in_both_directions)
{
    emulator_open(w);
    *reg(VT_RSI) = WORLD_DATA + 4;
    *reg(VT_RCX) = 3;
    *reg(VT_RDX) = 0x5e4;
    w->vcpu.rflags |= VT_FLAG_DF;
    ck_done(STEP(w, "\xf3\x66\x6f"));
    ck_assert_uint_eq(w->port_writes, 3);
    ck_assert_uint_eq(*reg(VT_RSI), WORLD_DATA - 2);
    ck_assert_uint_eq(*reg(VT_RCX), 0);
}
END_TEST

START_TEST(a_fault_in_a_repeat_leaves_the_turns_done)
{
    emulator_open(w);
    *reg(VT_RDI) = WORLD_MEMORY + WORLD_SIZE - 2;
    *reg(VT_RCX) = 5;
    ck_fault(STEP(w, "\xf3\x6c"), VT_EXCEPTION_PF, 2 & 0);
    ck_assert_uint_eq(*reg(VT_RCX), 3);
    ck_assert_uint_eq(w->port_reads, 2);
    ck_assert_uint_eq(w->vcpu.fault.address, WORLD_MEMORY + WORLD_SIZE);
}
END_TEST

START_TEST(a_long_repeat_pauses)
{
    emulator_open(w);
    *reg(VT_RDI) = WORLD_DEVICE;
    *reg(VT_RCX) = 5000;
    w->vcpu.rflags |= VT_FLAG_DF;
    *reg(VT_RDI) = WORLD_MEMORY + 0x4fff;
    *reg(VT_RDX) = 1;
    ck_assert_int_eq(STEP(w, "\xf3\x6c"), VT_STEP_AGAIN);
    ck_rip(0);
    ck_assert_uint_lt(*reg(VT_RCX), 5000);
}
END_TEST

START_TEST(device_registers_are_reached_by_every_form_of_move)
{
    emulator_open(w);
    *reg(VT_RBX) = WORLD_DEVICE + 8;
    w->device_value = 0x8899aabbccddeeff;
    ck_done(STEP(w, "\x8b\x03")); /* mov eax, [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), 0xccddeeff);
    ck_done(STEP(w, "\x8a\x23")); /* mov ah, [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), 0xccddffff);
    ck_done(STEP(w, "\x48\x0f\xbe\x03")); /* movsx rax, byte [rbx] */
    ck_assert_uint_eq(*reg(VT_RAX), ~UINT64_C(0));
    ck_done(STEP(w, "\xc7\x03\x78\x56\x34\x12"));
    ck_assert_uint_eq(w->device_value, 0x12345678);
    ck_done(STEP(w, "\x83\x0b\x01")); /* or dword [rbx], 1 */
    ck_assert_uint_eq(w->device_value, 0x12345679);
    ck_done(STEP(w, "\x48\x39\x03")); /* cmp [rbx], rax */
    ck_assert_uint_eq(w->vcpu.rflags & VT_FLAG_CF, VT_FLAG_CF);
    ck_assert_uint_eq(w->device_address, WORLD_DEVICE + 8);
}
END_TEST

START_TEST(addresses_on_the_stack_fault_as_stack)
{
    emulator_open(w);
    *reg(VT_RBP) = *reg(VT_RBX) = UINT64_C(1) << 60;
    ck_fault(STEP(w, "\x0f\x01\x45\x00"), VT_EXCEPTION_SS, 0); /* sgdt [rbp] */
    ck_fault(STEP(w, "\x0f\x01\x03"), VT_EXCEPTION_GP, 0);     /* sgdt [rbx] */
}
END_TEST

START_TEST(halting_with_an_interrupt_waiting_does_not_halt)
{
    emulator_open(w);
    w->vcpu.apic.svr |= 0x100;
    w->vcpu.msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_X2APIC;
    ck_assert_int_eq(STEP(w, "\xf4"), VT_STEP_HALT);
    ck_rip(1);
    w->vcpu.halted = 0;
    *reg(VT_RCX) = 0x83f;
    *reg(VT_RAX) = 0xe1;
    ck_done(STEP(w, "\x0f\x30"));
    ck_done(STEP(w, "\xfb"));
    ck_done(STEP(w, "\xf4"));
    bool taken;
    ck_done(vt_vcpu_interrupt(&w->vcpu, &w->environment, &taken));
    ck_assert(taken);
    ck_rip(0x400 + 0xe1);
    ck_assert_uint_eq(w->vcpu.interrupt_flag, 0);
    *reg(VT_RCX) = 0x80b;
    *reg(VT_RAX) = 0;
    ck_done(STEP(w, "\x0f\x30"));
    ck_assert_uint_eq(w->vcpu.apic.ended, 1);
    ck_done(STEP(w, "\x48\xcf"));
    ck_rip(1);
    ck_assert_uint_eq(w->vcpu.interrupt_flag, VT_FLAG_IF);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK);
}
END_TEST

START_TEST(task_priority_holds_interrupts_back)
{
    emulator_open(w);
    w->vcpu.apic.svr |= 0x100;
    w->vcpu.msr[VT_MSR_APIC_BASE] |= VT_APIC_BASE_X2APIC;
    w->vcpu.interrupt_flag = VT_FLAG_IF;
    w->vcpu.cr[8] = 14;
    *reg(VT_RCX) = 0x83f;
    *reg(VT_RAX) = 0xe1;
    ck_done(STEP(w, "\x0f\x30"));
    bool taken;
    ck_done(vt_vcpu_interrupt(&w->vcpu, &w->environment, &taken));
    ck_assert(!taken);
    *reg(VT_RAX) = 13;
    ck_done(STEP(w, "\x44\x0f\x22\xc0"));
    ck_done(vt_vcpu_interrupt(&w->vcpu, &w->environment, &taken));
    ck_assert(taken);
}
END_TEST

START_TEST(software_interrupts_obey_the_gate)
{
    emulator_open(w);
    emulator_go_user(w);
    ck_fault(STEP(w, "\xcd\x20"), VT_EXCEPTION_GP, 0x20 * 8 + 2);
    ck_done(STEP(w, "\xcd\x80"));
    ck_rip(0x400 + 0x80);
    ck_assert_uint_eq(w->vcpu.cpl, 0);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK0 - 40);
    uint64_t frame[5];
    memcpy(frame, emulator_at(w, WORLD_STACK0 - 40), sizeof frame);
    ck_assert_uint_eq(frame[0], WORLD_CODE + 2);
    ck_assert_uint_eq(frame[1], WORLD_CODE3);
    ck_assert_uint_eq(frame[3], WORLD_STACK);
    ck_assert_uint_eq(frame[4], WORLD_DATA3);
    ck_done(STEP(w, "\x48\xcf"));
    ck_rip(2);
    ck_assert_uint_eq(w->vcpu.cpl, 3);
}
END_TEST

/* SDM 3A table 6-5 */
START_TEST(a_fault_while_delivering_becomes_a_double_fault)
{
    emulator_open(w);
    vt_vcpu_raise_error(&w->vcpu, VT_EXCEPTION_GP, 0);
    memset(emulator_at(w, WORLD_IDT + 16 * VT_EXCEPTION_GP), 0, 16);
    ck_done(vt_vcpu_deliver(&w->vcpu, &w->environment));
    ck_rip(0x400 + VT_EXCEPTION_DF);
    w->vcpu.idtr.limit = 0;
    vt_vcpu_raise_error(&w->vcpu, VT_EXCEPTION_GP, 0);
    ck_assert_int_eq(vt_vcpu_deliver(&w->vcpu, &w->environment), VT_STEP_FAULT);
    ck_assert_uint_eq(w->vcpu.fault.vector, VT_EXCEPTION_DF);
}
END_TEST

START_TEST(far_call_goes_through_a_gate_and_back)
{
    emulator_open(w);
    emulator_go_user(w);
    *reg(VT_RBX) = WORLD_DATA;
    memcpy(emulator_at(w, WORLD_DATA), "\0\0\0\0\x63\0", 6);
    ck_done(STEP(w, "\xff\x1b"));
    ck_rip(0x800);
    ck_assert_uint_eq(w->vcpu.cpl, 0);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK0 - 32);
    ck_done(STEP(w, "\x48\xcb"));
    ck_rip(2);
    ck_assert_uint_eq(w->vcpu.cpl, 3);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK);
}
END_TEST

START_TEST(far_jump_stays_at_its_level)
{
    emulator_open(w);
    *reg(VT_RBX) = WORLD_DATA;
    memcpy(emulator_at(w, WORLD_DATA), "\x00\x02\x60\x00\x08\x00", 6);
    ck_done(STEP(w, "\xff\x2b"));
    ck_assert_uint_eq(w->vcpu.rip, 0x600200);
    memcpy(emulator_at(w, WORLD_DATA), "\x00\x02\x60\x00\x33\x00", 6);
    ck_fault(STEP(w, "\xff\x2b"), VT_EXCEPTION_GP, 0x30);
}
END_TEST

START_TEST(syscall_and_sysret_change_level_by_msr)
{
    emulator_open(w);
    emulator_go_user(w);
    w->vcpu.msr[VT_MSR_STAR] = UINT64_C(0x0020000800000000);
    w->vcpu.msr[VT_MSR_LSTAR] = WORLD_CODE + 0x900;
    w->vcpu.msr[VT_MSR_FMASK] = VT_FLAG_IF;
    w->vcpu.interrupt_flag = VT_FLAG_IF;
    ck_done(STEP(w, "\x0f\x05"));
    ck_rip(0x900);
    ck_assert_uint_eq(w->vcpu.segment[VT_CS].selector, WORLD_CODE0);
    ck_assert_uint_eq(w->vcpu.interrupt_flag, 0);
    ck_assert_uint_eq(*reg(VT_RCX), WORLD_CODE + 2);
    ck_done(STEP(w, "\x48\x0f\x07"));
    ck_rip(2);
    ck_assert_uint_eq(w->vcpu.segment[VT_CS].selector, WORLD_CODE3);
    ck_assert_uint_eq(w->vcpu.interrupt_flag, VT_FLAG_IF);
}
END_TEST

START_TEST(each_vendor_has_its_own_hypercall)
{
    emulator_open(w);
    ck_done(STEP(w, "\x0f\x01\xc1"));
    ck_assert_uint_eq(w->hypercalls, 1);
    ck_fault(STEP(w, "\x0f\x01\xd9"), VT_EXCEPTION_UD, 0);
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
         cr4_refuses_what_cpuid_does_not_offer, cpuid_shows_osxsave_as_cr4_has_it, cr8_is_the_task_priority,
         debug_registers_4_and_5_are_aliases_or_undefined, general_detect_stops_an_access_to_debug_registers,
         lmsw_changes_four_bits_at_most, umip_hides_the_tables_from_ring_3, sgdt_stores_ten_bytes,
         lgdt_refuses_a_base_that_is_not_canonical, ltr_marks_the_descriptor_busy_and_refuses_a_busy_one,
         lldt_takes_null_and_refuses_what_is_no_ldt, lar_and_lsl_show_only_what_is_visible,
         segment_loads_check_type_privilege_and_presence, loading_ss_holds_interrupts_off_for_one_instruction,
         popf_silently_keeps_what_it_may_not_change, sixteen_bit_popf_leaves_the_upper_half,
         single_stepping_traps_after_the_instruction, msr_bases_must_be_canonical, efer_keeps_long_mode,
         xsetbv_refuses_components_without_their_base, tsd_and_pce_guard_the_counters,
         ports_obey_iopl_and_the_permission_map, outs_repeats_in_both_directions,
         a_fault_in_a_repeat_leaves_the_turns_done, a_long_repeat_pauses,
         device_registers_are_reached_by_every_form_of_move, addresses_on_the_stack_fault_as_stack,
         halting_with_an_interrupt_waiting_does_not_halt, task_priority_holds_interrupts_back,
         software_interrupts_obey_the_gate, a_fault_while_delivering_becomes_a_double_fault,
         far_call_goes_through_a_gate_and_back, far_jump_stays_at_its_level,
         syscall_and_sysret_change_level_by_msr, each_vendor_has_its_own_hypercall,
         swapgs_exchanges_the_bases, fsgsbase_instructions_need_cr4, invpcid_checks_its_descriptor,
         what_is_no_instruction_is_undefined)

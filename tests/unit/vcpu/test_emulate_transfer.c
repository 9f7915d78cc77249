/* Flags, interrupts, gates and calls between levels: the manual's corner cases. */
#include "tests/unit/vcpu/step.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct emulator world, *const w = &world;

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

/* SDM 2A, JMP and CALL: #GP(0) at the instruction, with nothing pushed; AMD's operands have no 64-bit offset.
 */
START_TEST(far_transfers_refuse_a_target_that_is_not_canonical)
{
    emulator_open(w);
    w->vcpu.limits.vendor = VT_VENDOR_INTEL;
    *reg(VT_RBX) = WORLD_DATA;
    memcpy(emulator_at(w, WORLD_DATA), "\0\0\0\0\0\0\0\x80\x08\0", 10);
    ck_fault(STEP(w, "\x48\xff\x2b"), VT_EXCEPTION_GP, 0);
    ck_fault(STEP(w, "\x48\xff\x1b"), VT_EXCEPTION_GP, 0);
    ck_assert_uint_eq(*reg(VT_RSP), WORLD_STACK);
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

VT_SUITE(popf_silently_keeps_what_it_may_not_change, sixteen_bit_popf_leaves_the_upper_half,
         single_stepping_traps_after_the_instruction, halting_with_an_interrupt_waiting_does_not_halt,
         task_priority_holds_interrupts_back, software_interrupts_obey_the_gate,
         a_fault_while_delivering_becomes_a_double_fault, far_call_goes_through_a_gate_and_back,
         far_jump_stays_at_its_level, far_transfers_refuse_a_target_that_is_not_canonical,
         syscall_and_sysret_change_level_by_msr, each_vendor_has_its_own_hypercall)
